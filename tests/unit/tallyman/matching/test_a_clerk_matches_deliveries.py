"""The match of proofs of delivery, in the clerk's sentences."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallyman.domain.finding import Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import DeliveredLine, Delivery, Order, OrderLine
from tallyman.domain.tolerances import Tolerances
from tallyman.matching import DeliveryMatch, match_delivery

D = Decimal


def order(*open_quantities: str, number: str = "4711", **more: Any) -> Order:
    lines = [
        OrderLine(
            line=at, item=f"ART-{at}", description=f"Bearing {at}", ordered=D(each), received=D(0), unit_price=D(5)
        )
        for at, each in enumerate(open_quantities, start=1)
    ]
    return Order.model_validate({"number": number, "vendor": "V1", "lines": lines, **more})


def line(at: int, shipped: str | None, received: str | None, **more: Any) -> DeliveredLine:
    return DeliveredLine.model_validate(
        {"line": at, "item": f"ART-{at}", "shipped": shipped, "received": received, **more}
    )


def delivery(*lines: DeliveredLine, **more: Any) -> Delivery:
    values = {"number": "L-1", "order_numbers": ("4711",), "delivered": date(2025, 5, 30), "signed": True, **more}
    return Delivery.model_validate({**values, "lines": lines})


def matched(paper: Delivery, *orders: Order, named: bool = True) -> DeliveryMatch:
    return match_delivery(paper, orders, Tolerances(), orders_named=named)


def reasons(result: DeliveryMatch) -> list[Reason]:
    return [finding.reason for finding in result.findings if finding.severity is Severity.ERROR]


def said(result: DeliveryMatch) -> str:
    return " | ".join(finding.message for finding in result.findings)


def test_all_came_and_is_signed_for() -> None:
    result = matched(delivery(line(1, "10", "10"), line(2, "4", "4")), order("10", "4"))
    assert result.findings == ()
    assert (result.order, result.vendor, result.lines) == ("4711", "V1", {1: D(10), 2: D(4)})


def test_a_part_of_the_order_came() -> None:
    assert matched(delivery(line(2, "3", "3")), order("10", "4")).lines == {2: D(3)}


def test_less_came_than_was_shipped() -> None:
    result = matched(delivery(line(1, "10", "8")), order("10"))
    assert reasons(result) == [Reason.RECEIPT_SHORT]
    assert said(result) == "Line 1: 10 shipped, 8 received: 2 short."
    assert result.lines == {1: D(8)}


@pytest.mark.parametrize("received", ["8", "10"])
def test_what_was_rejected_is_not_received(received: str) -> None:
    result = matched(delivery(line(1, "10", received, rejected="2", reject_reason="box crushed")), order("10"))
    assert reasons(result) == [Reason.RECEIPT_DAMAGED]
    assert said(result) == "Line 1: 2 rejected (“box crushed”); 8 to receive."
    assert result.lines == {1: D(8)}


def test_the_wrong_colour_was_refused() -> None:
    result = matched(delivery(line(1, "10", "8", rejected="2", reject_reason="falsche Farbe")), order("10"))
    assert reasons(result) == [Reason.RECEIPT_REFUSED]


def test_short_and_rejected_are_told_apart() -> None:
    result = matched(delivery(line(1, "10", "7", rejected="2", reject_reason="broken")), order("10"))
    assert reasons(result) == [Reason.RECEIPT_SHORT, Reason.RECEIPT_DAMAGED]
    assert "10 shipped, 7 received, 2 rejected: 1 short." in said(result)


def test_the_receiver_noted_damage() -> None:
    result = matched(delivery(line(1, "10", "10"), damage_note="Karton nass"), order("10"))
    assert reasons(result) == [Reason.RECEIPT_DAMAGED]


def test_a_refused_delivery_is_never_received() -> None:
    result = matched(delivery(line(1, "10", "10"), damage_note="Annahme verweigert", refused=True), order("10"))
    assert reasons(result) == [Reason.RECEIPT_REFUSED]
    assert result.lines == {}


@pytest.mark.parametrize("signed", [False, None])
def test_a_missing_or_unclear_signature_goes_to_a_person(signed: bool | None) -> None:
    assert reasons(matched(delivery(line(1, "10", "10"), signed=signed), order("10"))) == [Reason.NOT_SIGNED]


def test_more_came_than_is_open() -> None:
    half = order("10")
    half = half.model_copy(update={"lines": (half.lines[0].model_copy(update={"received": D(6)}),)})
    result = matched(delivery(line(1, "5", "5")), half)
    assert reasons(result) == [Reason.RECEIVED_NOT_ORDERED]
    assert said(result) == "Line 1: 5 received, 10 ordered, 6 received before: 1 too many."


def test_more_came_than_was_shipped() -> None:
    assert reasons(matched(delivery(line(1, "8", "9")), order("10"))) == [Reason.QUANTITY_VARIANCE]


def test_something_came_that_was_not_ordered() -> None:
    result = matched(delivery(line(1, "10", "10"), line(2, "1", "1", item="PUMP", description="Pump")), order("10"))
    assert reasons(result) == [Reason.RECEIVED_NOT_ORDERED]
    assert said(result) == "Line 2: “Pump” is not on order 4711."
    assert result.lines == {1: D(10)}


@pytest.mark.parametrize(("shipped", "reason"), [("10", Reason.LOW_CONFIDENCE), (None, Reason.FIELD_MISSING)])
def test_a_quantity_that_can_not_be_read_must_be_corrected(shipped: str | None, reason: Reason) -> None:
    result = matched(delivery(line(1, shipped, None), line(2, "4", "4")), order("10", "4"))
    (finding,) = result.findings
    assert (finding.reason, finding.acceptable, finding.line) == (reason, False, 1)
    assert result.lines == {2: D(4)}


def test_a_slip_without_lines_can_not_be_received() -> None:
    (finding,) = matched(delivery(), order("10")).findings
    assert (finding.reason, finding.acceptable) == (Reason.FIELD_MISSING, False)


def test_two_batches_of_one_item_are_received_together() -> None:
    result = matched(delivery(line(1, "6", "6"), line(2, "4", "4", item="ART-1")), order("10"))
    assert result.findings == ()
    assert result.lines == {1: D(10)}


def test_the_order_is_closed_or_unknown_or_not_named() -> None:
    paper = delivery(line(1, "10", "10"))
    assert reasons(matched(paper, order("10", closed=True))) == [Reason.ORDER_CLOSED]
    assert said(matched(paper)) == "Order 4711 is not found."
    assert not matched(paper).findings[0].acceptable
    assert reasons(matched(delivery(line(1, "10", "10"), order_numbers=()))) == [Reason.NO_ORDER]


def test_two_orders_on_one_paper_are_received_apart() -> None:
    paper = delivery(line(1, "10", "10"), order_numbers=("4711", "4712"))
    result = matched(paper, order("10"), order("10", number="4712"))
    assert reasons(result) == [Reason.SPLIT_SUGGESTED]
    assert result.lines == {}


def test_a_paper_without_order_takes_the_only_one_that_is_open_for_exactly_that() -> None:
    paper = delivery(line(1, "10", "10"), order_numbers=())
    result = matched(paper, order("10"), order("9", number="4712"), named=False)
    assert (result.clean, result.order, result.lines) == (True, "4711", {1: D(10)})
    assert reasons(matched(paper, order("10"), order("10", number="4712"), named=False)) == [Reason.NO_ORDER]
    assert reasons(matched(paper, order("9"), named=False)) == [Reason.NO_ORDER]
