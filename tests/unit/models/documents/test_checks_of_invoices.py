"""What is wrong with an invoice in itself and against the facts, in the clerk's sentences."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.documents.credit_note.checks import check as check_credit_note
from models.documents.invoice.checks import check
from models.documents.order.checks import check as check_order
from tallyman.domain.document import Document, Problem
from tallyman.domain.facts import Facts, Sighting
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Order, PostedInvoice, Vendor

TODAY = date(2025, 6, 2)
IBAN = "DE89370400440532013000"
OTHER_IBAN = "FR1420041010050500013M02606"
VENDOR = Vendor(number="V1", name="Delta Bearings Inc", vat_id="DE136695976", ibans=(IBAN,), currency="EUR")
GOOD = {
    "invoice_number": "R-2025-10",
    "issue_date": "2025-05-28",
    "due_date": "2025-06-28",
    "seller_name": "Delta Bearings Inc.",
    "seller_vat_id": "DE136695976",
    "iban": IBAN,
    "currency": "EUR",
    "line_net_total": "60.00",
    "net_total": "60.00",
    "tax_total": "11.40",
    "gross_total": "71.40",
}
LINES = (
    {"description": "Bearing", "quantity": "10", "unit_price": "5.00", "total": "50.00", "vat_rate": "19"},
    {"description": "Oil", "quantity": "4", "unit_price": "2.50", "total": "10.00", "vat_rate": "19"},
)


def field(name: str, value: str, **more: Any) -> Field:
    values = {"raw": value, "confidence": 1.0, "source": Source.E_INVOICE, "evidence": Evidence(path="/x"), **more}
    return Field(name=name, value=value, **values)


def document(changes: Mapping[str, str | None] | None = None, lines: Any = LINES, **more: Any) -> Document:
    values = {name: value for name, value in {**GOOD, **(changes or {})}.items() if value is not None}
    return Document(
        type="invoice",
        fields={name: field(name, value, **more) for name, value in values.items()},
        lines=tuple({name: field(name, value, **more) for name, value in line.items()} for line in lines),
    )


def facts(**more: Any) -> Facts:
    return Facts.model_validate({"today": TODAY, "vendors": (VENDOR,), **more})


def found(changes: Mapping[str, str | None] | None = None, lines: Any = LINES, **more: Any) -> list[Finding]:
    return check(document(changes, lines), facts(**more))


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_nothing_is_wrong_with_a_good_invoice() -> None:
    assert found() == []


def test_a_credit_note_is_checked_in_the_same_way() -> None:
    assert check_credit_note(document(), facts()) == []
    assert [each.field for each in check_credit_note(document({"invoice_number": None}), facts())] == ["invoice_number"]


@pytest.mark.parametrize("name", ["invoice_number", "issue_date", "seller_name", "currency", "gross_total"])
def test_a_required_field_that_is_missing_must_be_corrected(name: str) -> None:
    missing = [each for each in found({name: None}) if each.reason is Reason.FIELD_MISSING and each.field == name]
    if name == "gross_total":
        assert not only(missing).acceptable
    else:
        assert (only(missing).acceptable, only(missing).severity) == (False, Severity.ERROR)


def test_an_empty_number_and_a_zero_amount_are_refused() -> None:
    assert not only(found({"invoice_number": " "})).acceptable
    zero = {"line_net_total": "0", "net_total": "0", "tax_total": "0", "gross_total": "0.00"}
    finding = only(found(zero, lines=()))
    assert (finding.reason, finding.acceptable) == (Reason.FIELD_MISSING, False)


def test_an_amount_that_is_no_number_must_be_corrected() -> None:
    bad = [each for each in found({"gross_total": "7l.4O"}) if not each.acceptable]
    assert only(bad).message == "Gross total can't be read: “7l.4O”."
    lines = ({**LINES[0], "quantity": "1O"}, LINES[1])
    assert [each.line for each in found(lines=lines) if each.reason is Reason.FIELD_MISSING] == [1]


def test_the_net_total_may_follow_from_the_others_but_not_from_nothing() -> None:
    assert found({"net_total": None}) == []
    without = found({"net_total": None, "tax_total": None})
    assert only(without).field == "net_total"


def test_net_and_tax_do_not_give_gross() -> None:
    finding = only(found({"gross_total": "72.40"}))
    assert finding.reason is Reason.NOT_BALANCED
    assert finding.message == "Net 60.00 EUR and VAT 11.40 EUR give 71.40 EUR, not 72.40 EUR."


def test_what_is_due_may_differ_after_a_prepayment() -> None:
    assert found({"payable_amount": "20.00"}) == []


def test_the_lines_do_not_add_up_to_their_stated_sum() -> None:
    finding = only(found(lines=LINES[:1]))
    assert finding.message == "The lines add up to 50.00 EUR, not to 60.00 EUR."
    assert (finding.reason, finding.severity) == (Reason.NOT_BALANCED, Severity.ERROR)


def test_a_stated_allowance_is_told_but_an_unexplained_difference_is_an_error() -> None:
    totals = {"net_total": "50.00", "tax_total": "9.50", "gross_total": "59.50"}
    told = only(found(totals))
    assert told.severity is Severity.WARNING
    assert told.message == "The net total holds an allowance of 10.00 EUR on the whole document."
    assert only(found({**totals, "line_net_total": None})).severity is Severity.ERROR


def test_a_discount_in_a_line_is_told() -> None:
    lines = ({**LINES[0], "unit_price": "6.00"}, LINES[1])
    assert only(found(lines=lines)).severity is Severity.WARNING


def test_the_tax_does_not_follow_from_the_lines() -> None:
    finding = only(found({"tax_total": "4.20", "gross_total": "64.20"}))
    assert finding.reason is Reason.TAX_MISMATCH
    assert finding.message == "VAT by the lines is 11.40 EUR (19 % of 60.00 EUR), the document says 4.20 EUR."


def test_a_changed_account_needs_two_persons() -> None:
    finding = only(found({"iban": OTHER_IBAN}))
    assert (finding.reason, finding.severity, finding.persons) == (Reason.BANK_CHANGED, Severity.ERROR, 2)
    assert (finding.expected, finding.actual) == (IBAN, OTHER_IBAN)


def test_an_account_is_compared_without_spaces_and_may_be_absent() -> None:
    assert found({"iban": "DE89 3704 0044 0532 0130 00"}) == []
    assert found({"iban": None}) == []


def test_an_iban_with_wrong_check_digits_is_an_error_unless_the_master_has_it() -> None:
    wrong = IBAN[:-1] + "1"
    assert {each.reason for each in found({"iban": wrong})} == {Reason.LOW_CONFIDENCE, Reason.BANK_CHANGED}
    ours = VENDOR.model_copy(update={"ibans": (wrong,)})
    assert only(found({"iban": wrong}, vendors=(ours,))).severity is Severity.WARNING


def test_a_vendor_without_account_in_the_master_is_told() -> None:
    assert only(found(vendors=(VENDOR.model_copy(update={"ibans": ()}),))).severity is Severity.WARNING


def test_a_vat_id_with_wrong_check_digits_is_an_error_unless_the_master_has_it() -> None:
    wrong = "DE123456789"
    assert Reason.LOW_CONFIDENCE in {each.reason for each in found({"seller_vat_id": wrong})}
    ours = VENDOR.model_copy(update={"vat_id": wrong})
    assert only(found({"seller_vat_id": wrong}, vendors=(ours,))).severity is Severity.WARNING


def test_the_vat_id_of_somebody_else_is_an_error() -> None:
    assert only(found({"seller_vat_id": "FR40303265045"})).reason is Reason.VENDOR_UNKNOWN


def test_the_vendor_is_unknown_or_may_be_several() -> None:
    nobody = only(found(vendors=()))
    assert (nobody.reason, nobody.acceptable) == (Reason.VENDOR_UNKNOWN, False)
    twins = (VENDOR, VENDOR.model_copy(update={"number": "V2"}))
    message = only(found(vendors=twins)).message
    assert (
        message
        == "“Delta Bearings Inc.” may be one of several vendors: Delta Bearings Inc (V1) and Delta Bearings Inc (V2)."
    )


def test_a_search_that_gave_somebody_else_is_no_match() -> None:
    other = Vendor(number="V9", name="Delta Brakes Ltd")
    assert Reason.VENDOR_UNKNOWN in {each.reason for each in found(vendors=(other,))}


def test_a_vendor_on_hold_is_not_paid() -> None:
    assert only(found(vendors=(VENDOR.model_copy(update={"on_hold": True}),))).reason is Reason.VENDOR_BLOCKED


def test_the_currency_is_not_the_vendors() -> None:
    assert only(found({"currency": "USD"})).reason is Reason.CURRENCY_MISMATCH


@pytest.mark.parametrize(
    ("currency", "named", "ruled"),
    [("EUR", True, True), ("EUR", False, False), ("USD", False, True)],
    ids=["a named order is compared by the match", "open orders in another currency", "an open order in that currency"],
)
def test_an_order_rules_over_the_vendors_currency(currency: str, named: bool, ruled: bool) -> None:
    order = Order(number="4711", vendor="V1", currency=currency)
    told = found({"currency": "USD"}, orders=(order,), orders_named=named)
    assert [finding.reason for finding in told] == ([] if ruled else [Reason.CURRENCY_MISMATCH])


def test_that_it_may_be_a_duplicate_is_said_before_what_else_is_wrong() -> None:
    posted = PostedInvoice(number="R-2025-10", vendor="V1", gross=Decimal("71.40"))
    told = found({"due_date": "2025-05-01", "iban": OTHER_IBAN}, posted=(posted,))
    assert [finding.reason for finding in told] == [
        Reason.DUPLICATE_SUSPECTED,
        Reason.DATE_IMPLAUSIBLE,
        Reason.BANK_CHANGED,
    ]


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"issue_date": "2025-06-10", "due_date": None}, Severity.ERROR),
        ({"due_date": "2025-05-27"}, Severity.ERROR),
        ({"issue_date": "2013-05-27"}, Severity.WARNING),
    ],
)
def test_a_date_can_not_be_right(changes: dict[str, str | None], severity: Severity) -> None:
    finding = only(found(changes))
    assert (finding.reason, finding.severity) == (Reason.DATE_IMPLAUSIBLE, severity)


def test_a_date_within_a_week_is_fine() -> None:
    assert found({"issue_date": "2025-06-09"}) == []


@pytest.mark.parametrize(("gross", "word"), [("71.40", "the same amount"), ("80", "another amount")])
def test_the_target_holds_the_number_already(gross: str, word: str) -> None:
    there = PostedInvoice(number="r 2025/10", vendor="V1", record="815", gross=Decimal(gross))
    finding = only(found(posted=(there,)))
    assert finding.reason is Reason.DUPLICATE_SUSPECTED
    assert "record 815" in finding.message
    assert word in finding.message


def test_another_number_among_the_posted_ones_is_no_duplicate() -> None:
    assert found(posted=(PostedInvoice(number="R-2025-9", vendor="V1", gross=Decimal("71.40")),)) == []


def sighting(**more: Any) -> Sighting:
    values = {"case": "c1", "file": "a.pdf", "number": "X", "vendor": "V1", "gross": None, "issue_date": None}
    return Sighting.model_validate({**values, "state": "POSTED", **more})


@pytest.mark.parametrize(
    "more",
    [
        {"same_file": True},
        {"number": "R-2025-1O"},
        {"gross": "71.40", "issue_date": "2025-05-28"},
        {"number": "R-2025-10", "vendor": None, "gross": "71.40"},
    ],
)
def test_we_have_seen_it_before(more: dict[str, Any]) -> None:
    finding = only(found(sightings=(sighting(**more),)))
    assert (finding.reason, finding.severity) == (Reason.DUPLICATE_SUSPECTED, Severity.ERROR)
    assert "“a.pdf”" in finding.message


@pytest.mark.parametrize(
    "more", [{"number": "R-2025-10", "vendor": "V2"}, {"gross": "71.40", "issue_date": "2025-05-27"}]
)
def test_another_vendor_or_another_day_is_no_duplicate(more: dict[str, Any]) -> None:
    assert found(sightings=(sighting(**more),)) == []


def test_a_number_that_was_rejected_before_is_only_told() -> None:
    assert only(found(sightings=(sighting(number="R-2025-10", state="REJECTED"),))).severity is Severity.WARNING


def test_a_search_that_was_not_complete_proves_nothing() -> None:
    finding = only(found(complete=False))
    assert (finding.reason, finding.severity) == (Reason.SYSTEM_DOWN, Severity.ERROR)


def test_a_new_layout_read_by_the_model_goes_to_a_person() -> None:
    read = document(source=Source.MODEL, confidence=0.99)
    finding = only(check(read, facts()))
    assert (finding.reason, finding.severity) == (Reason.LOW_CONFIDENCE, Severity.ERROR)
    assert check(read, facts(layout_confirmed=True)) == []


def test_a_value_that_is_keyed_must_be_sure() -> None:
    read = document(source=Source.MODEL, confidence=0.89, lines=())
    unsure = [each.field for each in check(read, facts(layout_confirmed=True))]
    assert "gross_total" in unsure
    assert "seller_vat_id" not in unsure


def test_a_problem_of_the_reader_is_a_finding() -> None:
    read = document().model_copy(
        update={
            "problems": (
                Problem(code="QUARANTINED", message="A macro."),
                Problem(code="XML_DIFFERS_FROM_PAGE", message="71.40 and 17.40.", field="gross_total"),
            )
        }
    )
    first, second = check(read, facts())
    assert (first.reason, first.acceptable) == (Reason.QUARANTINED, False)
    assert (second.reason, second.field, second.severity) == (Reason.LOW_CONFIDENCE, "gross_total", Severity.ERROR)


@pytest.mark.parametrize(
    ("code", "severity"), [("LOW_CONFIDENCE", Severity.WARNING), ("TEXT_DIFFERS_FROM_PICTURE", Severity.ERROR)]
)
def test_a_guessed_type_is_only_told_on_a_confirmed_layout_but_never_one_that_the_picture_contradicts(
    code: str, severity: Severity
) -> None:
    problem = Problem(code=code, message="A title.", field="type")
    read = document().model_copy(update={"problems": (problem,)})
    assert only(check(read, facts(layout_confirmed=True))).severity is severity


def test_an_order_is_never_posted() -> None:
    finding = only(check_order(document(), facts()))
    assert (finding.reason, finding.acceptable) == (Reason.WRONG_DOCUMENT, False)
