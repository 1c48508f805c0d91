"""What document types share: how one is declared, and the fields that invoices and credit notes have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.field import FieldSpec, Kind
from tallyman.domain.finding import Finding

Check = Callable[[Document, Facts], list[Finding]]


@dataclass(frozen=True, kw_only=True)
class PaperType:
    """A document type made of a field catalogue and one check. Fulfils the contract DocumentType."""

    name: str
    fields: Sequence[FieldSpec]
    line_fields: Sequence[FieldSpec]
    checks: Check

    def check(self, document: Document, facts: Facts) -> list[Finding]:
        return self.checks(document, facts)


def spec(name: str, kind: Kind, term: str, label: str, *, required: bool = False) -> FieldSpec:
    return FieldSpec(name=name, kind=kind, term=term, label=label, required=required)


def party(prefix: str, label: str, terms: dict[str, str], *, required: bool = False) -> tuple[FieldSpec, ...]:
    """Name and address of a party, and its tax numbers where `terms` gives a business term for them."""
    parts = (
        ("name", Kind.TEXT, "name"),
        ("street", Kind.TEXT, "street"),
        ("postcode", Kind.TEXT, "postcode"),
        ("city", Kind.TEXT, "city"),
        ("country", Kind.IDENTIFIER, "country"),
        ("vat_id", Kind.IDENTIFIER, "VAT id"),
        ("tax_number", Kind.IDENTIFIER, "tax number"),
    )
    return tuple(
        spec(f"{prefix}_{part}", kind, terms[part], f"{label} {words}", required=required and part == "name")
        for part, kind, words in parts
        if part in terms
    )


SELLER = party(
    "seller",
    "Seller's",
    {
        "name": "BT-27",
        "street": "BT-35",
        "postcode": "BT-38",
        "city": "BT-37",
        "country": "BT-40",
        "vat_id": "BT-31",
        "tax_number": "BT-32",
    },
    required=True,
)
BUYER = party(
    "buyer",
    "Buyer's",
    {
        "name": "BT-44",
        "street": "BT-50",
        "postcode": "BT-53",
        "city": "BT-52",
        "country": "BT-55",
        "vat_id": "BT-48",
        "tax_number": "BT-46",
    },
)
SHIP_TO = party(
    "ship_to",
    "Ship-to",
    {"name": "BT-70", "street": "BT-75", "postcode": "BT-78", "city": "BT-77", "country": "BT-80"},
)
TOTALS = (
    spec("currency", Kind.CURRENCY, "BT-5", "Currency", required=True),
    spec("line_net_total", Kind.AMOUNT, "BT-106", "Sum of the lines"),
    spec("net_total", Kind.AMOUNT, "BT-109", "Net total"),
    spec("tax_total", Kind.AMOUNT, "BT-110", "VAT total"),
    spec("gross_total", Kind.AMOUNT, "BT-112", "Gross total", required=True),
    spec("payable_amount", Kind.AMOUNT, "BT-115", "Amount due"),
)
LINES = (
    spec("line_number", Kind.IDENTIFIER, "BT-126", "Line"),
    spec("description", Kind.TEXT, "BT-153", "Description"),
    spec("quantity", Kind.QUANTITY, "BT-129", "Quantity"),
    spec("unit", Kind.IDENTIFIER, "BT-130", "Unit"),
    spec("unit_price", Kind.AMOUNT, "BT-146", "Unit price"),
    spec("total", Kind.AMOUNT, "BT-131", "Line total"),
    spec("seller_item_id", Kind.IDENTIFIER, "BT-155", "Seller's item"),
    spec("vat_rate", Kind.QUANTITY, "BT-152", "VAT rate"),
)


def billing(number_label: str) -> tuple[FieldSpec, ...]:
    """The fields of an invoice and of its brother, the credit note."""
    return (
        spec("invoice_number", Kind.IDENTIFIER, "BT-1", number_label, required=True),
        spec("issue_date", Kind.DATE, "BT-2", "Date", required=True),
        spec("due_date", Kind.DATE, "BT-9", "Due date"),
        spec("type_code", Kind.IDENTIFIER, "BT-3", "Type code"),
        spec("purchase_order_reference", Kind.IDENTIFIER, "BT-13", "Purchase order"),
        spec("despatch_advice_reference", Kind.IDENTIFIER, "BT-16", "Delivery note"),
        spec("delivery_date", Kind.DATE, "BT-72", "Delivery date"),
        spec("preceding_invoice", Kind.IDENTIFIER, "BT-25", "Preceding invoice"),
        *SELLER,
        *BUYER,
        *SHIP_TO,
        spec("iban", Kind.IDENTIFIER, "BT-84", "IBAN"),
        spec("payment_reference", Kind.TEXT, "BT-83", "Payment reference"),
        *TOTALS,
    )
