"""Which supplier layouts persons have confirmed: the history that values from rules or the model need.

A layout is a supplier, a document type and the places of the fields that letterheads keep. A letter in a supplier's
name that looks different has no history.
"""

from typing import Any

from sqlalchemy import Connection, select

from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.platform.clock import now
from tallyman.store import audit
from tallyman.store.tables import layouts

_FIXED = ("invoice_number", "issue_date", "pod_number", "waybill_number", "delivered_date")
_NEAR = 0.05
"""How far, in parts of the page, a field may move and still be in its place: scans shift and turn a little."""


def supplier_of(document: Document) -> str | None:
    """Who sent it: the VAT id, else the folded name of the seller or shipper."""
    if vat_id := document.text("seller_vat_id"):
        return "".join(vat_id.split()).upper()
    name = document.text("seller_name") or document.text("carrier_name") or document.text("shipper_name")
    return fold_text(name) if name else None


def positions_of(document: Document) -> dict[str, list[float]]:
    """The centres of the fields that a layout keeps in place, as [page, x, y]."""
    found: dict[str, list[float]] = {}
    for name in _FIXED:
        field = document.fields.get(name)
        if field and field.evidence.box and field.evidence.page:
            box = field.evidence.box
            found[name] = [field.evidence.page, round((box.x0 + box.x1) / 2, 4), round((box.y0 + box.y1) / 2, 4)]
    return found


def is_confirmed(connection: Connection, document: Document) -> bool:
    supplier, places = supplier_of(document), positions_of(document)
    if supplier is None or not places:
        return False
    known = connection.execute(
        select(layouts.c.positions).where(layouts.c.supplier == supplier, layouts.c.document_type == document.type)
    )
    return any(_same(row.positions, places) for row in known)


def confirm_layout(connection: Connection, document: Document, case_id: str | None, by: str) -> None:
    """Remember that a person has confirmed a document of this layout."""
    supplier, places = supplier_of(document), positions_of(document)
    if supplier is None or not places:
        return
    connection.execute(
        layouts.insert().values(
            supplier=supplier,
            document_type=document.type,
            positions=places,
            case_id=case_id,
            confirmed_by=by,
            confirmed_at=now(),
        )
    )
    audit.record(connection, by, "layout.confirmed", supplier, {"type": document.type, "case": case_id})


def _same(known: dict[str, Any], places: dict[str, list[float]]) -> bool:
    shared = known.keys() & places.keys()
    return bool(shared) and all(
        known[name][0] == places[name][0]
        and abs(known[name][1] - places[name][1]) <= _NEAR
        and abs(known[name][2] - places[name][2]) <= _NEAR
        for name in shared
    )
