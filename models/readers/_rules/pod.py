"""Proofs of delivery: what is printed, what the receiver's hand added, and whether somebody signed."""

import re
from collections.abc import Iterator

from models import values
from models.readers._rules.header import Finder, identifiers_strict, labelled, month_first
from models.readers._rules.labels import POD, POD_COLUMNS
from models.readers._rules.parties import LEGAL_FORM
from models.readers._rules.sheet import Label, Sheet, Span, find_labels
from models.readers._rules.table import _NUMBER_SURE, Row, _line, table_areas, table_rows
from models.values import Found
from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import MarkKind, WordSource

_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:.h]\s?([0-5]\d)(?!\d)(?:\s?([ap])\.?m\b)?", re.IGNORECASE)
_QUANTITIES = ("shipped_quantity", "received_quantity", "rejected_quantity")
_NAMES = ("shipper_name", "consignee_name", "carrier_name", "signer_name")
_FIRMS = _NAMES[:3]
_DRIVER = re.compile(r"driver|fahrer|frachtführer|carrier|chauffeur|transporteur", re.IGNORECASE)
_FORM_REACH = 5.0
_NAMED = 0.88
_OWN_LABEL = 0.9
_HAND_AT_MOST = 0.5
"""OCR of handwriting is a guess, whatever it says of itself."""


def pod_document(sheets: list[Sheet]) -> Document:
    first = month_first(sheets)

    def days(text: str) -> Iterator[Found]:
        return values.dates(text, month_first=first)

    finders: dict[str, Finder] = {
        "pod_number": identifiers_strict,
        "waybill_number": identifiers_strict,
        "purchase_order_reference": identifiers_strict,
        "issue_date": days,
        "delivered_date": days,
        "delivered_time": _times,
    }
    areas = table_areas(sheets, POD_COLUMNS, {"description", "shipped_quantity"}, "shipped_quantity")
    fields = {**_texts(sheets), **labelled(sheets, POD, finders, _FORM_REACH, areas), **_marks(sheets)}
    day = fields.get("delivered_date")
    if day and day.confidence < _OWN_LABEL:
        # A mere `Date` is as often the day on which the paper was printed.
        fields["delivered_date"] = day.model_copy(update={"confidence": min(day.confidence, 0.55)})
    return Document(type="pod", fields=fields, lines=tuple(_lines(sheets)))


def _times(text: str) -> Iterator[Found]:
    for match in _TIME.finditer(text):
        hour = int(match[1])
        if match[3] and hour <= 12:
            hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
        yield Found(value=f"{hour:02d}:{match[2]}", start=match.start(), end=match.end())


def _lines(sheets: list[Sheet]) -> Iterator[dict[str, Field]]:
    needed = {"description", "shipped_quantity"}
    for row, source, page in table_rows(sheets, POD_COLUMNS, needed=needed, anchor=("shipped_quantity",), form=True):
        line = _line(row, source, page, _QUANTITIES)
        if "shipped_quantity" in line and {"description", "item"} & line.keys():
            line["shipped_quantity"] = _printed(line["shipped_quantity"])
        for name in ("received_quantity", "rejected_quantity"):
            if name in line:
                line[name] = _doubted(line, name, row, source)
        if "description" in line or "item" in line:
            yield line


def _doubted(line: dict[str, Field], name: str, row: Row, source: WordSource) -> Field:
    """A printed number can be trusted; a hand's is larger or read with doubt, and then hardly."""
    field = line[name]
    words = row.cells.get(name, ())
    if source is WordSource.TEXT_LAYER and all(word.confidence == 1 for word in words):
        return _printed(field)
    printed = row.cells.get("shipped_quantity", ())
    by_hand = any(word.confidence < 0.85 for word in words) or _taller(words, printed)
    sure = min(field.confidence, _HAND_AT_MOST if by_hand else 0.8)
    return field.model_copy(update={"confidence": sure})


def _printed(field: Field) -> Field:
    """A lone number under its heading, in a line that has its goods: as sure as its words are."""
    return field.model_copy(update={"confidence": round(min(0.93, field.confidence * 0.93 / _NUMBER_SURE), 3)})


def _taller(words: object, printed: object) -> bool:
    heights = [word.box.y1 - word.box.y0 for word in words]  # type: ignore[attr-defined]
    usual = [word.box.y1 - word.box.y0 for word in printed]  # type: ignore[attr-defined]
    return bool(heights and usual and max(heights) > 1.3 * max(usual))


def _texts(sheets: list[Sheet]) -> dict[str, Field]:
    """Names and remarks: the words beside their label, else the line below it."""
    fields: dict[str, Field] = {}
    for sheet in sheets:
        for cell in sheet.cells:
            for label in find_labels(cell, POD):
                wanted = label.name in _NAMES or label.name == "damage_note"
                if not wanted or not label.leads or label.name in fields:
                    continue
                span = _text_of(sheet, label)
                if span:
                    sure = _NAMED if label.weight > 0.5 and LEGAL_FORM.search(span.text) else 0.6
                    sure = {"signer_name": 0.5, "damage_note": 0.6}.get(label.name, sure)
                    fields[label.name] = span.field(label.name, span.text, sure)
    if "carrier_name" not in fields:
        fields.update(_letterhead(sheets[0]))
    return fields


def _led(cell: Span) -> bool:
    return any(label.leads for label in find_labels(cell, POD))


def _letterhead(sheet: Sheet) -> dict[str, Field]:
    """A form with a shipper and a consignee is the carrier's: its name heads the page."""
    top = [cell for cell in sheet.cells if cell.box.y0 < 0.09 and len(cell.words) >= 2 and len(cell.text) < 50]
    names = [cell for cell in top if not _led(cell) and not any(char.isdigit() for char in cell.text)]
    if not names or any(label.leads for cell in top for label in find_labels(cell, POD) if label.weight > 0.6):
        return {}
    best = max(names, key=lambda cell: (round(cell.height, 3), -cell.box.x0))
    return {"carrier_name": best.field("carrier_name", best.text, 0.4)}


def _text_of(sheet: Sheet, label: Label) -> Span | None:
    rest = label.cell.part(label.end)
    beside = [rest] if rest.words else list(sheet.right_of(label.cell))[:1]
    for span in [*beside, *list(sheet.below(label.span.box, _FORM_REACH if label.name == "signer_name" else 1.6))[:1]]:
        whole, span = span, _up_to_label(span)
        letters = sum(char.isalpha() for char in span.text)
        if letters >= 3 and not any(other.leads for other in find_labels(span, POD)) and _may_be(label.name, whole):
            aligned = whole in beside and span.box.x0 - label.cell.box.x1 < 0.25
            if aligned or whole not in beside:
                return _with_legal_form(sheet, span) if label.name in _FIRMS else span
    return None


def _with_legal_form(sheet: Sheet, name: Span) -> Span:
    """A name that runs on in the line below, where its legal form stands."""
    if LEGAL_FORM.search(name.text) or not name.words:
        return name
    for below in list(sheet.below(name.box, 1.0))[:1]:
        if LEGAL_FORM.search(below.text) and abs(below.box.x0 - name.box.x0) < 0.02 and len(below.words) <= 5:
            if fold_text(below.text).startswith(fold_text(name.text)):
                return below
            return Span(page=name.page, source=name.source, words=(*name.words, *below.words))
    return name


def _up_to_label(span: Span) -> Span:
    """`Brightwell Ltd Date of despatch 18.08.2026` up to the next label."""
    first = next((index for index, word in enumerate(span.words) if any(char.isalnum() for char in word.text)), 0)
    ends = [
        label.start
        for label in find_labels(span, POD)
        if label.start > first and label.weight > 0.75 and label.name not in _FIRMS
    ]
    return span.part(first, min(ends, default=None))


def _may_be(name: str, span: Span) -> bool:
    """A name is short and no sentence; who signs is a person, not another field to sign in."""
    if name == "damage_note":
        return True
    if re.match(r"\d+\.\s", span.text) or (len(span.words) > 5 and not LEGAL_FORM.search(span.text)):
        return False
    if len(span.words) > 8 or span.text[:1].islower() or (span.text.endswith((".", ":")) and len(span.words) > 4):
        return False
    if name != "signer_name":
        return True
    return not _DRIVER.search(span.text) and not re.search(
        r"\d|stamp|stempel|cachet|tampon|signature|unterschr", span.text, re.I
    )


def _marks(sheets: list[Sheet]) -> dict[str, Field]:
    """Signature and stamp, as the ink beside their labels shows them; a driver's signature is not the receiver's."""
    fields: dict[str, Field] = {}
    for sheet in sheets:
        for mark in sheet.page.marks:
            if mark.kind is MarkKind.HANDWRITING or _DRIVER.search(mark.label):
                continue
            name = "signature" if mark.kind is MarkKind.SIGNATURE else "stamp"
            field = Field(
                name=name,
                value=mark.state.value,
                raw=mark.label,
                confidence=mark.score,
                source=Source.RULE,
                evidence=Evidence(page=sheet.page.number, box=mark.box, words=sheet.page.source),
            )
            if name not in fields or _rank(field) > _rank(fields[name]):
                fields[name] = field
    return fields


def _rank(field: Field) -> int:
    return {"present": 2, "unclear": 1}.get(field.value, 0)
