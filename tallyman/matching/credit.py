"""A credit note against the invoice that it corrects."""

from collections.abc import Sequence
from decimal import Decimal

from tallyman.domain.compare import fold_number
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, Order, OrderLine, PostedInvoice
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.identity import Claim, OrderLines, Slot
from tallyman.matching.lines import price_fits
from tallyman.matching.orders import choose, same_vendor
from tallyman.matching.result import Allocation, MatchResult
from tallyman.matching.say import listed, money, plain

_ZERO = Decimal(0)


def match_credit(
    billed: Billed, orders: Sequence[Order], tolerances: Tolerances, *, posted: Sequence[PostedInvoice]
) -> MatchResult:
    """A credit note needs its invoice among the posted ones, and never exceeds what that one still holds.

    Its lines are allocated to order lines only where these are clear and what was billed of them covers the credit;
    a credit without order lines is posted against the account alone.
    """
    findings = _against_invoice(billed, posted)
    chosen, unknown = choose(billed.order_numbers, orders, billed)
    findings += unknown
    findings += [_foreign(billed, order) for order in chosen if not same_vendor(billed, order)]
    lines, allocations = _lines(billed, [order for order in chosen if same_vendor(billed, order)], tolerances)
    return MatchResult(
        findings=(*findings, *lines),
        allocations=tuple(allocations),
        orders=tuple(sorted({part.order for part in allocations if part.order})),
    )


def _against_invoice(billed: Billed, posted: Sequence[PostedInvoice]) -> list[Finding]:
    if not billed.preceding_invoice:
        return [_no_order("The credit note names no invoice that it corrects.")]
    wanted = fold_number(billed.preceding_invoice)
    hits = {invoice.model_dump_json(): invoice for invoice in posted if fold_number(invoice.number) == wanted}
    invoices = [invoice for invoice in hits.values() if invoice.gross > 0]
    if not invoices:
        return [_no_order(f"Invoice {billed.preceding_invoice}, which the credit note corrects, is not posted.")]
    if len(invoices) > 1:
        records = listed(sorted(invoice.record or invoice.number for invoice in invoices))
        return [_no_order(f"Invoice {billed.preceding_invoice} is posted several times: {records}.")]
    return _exceeds(billed, invoices[0], posted)


def _exceeds(billed: Billed, invoice: PostedInvoice, posted: Sequence[PostedInvoice]) -> list[Finding]:
    findings = []
    if invoice.currency and billed.currency and invoice.currency != billed.currency:
        message = f"Invoice {invoice.number} is in {invoice.currency}; the credit note is in {billed.currency}."
        findings.append(Finding(reason=Reason.CURRENCY_MISMATCH, message=message, field="currency"))
    if billed.vendor and invoice.vendor and not _of(billed, invoice.vendor):
        findings.append(
            _no_order(f"Invoice {invoice.number} is posted for vendor {invoice.vendor}, not {billed.vendor}.")
        )
    if invoice.state == "draft":
        message = f"Invoice {invoice.number} is a draft that awaits approval."
        findings.append(Finding(reason=Reason.NO_ORDER, message=message, severity=Severity.WARNING))
    before = sum((-other.gross for other in posted if _credits(other, billed, invoice)), _ZERO)
    left, currency = invoice.gross - before, billed.currency
    if billed.gross > left:
        over = money(billed.gross - left, currency)
        message = (
            f"{money(billed.gross, currency)} credited, {money(invoice.gross, currency)} billed by invoice "
            f"{invoice.number}, {money(before, currency)} credited before: {over} too much."
        )
        findings.append(
            Finding(
                reason=Reason.QUANTITY_VARIANCE,
                message=message,
                field="gross_total",
                expected=str(left),
                actual=str(billed.gross),
            )
        )
    return findings


def _of(billed: Billed, vendor: str) -> bool:
    return same_vendor(billed, Order(number="", vendor=vendor))


def _credits(other: PostedInvoice, billed: Billed, invoice: PostedInvoice) -> bool:
    """Whether a posted record is an earlier credit note against the same invoice."""
    if other.gross >= 0 or not other.preceding_invoice or fold_number(other.number) == fold_number(billed.number):
        return False
    return fold_number(other.preceding_invoice) == fold_number(invoice.number)


def _lines(billed: Billed, orders: Sequence[Order], tolerances: Tolerances) -> tuple[list[Finding], list[Allocation]]:
    findings: list[Finding] = []
    allocations: list[Allocation] = []
    index = OrderLines(
        Slot(order=order, line=line, received=line.billed or _ZERO, ordered=line.billed or _ZERO)
        for order in orders
        for line in order.lines
    )
    credited: dict[tuple[str, int], Decimal] = {}
    for line in sorted(billed.lines, key=lambda line: line.line):
        claim = Claim(
            line=line.line,
            item=line.item,
            description=line.description,
            order_line=line.order_line,
            quantity=line.quantity,
            price_fits=lambda price, line=line: price_fits(line, price, tolerances),  # type: ignore[misc]
        )
        slot = _roomiest(index.meant_by(claim).slots)
        if slot:
            key = (slot.order.number, slot.line.line)
            credited[key] = credited.get(key, _ZERO) + line.quantity
            findings += _more_than_billed(slot.line, line.line, credited[key])
        allocations.append(
            Allocation(
                billed_line=line.line,
                order=slot.order.number if slot else None,
                order_line=slot.line.line if slot else None,
                item=line.item,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                net=line.net,
            )
        )
    return findings, allocations


def _roomiest(slots: Sequence[Slot]) -> Slot | None:
    return max(slots, key=lambda slot: slot.received, default=None)


def _more_than_billed(line: OrderLine, at: int, quantity: Decimal) -> list[Finding]:
    if line.billed is None or quantity <= line.billed:
        return []
    message = f"Line {at}: {plain(quantity)} credited, {plain(line.billed)} billed so far: more than was ever billed."
    return [
        Finding(
            reason=Reason.QUANTITY_VARIANCE,
            message=message,
            field="quantity",
            line=at,
            expected=plain(line.billed),
            actual=plain(quantity),
        )
    ]


def _foreign(billed: Billed, order: Order) -> Finding:
    return _no_order(f"Order {order.number} is with vendor {order.vendor}; the credit note comes from {billed.vendor}.")


def _no_order(message: str) -> Finding:
    return Finding(reason=Reason.NO_ORDER, message=message, field="preceding_invoice")
