"""Labelled values: to the right of their label, in the same line, or below it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models import values
from models.readers._rules.labels import HEADER, TOTALS
from models.readers._rules.sheet import Area, Label, Sheet, Span, find_labels
from models.values import Found
from tallyman.domain.field import Field
from tallyman.domain.page import WordSource

Book = dict[str, list[tuple[str, float]]]
Finder = Callable[[str], Iterator[Found]]
_SAME, _RIGHT, _BELOW = 0.92, 0.9, 0.78
_SURE = {_SAME: 0.97, _RIGHT: 0.96, _BELOW: 0.85}
"""How often a value at this place is right, measured on printed invoices."""
_ALONE = 0.95
"""The same for a value below its label when both fill their cells, as in a row of boxes."""
_ON_LINE, _LATER = 0.6, 0.97
_EXACT = frozenset({"issue_date", "due_date", "delivery_date", "delivered_date", "delivered_time", "currency", "iban"})
_MIXED_UP = re.compile(r"[OIlQSB](?=\d)|(?<=\d)[OIlQSB]|0(?=[A-Z])|(?<=[A-Z])0")
"""Where OCR mixes up letters and digits, a number is a guess."""
_TAX_NUMBER = re.compile(r"(?<!\w)(?:\d{2,3}\s?/\s?\d{3,4}\s?/\s?\d{4,5}|\d{2}-\d{7}|\d{9,13})(?!\w)")


def labelled(
    sheets: list[Sheet], book: Book, finders: dict[str, Finder], reach: float = 2.6, areas: Sequence[Area] = ()
) -> dict[str, Field]:
    """The best value for each name that has a finder. reach: how far below, in label heights.

    areas: line tables; a label within one speaks of its line more often than of the document.
    """
    found: dict[str, list[tuple[float, Field]]] = {}
    for sheet in sheets:
        view = _View(sheet=sheet, book=book, reach=reach, areas=areas)
        for cell in sheet.cells:
            labels = find_labels(cell, book)
            totals = {label.start: label.end for label in find_labels(cell, TOTALS)}
            far = _ON_LINE if any(area.holds(cell) for area in areas) else 1.0
            far *= _LATER if sheet.page.number > 1 else 1.0
            for label in labels:
                finder = finders.get(label.name)
                # `Invoice total` says nothing of the invoice's number.
                hidden = totals.get(label.start, 0) > label.end
                hit = _look(view, label, labels, finder) if finder and not hidden else None
                if hit is not None:
                    found.setdefault(label.name, []).append((hit[0] * far, _less(hit[1], far)))
    return {name: _best(name, hits, found) for name, hits in found.items()}


def _best(name: str, hits: list[tuple[float, Field]], found: dict[str, list[tuple[float, Field]]]) -> Field:
    """The strongest hit. The number of the invoice that a credit note corrects is not its own."""
    if name == "invoice_number":
        others = {field.value for _, field in found.get("preceding_invoice", [])}
        hits = [hit for hit in hits if hit[1].value not in others] or hits
    score, field = max(hits, key=lambda hit: hit[0])
    rival = max((other for other, item in hits if item.value != field.value), default=0.0)
    sure = 0.85 if rival > 0.95 * score else 1.0
    return _less(field, sure).model_copy(update={"name": name})


def _less(field: Field, factor: float) -> Field:
    return field.model_copy(update={"confidence": round(field.confidence * factor, 3)})


@dataclass(frozen=True, kw_only=True)
class _View:
    """A page, and what the search on it goes by."""

    sheet: Sheet
    book: Book
    reach: float
    areas: Sequence[Area]

    def beside(self, cell: Span) -> Iterator[Span]:
        """Cells right of a cell; a table's rows belong to nothing that stands beside the table."""
        inside = any(area.holds(cell) for area in self.areas)
        for other in list(self.sheet.right_of(cell))[:2]:
            if not inside and any(area.holds(other) for area in self.areas):
                return
            yield other


def _look(view: _View, label: Label, labels: list[Label], finder: Finder) -> tuple[float, Field] | None:
    end = min((other.start for other in labels if other.start >= label.end), default=len(label.cell.words))
    rest = label.cell.part(label.end, end)
    found = _first(rest, finder, near=True)
    if found:
        return _hit(label, rest, found, _SAME)
    # `Invoice Thank you for your order` labels nothing, but the words of a date may stand between.
    if len(rest.words) > 3 and any(char.isalnum() for char in rest.text):
        return None
    return _beside(view, label, finder)


def _beside(view: _View, label: Label, finder: Finder) -> tuple[float, Field] | None:
    for cell in view.beside(label.cell):
        if find_labels(cell, view.book) and not _first(cell.part(0, 1), finder, near=True):
            break
        found = _first(cell, finder, near=True)
        if found:
            return _hit(label, cell, found, _RIGHT)
        if any(char.isalnum() for char in cell.text):
            break
    for cell in list(view.sheet.below(label.span.box, view.reach))[:1]:
        found = _first(cell, finder, near=True)
        if found and not any(other.start == 0 for other in find_labels(cell, view.book)):
            alone = len(label.span.words) == len(label.cell.words) and found[1].words == cell.words
            return _hit(label, cell, found, _BELOW, _ALONE if alone else None)
    return None


def _first(span: Span, finder: Finder, *, near: bool) -> tuple[Found, Span] | None:
    if not span.words:
        return None
    for found in finder(span.text):
        if near and len(re.sub(r"\W", "", span.text[: found.start])) > 22:
            return None
        return found, span.chars(found.start, found.end)
    return None


def _hit(
    label: Label, span: Span, found: tuple[Found, Span], place: float, sure: float | None = None
) -> tuple[float, Field] | None:
    """(rank among the hits, the field with how sure it is)."""
    value, words = found
    if not words.words:
        return None
    before = len(re.sub(r"\W", "", span.text[: value.start]))
    far = value.sure * (0.85 if before > 6 else 1.0)
    if words.source is WordSource.OCR and label.name not in _EXACT and _MIXED_UP.search(value.value):
        far *= 0.7
    sure = (sure or _SURE[place]) * _weighed(label.weight) * far
    raw = span.text[value.start : value.end]
    return label.weight * place * far, words.field(label.name, value.value, sure, raw=raw)


def _weighed(weight: float) -> float:
    """A weak label (`Date`) that stands alone is nearly as good as a strong one; within a sentence it is a guess."""
    return 1.0 if weight >= 0.95 else 0.95 if weight >= 0.75 else 0.88 if weight >= 0.55 else 0.7


def identifiers_strict(text: str) -> Iterator[Found]:
    """A number right after its label: at most one short word may stand before it."""
    for found in values.identifiers(text):
        if len(text[: found.start].split()) <= 1:
            yield found
        return


def tax_numbers(text: str) -> Iterator[Found]:
    for match in _TAX_NUMBER.finditer(text):
        yield Found(value=match.group().replace(" ", ""), start=match.start(), end=match.end())


def month_first(sheets: list[Sheet]) -> bool:
    """Whether slashed dates of this document put the month first: one of them could not be read otherwise."""
    text = " ".join(cell.text for sheet in sheets for cell in sheet.cells)
    slashed = re.findall(r"(?<!\d)(\d{1,2})/(\d{1,2})/\d{2,4}(?!\d)", text)
    if any(int(one) > 12 for one, _ in slashed):
        return False
    if any(int(two) > 12 for _, two in slashed):
        return True
    return bool(re.search(r"\b[A-Z]{2} \d{5}(-\d{4})?\b", text)) and ("$" in text or "USD" in text)


def header_fields(sheets: list[Sheet], book: Book, areas: Sequence[Area] = ()) -> dict[str, Field]:
    """Numbers, dates, tax number, IBAN and currency of an invoice-like document."""
    first = month_first(sheets)

    def days(text: str) -> Iterator[Found]:
        return values.dates(text, month_first=first)

    finders: dict[str, Finder] = {
        "invoice_number": identifiers_strict,
        "purchase_order_reference": identifiers_strict,
        "despatch_advice_reference": identifiers_strict,
        "preceding_invoice": identifiers_strict,
        "issue_date": days,
        "due_date": days,
        "delivery_date": days,
        "seller_tax_number": tax_numbers,
        "currency": values.currencies,
    }
    fields = {**labelled(sheets, book, finders, areas=areas), **_title_sentence(sheets, first)}
    _fill(fields, sheets, "iban", values.ibans, 0.93)
    if "iban" not in fields or fields["iban"].confidence < 0.5:
        fields.update(_broken_iban(sheets))
    _fill(fields, sheets, "currency", values.currencies, _currency_sure(sheets))
    if "issue_date" not in fields:
        _fill(fields, sheets[:1], "issue_date", days, 0.45)
    return fields


def _currency_sure(sheets: list[Sheet]) -> float:
    """The only currency of the paper, beside two amounts or more, is the currency of its amounts."""
    seen = [found.value for sheet in sheets for cell in sheet.cells for found in values.currencies(cell.text)]
    return 0.96 if len(set(seen)) == 1 and len(seen) > 1 else 0.8


_TITLE = re.compile(
    r"^(?:\w+[ -])?(?:\w*rechnung|rechnungskorrektur|gutschrift|invoice|credit (?:note|memo)|facture|avoir)"
    r"(?:\s*\(\d{3}\))?[\s:.-]*(?:(?:nr|no|n°|nº|number|#)[\s.:]*)?(?P<number>[\w][\w./_-]*\d[\w./_-]*)"
    r"(?P<rest>\s*(?:,|/|-)?\s*(?:vom|von|dated|of|du|from|-|/)?\s.*)?$",
    re.IGNORECASE,
)


def _title_sentence(sheets: list[Sheet], first: bool) -> dict[str, Field]:
    """`Rechnung Nr. 471102 vom 05.06.2025`: the number and, if it is there, the date."""
    for sheet in sheets[:1]:
        for cell in sheet.cells:
            match = _TITLE.match(cell.text)
            if any(label.start == 0 and label.name == "preceding_invoice" for label in find_labels(cell, HEADER)):
                continue
            if match is None or len(cell.text) > 80 or any(True for _ in values.dates(match["number"])):
                continue
            number = cell.chars(match.start("number"), match.end("number"))
            raw = match["number"].rstrip(".,;")
            fields = {"invoice_number": number.field("invoice_number", raw, 0.9, raw)}
            for day in values.dates(cell.text[match.end("number") :], month_first=first):
                at = match.end("number")
                words = cell.chars(at + day.start, at + day.end)
                raw_day = cell.text[at + day.start : at + day.end]
                fields["issue_date"] = words.field("issue_date", day.value, 0.9 * day.sure, raw_day)
                break
            return fields
    return {}


def _broken_iban(sheets: list[Sheet]) -> dict[str, Field]:
    """An IBAN that runs on in the line below; its check digits prove that the two belong together."""
    for sheet in sheets:
        for cell in sheet.cells:
            if not re.search(r"\b[A-Z]{2}\d{2}\s?[\dA-Z]{4}", cell.text):
                continue
            for below in list(sheet.below(cell.box, 1.5))[:2]:
                both = Span(page=cell.page, source=cell.source, words=(*cell.words, *below.words))
                for found in values.ibans(both.text):
                    if found.sure == 1.0:
                        words = both.chars(found.start, found.end)
                        return {"iban": words.field("iban", found.value, 0.9)}
    return {}


def _fill(fields: dict[str, Field], sheets: list[Sheet], name: str, finder: Finder, sure: float) -> None:
    """Where no label names it: the value that occurs most, first on the page."""
    if name in fields:
        return
    seen: dict[str, tuple[int, Field]] = {}
    for sheet in sheets:
        for cell in sheet.cells:
            for found in finder(cell.text):
                words = cell.chars(found.start, found.end)
                if words.words:
                    count, field = seen.get(
                        found.value,
                        (0, words.field(name, found.value, sure * found.sure, cell.text[found.start : found.end])),
                    )
                    seen[found.value] = (count + 1, field)
    if seen:
        most = max(count for count, _ in seen.values())
        field = next(field for count, field in seen.values() if count == most)
        rivals = len(seen) > 1 and name != "currency"
        fields[name] = field.model_copy(update={"confidence": min(field.confidence, 0.55)}) if rivals else field
