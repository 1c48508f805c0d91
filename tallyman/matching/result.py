"""What a match says."""

from decimal import Decimal

from tallyman.domain.base import Value
from tallyman.domain.finding import Finding, Severity


class Allocation(Value):
    """A part of an invoice and the order line that covers it.

    `billed_line` is None where the invoice has no lines; `order` and `order_line` where nothing ordered covers it, as
    for freight. `quantity` is in the order's unit, `unit_price` and `net` are the invoice's.
    """

    billed_line: int | None = None
    order: str | None = None
    order_line: int | None = None
    item: str = ""
    description: str = ""
    quantity: Decimal
    unit_price: Decimal
    net: Decimal


class MatchResult(Value):
    """`orders` are the numbers of the orders that the invoice was matched with."""

    findings: tuple[Finding, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    orders: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


class DeliveryMatch(Value):
    """`lines` maps the lines of `order` to the quantity to receive now; a line with nothing to receive is not in it."""

    findings: tuple[Finding, ...] = ()
    order: str | None = None
    vendor: str | None = None
    lines: dict[int, Decimal] = {}

    @property
    def clean(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)
