"""An invoice without lines: its net total against what is received and not yet billed."""

from collections.abc import Sequence
from decimal import Decimal

from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, Order
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.orders import open_received
from tallyman.matching.result import Allocation
from tallyman.matching.say import CENT, listed, money


def match_header(
    billed: Billed, orders: Sequence[Order], tolerances: Tolerances
) -> tuple[list[Finding], list[Allocation]]:
    """Everything open is allocated where the totals agree; else nothing is, since no line tells what is billed."""
    parts = [_part(order, at) for order in orders for at in range(len(order.lines))]
    parts = [part for part in parts if part.quantity > 0]
    value = sum((part.net for part in parts), Decimal(0))
    slack = CENT * len(parts)
    if parts and (abs(billed.net - value) <= slack or tolerances.over_billing.allows(value, billed.net)):
        return [], parts
    if not billed.net:
        return [], []
    return [_differs(billed, orders, value)], []


def _part(order: Order, at: int) -> Allocation:
    line = order.lines[at]
    quantity = open_received(line)
    return Allocation(
        order=order.number,
        order_line=line.line,
        item=line.item,
        description=line.description,
        quantity=quantity,
        unit_price=line.unit_price,
        net=round(quantity * line.unit_price, 2),
    )


def _differs(billed: Billed, orders: Sequence[Order], value: Decimal) -> Finding:
    names, currency = listed(order.number for order in orders), billed.currency
    apart = billed.net - value
    if not any(line.received for order in orders for line in order.lines):
        reason = Reason.NO_RECEIPT
        message = (
            f"{money(billed.net, currency)} billed without lines, nothing received yet on order {names}; "
            "it waits for the proof of delivery."
        )
    else:
        reason = Reason.BILLED_NOT_RECEIVED if apart > 0 else Reason.QUANTITY_VARIANCE
        word = "too much" if apart > 0 else "less, and no line tells what is billed"
        message = (
            f"{money(billed.net, currency)} billed without lines, goods for {money(value, currency)} received and not "
            f"yet billed on order {names}: {money(abs(apart), currency)} {word}."
        )
    return Finding(reason=reason, message=message, field="net_total", expected=str(value), actual=str(billed.net))
