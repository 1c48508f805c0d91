"""From the fields of a document to the roles of the match. Total: what a document does not say stays empty or zero.

An empty role is never posted, since the checks refuse a document that lacks such a field.
"""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from tallyman.domain.compare import fold_number
from tallyman.domain.document import Document
from tallyman.domain.field import Field
from tallyman.domain.roles import Billed, BilledLine, DeliveredLine, Delivery, Vendor

_BETWEEN_NUMBERS = re.compile(r"\s*[,;&\n]\s*|\s+(?:and|und|et)\s+", re.IGNORECASE)
_REFUSED = re.compile(r"\brefused|\brefusal|verweiger|zurückgewiesen", re.IGNORECASE)
_ZERO = Decimal(0)

Line = dict[str, Field]


def order_numbers(document: Document) -> tuple[str, ...]:
    """The orders that a document names, each once: `4711, 4712 und 4713` are three."""
    parts = _BETWEEN_NUMBERS.split(document.text("purchase_order_reference") or "")
    numbers: dict[str, str] = {}
    for part in parts:
        numbers.setdefault(fold_number(part), part)
    return tuple(number for folded, number in numbers.items() if folded)


def number_of(field: Field | None) -> Decimal | None:
    """The field's number; None where there is none or it can't be read as one."""
    try:
        value = field.amount if field else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def date_of(field: Field | None) -> date | None:
    """The field's date; None where there is none or it can't be read as one."""
    try:
        return field.date if field else None
    except ValueError:
        return None


def totals(document: Document) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Net, tax and gross, with the sign of the paper; one that is missing follows from the other two."""
    net, tax, gross = (number_of(document.fields.get(name)) for name in ("net_total", "tax_total", "gross_total"))
    if net is None and gross is not None and tax is not None:
        net = gross - tax
    if gross is None and net is not None and tax is not None:
        gross = net + tax
    if tax is None and net is not None and gross is not None:
        tax = gross - net
    return net, tax, gross


def billed_from(document: Document, vendor: Vendor | None) -> Billed:
    """What an invoice or a credit note asks for.

    A credit note is a document of that type or one with a negative gross total; its amounts become positive whatever
    sign the paper uses. Where a line has no quantity, it follows from amount and price, else the line counts as one
    piece.
    """
    net, tax, gross = (value or _ZERO for value in totals(document))
    sign = -1 if gross < 0 else 1
    lines = (billed_line(at, line) for at, line in enumerate(document.lines, start=1))
    return Billed(
        number=(document.text("invoice_number") or "").strip(),
        vendor=vendor.number if vendor else "",
        vendor_name=vendor.name if vendor else "",
        order_numbers=order_numbers(document),
        currency=document.text("currency") or "",
        net=sign * net,
        tax=sign * tax,
        gross=sign * gross,
        credit=document.type == "credit_note" or sign < 0,
        preceding_invoice=document.text("preceding_invoice") or None,
        lines=tuple(_turned(line) if sign < 0 else line for line in lines if line),
    )


def billed_line(at: int, line: Line) -> BilledLine | None:
    """None for a line without any amount, which is only text."""
    quantity, price, net = (number_of(line.get(name)) for name in ("quantity", "unit_price", "total"))
    if net is None:
        if price is None or quantity is None:
            return None
        net = round(quantity * price, 2)
    if quantity is None:
        quantity = _quantity(net, price)
    if price is None:
        price = net / quantity if quantity else net
    return BilledLine(
        line=at,
        item=_text(line, "buyer_item_id") or _text(line, "seller_item_id"),
        description=_text(line, "description"),
        unit=_text(line, "unit"),
        quantity=quantity,
        unit_price=price,
        net=net,
        order_line=_order_line(line),
    )


def _quantity(net: Decimal, price: Decimal | None) -> Decimal:
    quantity = round(net / price, 3) if price else None
    return quantity if quantity is not None and price is not None and quantity * price == net else Decimal(1)


def _turned(line: BilledLine) -> BilledLine:
    """The line of a credit note with negative amounts, the other way round."""
    if line.quantity < 0:
        return line.model_copy(update={"quantity": -line.quantity, "net": -line.net})
    return line.model_copy(update={"unit_price": -line.unit_price, "net": -line.net})


def delivery_from(document: Document) -> Delivery:
    """What a proof of delivery says. It counts as refused where its remark says so."""
    signature = document.text("signature")
    return Delivery(
        number=(document.text("pod_number") or document.text("despatch_advice_reference") or "").strip(),
        waybill=(document.text("waybill_number") or "").strip(),
        order_numbers=order_numbers(document),
        delivered=date_of(document.fields.get("delivered_date")),
        signed={"present": True, "absent": False, None: False}.get(signature),
        damage_note=document.text("damage_note") or "",
        refused=bool(_REFUSED.search(document.text("damage_note") or "")),
        lines=tuple(_delivered(at, line) for at, line in enumerate(document.lines, start=1)),
    )


def _delivered(at: int, line: Line) -> DeliveredLine:
    return DeliveredLine(
        line=at,
        item=_text(line, "item") or _text(line, "buyer_item_id") or _text(line, "seller_item_id"),
        description=_text(line, "description"),
        unit=_text(line, "unit"),
        shipped=number_of(line.get("shipped_quantity")),
        received=number_of(line.get("received_quantity")),
        rejected=number_of(line.get("rejected_quantity")) or _ZERO,
        reject_reason=_text(line, "reject_reason"),
        order_line=_order_line(line),
    )


def _text(line: Line, name: str) -> str:
    return line[name].value.strip() if name in line else ""


def _order_line(line: Line) -> int | None:
    text = _text(line, "order_line")
    return int(text) if text.isdecimal() else None
