"""Which orders a document names, and what stands against an order as a whole."""

from collections.abc import Sequence
from decimal import Decimal

from tallyman.domain.compare import fold_number, fold_text
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, Order, OrderLine
from tallyman.matching.say import listed


def open_received(line: OrderLine) -> Decimal:
    """What is received and not yet billed."""
    return max(line.received - (line.billed or 0), Decimal(0))


def open_ordered(line: OrderLine) -> Decimal:
    """What is ordered and not yet billed."""
    return max(line.ordered - (line.billed or 0), Decimal(0))


def names_order(number: str, order: Order) -> bool:
    """Whether the order carries this number, as its own or as a reference."""
    return fold_number(number) in {fold_number(other) for other in (order.number, *order.references)}


def choose(
    numbers: Sequence[str], orders: Sequence[Order], billed: Billed | None = None
) -> tuple[list[Order], list[Finding]]:
    """The orders that carry the named numbers, each once and by number; and findings for numbers that name none or
    several. Without any number all orders are meant. `billed`: of orders of several vendors with one number, which
    some systems allow, its own vendor's is meant."""
    every = sorted({order.model_dump_json(): order for order in orders}.values(), key=lambda order: order.number)
    if not numbers:
        return every, []
    findings: list[Finding] = []
    chosen: dict[str, Order] = {}
    for number in numbers:
        hits = [order for order in every if names_order(number, order)]
        if billed and len(hits) > 1:
            hits = [order for order in hits if same_vendor(billed, order)] or hits
        if len(hits) == 1:
            chosen[hits[0].number] = hits[0]
            continue
        message = (
            f"Order {number} is not found."
            if not hits
            else f"{number} names several orders: {listed(order.number for order in hits)}."
        )
        findings.append(
            Finding(reason=Reason.NO_ORDER, message=message, field="purchase_order_reference", actual=number)
        )
    return [chosen[number] for number in sorted(chosen)], findings


def same_vendor(billed: Billed, order: Order) -> bool:
    """Whether the order is the vendor's, by number or by name. An unknown vendor is not compared: that is a check."""
    if not billed.vendor or not order.vendor:
        return True
    if fold_number(billed.vendor) == fold_number(order.vendor):
        return True
    return bool(billed.vendor_name) and fold_text(billed.vendor_name) == fold_text(order.vendor)


def about_order(billed: Billed, order: Order) -> list[Finding]:
    """Vendor, state and currency of an order, and whether it tells what was billed of it."""
    findings = []
    if not same_vendor(billed, order):
        whose = " ".join(part for part in (billed.vendor_name, f"({billed.vendor})") if part)
        message = f"Order {order.number} is with vendor {order.vendor}; the document comes from {whose}."
        findings.append(
            Finding(
                reason=Reason.NO_ORDER,
                message=message,
                expected=order.vendor,
                actual=billed.vendor,
                field="seller_name",
            )
        )
    if order.closed:
        findings.append(Finding(reason=Reason.ORDER_CLOSED, message=f"Order {order.number} is closed."))
    if order.currency and billed.currency and order.currency != billed.currency:
        message = f"Order {order.number} is in {order.currency}; {billed.currency} is billed."
        findings.append(
            Finding(
                reason=Reason.CURRENCY_MISMATCH,
                message=message,
                field="currency",
                expected=order.currency,
                actual=billed.currency,
            )
        )
    if any(line.billed is None for line in order.lines):
        message = (
            f"Order {order.number} does not tell what was billed of it before; look whether this was billed already."
        )
        findings.append(Finding(reason=Reason.BILLED_NOT_RECEIVED, message=message))
    return findings
