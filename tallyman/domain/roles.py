"""The three roles of a three-way match: what was ordered, what was received, what is billed; and the master data."""

import datetime
from decimal import Decimal

from tallyman.domain.base import Value


class Vendor(Value):
    """A vendor as the target system knows it."""

    number: str
    name: str
    vat_id: str | None = None
    ibans: tuple[str, ...] = ()
    currency: str | None = None
    on_hold: bool = False
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None


class OrderLine(Value):
    """A line of an order. Quantities are in `unit`; `billed` is what earlier invoices took of it, None if not known."""

    line: int
    item: str = ""
    description: str = ""
    unit: str = ""
    ordered: Decimal
    received: Decimal
    billed: Decimal | None = None
    unit_price: Decimal


class Order(Value):
    """A purchase order in the target system, with what was received and billed of it so far."""

    number: str
    vendor: str
    """The vendor's number, or its name where the screen shows no number."""
    currency: str | None = None
    closed: bool = False
    date: datetime.date | None = None
    references: tuple[str, ...] = ()
    """Other numbers that the order carries: the vendor's, our reference."""
    billed_net: Decimal | None = None
    """Net of all invoices that the target holds for this order, where it knows no billed quantities; None: unknown."""
    lines: tuple[OrderLine, ...] = ()

    def net(self) -> Decimal:
        return sum((line.ordered * line.unit_price for line in self.lines), Decimal(0))


class BilledLine(Value):
    """A line of an invoice. `net` is the line amount without VAT."""

    line: int
    item: str = ""
    description: str = ""
    unit: str = ""
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    order_line: int | None = None


class Billed(Value):
    """What an invoice asks for. Credit notes have positive amounts and `credit` set."""

    number: str
    vendor: str
    """The vendor's number in the target system; "" while it is not known."""
    vendor_name: str = ""
    order_numbers: tuple[str, ...] = ()
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    credit: bool = False
    preceding_invoice: str | None = None
    lines: tuple[BilledLine, ...] = ()


class PostedInvoice(Value):
    """An invoice that the target system already holds. `state` is "posted" or "draft"."""

    number: str
    vendor: str
    record: str = ""
    """The target's own number of the record."""
    date: datetime.date | None = None
    currency: str | None = None
    gross: Decimal
    net: Decimal | None = None
    order: str | None = None
    reference: str | None = None
    state: str = "posted"
    preceding_invoice: str | None = None
    """The number of the invoice that a credit note corrects, where the target shows it."""


class Receipt(Value):
    """A goods receipt that the target system already holds. `lines` maps the order's line to a quantity."""

    order: str
    reference: str
    record: str = ""
    date: datetime.date | None = None
    lines: dict[int, Decimal] = {}


class Delivery(Value):
    """What a proof of delivery says. `received` is None where the document does not say it."""

    number: str
    waybill: str = ""
    order_numbers: tuple[str, ...] = ()
    delivered: datetime.date | None = None
    signed: bool | None = None
    """None: a mark is there that may or may not be a signature."""
    damage_note: str = ""
    refused: bool = False
    lines: tuple["DeliveredLine", ...] = ()


class DeliveredLine(Value):
    line: int
    item: str = ""
    description: str = ""
    unit: str = ""
    shipped: Decimal | None = None
    received: Decimal | None = None
    rejected: Decimal = Decimal(0)
    reject_reason: str = ""
    order_line: int | None = None
