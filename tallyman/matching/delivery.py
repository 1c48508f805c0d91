"""A proof of delivery against what is still to come of an order."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import DeliveredLine, Delivery, Order, OrderLine
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.assign import Share, share_out
from tallyman.matching.identity import Claim, Meant, OrderLines, Slot
from tallyman.matching.orders import choose
from tallyman.matching.result import DeliveryMatch
from tallyman.matching.say import listed, plain

_ZERO = Decimal(0)
_DAMAGE = re.compile(r"damag|broken|crush|wet|leak|defe[ck]t|beschädig|bruch|kaputt|nass|zerdrückt", re.IGNORECASE)


def match_delivery(
    delivery: Delivery, orders: Sequence[Order], tolerances: Tolerances, *, orders_named: bool = True
) -> DeliveryMatch:
    """What to receive now of one order, and what stands against it.

    `orders`: those that the document names, or the shipper's open ones where `orders_named` is false; then exactly one
    must be open for exactly what was shipped. What was rejected is not received.
    """
    if orders_named:
        chosen, findings = choose(delivery.order_numbers, orders)
        if not chosen and not findings:
            findings = [_no_order("The delivery names no order.")]
    else:
        chosen, findings = _the_one_that_fits(delivery, orders)
    findings += _about_hand_over(delivery)
    if len(chosen) > 1:
        message = f"The delivery covers orders {listed(order.number for order in chosen)}; receive each on its own."
        return DeliveryMatch(
            findings=(*findings, Finding(reason=Reason.SPLIT_SUGGESTED, message=message, acceptable=False))
        )
    if not chosen:
        hopeless = [each.model_copy(update={"acceptable": each.reason is not Reason.NO_ORDER}) for each in findings]
        return DeliveryMatch(findings=tuple(hopeless))
    return _match(delivery, chosen[0], tolerances, findings)


def to_receive(line: DeliveredLine) -> Decimal:
    """Received in good order. Papers count the rejected pieces as received or not: their sum against shipped tells."""
    received = line.received or _ZERO
    apart = line.shipped is not None and received + line.rejected <= line.shipped
    return received if apart else max(received - line.rejected, _ZERO)


def _match(delivery: Delivery, order: Order, tolerances: Tolerances, findings: list[Finding]) -> DeliveryMatch:
    if order.closed:
        findings.append(Finding(reason=Reason.ORDER_CLOSED, message=f"Order {order.number} is closed."))
    if not delivery.lines:
        message = "The delivery shows no lines, so no quantity can be received."
        findings.append(Finding(reason=Reason.FIELD_MISSING, message=message, field="lines", acceptable=False))
    answers = _answers(delivery, order)
    lines = {line.line: line for line in delivery.lines}
    shares = share_out([(claim, meant.slots) for claim, meant in answers if meant.slots and claim.quantity > 0])
    for claim, meant in answers:
        findings += _about_line(lines[claim.line], meant, order)
    findings += _too_much(shares, tolerances)
    receive: dict[int, Decimal] = defaultdict(Decimal)
    for share in shares:
        receive[share.slot.line.line] += share.quantity
    if delivery.lines and not receive and not delivery.refused:
        message = f"Nothing of this delivery can be received on order {order.number}."
        findings.append(Finding(reason=Reason.RECEIVED_NOT_ORDERED, message=message, acceptable=False))
    taken = {} if delivery.refused else dict(sorted(receive.items()))
    ordered = sorted(findings, key=lambda finding: finding.line or 0)
    return DeliveryMatch(findings=tuple(ordered), order=order.number, vendor=order.vendor, lines=taken)


def _answers(delivery: Delivery, order: Order) -> list[tuple[Claim, Meant]]:
    room = {line.line: max(line.ordered - line.received, _ZERO) for line in order.lines}
    index = OrderLines(
        Slot(order=order, line=line, received=room[line.line], ordered=room[line.line]) for line in order.lines
    )
    claims = [
        Claim(
            line=line.line,
            item=line.item,
            description=line.description,
            order_line=line.order_line,
            quantity=to_receive(line),
            price_fits=lambda _: True,
        )
        for line in sorted(delivery.lines, key=lambda line: line.line)
    ]
    return [(claim, index.meant_by(claim)) for claim in claims]


def _about_hand_over(delivery: Delivery) -> list[Finding]:
    findings = []
    if delivery.signed is False:
        findings.append(_found(Reason.NOT_SIGNED, "The receiver's signature is missing.", "signature"))
    elif delivery.signed is None:
        message = "A mark stands where the receiver signs; nobody can tell whether it is a signature."
        findings.append(_found(Reason.NOT_SIGNED, message, "signature"))
    if delivery.refused:
        message = f"The delivery was refused: “{delivery.damage_note}”. There is nothing to receive."
        findings.append(Finding(reason=Reason.RECEIPT_REFUSED, message=message, field="damage_note", acceptable=False))
    elif delivery.damage_note:
        message = f"The receiver noted: “{delivery.damage_note}”."
        findings.append(_found(Reason.RECEIPT_DAMAGED, message, "damage_note"))
    return findings


def _about_line(line: DeliveredLine, meant: Meant, order: Order) -> Iterator[Finding]:
    name = f"Line {line.line}"
    if line.received is None:
        shipped = f"; {plain(line.shipped)} were shipped" if line.shipped is not None else ""
        message = f"{name}: how much was received can't be read{shipped}."
        reason = Reason.FIELD_MISSING if line.shipped is None else Reason.LOW_CONFIDENCE
        yield Finding(reason=reason, message=message, field="received_quantity", line=line.line, acceptable=False)
    elif line.shipped is not None:
        yield from _short_or_over(line, line.received, line.shipped)
    if line.received is not None and min(line.received, line.rejected) < 0:
        message = f"{name}: a quantity below zero can't be received."
        yield Finding(
            reason=Reason.QUANTITY_VARIANCE,
            message=message,
            field="received_quantity",
            line=line.line,
            acceptable=False,
        )
    if line.rejected:
        reason = Reason.RECEIPT_DAMAGED if _DAMAGE.search(line.reject_reason) else Reason.RECEIPT_REFUSED
        why = f" (“{line.reject_reason}”)" if line.reject_reason else ""
        message = f"{name}: {plain(line.rejected)} rejected{why}; {plain(to_receive(line))} to receive."
        yield _found(reason, message, "rejected_quantity", line.line)
    elif line.reject_reason:
        message = f"{name}: the receiver noted “{line.reject_reason}”."
        yield _found(Reason.RECEIPT_DAMAGED, message, "reject_reason", line.line)
    if meant.doubtful:
        names = listed((slot.name for slot in meant.doubtful[:5]), "or")
        yield _found(Reason.RECEIVED_NOT_ORDERED, f"{name} may be {names}; a person decides which.", "item", line.line)
    elif not meant.slots:
        what = f"“{line.description or line.item}” " if line.description or line.item else ""
        yield _found(Reason.RECEIVED_NOT_ORDERED, f"{name}: {what}is not on order {order.number}.", "item", line.line)


def _short_or_over(line: DeliveredLine, received: Decimal, shipped: Decimal) -> Iterator[Finding]:
    arrived = max(received, to_receive(line) + line.rejected)
    apart = shipped - arrived
    if apart > 0:
        rejected = f", {plain(line.rejected)} rejected" if line.rejected else ""
        message = (
            f"Line {line.line}: {plain(shipped)} shipped, {plain(received)} received{rejected}: {plain(apart)} short."
        )
        yield _found(Reason.RECEIPT_SHORT, message, "received_quantity", line.line, shipped, received)
    elif apart < 0:
        message = f"Line {line.line}: {plain(received)} received, {plain(shipped)} shipped: {plain(-apart)} too many."
        yield _found(Reason.QUANTITY_VARIANCE, message, "received_quantity", line.line, shipped, received)


def _too_much(shares: Sequence[Share], tolerances: Tolerances) -> Iterator[Finding]:
    by_line: dict[Slot, list[Share]] = defaultdict(list)
    for share in shares:
        by_line[share.slot].append(share)
    for slot, parts in by_line.items():
        line: OrderLine = slot.line
        now = sum((part.quantity for part in parts), _ZERO)
        total = line.received + now
        if total <= line.ordered or tolerances.quantity.allows(line.ordered, total):
            continue
        at = max(part.claim.line for part in parts)
        message = (
            f"Line {at}: {plain(now)} received, {plain(line.ordered)} ordered, {plain(line.received)} received before: "
            f"{plain(total - line.ordered)} too many."
        )
        room = max(line.ordered - line.received, _ZERO)
        yield _found(Reason.RECEIVED_NOT_ORDERED, message, "received_quantity", at, room, now)


def _the_one_that_fits(delivery: Delivery, orders: Sequence[Order]) -> tuple[list[Order], list[Finding]]:
    fitting = [order for order in orders if not order.closed and _fits_exactly(delivery, order)]
    said = (
        f"Order {listed(delivery.order_numbers)}, which the delivery names, is not found"
        if delivery.order_numbers
        else "The delivery names no order"
    )
    if len(fitting) == 1:
        message = f"{said}; only order {fitting[0].number} is open for exactly these quantities."
        severity = Severity.ERROR if delivery.order_numbers else Severity.WARNING
        return fitting, [_no_order(message).model_copy(update={"severity": severity})]
    numbers = listed(sorted(order.number for order in (fitting or orders))[:5])
    rest = f"several fit: {numbers}" if fitting else f"no open order fits exactly{', of ' + numbers if numbers else ''}"
    return [], [_no_order(f"{said}; {rest}.")]


def _fits_exactly(delivery: Delivery, order: Order) -> bool:
    """Each line means one order line of its own, which is open for all that was shipped."""
    answers = _answers(delivery, order)
    shipped = {line.line: line.shipped if line.shipped is not None else line.received for line in delivery.lines}
    meant = [(claim, answer.slots[0]) for claim, answer in answers if len(answer.slots) == 1]
    own = {slot.line.line for _, slot in meant}
    return (
        bool(meant) and len(own) == len(answers) and all(shipped[claim.line] == slot.ordered for claim, slot in meant)
    )


def _found(
    reason: Reason,
    message: str,
    field: str,
    line: int | None = None,
    expected: Decimal | None = None,
    actual: Decimal | None = None,
) -> Finding:
    return Finding(
        reason=reason,
        message=message,
        field=field,
        line=line,
        expected=None if expected is None else plain(expected),
        actual=None if actual is None else plain(actual),
    )


def _no_order(message: str) -> Finding:
    return Finding(reason=Reason.NO_ORDER, message=message, field="purchase_order_reference")
