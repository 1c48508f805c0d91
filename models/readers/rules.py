"""Rules: labels, typed candidates and arithmetic, for documents whose words are all there is."""

from dataclasses import dataclass

from models.readers._rules.header import header_fields
from models.readers._rules.kind import title_of
from models.readers._rules.labels import COLUMNS, HEADER, POD
from models.readers._rules.parties import party_fields
from models.readers._rules.pod import pod_document
from models.readers._rules.sheet import Sheet, find_labels, sheets_of
from models.readers._rules.table import invoice_lines, table_areas
from models.readers._rules.totals import total_fields
from tallyman.domain.document import UNKNOWN, Document, Problem
from tallyman.domain.page import Reading
from tallyman.domain.reasons import Reason

_SURE_OF_TYPE = 0.5


@dataclass(frozen=True, kw_only=True)
class RulesReader:
    name: str = "rules"
    order: int = 90

    def read(self, reading: Reading) -> Document | None:
        """The document, or None when the pages hold no words. A value is there only with the words that show it."""
        sheets = [sheet for sheet in sheets_of(reading.pages) if sheet.cells]
        if not sheets:
            return None
        title = title_of(sheets)
        kind, sure = title.kind, title.sure
        if kind == UNKNOWN:
            kind, sure = _kind_by_labels(sheets)
        document = pod_document(sheets) if kind == "pod" else _bill(kind, sheets)
        problems = (*document.problems, *_doubts(kind, sure, document))
        titled = title.span.evidence if title.span is not None else None
        return document.model_copy(update={"problems": problems, "titled": titled})


def _kind_by_labels(sheets: list[Sheet]) -> tuple[str, float]:
    """Where the title can't be read: a form that asks who received what, or a paper with a number and a gross total."""
    found = {label.name for cell in sheets[0].cells for label in find_labels(cell, POD) if label.weight > 0.5}
    wanted = {"waybill_number", "consignee_name", "shipper_name", "delivered_date", "signer_name", "carrier_name"}
    if len(found & wanted) >= 3:
        return "pod", 0.45
    fields = {**header_fields(sheets, HEADER), **total_fields(sheets)}
    return ("invoice", 0.45) if {"invoice_number", "gross_total"} <= fields.keys() else (UNKNOWN, 0.0)


def _bill(kind: str, sheets: list[Sheet]) -> Document:
    areas = table_areas(sheets, COLUMNS, {"description", "total"}, "total")
    head = header_fields(sheets, HEADER, areas)
    lines = tuple(invoice_lines(sheets))
    fields = {**party_fields(sheets, areas, head.get("iban")), **head, **total_fields(sheets, lines)}
    if "invoice_number" in fields and fields.get("purchase_order_reference") and kind == "order":
        fields["invoice_number"] = fields["purchase_order_reference"].model_copy(update={"name": "invoice_number"})
    if kind == "invoice" and "gross_total" in fields and fields["gross_total"].amount < 0:
        kind = "credit_note"
    return Document(type=kind, fields=fields, lines=lines)


def _doubts(kind: str, sure: float, document: Document) -> list[Problem]:
    if kind == UNKNOWN or not document.fields:
        return [Problem(code=Reason.WRONG_DOCUMENT, message="No title says what kind of document this is.")]
    if sure < _SURE_OF_TYPE:
        message = f"The kind of this document is a guess: {kind.replace('_', ' ')}."
        return [Problem(code=Reason.LOW_CONFIDENCE, message=message, field="type")]
    return []


READER = RulesReader()
