"""What is true of a printed paper, as plain JSON values under the names that `tallyman extract` uses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from models.synthetic.formats import canonical
from models.synthetic.specs import InvoiceSpec, Party, PodLine, PodSpec

Box = tuple[float, float, float, float]
SIGNATURES = {"none": "absent", "typed": "absent", "crease": "absent"} | dict.fromkeys(
    ("signed", "initialled", "written"), "present"
)
"""Whether that is signed; "unclear" for what is not named: ink that is no signature."""


def invoice_fields(spec: InvoiceSpec) -> dict[str, str]:
    """All header values of an invoice, printed or not: ISO dates, plain decimals."""
    sums = spec.totals()
    fields: dict[str, str | None] = {
        "invoice_number": spec.number,
        "issue_date": spec.issue_date.isoformat(),
        "due_date": spec.due_date.isoformat() if spec.due_date else None,
        "delivery_date": spec.delivery_date.isoformat() if spec.delivery_date else None,
        "currency": spec.currency,
        "purchase_order_reference": spec.purchase_order_reference,
        "despatch_advice_reference": spec.despatch_advice_reference,
        "preceding_invoice_reference": spec.preceding_invoice,
        **_party("seller", spec.seller),
        **_party("buyer", spec.buyer),
        **(_party("ship_to", spec.ship_to) if spec.ship_to else {}),
        "seller_tax_number": spec.seller.tax_number,
        "seller_email": spec.seller.email,
        "iban": spec.seller.iban,
        "bic": spec.seller.bic,
        **{name: canonical(getattr(sums, name), 2) for name in SUMS},
    }
    return {name: value for name, value in fields.items() if value}


SUMS = ("line_net_total", "net_total", "tax_total", "gross_total", "payable_amount")


def _party(prefix: str, party: Party) -> dict[str, str]:
    return {f"{prefix}_{part}": getattr(party, part) for part in ("name", "street", "postcode", "city", "vat_id")}


def stated(fields: dict[str, str], seen: Iterable[str]) -> dict[str, str]:
    """The fields that a reader of the page can know: those printed, the currency, and sums that equal a printed one.

    An invoice without allowances prints the sum of lines once, as its net total; that states both.
    """
    visible = set(seen)
    equal = {"line_net_total": "net_total", "payable_amount": "gross_total"}
    implied = {name for name, other in equal.items() if other in visible and fields.get(name) == fields.get(other)}
    return {name: value for name, value in fields.items() if name in visible | implied | {"currency"}}


def invoice_lines(spec: InvoiceSpec) -> list[dict[str, str]]:
    lines = []
    for line in spec.lines:
        values = {
            "description": line.description,
            "quantity": canonical(line.quantity),
            "unit": line.unit,
            "unit_price": canonical(line.unit_price, 2),
            "total": canonical(line.total, 2),
            "vat_rate": canonical(line.vat_rate),
            "seller_item_id": line.item_id,
        }
        lines.append({name: value for name, value in values.items() if value})
    return lines


def invoice_vat(spec: InvoiceSpec) -> list[dict[str, str]]:
    return [
        {"rate": canonical(group.rate), "base": canonical(group.base, 2), "tax": canonical(group.tax, 2)}
        for group in spec.vat()
    ]


def pod_fields(spec: PodSpec) -> dict[str, str]:
    """All header values of a proof of delivery. `stamp` is its text, rows joined by a space."""
    fields: dict[str, str | None] = {
        "pod_number": spec.number,
        "waybill_number": spec.waybill,
        "purchase_order_reference": spec.purchase_order_reference,
        "shipper_name": spec.shipper.name,
        "consignee_name": spec.consignee.name,
        "carrier_name": spec.carrier.name if spec.carrier else None,
        "driver": spec.driver,
        "delivered_date": spec.delivered_date.isoformat() if spec.delivered_date else None,
        "delivered_time": spec.delivered_time.strftime("%H:%M") if spec.delivered_time else None,
        "signature": SIGNATURES.get(spec.signature, "unclear"),
        "signer_name": spec.signer_name,
        "stamp": spec.stamp.replace("\n", " ") if spec.stamp else None,
        "damage_note": spec.damage_note,
    }
    return {name: value for name, value in fields.items() if value}


def pod_lines(spec: PodSpec) -> list[dict[str, str | None]]:
    """The lines; a received quantity that no hand wrote is the printed one."""
    return [_pod_line(line) for line in spec.lines]


def _pod_line(line: PodLine) -> dict[str, str | None]:
    def number(value: Decimal | None) -> str | None:
        return None if value is None else canonical(value)

    return {
        "item": line.item or None,
        "description": line.description,
        "unit": line.unit,
        "shipped_quantity": number(line.shipped),
        "received_quantity": number(line.shipped if line.received is None else line.received),
        "received_by_hand": "no" if line.received is None else "yes",
        "rejected_quantity": number(line.rejected),
        "reject_reason": line.reason or None,
    }


def boxes_of(fields: Iterable[list[Any]]) -> dict[str, list[dict[str, Any]]]:
    """Where values stand: name -> occurrences {page (from 1), box (x0, y0, x1, y1 of the page, 0..1), text as printed}.

    Values of a line are named "lines.<n>.<name>", n from 0.
    """
    boxes: dict[str, list[dict[str, Any]]] = {}
    for page, name, line, text, box in fields:
        key = f"lines.{line}.{name.removeprefix('line.')}" if line is not None else name
        boxes.setdefault(key, []).append({"page": page, "box": box, "text": text})
    return boxes
