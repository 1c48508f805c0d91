"""What is keyed into a target system, and how that ended. See docs/reference/posting.md for the protocol."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tallyman.domain.base import Value
from tallyman.domain.compare import fold_number
from tallyman.domain.field import Kind


class PostingState(StrEnum):
    INTENT = "INTENT"
    """The payload is fixed; nothing was clicked. May be redone freely."""
    ARMED = "ARMED"
    """The one click may have happened."""
    POSTED = "POSTED"
    """Read back from the target, equal."""
    NOT_POSTED = "NOT_POSTED"
    """Proven not to be there through us."""
    UNKNOWN = "UNKNOWN"
    """Armed, and neither found nor proven absent. Never retried blindly; a person looks."""


class NaturalKey(Value):
    """What makes a record the same record in the world. One posting for each, for ever."""

    system: str
    company: str
    party: str
    """The vendor's number in the target system; the order's number for a delivery."""
    number: str
    """The document number, folded by `fold_number`."""
    verb: str = "invoice"


CHARGES, ALLOWANCES = "Charges", "Allowances"
"""What the lines of an invoice leave of its net total: a line of its own that belongs to no line of an order."""


def orders_of(payload: Mapping[str, Any]) -> set[str]:
    """The numbers, folded, of all orders that a payload names."""
    named = [
        payload.get("order"),
        *(line.get("order") for line in payload.get("lines") or () if isinstance(line, dict)),
    ]
    return {fold_number(order) for order in named if order}


class PostingLine(Value):
    order: str | None = None
    order_line: int | None = None
    item: str = ""
    description: str
    quantity: Decimal
    unit_price: Decimal
    net: Decimal


class InvoicePosting(Value):
    """The payload of `post_invoice`. `reference` is ours, keyed into a searchable field of the target if it has one."""

    reference: str
    vendor: str
    vendor_name: str
    number: str
    issue_date: date
    due_date: date | None = None
    order: str | None = None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    credit: bool = False
    lines: tuple[PostingLine, ...] = ()

    @property
    def orders(self) -> tuple[str, ...]:
        """All orders that it names, by itself or by its lines."""
        return tuple(sorted({order for order in (self.order, *(line.order for line in self.lines)) if order}))

    def shown(self) -> dict[str, str]:
        """The values that the screen must show before the click, canonical, by name."""
        values = {
            "vendor": self.vendor,
            "number": self.number,
            "issue_date": self.issue_date.isoformat(),
            "currency": self.currency,
            "net": str(self.net),
            "tax": str(self.tax),
            "gross": str(self.gross),
        }
        if self.due_date:
            values["due_date"] = self.due_date.isoformat()
        if self.order:
            values["order"] = self.order
        return values


class DeliveryPosting(Value):
    """The payload of `confirm_delivery`: quantities to receive now, by order line."""

    reference: str
    order: str
    vendor: str
    delivery_number: str
    delivered: date
    lines: dict[int, Decimal]

    def shown(self) -> dict[str, str]:
        values = {"order": self.order, "delivery_number": self.delivery_number, "delivered": self.delivered.isoformat()}
        return values | {f"line_{line}": str(quantity) for line, quantity in self.lines.items()}


SHOWN_KINDS: Mapping[str, Kind] = {
    "issue_date": Kind.DATE,
    "due_date": Kind.DATE,
    "delivered": Kind.DATE,
    "net": Kind.AMOUNT,
    "tax": Kind.AMOUNT,
    "gross": Kind.AMOUNT,
    "currency": Kind.CURRENCY,
}
"""How a shown value is compared; names that start with `line_` are quantities, all others identifiers."""


def shown_kind(name: str) -> Kind:
    if name.startswith("line_"):
        return Kind.QUANTITY
    return SHOWN_KINDS.get(name, Kind.IDENTIFIER)
