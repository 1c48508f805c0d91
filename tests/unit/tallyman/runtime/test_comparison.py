"""What our ledger and a target's report say of each other, in both directions."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallyman.domain.compare import fold_number
from tallyman.domain.posting import PostingState
from tallyman.domain.roles import PostedInvoice
from tallyman.runtime.comparison import Comparison, Row, compare
from tests.fake_target import POSTING


def row(state: PostingState = PostingState.POSTED, **changes: Any) -> Row:
    number = changes.pop("number", POSTING.number)
    payload = POSTING.model_copy(update={"number": number, "reference": changes.pop("reference", "TM-1")}).to_json()
    values: dict[str, Any] = {
        "id": 1, "party": "V1", "number": fold_number(number), "state": state, "case": "c1", "record": "R1",
        "payload": payload,
    }  # fmt: skip
    return Row.model_validate(values | changes)


def record(**changes: Any) -> PostedInvoice:
    values: dict[str, Any] = {
        "number": "INV-7", "vendor": "V1", "record": "R1", "date": date(2026, 11, 2), "currency": "EUR",
        "gross": Decimal("119.00"), "reference": "TM-1",
    }  # fmt: skip
    return PostedInvoice.model_validate(values | changes)


def found(result: Comparison) -> list[str]:
    return [problem.what for problem in result.problems]


# -- ours -> theirs


def test_a_posted_row_and_its_equal_record_agree() -> None:
    result = compare([row()], [record(number="inv 7")])
    assert (result.checked, result.equal, result.problems, result.foreign) == (1, 1, (), 0)


def test_a_posted_row_that_the_report_does_not_show_is_missing() -> None:
    result = compare([row()], [record(vendor="V2", reference=None, record="R2")])
    assert found(result) == ["missing"]
    assert "INV-7 of vendor V1 was posted as record R1 and is not there" in result.problems[0].message


def test_a_posted_row_whose_record_has_other_values_differs() -> None:
    result = compare([row()], [record(gross=Decimal("120.00"))])
    assert found(result) == ["differs"]
    assert "gross 120.00 instead of 119.00" in result.problems[0].message


@pytest.mark.parametrize("changed", [{"number": "INV-8"}, {"vendor": "V2"}, {"number": "INV-8", "record": "R9"}])
def test_a_record_that_was_given_another_number_or_vendor_is_known_by_its_record_or_our_reference(
    changed: dict[str, Any],
) -> None:
    result = compare([row()], [record(**changed)])
    assert found(result) == ["differs"]
    assert result.foreign == 0


@pytest.mark.parametrize("state", [PostingState.UNKNOWN, PostingState.ARMED])
def test_an_open_outcome_that_is_found_once_and_equal_is_sure(state: PostingState) -> None:
    result = compare([row(state, record="")], [record()])
    assert [(one.row.id, one.record) for one in result.settle] == [(1, "R1")]
    assert result.problems == ()


def test_an_open_outcome_that_is_not_found_stays_open() -> None:
    result = compare([row(PostingState.UNKNOWN, record="")], [])
    assert (result.unsettled, result.settle, result.problems) == (1, (), ())


def test_an_open_outcome_with_other_values_is_for_a_person() -> None:
    result = compare([row(PostingState.UNKNOWN, record="")], [record(gross=Decimal("1.19"))])
    assert (found(result), result.settle) == (["differs"], ())


def test_two_records_for_an_open_outcome_are_a_duplicate_and_nothing_is_settled() -> None:
    result = compare([row(PostingState.UNKNOWN, record="")], [record(), record(record="R2")])
    assert (found(result), result.settle) == (["twice"], ())


def test_an_open_outcome_is_not_settled_when_several_rows_could_be_meant() -> None:
    rows = [row(PostingState.UNKNOWN, record=""), row(id=2, case="c2", record="R5")]
    assert compare(rows, [record()]).settle == ()


def test_a_row_that_somebody_works_on_proves_nothing() -> None:
    result = compare([row(PostingState.ARMED, at_work=True)], [record(), record(record="R2")])
    assert result == Comparison()


# -- theirs -> ours


@pytest.mark.parametrize("state", [PostingState.NOT_POSTED, PostingState.INTENT])
def test_a_record_that_our_ledger_denies_after_a_click_is_told(state: PostingState) -> None:
    result = compare([row(state, record="")], [record(reference=None)])
    assert found(result) == ["denied"]
    assert f"our ledger says {state}" in result.problems[0].message
    assert compare([row(state, record="")], []).equal == 1


def test_a_record_with_our_reference_that_the_ledger_does_not_know_is_told() -> None:
    result = compare([], [record()])
    assert (found(result), result.foreign) == (["stray"], 0)


def test_a_record_with_our_reference_under_a_key_that_was_never_clicked_is_told() -> None:
    never = row(PostingState.NOT_POSTED, clicked=False, checked=False)
    assert found(compare([never], [record()])) == ["denied"]


def test_a_second_record_of_the_same_number_is_a_duplicate_whoever_keyed_it() -> None:
    result = compare([row()], [record(), record(record="R2", number="INV 7", reference=None, gross=Decimal(5))])
    assert found(result) == ["twice"]
    assert "record R1 equal; record R2 gross 5" in result.problems[0].message


def test_a_duplicate_of_what_was_posted_before_the_checked_days_is_told() -> None:
    assert found(compare([row(checked=False)], [record(), record(record="R2")])) == ["twice"]


def test_what_was_posted_before_the_checked_days_is_ours_and_no_problem() -> None:
    result = compare([row(checked=False)], [record()])
    assert (result.problems, result.foreign) == ((), 0)


def test_records_of_others_are_only_counted_even_where_they_are_there_twice() -> None:
    theirs = [record(record=f"R{n}", number=str(n // 2), reference=None) for n in range(4)]
    result = compare([row(number="X", record="", state=PostingState.UNKNOWN)], theirs)
    assert (result.foreign, result.problems) == (4, ())


def test_the_record_of_a_conflict_in_which_we_never_clicked_is_foreign() -> None:
    never = row(PostingState.NOT_POSTED, clicked=False, checked=False)
    assert compare([never], [record(reference="REF")]).foreign == 1


def test_a_problem_that_changes_is_another_problem() -> None:
    def mark(gross: int) -> str:
        return compare([row()], [record(gross=Decimal(gross))]).problems[0].mark

    assert mark(5) == mark(5) != mark(6)
