"""The match of invoices, in the clerk's sentences."""

import time
from decimal import Decimal
from typing import Any

import pytest

from tallyman.domain.finding import Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, BilledLine, Order, OrderLine, PostedInvoice
from tallyman.domain.tolerances import Tolerance, Tolerances
from tallyman.matching import MatchResult, match_invoice

D = Decimal
TOLERANCES = Tolerances()


def order_line(line: int, ordered: str, price: str, **more: Any) -> OrderLine:
    values: dict[str, Any] = {
        "item": f"ART-{line}00",
        "description": f"Bearing type {line}",
        "received": ordered,
        "billed": 0,
        **more,
    }
    return OrderLine.model_validate({"line": line, "ordered": ordered, "unit_price": price, **values})


def order(*lines: OrderLine, number: str = "4711", **more: Any) -> Order:
    return Order.model_validate({"number": number, "vendor": "V1", "currency": "EUR", "lines": lines, **more})


def line(at: int, quantity: str, price: str, **more: Any) -> BilledLine:
    values: dict[str, Any] = {"item": f"ART-{at}00", "description": f"Bearing type {at}", **more}
    values.setdefault("net", D(quantity) * D(price))
    return BilledLine.model_validate({"line": at, "quantity": quantity, "unit_price": price, **values})


def invoice(*lines: BilledLine, **more: Any) -> Billed:
    net = D(more.pop("net", sum((one.net for one in lines), D(0))))
    values: dict[str, Any] = {"order_numbers": ("4711",), **more}
    return Billed.model_validate(
        {
            "number": "R-1",
            "vendor": "V1",
            "vendor_name": "Delta Bearings Inc",
            "currency": "EUR",
            "net": net,
            "tax": 0,
            "gross": net,
            "lines": lines,
            **values,
        }
    )


def matched(billed: Billed, *orders: Order, named: bool = True, **more: Any) -> MatchResult:
    return match_invoice(billed, orders, more.pop("tolerances", TOLERANCES), orders_named=named, **more)


def reasons(result: MatchResult) -> list[Reason]:
    return [finding.reason for finding in result.findings if finding.severity is Severity.ERROR]


def said(result: MatchResult) -> str:
    return " | ".join(finding.message for finding in result.findings)


def places(result: MatchResult) -> list[tuple[int | None, str | None, int | None, Decimal]]:
    return [(part.billed_line, part.order, part.order_line, part.quantity) for part in result.allocations]


def test_what_was_ordered_and_received_is_billed_so_nothing_is_to_say() -> None:
    result = matched(
        invoice(line(1, "10", "5.00"), line(2, "4", "2.50")), order(order_line(1, "10", "5"), order_line(2, "4", "2.5"))
    )
    assert result.findings == ()
    assert places(result) == [(1, "4711", 1, D(10)), (2, "4711", 2, D(4))]
    assert result.orders == ("4711",)


def test_two_more_are_billed_than_came() -> None:
    result = matched(invoice(line(2, "12", "5.00")), order(order_line(2, "12", "5", received="10")))
    (finding,) = result.findings
    assert finding.reason is Reason.BILLED_NOT_RECEIVED
    assert finding.message == "Line 2: 12 billed, 10 received so far, 0 billed before: 2 too many."
    assert (finding.expected, finding.actual, finding.line) == ("10", "12", 2)


def test_nothing_came_yet_so_the_invoice_waits_for_the_proof_of_delivery() -> None:
    result = matched(invoice(line(1, "10", "5.00")), order(order_line(1, "10", "5", received="0")))
    assert reasons(result) == [Reason.NO_RECEIPT]
    assert said(result) == "Line 1: 10 billed, nothing received yet; it waits for the proof of delivery."


def test_more_is_billed_than_was_ordered_although_it_came() -> None:
    result = matched(invoice(line(1, "12", "5.00")), order(order_line(1, "10", "5", received="12")))
    assert reasons(result) == [Reason.QUANTITY_VARIANCE]
    assert said(result) == "Line 1: 12 billed, 10 ordered, 0 billed before: 2 too many."


def test_what_was_billed_before_counts() -> None:
    before = order(order_line(1, "10", "5", billed="6"))
    assert matched(invoice(line(1, "4", "5.00")), before).findings == ()
    assert Reason.BILLED_NOT_RECEIVED in reasons(matched(invoice(line(1, "5", "5.00")), before))


def test_an_order_that_does_not_tell_what_was_billed_goes_to_a_person() -> None:
    silent = order(order_line(1, "10", "5", billed=None))
    assert reasons(matched(invoice(line(1, "10", "5.00")), silent)) == [Reason.BILLED_NOT_RECEIVED]


def test_a_part_of_the_order_is_billed_and_that_is_fine() -> None:
    assert matched(invoice(line(2, "3", "2.50")), order(order_line(1, "10", "5"), order_line(2, "4", "2.5"))).clean


def test_the_price_is_higher_than_ordered() -> None:
    result = matched(invoice(line(1, "10", "5.20")), order(order_line(1, "10", "5")))
    assert reasons(result) == [Reason.PRICE_VARIANCE]
    assert said(result) == "Line 1: 5.20 EUR each billed, 5.00 EUR ordered: 0.20 EUR too much each, 2.00 EUR on 10."


def test_the_price_is_lower_than_ordered_and_a_person_looks() -> None:
    assert reasons(matched(invoice(line(1, "10", "4.00")), order(order_line(1, "10", "5")))) == [Reason.PRICE_VARIANCE]


def test_the_amount_rules_over_a_price_that_is_told_per_hundred() -> None:
    assert matched(invoice(line(1, "200", "5.00", net="10.00")), order(order_line(1, "200", "0.05"))).findings == ()


def test_the_amount_rules_over_a_price_before_discount() -> None:
    billed = invoice(line(1, "10", "5.00", net="45.00"))
    assert matched(billed, order(order_line(1, "10", "4.50"))).clean
    assert not matched(billed, order(order_line(1, "10", "5.00"))).clean


def test_a_rounded_cent_is_no_difference() -> None:
    assert matched(invoice(line(1, "3", "0.33", net="1.00")), order(order_line(1, "3", "0.333"))).findings == ()


def test_a_small_difference_of_price_is_too_much_on_many_pieces() -> None:
    result = matched(invoice(line(1, "10000", "10.04")), order(order_line(1, "10000", "10")))
    assert reasons(result) == [Reason.PRICE_VARIANCE]
    assert said(result).endswith("0.04 EUR too much each, 400.00 EUR on 10000.")


def test_small_differences_add_up_to_one_that_is_too_much() -> None:
    lines = range(1, 6)
    result = matched(
        invoice(*(line(at, "10", "10.04") for at in lines)), order(*(order_line(at, "10", "10") for at in lines))
    )
    assert reasons(result) == [Reason.PRICE_VARIANCE]
    assert said(result) == "502.00 EUR billed in all, 500.00 EUR by the order's prices: 2.00 EUR too much."


def test_one_invoice_bills_two_orders() -> None:
    first, second = (
        order(order_line(1, "10", "5")),
        order(order_line(1, "3", "7", item="X-9", description="Pump"), number="4712"),
    )
    billed = invoice(
        line(1, "10", "5.00"), line(2, "3", "7.00", item="X-9", description="Pump"), order_numbers=("4711", "4712")
    )
    result = matched(billed, second, first)
    assert result.findings == ()
    assert places(result) == [(1, "4711", 1, D(10)), (2, "4712", 1, D(3))]


def test_one_line_bills_the_same_item_of_two_orders() -> None:
    orders = [order(order_line(1, "10", "5"), number=number) for number in ("4711", "4712")]
    result = matched(invoice(line(1, "15", "5.00"), order_numbers=("4711", "4712")), *orders)
    assert result.findings == ()
    assert places(result) == [(1, "4711", 1, D(10)), (1, "4712", 1, D(5))]
    assert sum(part.net for part in result.allocations) == D("75.00")


def test_two_lines_bill_one_order_line_up_to_its_quantity() -> None:
    one = order(order_line(1, "10", "5"))
    same = {"item": "ART-100", "description": "Bearing type 1"}
    assert matched(invoice(line(1, "6", "5.00", **same), line(2, "4", "5.00", **same)), one).findings == ()
    result = matched(invoice(line(1, "6", "5.00", **same), line(2, "5", "5.00", **same)), one)
    assert "Lines 1 and 2: 11 billed, 10 received so far, 0 billed before: 1 too many." in said(result)


def test_the_line_that_is_still_to_come_is_told_rather_than_the_one_that_is_billed() -> None:
    orders = [
        order(order_line(1, "10", "5", billed="10")),
        order(order_line(1, "10", "5", received="0"), number="4712"),
    ]
    result = matched(invoice(line(1, "10", "5.00"), order_numbers=("4711", "4712")), *orders)
    assert reasons(result) == [Reason.NO_RECEIPT]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Bearing, type 1", True),
        ("BEARING TYPE 1 (box)", True),
        ("Baering type 1", True),
        ("Bearing type 2", False),
        ("Transport and packing", False),
    ],
)
def test_a_line_without_item_is_found_by_its_words_but_never_by_other_figures(words: str, found: bool) -> None:
    result = matched(invoice(line(1, "10", "5.00", item="", description=words)), order(order_line(1, "10", "5")))
    assert (result.findings == ()) is found


def test_the_suppliers_item_number_is_not_ours_so_the_words_decide() -> None:
    assert matched(invoice(line(1, "10", "5.00", item="ZS9997")), order(order_line(1, "10", "5"))).findings == ()


def test_our_item_number_stands_in_the_description() -> None:
    billed = invoice(line(1, "10", "5.00", item="", description="Your no. ART-100\nKugellager"))
    assert matched(billed, order(order_line(1, "10", "5"))).findings == ()


def test_lines_without_words_are_found_by_their_figures() -> None:
    bare = {"item": "", "description": ""}
    result = matched(
        invoice(line(1, "4", "2.50", **bare), line(2, "10", "5.00", **bare)),
        order(order_line(1, "10", "5"), order_line(2, "4", "2.5")),
    )
    assert places(result) == [(1, "4711", 2, D(4)), (2, "4711", 1, D(10))]


def test_two_lines_are_equally_likely_so_a_person_decides() -> None:
    one = order(
        order_line(1, "10", "5", item="A", description="Bearing steel left"),
        order_line(2, "10", "5", item="B", description="Bearing steel right"),
    )
    result = matched(invoice(line(1, "10", "5.00", item="", description="Bearing steel")), one)
    assert reasons(result) == [Reason.NO_ORDER]
    assert said(result) == "Line 1 may be line 1 of order 4711 or line 2 of order 4711; a person decides which."


def test_the_orders_line_number_tells_two_likely_lines_apart() -> None:
    one = order(
        order_line(1, "10", "5", item="A", description="Bearing steel left"),
        order_line(2, "10", "5", item="B", description="Bearing steel right"),
    )
    result = matched(invoice(line(1, "10", "5.00", item="", description="Bearing steel", order_line=2)), one)
    assert places(result) == [(1, "4711", 2, D(10))]


def test_freight_is_not_on_the_order() -> None:
    freight = {"item": "", "description": "Freight"}
    one = order(order_line(1, "10", "50"))
    dear = matched(invoice(line(1, "10", "50.00"), line(2, "1", "25.00", **freight)), one)
    assert reasons(dear) == [Reason.NO_ORDER]
    assert said(dear) == "Line 2: “Freight”, 25.00 EUR, is not on order 4711."
    cheap = matched(invoice(line(1, "10", "50.00"), line(2, "1", "0.90", **freight)), one)
    assert cheap.clean
    assert len(cheap.findings) == 1


def test_a_charge_on_the_whole_invoice_is_told_and_an_allowance_too() -> None:
    one = order(order_line(1, "10", "50"))
    charge = matched(invoice(line(1, "10", "50.00"), net="520.00"), one)
    assert reasons(charge) == [Reason.PRICE_VARIANCE]
    assert (
        said(charge)
        == "The net total holds a charge of 20.00 EUR on the whole invoice, which order 4711 does not name."
    )
    allowance = matched(invoice(line(1, "10", "50.00"), net="480.00"), one)
    assert allowance.clean
    assert "an allowance of 20.00 EUR" in said(allowance)


def test_an_allowance_does_not_hide_a_charge() -> None:
    billed = invoice(line(1, "10", "50.00"), line(2, "1", "25.00", item="", description="Freight"), net="500.00")
    assert reasons(matched(billed, order(order_line(1, "10", "50")))) == [Reason.NO_ORDER]


def test_a_line_that_takes_goods_back_goes_to_a_person() -> None:
    result = matched(invoice(line(1, "-2", "50.00")), order(order_line(1, "10", "50")))
    assert Reason.QUANTITY_VARIANCE in reasons(result)


def test_a_closed_order_is_not_billed() -> None:
    result = matched(invoice(line(1, "10", "5.00")), order(order_line(1, "10", "5"), closed=True))
    assert reasons(result) == [Reason.ORDER_CLOSED]


def test_the_order_is_in_another_currency() -> None:
    result = matched(invoice(line(1, "10", "5.00"), currency="USD"), order(order_line(1, "10", "5")))
    assert reasons(result) == [Reason.CURRENCY_MISMATCH]


def test_the_order_is_with_another_vendor() -> None:
    result = matched(invoice(line(1, "10", "5.00")), order(order_line(1, "10", "5"), vendor="V2"))
    assert reasons(result) == [Reason.NO_ORDER]
    assert said(result) == "Order 4711 is with vendor V2; the document comes from Delta Bearings Inc (V1)."
    assert result.allocations == ()


def test_an_order_that_shows_the_vendors_name_is_with_that_vendor() -> None:
    assert matched(invoice(line(1, "10", "5.00")), order(order_line(1, "10", "5"), vendor="Delta Bearings, Inc.")).clean


def test_the_named_order_is_not_found() -> None:
    result = matched(invoice(line(1, "10", "5.00"), order_numbers=("99",)))
    assert said(result) == "Order 99 is not found."
    assert reasons(result) == [Reason.NO_ORDER]


def test_the_order_is_found_by_our_reference() -> None:
    one = order(order_line(1, "10", "5"), references=("PO-88",))
    assert matched(invoice(line(1, "10", "5.00"), order_numbers=("po 88",)), one).findings == ()


def test_a_number_that_two_orders_carry_names_none() -> None:
    orders = [order(order_line(1, "10", "5"), number=number, references=("88",)) for number in ("1", "2")]
    result = matched(invoice(line(1, "10", "5.00"), order_numbers=("88",)), *orders)
    assert said(result) == "88 names several orders: 1 and 2."


def test_a_number_that_several_vendors_orders_carry_means_the_order_of_the_invoices_vendor() -> None:
    orders = [order(order_line(1, "10", "5"), vendor=vendor) for vendor in ("V1", "V2")]
    result = matched(invoice(line(1, "10", "5")), *orders)
    assert (reasons(result), result.orders) == ([], ("4711",))


def test_a_number_that_only_other_vendors_orders_carry_is_not_guessed() -> None:
    orders = [order(order_line(1, "10", "5"), vendor=vendor) for vendor in ("V2", "V3")]
    assert Reason.NO_ORDER in reasons(matched(invoice(line(1, "10", "5")), *orders))


def test_an_invoice_without_order_takes_the_one_open_order_that_fits() -> None:
    orders = [order(order_line(1, "10", "5")), order(order_line(1, "9", "5"), number="4712")]
    result = matched(invoice(line(1, "10", "5.00"), order_numbers=()), *orders, named=False)
    assert result.clean
    assert result.orders == ("4711",)
    assert said(result) == "The invoice names no order; of the vendor's open orders only 4711 fits exactly."


def test_an_invoice_without_order_that_fits_two_goes_to_a_person() -> None:
    orders = [order(order_line(1, "10", "5")), order(order_line(1, "10", "5"), number="4712")]
    result = matched(invoice(line(1, "10", "5.00"), order_numbers=()), *orders, named=False)
    assert reasons(result) == [Reason.NO_ORDER]
    assert said(result) == "The invoice names no order; it fits several open orders exactly: 4711 and 4712."
    assert result.allocations == ()


@pytest.mark.parametrize(("quantity", "price"), [("9", "5.00"), ("10", "5.02")])
def test_an_invoice_without_order_that_fits_nearly_goes_to_a_person(quantity: str, price: str) -> None:
    result = matched(invoice(line(1, quantity, price), order_numbers=()), order(order_line(1, "10", "5")), named=False)
    assert said(result) == "The invoice names no order; no open order fits exactly, of 4711."


@pytest.mark.parametrize(("net", "fits"), [("95.00", True), ("105.00", False), ("100.10", False)])
def test_an_allowance_on_the_whole_invoice_does_not_hide_its_order_but_a_charge_does(net: str, fits: bool) -> None:
    result = matched(
        invoice(line(1, "10", "10.00"), net=net, order_numbers=()), order(order_line(1, "10", "10")), named=False
    )
    assert (result.orders, result.clean) == ((("4711",), True) if fits else ((), False))


def test_an_invoice_without_order_waits_for_the_goods_of_the_order_that_fits() -> None:
    one = order(order_line(1, "10", "5", received="0"))
    assert reasons(matched(invoice(line(1, "10", "5.00"), order_numbers=()), one, named=False)) == [Reason.NO_RECEIPT]


def test_a_named_order_that_is_missing_is_never_replaced_in_silence() -> None:
    result = matched(
        invoice(line(1, "10", "5.00"), order_numbers=("99",)), order(order_line(1, "10", "5")), named=False
    )
    assert reasons(result) == [Reason.NO_ORDER]
    assert "Order 99, which the invoice names, is not found" in said(result)


def test_an_invoice_without_lines_takes_all_that_came_and_is_not_billed() -> None:
    one = order(order_line(1, "10", "5", received="6"), order_line(2, "4", "2.5", billed="4"))
    result = matched(invoice(net="30.00"), one)
    assert result.findings == ()
    assert places(result) == [(None, "4711", 1, D(6))]


def test_an_invoice_without_lines_that_asks_for_more_goes_to_a_person() -> None:
    result = matched(invoice(net="50.00"), order(order_line(1, "10", "5", received="6")))
    assert reasons(result) == [Reason.BILLED_NOT_RECEIVED]
    assert said(result) == (
        "50.00 EUR billed without lines, goods for 30.00 EUR received and not yet billed on order 4711: "
        "20.00 EUR too much."
    )
    assert result.allocations == ()


def test_an_invoice_without_lines_that_asks_for_less_or_before_the_goods_goes_to_a_person() -> None:
    assert reasons(matched(invoice(net="20"), order(order_line(1, "10", "5")))) == [Reason.QUANTITY_VARIANCE]
    assert reasons(matched(invoice(net="50"), order(order_line(1, "10", "5", received="0")))) == [Reason.NO_RECEIPT]


def test_an_invoice_without_lines_and_order_takes_the_one_whose_value_fits() -> None:
    orders = [order(order_line(1, "10", "5")), order(order_line(1, "9", "5"), number="4712")]
    result = matched(invoice(net="45.00", order_numbers=()), *orders, named=False)
    assert result.clean
    assert result.orders == ("4712",)


def test_a_named_order_that_no_line_bills_is_told() -> None:
    pump = order(order_line(1, "3", "7", item="X-9", description="Pump"), number="4712")
    result = matched(
        invoice(line(1, "10", "5.00"), order_numbers=("4711", "4712")), order(order_line(1, "10", "5")), pump
    )
    assert result.clean
    assert said(result) == "Order 4712 is named, but no line bills it."


def test_a_tolerance_holds_only_if_percent_and_value_hold() -> None:
    wide = Tolerances(quantity=Tolerance(percent=D(10), value=D(1)))
    assert matched(invoice(line(1, "11", "5.00")), order(order_line(1, "10", "5")), tolerances=wide).clean
    assert not matched(invoice(line(1, "102", "5.00")), order(order_line(1, "100", "5")), tolerances=wide).clean


def credit(gross: str, *lines: BilledLine, **more: Any) -> Billed:
    values = {"preceding_invoice": "R-0", "order_numbers": (), **more}
    return invoice(*lines, net=gross, credit=True, **values)


def posted(gross: str, number: str = "R-0", **more: Any) -> PostedInvoice:
    return PostedInvoice.model_validate({"number": number, "vendor": "V1", "currency": "EUR", "gross": gross, **more})


def test_a_credit_note_up_to_its_invoice_is_fine() -> None:
    assert matched(credit("100.00"), posted=[posted("100.00")]).findings == ()


def test_a_credit_note_never_exceeds_its_invoice() -> None:
    result = matched(credit("100.01"), posted=[posted("100.00")])
    assert reasons(result) == [Reason.QUANTITY_VARIANCE]
    assert said(result).endswith("0.00 EUR credited before: 0.01 EUR too much.")


def test_what_was_credited_before_counts() -> None:
    earlier = posted("-60.00", number="G-1", preceding_invoice="R-0")
    assert matched(credit("40.00"), posted=[posted("100.00"), earlier]).clean
    assert reasons(matched(credit("41.00"), posted=[posted("100.00"), earlier])) == [Reason.QUANTITY_VARIANCE]


def test_a_credit_note_needs_its_invoice() -> None:
    assert reasons(matched(credit("10.00", preceding_invoice=None))) == [Reason.NO_ORDER]
    assert said(matched(credit("10.00"))) == "Invoice R-0, which the credit note corrects, is not posted."
    twice = [posted("100.00", record="1"), posted("100.00", record="2")]
    assert said(matched(credit("10.00"), posted=twice)) == "Invoice R-0 is posted several times: 1 and 2."


def test_a_credit_note_of_another_vendor_or_currency_goes_to_a_person() -> None:
    assert reasons(matched(credit("10.00"), posted=[posted("100.00", vendor="V2")])) == [Reason.NO_ORDER]
    assert reasons(matched(credit("10.00"), posted=[posted("100.00", currency="USD")])) == [Reason.CURRENCY_MISMATCH]


def test_no_more_is_credited_than_was_billed_of_the_order() -> None:
    one = order(order_line(1, "10", "5", billed="4"))
    fine = matched(credit("20.00", line(1, "4", "5.00"), order_numbers=("4711",)), one, posted=[posted("100.00")])
    assert fine.findings == ()
    assert places(fine) == [(1, "4711", 1, D(4))]
    more = matched(credit("25.00", line(1, "5", "5.00"), order_numbers=("4711",)), one, posted=[posted("100.00")])
    assert said(more) == "Line 1: 5 credited, 4 billed so far: more than was ever billed."


def test_fifty_lines_against_ten_orders_take_no_time() -> None:
    orders = [
        order(
            *(order_line(at, "10", "5", item=f"A{n}-{at}", description=f"Part {n} {at}") for at in range(50)),
            number=str(n),
        )
        for n in range(10)
    ]
    lines = [line(at, "10", "5.00", item=f"A{at % 10}-{at}", description="as ordered") for at in range(50)]
    billed = invoice(*lines, order_numbers=tuple(map(str, range(10))))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        result = matched(billed, *orders)
        best = min(best, time.perf_counter() - start)
    assert result.findings == ()
    assert best < 0.1, f"{best * 1000:.1f} ms"
