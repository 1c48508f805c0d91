"""What a word can be: the classes that the network knows, and of what kind their values are."""

from enum import StrEnum


class Kind(StrEnum):
    """What a value looks like, and so which words can be one."""

    AMOUNT = "amount"
    DATE = "date"
    CODE = "code"
    """A number of a document: letters, digits and marks, at least one digit."""
    IBAN = "iban"
    VAT_ID = "vat_id"
    NUMBER = "number"
    TEXT = "text"


_TEXT, _CODE, _DATE, _AMOUNT, _NUMBER = Kind.TEXT, Kind.CODE, Kind.DATE, Kind.AMOUNT, Kind.NUMBER
HEADER: dict[str, Kind] = {
    "invoice_number": _CODE,
    "issue_date": _DATE,
    "due_date": _DATE,
    "delivery_date": _DATE,
    "purchase_order_reference": _CODE,
    "despatch_advice_reference": _CODE,
    "preceding_invoice_reference": _CODE,
    "seller_name": _TEXT,
    "seller_street": _TEXT,
    "seller_postcode": _TEXT,
    "seller_city": _TEXT,
    "seller_vat_id": Kind.VAT_ID,
    "seller_tax_number": _CODE,
    "seller_email": _TEXT,
    "buyer_name": _TEXT,
    "buyer_street": _TEXT,
    "buyer_postcode": _TEXT,
    "buyer_city": _TEXT,
    "buyer_vat_id": Kind.VAT_ID,
    "ship_to_name": _TEXT,
    "ship_to_street": _TEXT,
    "ship_to_postcode": _TEXT,
    "ship_to_city": _TEXT,
    "iban": Kind.IBAN,
    "bic": _CODE,
    "currency": _TEXT,
    "line_net_total": _AMOUNT,
    "net_total": _AMOUNT,
    "tax_total": _AMOUNT,
    "gross_total": _AMOUNT,
    "payable_amount": _AMOUNT,
    "vat.rate": _NUMBER,
    "vat.base": _AMOUNT,
    "vat.tax": _AMOUNT,
    "pod_number": _CODE,
    "waybill_number": _CODE,
    "shipper_name": _TEXT,
    "consignee_name": _TEXT,
    "carrier_name": _TEXT,
    "driver": _TEXT,
    "delivered_date": _DATE,
    "delivered_time": _TEXT,
    "signer_name": _TEXT,
}
"""Fields that a document has once (`vat.*`: once for each rate), by the names of `tallyman extract`."""
LINE: dict[str, Kind] = {
    "line.description": _TEXT,
    "line.quantity": _NUMBER,
    "line.unit": _TEXT,
    "line.unit_price": _NUMBER,
    "line.total": _AMOUNT,
    "line.vat_rate": _NUMBER,
    "line.seller_item_id": _CODE,
    "line.item": _CODE,
    "line.shipped_quantity": _NUMBER,
    "line.received_quantity": _NUMBER,
    "line.rejected_quantity": _NUMBER,
    "line.reject_reason": _TEXT,
}
KINDS = HEADER | LINE
CLASSES = ("", *KINDS)
"""The classes of a word, "" for one that is part of no value. Their order is part of a trained model."""
TYPES = (
    "invoice", "credit_note", "reminder", "statement", "order", "delivery_note", "pod", "bill_of_lading", "receipt",
    "other",
)  # fmt: skip
ROLES = ("first", "next", "terms", "advert", "empty")
"""What a page is in its document: its first, one that goes on, or one on which no field stands."""
