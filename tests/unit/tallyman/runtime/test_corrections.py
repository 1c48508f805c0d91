"""What persons decide is put over what was read; an acceptance holds for the very finding."""

from datetime import UTC, datetime

from tallyman.domain.case import Decision, DecisionKind
from tallyman.domain.document import Document, Problem
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Finding
from tallyman.domain.page import Box
from tallyman.domain.reasons import Reason
from tallyman.runtime.corrections import accepted, corrected, missing_persons

BOX = Box(x0=0.1, y0=0.1, x1=0.2, y1=0.2)


def read(name: str, value: str) -> Field:
    return Field(
        name=name, value=value, raw=value, confidence=0.5, source=Source.RULE, evidence=Evidence(page=1, box=BOX)
    )


def by(person: str, *findings: Finding, **corrections: str) -> Decision:
    kind = DecisionKind.CORRECT if corrections else DecisionKind.ACCEPT
    return Decision(kind=kind, by=person, at=datetime.now(UTC), corrections=corrections, accepted=findings)


def test_a_correction_keeps_the_place_on_the_page_and_names_the_person() -> None:
    document = corrected(
        Document(type="invoice", fields={"gross_total": read("gross_total", "1.00")}), [by("eva", gross_total="2.00")]
    )
    field = document.fields["gross_total"]
    assert (field.value, field.source, field.confidence) == ("2.00", Source.PERSON, 1.0)
    assert (field.evidence.box, field.evidence.path) == (BOX, "person:eva")


def test_the_last_correction_counts() -> None:
    document = corrected(Document(type="invoice"), [by("eva", currency="EUR"), by("otto", currency="USD")])
    assert document.text("currency") == "USD"


def test_an_empty_correction_takes_the_value_away() -> None:
    document = corrected(Document(type="invoice", fields={"iban": read("iban", "X")}), [by("eva", iban="")])
    assert document.fields == {}


def test_a_cell_of_a_line_is_corrected_by_its_number_from_one() -> None:
    lines = ({"quantity": read("quantity", "1")}, {"quantity": read("quantity", "2")})
    decision = Decision(kind=DecisionKind.CORRECT, by="eva", at=datetime.now(UTC), corrections={"line.2.quantity": "7"})
    found = corrected(Document(type="invoice", lines=lines), [decision])
    assert [line["quantity"].value for line in found.lines] == ["1", "7"]


def test_a_person_who_says_what_it_is_solves_that_it_could_not_be_understood() -> None:
    document = Document(type="unknown", problems=(Problem(code="UNREADABLE", message="?"),))
    assert corrected(document, [by("eva", type="invoice")]).problems == ()


def test_a_person_who_says_what_it_is_has_not_accepted_what_else_is_doubtful() -> None:
    about = [("UNREADABLE", None), ("LOW_CONFIDENCE", "type"), ("BANK_CHANGED", "iban"), ("SPLIT_SUGGESTED", None)]
    problems = tuple(Problem(code=code, message="?", field=field) for code, field in about)
    left = corrected(Document(type="invoice", problems=problems), [by("eva", type="invoice")]).problems
    assert [problem.code for problem in left] == ["BANK_CHANGED"]


PRICE = Finding(reason=Reason.PRICE_VARIANCE, message="too dear", line=1, expected="5.00", actual="5.20")
BANK = Finding(reason=Reason.BANK_CHANGED, message="another account", persons=2, expected="A", actual="B")


def test_an_accepted_finding_does_not_stop_the_posting_any_more() -> None:
    assert not accepted([PRICE], []).post
    assert accepted([PRICE], [by("eva", PRICE)]).post


def test_an_acceptance_does_not_hold_for_another_amount() -> None:
    dearer = PRICE.model_copy(update={"actual": "9.90"})
    assert not accepted([dearer], [by("eva", PRICE)]).post


def test_a_changed_bank_account_needs_two_different_persons() -> None:
    assert not accepted([BANK], [by("eva", BANK)]).post
    assert not accepted([BANK], [by("eva", BANK), by("eva", BANK)]).post
    assert accepted([BANK], [by("eva", BANK), by("otto", BANK)]).post
    assert missing_persons([BANK], [by("eva", BANK)]) == 1
    assert missing_persons([BANK], [by("eva", BANK), by("otto", BANK)]) == 0


def test_what_can_not_be_accepted_stays_an_error_whoever_accepts_it() -> None:
    unreadable = Finding(reason=Reason.UNREADABLE, message="no words", acceptable=False)
    assert not accepted([unreadable], [by("eva", unreadable)]).post


def test_lines_are_numbered_as_the_person_saw_them() -> None:
    lines = tuple({"quantity": read("quantity", value)} for value in ("1", "2", "3"))
    took_away = Decision(kind=DecisionKind.CORRECT, by="eva", at=datetime.now(UTC), corrections={"line.2.quantity": ""})
    mended = Decision(kind=DecisionKind.CORRECT, by="eva", at=datetime.now(UTC), corrections={"line.2.quantity": "7"})
    found = corrected(Document(type="invoice", lines=lines), [took_away, mended])
    assert [line["quantity"].value for line in found.lines] == ["1", "7"]


def test_an_acceptance_without_values_holds_for_its_very_words() -> None:
    one = Finding(reason=Reason.NO_ORDER, message="The credit note names no invoice.")
    other = Finding(reason=Reason.NO_ORDER, message="Invoice R-99 is not posted.")
    assert not accepted([other], [by("eva", one)]).post
