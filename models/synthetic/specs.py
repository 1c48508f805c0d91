"""What a paper says, before anybody decided how it looks.

Amounts are `Decimal`, rounded half-up to cents. Everything that a document states about its own sums can be overridden
(`LineSpec.net`, `InvoiceSpec.stated`), so that a wrong document can be printed on purpose.
"""

import datetime
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def cents(amount: Decimal) -> Decimal:
    """The amount rounded half-up to two decimals."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


class Frozen(BaseModel):
    """An immutable value; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(Frozen):
    """A company on a paper. `country` is an ISO 3166 code of two letters, `region` a US state or an
    Italian province."""

    name: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = "DE"
    vat_id: str = ""
    tax_number: str = ""
    registration: str = ""
    managers: str = ""
    iban: str = ""
    bic: str = ""
    bank: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    contact: str = ""
    customer_number: str = ""
    """The number under which the other party knows this one; printed for the buyer."""


class LineSpec(Frozen):
    """One line of an invoice. `unit` is a UN/ECE Rec 20 code, rates and discounts are percents.

    `net` is quantity x unit price less the discount unless given. `group` is a heading printed above the line when it
    differs from that of the line before.
    """

    description: str
    item_id: str = ""
    quantity: Decimal
    unit: str = "H87"
    unit_price: Decimal
    vat_rate: Decimal = Decimal(19)
    discount_percent: Decimal = Decimal(0)
    net: Decimal | None = None
    group: str = ""
    detail: str = ""
    """Small print under the description, such as a batch or a standard. Not a part of the description."""

    @property
    def total(self) -> Decimal:
        if self.net is not None:
            return self.net
        return cents(self.quantity * self.unit_price * (1 - self.discount_percent / HUNDRED))

    @property
    def discount(self) -> Decimal:
        """The amount that the discount takes off."""
        return cents(self.quantity * self.unit_price) - self.total


class Adjustment(Frozen):
    """A discount or a charge (such as freight) on the whole document; the amount is positive either way."""

    reason: str
    amount: Decimal
    vat_rate: Decimal = Decimal(19)


class VatGroup(Frozen):
    """One row of the VAT breakdown (BG-23)."""

    rate: Decimal
    base: Decimal
    tax: Decimal


class Totals(Frozen):
    """The sums of a document: BT-106, 107, 108, 109, 110, 112, 115."""

    line_net_total: Decimal
    allowance_total: Decimal
    charge_total: Decimal
    net_total: Decimal
    tax_total: Decimal
    gross_total: Decimal
    payable_amount: Decimal


class Stated(Frozen):
    """Sums to print instead of the right ones."""

    line_net_total: Decimal | None = None
    net_total: Decimal | None = None
    tax_total: Decimal | None = None
    gross_total: Decimal | None = None
    payable_amount: Decimal | None = None
    vat: tuple[VatGroup, ...] | None = None


class InvoiceSpec(Frozen):
    """An invoice or a credit note. Amounts of a credit note are positive, as EN 16931 has them for type 381."""

    kind: Literal["invoice", "credit_note"] = "invoice"
    number: str
    issue_date: datetime.date
    due_date: datetime.date | None = None
    currency: str = "EUR"
    language: str = "deu"
    seller: Party
    buyer: Party
    ship_to: Party | None = None
    purchase_order_reference: str = ""
    despatch_advice_reference: str = ""
    preceding_invoice: str = ""
    delivery_date: datetime.date | None = None
    lines: tuple[LineSpec, ...]
    allowances: tuple[Adjustment, ...] = ()
    charges: tuple[Adjustment, ...] = ()
    prepaid: Decimal = Decimal(0)
    notes: str = ""
    payment_terms: str = ""
    """A sentence; the layout writes one from the due date where it is empty."""
    stated: Stated = Stated()

    def vat(self) -> tuple[VatGroup, ...]:
        """The VAT breakdown, highest rate first."""
        if self.stated.vat is not None:
            return self.stated.vat
        bases: dict[Decimal, Decimal] = {}
        for rate, amount in self._taxed():
            bases[rate] = bases.get(rate, Decimal(0)) + amount
        return tuple(
            VatGroup(rate=rate, base=cents(base), tax=cents(base * rate / HUNDRED))
            for rate, base in sorted(bases.items(), reverse=True)
        )

    def _taxed(self) -> Iterable[tuple[Decimal, Decimal]]:
        yield from ((line.vat_rate, line.total) for line in self.lines)
        yield from ((allowance.vat_rate, -allowance.amount) for allowance in self.allowances)
        yield from ((charge.vat_rate, charge.amount) for charge in self.charges)

    def totals(self) -> Totals:
        """The sums to print: the right ones unless `stated` says otherwise.

        A sum that follows from an overridden one stays the right one, so the document does not balance.
        """
        lines = sum((line.total for line in self.lines), Decimal(0))
        allowances = sum((each.amount for each in self.allowances), Decimal(0))
        charges = sum((each.amount for each in self.charges), Decimal(0))
        net = lines - allowances + charges
        tax = sum((group.tax for group in self.vat()), Decimal(0))
        stated = self.stated.model_dump(exclude_none=True, exclude={"vat"})
        right = {
            "line_net_total": lines,
            "allowance_total": allowances,
            "charge_total": charges,
            "net_total": net,
            "tax_total": tax,
            "gross_total": net + tax,
            "payable_amount": net + tax - self.prepaid,
        }
        return Totals(**{name: cents(amount) for name, amount in {**right, **stated}.items()})


class LetterSpec(Frozen):
    """Another paper of the same house, with what an invoice would say: its parties, day, goods and sums."""

    kind: Literal["order", "delivery_note", "bill_of_lading", "reminder", "statement", "receipt", "other"]
    content: InvoiceSpec


class PodLine(Frozen):
    """One line of a proof of delivery. `shipped` is printed; `received` is written by hand, or None: as printed."""

    item: str
    description: str
    unit: str = "H87"
    shipped: Decimal
    received: Decimal | None = None
    rejected: Decimal | None = None
    reason: str = ""


InPlace = Literal[
    "signed", "initialled", "written", "none", "smudge", "blot", "tick", "cross", "typed", "dash", "crease"
]
"""What stands where the receiver should sign. The first three are signatures; all after "none" is ink and is none."""


class PodSpec(Frozen):
    """A proof of delivery: what the carrier printed and what the receiver's hand added."""

    number: str
    language: str = "deu"
    waybill: str = ""
    purchase_order_reference: str = ""
    shipper: Party
    consignee: Party
    carrier: Party | None = None
    driver: str = ""
    vehicle: str = ""
    issue_date: datetime.date | None = None
    delivered_date: datetime.date | None = None
    delivered_time: datetime.time | None = None
    lines: tuple[PodLine, ...]
    packages: int = 0
    weight_kg: Decimal | None = None
    signature: InPlace = "signed"
    signer_name: str = ""
    """Printed by hand beside the signature."""
    stamp: str | None = None
    """Rows of the stamp, separated by line feeds."""
    damage_note: str | None = None
    clauses: tuple[str, ...] = ()
