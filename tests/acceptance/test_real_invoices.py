"""Real invoices into a real ERP: what `make demo-sqlledger` does, with a few of the files; and that it can fail."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fixtures.demo_sqlledger import verdict
from fixtures.demo_sqlledger.books import Record, truths, wanted
from fixtures.demo_sqlledger.procedure import carry_out
from fixtures.demo_sqlledger.verdict import Ending
from tests.real_invoices import data_folder, sql_ledger

FILES = (
    "003_Facture_FR_BASIC.pdf",  # three lines, order PO445
    "006_Facture_DOM_BASICWL.pdf",  # no lines
    "016_MustangGnuaccountingBeispielRE_20151008_504.pdf",  # no currency
    "040_zugferd_2p0_BASIC_Rechnungskorrektur.pdf",  # its seller was left out
    "089_EN16931_Reisekostenabrechnung.pdf",  # names no order; one fits
    "156_XRECHNUNG_Reisekostenabrechnung.pdf",  # the same number again
    "193_EN16931_ElektronischeAdresse.pdf",  # its order's number is also another vendor's, that of the next
    "219_additional_data_sample_1.pdf",
    "316_ORDER_X_EX07_ORDER_DELIVERED_BASIC.pdf",  # an order
)


@pytest.mark.erp
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_real_invoices_are_posted_as_they_are_or_go_to_a_person(tmp_path: Path) -> None:
    data = data_folder()
    with sql_ledger(tmp_path / "Büro", 8195, 5555) as practice:
        found = carry_out(practice, data, FILES)
    assert (found.wrong, found.lost) == ([], [])
    assert found.line == "0 lost, 0 duplicates, 5 posted, 4 in review"


def test_the_list_of_endings_names_every_file_and_posts_at_least_twenty_invoices() -> None:
    documents = truths(data_folder())
    should = verdict.expected(list(documents), wanted(documents), date(2026, 12, 1))
    posted = [file for file, ending in should.items() if ending["ending"] == "posted"]
    keys = {(wanted(documents)[file].vendor, wanted(documents)[file].number) for file in posted}
    assert len(keys) == len(posted) >= 20
    assert len(should) == len(documents)


RECORD = Record(
    vendor="Au bon moulin",
    number="FA-1",
    day=date(2026, 3, 1),
    due=date(2026, 3, 31),
    currency="EUR",
    net=Decimal(100),
    tax=Decimal(20),
    gross=Decimal(120),
    order="PO445",
)
POSTED = Ending(file="a.pdf", state="POSTED", record="7")
SHOULD = {"a.pdf": {"ending": "posted"}}


def judged(ended: Ending = POSTED, **books: Record) -> verdict.Verdict:
    return verdict.judge(SHOULD, [ended], {"a.pdf": RECORD}, {key[1:]: record for key, record in books.items()})


def test_a_record_that_is_as_the_truth_has_it_is_right() -> None:
    assert judged(_7=RECORD).right
    assert judged(_7=RECORD).line == "0 lost, 0 duplicates, 1 posted, 0 in review"


@pytest.mark.parametrize(
    "change",
    [
        {"vendor": "Au bon moulin SA"},
        {"number": "FA-2"},
        {"day": date(2026, 1, 3)},
        {"due": date(2026, 4, 1)},
        {"currency": "GBP"},
        {"net": Decimal("100.01")},
        {"tax": Decimal("20.01")},
        {"gross": Decimal("120.01")},
        {"order": "PO446"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_value_of_the_record_is_compared(change: dict[str, object]) -> None:
    assert len(judged(_7=replace(RECORD, **change)).wrong) == 1  # type: ignore[arg-type]


def test_a_posted_file_without_a_record_is_lost() -> None:
    assert len(judged().lost) == 1


def test_a_second_record_of_one_invoice_is_a_duplicate_whoever_made_it() -> None:
    found = judged(_7=RECORD, _8=replace(RECORD, number="fa-1"))
    assert (found.duplicates, found.right) == (1, False)


def test_a_record_that_no_file_accounts_for_is_wrong() -> None:
    assert judged(_7=RECORD, _8=replace(RECORD, number="FA-2")).wrong


@pytest.mark.parametrize("state", ["IN_REVIEW", "UNKNOWN", "REJECTED"])
def test_another_ending_than_the_expected_one_is_wrong(state: str) -> None:
    assert judged(Ending(file="a.pdf", state=state, reason="NO_ORDER")).wrong


def test_a_case_without_an_ending_is_lost_and_so_is_a_file_without_a_case() -> None:
    assert judged(Ending(file="a.pdf", state="OPEN")).lost
    assert verdict.judge(SHOULD, [], {}, {}).lost == ["a.pdf"]
