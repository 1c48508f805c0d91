"""An invoice's lines against the lines of its orders."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, BilledLine, Order, OrderLine
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.assign import Share, share_out
from tallyman.matching.identity import Claim, Meant, OrderLines, Slot
from tallyman.matching.orders import open_ordered, open_received
from tallyman.matching.result import Allocation
from tallyman.matching.say import CENT, listed, money, plain

_ZERO = Decimal(0)


def match_lines(
    billed: Billed, orders: Sequence[Order], tolerances: Tolerances
) -> tuple[list[Finding], list[Allocation]]:
    """Findings in the order of the invoice's lines, and one allocation for each part of each line."""
    return _Match(billed, orders, tolerances).run()


def price_fits(line: BilledLine, price: Decimal, tolerances: Tolerances, *, quantity: Decimal | None = None) -> bool:
    """Whether a line, or `quantity` of it, costs what was ordered, up to the tolerances and a cent of rounding."""
    part = line.quantity if quantity is None else quantity
    if not line.quantity:
        return False
    effective = line.net / line.quantity
    expected, actual = part * price, part * effective
    if abs(actual - expected) <= CENT:
        return True
    return tolerances.unit_price.allows(price, effective) and tolerances.line_amount.allows(expected, actual)


class _Match:
    def __init__(self, billed: Billed, orders: Sequence[Order], tolerances: Tolerances) -> None:
        self._billed = billed
        self._tolerances = tolerances
        self._several = len(orders) > 1
        self._orders = orders
        self._lines = {line.line: line for line in billed.lines}
        slots = (
            Slot(order=order, line=line, received=open_received(line), ordered=open_ordered(line))
            for order in orders
            for line in order.lines
        )
        self._index = OrderLines(slots)

    def run(self) -> tuple[list[Finding], list[Allocation]]:
        claims = [self._claim(line) for line in sorted(self._billed.lines, key=lambda line: line.line)]
        meant = [(claim, self._index.meant_by(claim)) for claim in claims]
        found = [
            (claim, answer.slots) for claim, answer in meant if answer.slots and self._lines[claim.line].quantity > 0
        ]
        shares = share_out(found)
        covered = {claim.line for claim, _ in found}
        findings = [
            *self._too_much(shares),
            *(finding for share in shares for finding in self._price(share)),
            *(finding for claim, answer in meant for finding in self._unclear(claim, answer)),
            *self._extras([claim for claim, answer in meant if not answer.slots and not answer.doubtful], shares),
            *self._unused(shares),
        ]
        findings += self._header(shares, findings)
        rest = [_uncovered(line) for line in self._lines.values() if line.line not in covered]
        allocations = sorted([*map(self._allocation, shares), *rest], key=lambda part: part.billed_line or 0)
        return sorted(findings, key=lambda finding: finding.line or len(self._lines) + 1), allocations

    def _claim(self, line: BilledLine) -> Claim:
        return Claim(
            line=line.line,
            item=line.item,
            description=line.description,
            order_line=line.order_line,
            quantity=line.quantity,
            price_fits=lambda price: price_fits(line, price, self._tolerances),
        )

    def _too_much(self, shares: Sequence[Share]) -> Iterator[Finding]:
        """Billed before and now against received, and against ordered, for each order line."""
        by_slot: dict[Slot, list[Share]] = defaultdict(list)
        for share in shares:
            by_slot[share.slot].append(share)
        for slot, parts in by_slot.items():
            now = sum((part.quantity for part in parts), _ZERO)
            lines = sorted({part.claim.line for part in parts})
            who = f"Line{'s' if len(lines) > 1 else ''} {listed(map(str, lines))}{self._of(slot)}"
            yield from _quantities(slot.line, now, who, lines[-1], self._tolerances)

    def _of(self, slot: Slot) -> str:
        return f" (order {slot.order.number})" if self._several else ""

    def _price(self, share: Share) -> Iterator[Finding]:
        line, price, currency = self._lines[share.claim.line], share.slot.line.unit_price, self._billed.currency
        if price_fits(line, price, self._tolerances, quantity=share.quantity):
            return
        effective = line.net / line.quantity
        apart = effective - price
        word = "too much" if apart > 0 else "less than ordered"
        yield Finding(
            reason=Reason.PRICE_VARIANCE,
            message=f"Line {line.line}{self._of(share.slot)}: {money(effective, currency)} each billed, "
            f"{money(price, currency)} ordered: {money(abs(apart), currency)} {word} each, "
            f"{money(abs(apart) * share.quantity, currency)} on {plain(share.quantity)}.",
            field="unit_price",
            line=line.line,
            expected=plain(price),
            actual=plain(round(effective, 6)),
        )

    def _unclear(self, claim: Claim, meant: Meant) -> Iterator[Finding]:
        if meant.doubtful:
            names = listed((slot.name for slot in meant.doubtful[:5]), "or")
            message = f"Line {claim.line} may be {names}; a person decides which."
            yield Finding(reason=Reason.NO_ORDER, message=message, line=claim.line)
        elif meant.slots and self._lines[claim.line].quantity <= 0 and self._lines[claim.line].net != 0:
            quantity = plain(self._lines[claim.line].quantity)
            message = f"Line {claim.line}: a quantity of {quantity} is billed; a person decides what is taken back."
            yield Finding(reason=Reason.QUANTITY_VARIANCE, message=message, line=claim.line, actual=quantity)

    def _extras(self, claims: Sequence[Claim], shares: Sequence[Share]) -> Iterator[Finding]:
        """Lines that no order covers, and what the net total has above or below its lines."""
        currency = self._billed.currency
        lines = [self._lines[claim.line] for claim in claims]
        rest = self._billed.net - sum((line.net for line in self._billed.lines), _ZERO)
        rest = rest if abs(rest) > CENT * len(self._billed.lines) else _ZERO
        charges = sum((line.net for line in lines if line.net > 0), max(rest, _ZERO))
        expected = _expected(shares)
        small = self._tolerances.over_billing.allows(expected, expected + charges)
        orders = listed(order.number for order in self._orders)
        for line in lines:
            if line.net > 0:
                name = f"“{line.description}”, " if line.description else ""
                message = f"Line {line.line}: {name}{money(line.net, currency)}, is not on order {orders}."
                yield Finding(
                    reason=Reason.NO_ORDER,
                    message=message,
                    line=line.line,
                    severity=_severity(small),
                    actual=str(line.net),
                )
            elif line.net < 0:
                message = f"Line {line.line} takes off {money(-line.net, currency)} that order {orders} does not name."
                yield Finding(reason=Reason.PRICE_VARIANCE, message=message, line=line.line, severity=Severity.WARNING)
        if rest:
            what = f"{'a charge' if rest > 0 else 'an allowance'} of {money(abs(rest), currency)}"
            message = f"The net total holds {what} on the whole invoice, which order {orders} does not name."
            yield Finding(
                reason=Reason.PRICE_VARIANCE, message=message, field="net_total", severity=_severity(small or rest < 0)
            )

    def _unused(self, shares: Sequence[Share]) -> Iterator[Finding]:
        used = {share.slot.order.number for share in shares}
        for order in self._orders:
            if used and order.number not in used:
                message = f"Order {order.number} is named, but no line bills it."
                yield Finding(reason=Reason.NO_ORDER, message=message, severity=Severity.WARNING)

    def _header(self, shares: Sequence[Share], findings: Sequence[Finding]) -> list[Finding]:
        """Small differences that each pass, but not together."""
        expected, currency = _expected(shares), self._billed.currency
        over = self._billed.net - expected
        told = any(finding.severity is Severity.ERROR and finding.reason in _MONEY for finding in findings)
        if told or over <= CENT * len(self._lines):
            return []
        if self._tolerances.over_billing.allows(expected, self._billed.net):
            return []
        message = (
            f"{money(self._billed.net, currency)} billed in all, {money(expected, currency)} by the order's prices: "
            f"{money(over, currency)} too much."
        )
        return [
            Finding(
                reason=Reason.PRICE_VARIANCE,
                message=message,
                field="net_total",
                expected=str(expected),
                actual=str(self._billed.net),
            )
        ]

    def _allocation(self, share: Share) -> Allocation:
        line = self._lines[share.claim.line]
        whole = share.quantity == line.quantity
        return Allocation(
            billed_line=line.line,
            order=share.slot.order.number,
            order_line=share.slot.line.line,
            item=share.slot.line.item or line.item,
            description=line.description or share.slot.line.description,
            quantity=share.quantity,
            unit_price=line.unit_price,
            net=line.net if whole else round(line.net * share.quantity / line.quantity, 2),
        )


_MONEY = (Reason.PRICE_VARIANCE, Reason.NO_ORDER)


def _quantities(line: OrderLine, now: Decimal, who: str, at: int, tolerances: Tolerances) -> Iterator[Finding]:
    before = line.billed or _ZERO
    total = before + now
    if total > line.received and not tolerances.quantity.allows(line.received, total):
        if line.received == 0:
            reason = Reason.NO_RECEIPT
            message = f"{who}: {plain(now)} billed, nothing received yet; it waits for the proof of delivery."
        else:
            reason = Reason.BILLED_NOT_RECEIVED
            message = (
                f"{who}: {plain(now)} billed, {plain(line.received)} received so far, {plain(before)} billed before: "
                f"{plain(total - line.received)} too many."
            )
        yield _quantity_finding(reason, message, at, line.received - before, now)
    if total > line.ordered and not tolerances.quantity.allows(line.ordered, total):
        message = (
            f"{who}: {plain(now)} billed, {plain(line.ordered)} ordered, {plain(before)} billed before: "
            f"{plain(total - line.ordered)} too many."
        )
        yield _quantity_finding(Reason.QUANTITY_VARIANCE, message, at, line.ordered - before, now)


def _quantity_finding(reason: Reason, message: str, at: int, expected: Decimal, actual: Decimal) -> Finding:
    return Finding(
        reason=reason, message=message, field="quantity", line=at, expected=plain(expected), actual=plain(actual)
    )


def _severity(small: bool) -> Severity:
    return Severity.WARNING if small else Severity.ERROR


def _expected(shares: Sequence[Share]) -> Decimal:
    return sum((share.quantity * share.slot.line.unit_price for share in shares), _ZERO)


def _uncovered(line: BilledLine) -> Allocation:
    return Allocation(
        billed_line=line.line,
        item=line.item,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        net=line.net,
    )
