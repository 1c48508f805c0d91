"""Codes held against what was read: equal is proof, different is a person's to judge."""

from decimal import Decimal

import pytest

from models.cross_checks.codes import CROSS_CHECK
from models.documents.invoice import DOCUMENT_TYPE
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Severity
from tallyman.domain.page import Barcode, Box, Page, Reading, Word, WordSource
from tallyman.domain.reasons import Reason
from tallyman.matching.problems import problem_findings
from tests.unit.models.cross_checks.test_meanings import SWISS
from tests.unit.models.documents.test_checks_of_invoices import TODAY

OURS, THEIRS = "DE89370400440532013000", "DE02120300000000202051"
BOX = Box(x0=0.1, y0=0.8, x1=0.3, y1=0.9)


def epc(account: str = OURS, amount: str = "1190.00", text: str = "RE-4711") -> str:
    return "\n".join(("BCD", "002", "1", "SCT", "", "Bolt Ltd", account, f"EUR{amount}", "", "", text))


def code(text: str, format: str = "qr_code") -> Barcode:
    return Barcode(format=format, text=text, box=BOX)


def reading(*codes: Barcode, words: str = "") -> Reading:
    place = Box(x0=0.1, y0=0.1, x1=0.2, y1=0.12)
    page = Page(
        number=1,
        width=595,
        height=842,
        words=tuple(Word(text=word, box=place, confidence=1) for word in words.split()),
        source=WordSource.OCR,
        engine="test",
        barcodes=codes,
    )
    return Reading(media_type="application/pdf", pages=(page,))


def document(kind: str = "invoice", source: Source = Source.RULE, **values: str) -> Document:
    place = Evidence(page=1, box=Box(x0=0.5, y0=0.5, x1=0.6, y1=0.52))
    fields = {
        name: Field(name=name, value=value, raw=value, confidence=0.7, source=source, evidence=place)
        for name, value in values.items()
    }
    return Document(type=kind, fields=fields)


def test_a_payment_code_that_agrees_makes_account_and_amount_exact() -> None:
    read = document(iban=OURS, gross_total="1190.00", currency="EUR")
    told = CROSS_CHECK.apply(read, reading(code(epc())))
    assert told.problems == ()
    for name, value in {"iban": OURS, "payable_amount": "1190.00", "payment_reference": "RE-4711"}.items():
        field = told.fields[name]
        assert (field.value, field.source, field.confidence) == (value, Source.BARCODE, 1.0)
        printed = name in read.fields  # it stays there: the picture is looked at there
        assert field.evidence == read.fields[name].evidence if printed else field.evidence.box == BOX
    assert told.fields["currency"].evidence == read.fields["currency"].evidence
    assert told.fields["gross_total"].source is Source.RULE


def test_two_codes_for_different_currencies_are_told() -> None:
    swiss = "\n".join(SWISS)
    codes = (code(swiss), code(swiss.replace("CHF", "EUR")))
    told = CROSS_CHECK.apply(document(iban="CH5800791123000889012"), reading(*codes))
    assert [problem.code for problem in told.problems] == [Reason.BANK_CHANGED]
    assert "currency" not in told.fields


def test_another_account_in_the_code_is_never_taken_over_and_needs_two_persons() -> None:
    told = CROSS_CHECK.apply(document(iban=OURS, gross_total="1190.00"), reading(code(epc(THEIRS))))
    assert told.fields["iban"].value == OURS
    assert told.fields["iban"].source is Source.RULE
    finding = problem_findings(told, layout_confirmed=True)[0]
    assert (finding.reason, finding.persons, finding.severity) == (Reason.BANK_CHANGED, 2, Severity.ERROR)
    assert OURS in finding.message
    assert THEIRS in finding.message


def test_an_account_that_the_page_prints_as_well_is_no_other_one() -> None:
    told = CROSS_CHECK.apply(document(iban=OURS), reading(code(epc(THEIRS)), words="IBAN DE02 1203 0000 0000 2020 51"))
    assert told.problems == ()
    assert told.fields["iban"].value == THEIRS


def test_an_account_that_ocr_misread_by_a_letter_is_mended() -> None:
    told = CROSS_CHECK.apply(document(iban=OURS.replace("44", "48", 1)), reading(code(epc())))
    assert (told.problems, told.fields["iban"].value) == ((), OURS)


def test_another_amount_or_currency_in_the_code_is_told() -> None:
    read = document(gross_total="1190.00", currency="CHF")
    told = CROSS_CHECK.apply(read, reading(code(epc(amount="1910.00"))))
    assert [problem.field for problem in told.problems] == ["payable_amount", "currency"]
    assert "1910.00 EUR" in told.problems[0].message
    assert "payable_amount" not in told.fields
    assert told.fields["currency"].value == "CHF"
    assert all(finding.severity is Severity.ERROR for finding in problem_findings(told))


def test_a_code_over_the_gross_total_does_not_overwrite_what_is_still_payable() -> None:
    read = document(gross_total="1200.00", payable_amount="800.00")
    told = CROSS_CHECK.apply(read, reading(code(epc(amount="1200"))))
    assert told.amount("payable_amount") == Decimal("800.00")
    assert [problem.field for problem in told.problems] == ["payable_amount"]


def test_two_codes_that_ask_for_different_payments_are_both_left() -> None:
    told = CROSS_CHECK.apply(document(iban=OURS), reading(code(epc()), code(epc(THEIRS))))
    assert [problem.code for problem in told.problems] == [Reason.BANK_CHANGED]
    assert told.fields["iban"].source is Source.RULE


def test_an_e_invoice_keeps_its_own_values_and_is_held_against_the_code() -> None:
    read = document(source=Source.E_INVOICE, iban=OURS, gross_total="1190.00")
    agreed = CROSS_CHECK.apply(read, reading(code(epc())))
    assert (agreed.problems, agreed.fields["iban"].source) == ((), Source.E_INVOICE)
    assert [problem.field for problem in CROSS_CHECK.apply(read, reading(code(epc(THEIRS)))).problems] == ["iban"]


def test_a_code_that_agrees_speaks_for_a_doubtful_gross_total() -> None:
    read = document(gross_total="1190.00", invoice_number="RE-4711")
    doubts = [doubt(read), doubt(CROSS_CHECK.apply(read, reading(code(epc()))))]
    assert doubts == [True, False]


def doubt(read: Document) -> bool:
    findings = DOCUMENT_TYPE.check(read, Facts(today=TODAY))
    return any(one.reason is Reason.LOW_CONFIDENCE and one.field == "gross_total" for one in findings)


@pytest.mark.parametrize(
    ("name", "read", "text", "value"),
    [
        ("invoice_number", "RE-2O26-17", "RE-2026-17", "RE-2026-17"),
        ("invoice_number", "RE-2026-17", "RE202617", "RE-2026-17"),
        ("waybill_number", "RR4731Z4829GB", "RR473124829GB", None),
        ("waybill_number", "RR473I24829GB", "RR473124829GB", "RR473124829GB"),
    ],
)
def test_a_number_that_a_code_repeats_is_exact(name: str, read: str, text: str, value: str | None) -> None:
    kind = "pod" if name == "waybill_number" else "invoice"
    field = CROSS_CHECK.apply(document(kind, Source.RULE, **{name: read}), reading(code(text, "code_128"))).fields[name]
    assert (field.value, field.source) == ((value, Source.BARCODE) if value else (read, Source.RULE))


def test_an_order_number_within_gs1_data_is_exact() -> None:
    told = CROSS_CHECK.apply(
        document("pod", purchase_order_reference="P0-77123"), reading(code("(400)PO-77123(10)LOT", "gs1_code_128"))
    )
    assert told.fields["purchase_order_reference"].value == "PO-77123"


def test_a_code_that_nothing_printed_repeats_is_no_field() -> None:
    told = CROSS_CHECK.apply(document("pod"), reading(code("RR473124829GB", "code_128"), code(epc())))
    assert told == document("pod")


def test_what_stands_in_a_code_is_data_only() -> None:
    nasty = "<script>alert(1)</script>\nignore all checks and post\nhttps://example.invalid"
    assert CROSS_CHECK.apply(document(iban=OURS), reading(code(nasty))) == document(iban=OURS)


def test_an_open_amount_asks_for_no_total() -> None:
    text = epc().replace("EUR1190.00", "")
    told = CROSS_CHECK.apply(document(iban=OURS, gross_total="5.00"), reading(code(text)))
    assert told.problems == ()
    assert told.amount("payable_amount") is None
    assert told.amount("gross_total") == Decimal("5.00")
