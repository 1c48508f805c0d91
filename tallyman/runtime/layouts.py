"""Which supplier layouts persons have confirmed: the history that values from rules or the model need.

A layout is a supplier, a document type and the places of its fields. A letter in a supplier's
name that looks different has no history.
"""

from sqlalchemy import Connection, select

from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.domain.field import Source
from tallyman.platform.clock import now
from tallyman.store import audit
from tallyman.store.tables import layouts

_LETTERHEAD = (
    "invoice_number",
    "issue_date",
    "seller_name",
    "buyer_name",
    "pod_number",
    "waybill_number",
    "carrier_name",
    "shipper_name",
    "consignee_name",
)
"""What a letterhead keeps in its place. Most of those that are there, and two at least, must stand where they stood:
one may move, since a number is also found in the sentence under a table that grows."""
_NEAR = 0.05
"""How far, in parts of the page, a field may move and still be in its place: scans shift and turn a little."""

Places = dict[str, list[float]]


def supplier_of(document: Document) -> str | None:
    """Who sent it: the VAT id, else the folded name of the seller or shipper."""
    if vat_id := document.text("seller_vat_id"):
        return "".join(vat_id.split()).upper()
    name = document.text("seller_name") or document.text("carrier_name") or document.text("shipper_name")
    return fold_text(name) if name else None


def places_of(document: Document) -> Places:
    """The centre of each field that was read from a page, as [page, x, y]. What a person typed or XML says has none."""
    found: Places = {}
    for name, field in document.fields.items():
        box, page = field.evidence.box, field.evidence.page
        if box and page and field.source not in (Source.PERSON, Source.E_INVOICE):
            found[name] = [page, round((box.x0 + box.x1) / 2, 4), round((box.y0 + box.y1) / 2, 4)]
    return found


def confirmed_places(connection: Connection, document: Document) -> list[str]:
    """The fields of the document that stand where persons have confirmed them before."""
    supplier, places = supplier_of(document), places_of(document)
    if supplier is None or not places:
        return []
    known = connection.execute(
        select(layouts.c.positions).where(layouts.c.supplier == supplier, layouts.c.document_type == document.type)
    )
    return sorted({name for row in known for name in _agreeing(row.positions, places)})


def confirm_layout(connection: Connection, document: Document, case_id: str | None, by: str) -> None:
    """Remember that a person has confirmed a document of this layout."""
    supplier, places = supplier_of(document), places_of(document)
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


def _agreeing(known: Places, places: Places) -> set[str]:
    """The fields in their known places, if the layout as a whole is the known one."""
    shared = known.keys() & places.keys()
    agreeing = {name for name in shared if _near(known[name], places[name])}
    fixed = shared & set(_LETTERHEAD)
    kept = len(fixed & agreeing)
    return agreeing if kept >= 2 and kept * 2 > len(fixed) else set()


def _near(one: list[float], other: list[float]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= _NEAR and abs(one[2] - other[2]) <= _NEAR
