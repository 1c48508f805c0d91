"""From fields to roles, and from a match to what is keyed."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.roles import Order, OrderLine, Vendor
from tallyman.domain.tolerances import Tolerances
from tallyman.errors import BusinessError
from tallyman.matching import (
    billed_from,
    delivery_from,
    delivery_posting,
    invoice_posting,
    match_delivery,
    match_invoice,
    order_numbers,
)

D = Decimal
VENDOR = Vendor(number="V1", name="Delta")


def document(kind: str, lines: tuple[dict[str, str], ...] = (), **values: str) -> Document:
    def field(name: str, value: str) -> Field:
        evidence = Evidence(path="/x")
        return Field(name=name, value=value, raw=value, confidence=1, source=Source.E_INVOICE, evidence=evidence)

    return Document(
        type=kind,
        fields={name: field(name, value) for name, value in values.items()},
        lines=tuple({name: field(name, value) for name, value in line.items()} for line in lines),
    )


def invoice(kind: str = "invoice", lines: tuple[dict[str, str], ...] = (), **more: str) -> Document:
    values = {
        "invoice_number": "R-1",
        "issue_date": "2025-05-28",
        "currency": "EUR",
        "purchase_order_reference": "4711",
    }
    totals = {"net_total": "60.00", "tax_total": "11.40", "gross_total": "71.40"}
    return document(kind, lines, **{**values, **totals, **more})


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("4711", ("4711",)),
        ("4711, 4712; 47 11", ("4711", "4712")),
        ("A-1 und B/2 and C", ("A-1", "B/2", "C")),
        ("", ()),
    ],
)
def test_the_named_orders_are_told_apart(text: str, numbers: tuple[str, ...]) -> None:
    assert order_numbers(document("invoice", purchase_order_reference=text)) == numbers


def test_an_invoice_says_what_is_billed() -> None:
    line = {"description": "Bearing", "quantity": "10", "unit_price": "5.00", "total": "50.00", "seller_item_id": "A"}
    billed = billed_from(invoice(lines=(line,)), VENDOR)
    assert (billed.number, billed.vendor, billed.vendor_name, billed.order_numbers) == ("R-1", "V1", "Delta", ("4711",))
    assert (billed.net, billed.tax, billed.gross, billed.credit) == (D(60), D("11.40"), D("71.40"), False)
    assert (billed.lines[0].item, billed.lines[0].quantity, billed.lines[0].net) == ("A", D(10), D(50))


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        ({"total": "50.00"}, (1, 50, 50)),
        ({"total": "50.00", "unit_price": "5.00"}, (10, 5, 50)),
        ({"total": "50.00", "unit_price": "7.00"}, (1, 7, 50)),
        ({"total": "50.00", "quantity": "10"}, (10, 5, 50)),
        ({"quantity": "10", "unit_price": "5.00"}, (10, 5, 50)),
    ],
)
def test_a_figure_that_a_line_does_not_tell_follows_from_the_others(
    line: dict[str, str], figures: tuple[int, int, int]
) -> None:
    (read,) = billed_from(invoice(lines=(line,)), None).lines
    assert (read.quantity, read.unit_price, read.net) == tuple(map(Decimal, figures))


def test_a_line_of_text_is_no_line() -> None:
    assert billed_from(invoice(lines=({"description": "Thank you"},)), None).lines == ()


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_note_is_positive_whatever_the_paper_writes(sign: str) -> None:
    line = {"quantity": f"{sign}5", "unit_price": "12.00", "total": f"{sign}60.00"}
    totals = {"net_total": f"{sign}60.00", "tax_total": f"{sign}11.40", "gross_total": f"{sign}71.40"}
    billed = billed_from(invoice("credit_note", (line,), preceding_invoice="R-0", **totals), VENDOR)
    assert (billed.credit, billed.gross, billed.preceding_invoice) == (True, D("71.40"), "R-0")
    assert (billed.lines[0].quantity, billed.lines[0].unit_price, billed.lines[0].net) == (D(5), D(12), D(60))


def test_an_invoice_over_less_than_nothing_is_a_credit_note() -> None:
    assert billed_from(invoice(net_total="-60.00", tax_total="-11.40", gross_total="-71.40"), VENDOR).credit


def test_what_can_not_be_read_stays_empty() -> None:
    billed = billed_from(document("invoice", gross_total="NaN", net_total="abc"), None)
    assert (billed.number, billed.gross, billed.net, billed.vendor) == ("", D(0), D(0), "")


def pod(**more: str) -> Document:
    line = {"item": "A", "shipped_quantity": "10", "received_quantity": "10"}
    values = {"pod_number": "L-1", "purchase_order_reference": "4711", "delivered_date": "2025-05-30"}
    return document("pod", (line,), **{**values, "signature": "present", **more})


@pytest.mark.parametrize(("mark", "signed"), [("present", True), ("absent", False), ("unclear", None), ("", None)])
def test_a_signature_is_there_or_not_or_unclear(mark: str, signed: bool | None) -> None:
    assert delivery_from(pod(signature=mark)).signed is signed


def test_a_paper_that_says_nothing_of_a_signature_is_not_signed() -> None:
    assert delivery_from(document("pod")).signed is False


@pytest.mark.parametrize(("note", "refused"), [("Annahme verweigert", True), ("Refused", True), ("1 box wet", False)])
def test_a_remark_may_refuse_the_delivery(note: str, refused: bool) -> None:
    assert delivery_from(pod(damage_note=note)).refused is refused


ORDER = Order(
    number="4711",
    vendor="V1",
    lines=(OrderLine(line=3, item="A", ordered=D(20), received=D(10), billed=D(0), unit_price=D(5)),),
)


def posting(paper: Document) -> Any:
    billed = billed_from(paper, VENDOR)
    match = match_invoice(billed, [ORDER], Tolerances(), orders_named=True)
    return invoice_posting(billed, paper, VENDOR, match.allocations, "T-1")


def test_what_is_keyed_names_order_and_lines_and_adds_up() -> None:
    line = {"quantity": "10", "unit_price": "5.00", "total": "50.00", "seller_item_id": "A"}
    keyed = posting(invoice(lines=(line,), due_date="2025-06-28"))
    assert (keyed.order, keyed.due_date, keyed.reference) == ("4711", date(2025, 6, 28), "T-1")
    assert [(each.order_line, each.net) for each in keyed.lines] == [(3, D(50)), (None, D(10))]
    assert sum(each.net for each in keyed.lines) == keyed.net
    assert keyed.lines[1].description == "Charges"


@pytest.mark.parametrize("changes", [{"invoice_number": " "}, {"issue_date": "soon"}, {"currency": ""}])
def test_an_incomplete_invoice_is_never_keyed(changes: Any) -> None:
    with pytest.raises(BusinessError):
        posting(invoice(**changes))


def test_a_zero_invoice_is_never_keyed() -> None:
    with pytest.raises(BusinessError):
        posting(invoice(net_total="0", tax_total="0", gross_total="0"))


def test_what_is_received_is_keyed_by_order_line() -> None:
    delivery = delivery_from(pod())
    match = match_delivery(delivery, [ORDER], Tolerances())
    keyed = delivery_posting(delivery, match, "T-2")
    assert (keyed.order, keyed.delivery_number, keyed.lines) == ("4711", "L-1", {3: D(10)})
    assert (keyed.vendor, keyed.delivered) == ("V1", date(2025, 5, 30))


def test_a_delivery_goes_by_its_waybill_where_it_has_no_number_and_never_without() -> None:
    delivery = delivery_from(pod(waybill_number="W-9", pod_number=""))
    match = match_delivery(delivery, [ORDER], Tolerances())
    assert delivery_posting(delivery, match, "T-2").delivery_number == "W-9"
    with pytest.raises(BusinessError):
        delivery_posting(delivery.model_copy(update={"waybill": ""}), match, "T-2")
    with pytest.raises(BusinessError):
        delivery_posting(delivery, match.model_copy(update={"lines": {}}), "T-2")
