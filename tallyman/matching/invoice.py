"""The three-way match of an invoice: ordered, received, billed.

A line's amount rules over its unit price times its quantity, since real invoices carry prices per hundred and
discounts. Sentences name the lines as the paper counts them.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, Order, OrderLine, PostedInvoice
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.credit import match_credit
from tallyman.matching.header import match_header
from tallyman.matching.lines import match_lines
from tallyman.matching.orders import about_order, choose, open_ordered, open_received, same_vendor
from tallyman.matching.result import Allocation, MatchResult
from tallyman.matching.say import CENT, listed

_EXACT = Tolerances.model_validate(
    {name: {} for name in ("unit_price", "quantity", "line_amount", "over_billing", "tax")}
)


def match_invoice(
    billed: Billed,
    orders: Sequence[Order],
    tolerances: Tolerances,
    *,
    orders_named: bool,
    posted: Sequence[PostedInvoice] = (),
) -> MatchResult:
    """Who covers what of an invoice or a credit note, and what stands against posting it.

    `orders`: those that the invoice names, or the vendor's open ones where `orders_named` is false; with what was
    received and billed of each line so far. `posted`: for a credit note, the invoice that it corrects, and other
    credit notes against that one.
    """
    if billed.credit:
        return match_credit(billed, orders, tolerances, posted=posted)
    if orders_named:
        return _match_named(billed, orders, tolerances)
    return _match_unnamed(billed, orders, tolerances)


def _match_named(billed: Billed, orders: Sequence[Order], tolerances: Tolerances) -> MatchResult:
    chosen, findings = choose(billed.order_numbers, orders, billed)
    if not chosen:
        nothing = Finding(reason=Reason.NO_ORDER, message="The invoice is not covered by any order.")
        return MatchResult(findings=tuple(findings) or (nothing,))
    return _match_with(billed, chosen, tolerances, findings)


def _match_with(
    billed: Billed, orders: Sequence[Order], tolerances: Tolerances, findings: Iterable[Finding]
) -> MatchResult:
    about = [finding for order in orders for finding in about_order(billed, order)]
    usable = [order for order in orders if same_vendor(billed, order)]
    match = match_lines if billed.lines else match_header
    matched, allocations = match(billed, usable, tolerances) if usable else ([], [])
    return MatchResult(
        findings=(*findings, *about, *matched),
        allocations=tuple(allocations),
        orders=tuple(order.number for order in orders),
    )


def _match_unnamed(billed: Billed, orders: Sequence[Order], tolerances: Tolerances) -> MatchResult:
    """Only where exactly one open order fits exactly. An order that is named but was not found stays a finding."""
    fitting = [order for order in orders if not order.closed and fits_exactly(billed, order)]
    named = bool(billed.order_numbers)
    said = (
        f"Order {listed(billed.order_numbers)}, which the invoice names, is not found"
        if named
        else "The invoice names no order"
    )
    numbers = sorted(order.number for order in (fitting or orders))
    if len(fitting) != 1:
        message = f"{said}; {_candidates(numbers, bool(fitting))}"
        return MatchResult(findings=(Finding(reason=Reason.NO_ORDER, message=message),))
    told = Finding(
        reason=Reason.NO_ORDER,
        severity=Severity.ERROR if named else Severity.WARNING,
        message=f"{said}; of the vendor's open orders only {numbers[0]} fits exactly.",
        actual=numbers[0],
    )
    return _match_with(billed, fitting, tolerances, [told])


def _candidates(numbers: Sequence[str], fitting: bool) -> str:
    if not numbers:
        return "the vendor has no open order."
    shown = listed([*numbers[:5], *([f"{len(numbers) - 5} more"] if len(numbers) > 5 else [])])
    return f"it fits several open orders exactly: {shown}." if fitting else f"no open order fits exactly, of {shown}."


def fits_exactly(billed: Billed, order: Order) -> bool:
    """Every line takes all that is received, or all that is ordered, of a line not yet billed, at its price.

    An allowance on the whole invoice says nothing against the order: the lines tell which one it is, and less is paid.
    """
    if not same_vendor(billed, order) or (order.currency and order.currency != billed.currency):
        return False
    if not billed.lines:
        return _value_fits(billed, order)
    findings, allocations = match_lines(billed, [order], _EXACT)
    waiting = (Reason.NO_RECEIPT, Reason.BILLED_NOT_RECEIVED)
    if any(finding.reason not in waiting and not _whole_allowance(finding) for finding in findings):
        return False
    lines = {line.line: line for line in order.lines}
    taken = [lines[part.order_line] for part in allocations if part.order_line is not None and _takes_all(part, lines)]
    return len({line.line for line in taken}) == len(taken) == len(allocations) == len(billed.lines)


def _whole_allowance(finding: Finding) -> bool:
    """A charge on the whole invoice is an error where the tolerances are exact; an allowance never is."""
    return finding.field == "net_total" and finding.severity is Severity.WARNING


def _takes_all(part: Allocation, lines: Mapping[int, OrderLine]) -> bool:
    """Whether this is all that is received, or all that is ordered, and not yet billed of the order line."""
    line = lines[part.order_line or 0]
    before = line.billed or Decimal(0)
    return part.quantity in (line.received - before, line.ordered - before)


def _value_fits(billed: Billed, order: Order) -> bool:
    slack = CENT * len(order.lines)
    received = sum((open_received(line) * line.unit_price for line in order.lines), Decimal(0))
    ordered = sum((open_ordered(line) * line.unit_price for line in order.lines), Decimal(0))
    return any(value > 0 and abs(value - billed.net) <= slack for value in (received, ordered))
