"""Line tables: a row of column headings, then rows whose words fall under them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from models import values
from models.readers._rules.labels import COLUMNS, POD, TOTALS
from models.readers._rules.sheet import Area, Label, Sheet, Span, find_labels
from tallyman.domain.compare import fold_text
from tallyman.domain.field import Field
from tallyman.domain.page import Word, WordSource

Book = dict[str, list[tuple[str, float]]]
_NUMERIC = frozenset(
    {"quantity", "unit_price", "total", "shipped_quantity", "received_quantity", "rejected_quantity", "line_number"}
)
_STOPS = frozenset({"line_net_total", "net_total", "tax_total", "gross_total", "payable_amount"})
_FORM = frozenset({"delivered_date", "delivered_time", "signer_name", "damage_note"})
_TEXT = ("description", "seller_item_id", "item", "unit", "reject_reason")
_UNITS = {
    "stk": "H87", "stuck": "H87", "st": "H87", "pcs": "H87", "pce": "H87", "ea": "H87", "each": "H87", "piece": "H87",
    "kg": "KGM", "l": "LTR", "ltr": "LTR", "liter": "LTR", "litre": "LTR", "m": "MTR", "m2": "MTK", "qm": "MTK",
    "sqm": "MTK", "std": "HUR", "h": "HUR", "stunde": "HUR", "stunden": "HUR", "hour": "HUR", "hours": "HUR",
    "hrs": "HUR", "heure": "HUR", "tag": "DAY", "tage": "DAY", "day": "DAY", "days": "DAY", "jour": "DAY",
    "monat": "MON", "mon": "MON", "month": "MON", "mois": "MON", "set": "SET", "satz": "SET", "jeu": "SET",
    "karton": "XCT", "ktn": "XCT", "carton": "XCT", "ctn": "XCT", "box": "XBX", "kiste": "XBX", "pack": "XPK",
    "palette": "XPX", "pal": "XPX", "pallet": "XPX", "rolle": "XRO", "roll": "XRO", "sack": "XSA", "bag": "XSA",
    "pc": "H87", "u": "H87", "pieces": "H87", "stck": "H87", "unite": "H87", "mtr": "MTR", "lfm": "MTR", "jr": "DAY",
    "mth": "MON", "pckg": "XPK", "pk": "XPK", "pqt": "XPK", "paquet": "XPK", "packung": "XPK", "bx": "XBX",
    "boite": "XBX", "rl": "XRO", "rlx": "XRO", "rll": "XRO", "rouleau": "XRO", "plt": "XPX", "sac": "XSA", "t": "TNE",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    x0: float
    x1: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """Words of one printed row by column."""

    top: float
    bottom: float
    cells: dict[str, tuple[Word, ...]]


def invoice_lines(sheets: list[Sheet]) -> Iterator[dict[str, Field]]:
    for row, source, page in table_rows(sheets, COLUMNS, needed={"description", "total"}, anchor=("total",)):
        line = _line(row, source, page, ("quantity", "unit_price", "total"))
        _check(line, row)
        if "total" in line and ("description" in line or "quantity" in line):
            yield line


def table_rows(
    sheets: list[Sheet], book: Book, *, needed: set[str], anchor: tuple[str, ...], form: bool = False
) -> Iterator[tuple[Row, WordSource, int]]:
    """The rows of all line tables. A row starts where the first `anchor` column that the table has holds a number.

    form: below the table stand fields that the receiver fills in.
    """
    columns: list[Column] = []
    for sheet in sheets:
        head = _head(sheet, book, needed)
        if head is None:
            continue
        columns, bottom = head
        anchors = [name for name in anchor if any(column.name == name for column in columns)]
        rows = [_row(cells, columns) for cells in _within(sheet, columns, bottom)]
        for row in _items(_until_end(sheet, rows, bottom, form=form), anchors):
            yield row, sheet.page.source, sheet.page.number


def table_areas(sheets: list[Sheet], book: Book, needed: set[str], anchor: str) -> list[Area]:
    """Where the line tables stand."""
    areas = []
    for sheet in sheets:
        head = _head(sheet, book, needed)
        if head is None:
            continue
        columns, top = head
        rows = [_row(cells, columns) for cells in _within(sheet, columns, top)]
        ends = [row.bottom for row in _until_end(sheet, rows, top, form=False) if _number(row.cells.get(anchor, ()))]
        if ends:
            areas.append(Area(page=sheet.page.number, x0=columns[0].x0, top=top, bottom=max(ends) + 0.02))
    return areas


def _within(sheet: Sheet, columns: list[Column], top: float) -> Iterator[list[Span]]:
    """The cells of each row below the headings; what stands left of the first column is no part of the table."""
    for row in sheet.rows:
        cells = [cell for cell in row if cell.box.x1 > columns[0].x0 - 0.005]
        if cells and row[0].middle > top:
            yield cells


def _head(sheet: Sheet, book: Book, needed: set[str]) -> tuple[list[Column], float] | None:
    """Columns and the lower edge of the row of headings; headings may be broken over up to three lines."""
    best: tuple[int, list[Label]] | None = None
    for row in sheet.rows:
        middle = sum(cell.middle for cell in row) / len(row)
        height = max(cell.height for cell in row)
        near = [cell for cell in sheet.cells if abs(cell.middle - middle) < 1.4 * height]
        labels = _one_each([label for cell in near for label in find_labels(cell, book)])
        names = {label.name for label in labels}
        if needed <= names and len(names) >= 3 and (best is None or len(names) > best[0]):
            best = (len(names), labels)
    if best is None:
        return None
    labels = best[1]
    columns = [Column(name=label.name, x0=label.span.box.x0, x1=label.span.box.x1) for label in labels]
    bottom = max(label.span.box.y1 for label in labels)
    return sorted(columns, key=lambda column: column.x0), bottom - 0.002


def _one_each(labels: list[Label]) -> list[Label]:
    """One label a name and one name a place: the strongest; of two totals the one further right."""
    best: dict[str, Label] = {}
    for label in sorted(labels, key=lambda label: (-label.weight, -label.span.box.x0 if label.name == "total" else 0)):
        clash = any(
            other.cell is label.cell and other.start < label.end and label.start < other.end for other in best.values()
        )
        if label.name not in best and not clash:
            best[label.name] = label
    return list(best.values())


def _row(cells: Sequence[Span], columns: list[Column]) -> Row:
    found: dict[str, list[Word]] = {}
    for cell in cells:
        before: tuple[str, Word] | None = None
        for word in cell.words:
            name = _column(word, columns)
            if before and _runs_on(*before, word, columns):
                name = "description"
            found.setdefault(name, []).append(word)
            before = (name, word)
    return Row(
        top=min(cell.box.y0 for cell in cells),
        bottom=max(cell.box.y1 for cell in cells),
        cells={name: tuple(words) for name, words in found.items()},
    )


def _runs_on(name: str, before: Word, word: Word, columns: list[Column]) -> bool:
    """A number close behind a word of the description, under no heading of its own, belongs to it: `12 x 0.7 l`."""
    if name != "description" or word.box.x0 - before.box.x1 > 0.012:
        return False
    return not any(
        column.name != "description" and min(word.box.x1, column.x1) > max(word.box.x0, column.x0) for column in columns
    )


def _column(word: Word, columns: list[Column]) -> str:
    """The column whose heading is nearest; text leans to the column that starts left of it."""
    number = bool(re.fullmatch(r"[-−(]?[\d.,'’]+[-)%€$£]*", word.text))

    def distance(column: Column) -> float:
        gap = max(column.x0 - word.box.x1, word.box.x0 - column.x1, 0.0)
        if not number and column.name in ("description",) and word.box.x0 >= column.x0 - 0.01:
            gap *= 0.4
        if number and column.name not in _NUMERIC:
            gap *= 1.3
        return gap

    return min(columns, key=lambda column: (distance(column), abs(column.x0 - word.box.x0))).name


def _until_end(sheet: Sheet, rows: list[Row], bottom: float, *, form: bool) -> Iterator[Row]:
    """Rows down to the first total or the fields to sign in, or to a gap after which nothing like a line comes."""
    stops = [
        label.cell.middle
        for cell in sheet.cells
        if cell.middle > bottom
        for label in find_labels(cell, TOTALS)
        if label.start == 0 and label.end >= len(cell.words) - 3 and label.name in _STOPS and label.weight > 0.5
    ]
    stops += [
        label.cell.middle
        for cell in sheet.cells
        if form and cell.middle > bottom
        for label in find_labels(cell, POD)
        if label.leads and label.name in _FORM and label.weight > 0.5
    ]
    end = min(stops, default=1.0)
    pitch = 0.10
    last = bottom
    for row in rows:
        if (row.top + row.bottom) / 2 >= end - 0.003 or row.top - last > pitch:
            return
        last = row.bottom
        yield row


def _items(rows: Iterator[Row], anchors: list[str]) -> list[Row]:
    """Printed rows joined to lines: a row without the anchor's number continues the description above it."""
    items: list[Row] = []
    gaps: list[float] = []
    before: Row | None = None
    for row in rows:
        height = row.bottom - row.top
        if any(_number(row.cells.get(name, ())) is not None for name in anchors):
            items.append(_joined(before, row) if before and _halves(before, row) else row)
            before = None
            continue
        before = row if _counts(row) else None
        if before or not items or "description" not in row.cells:
            continue
        gap = row.top - items[-1].bottom
        if gap <= height and _detail(row):
            items[-1] = _with_item_number(items[-1], row)
            continue
        usual = median(gaps) if gaps else 0.6 * height
        if gap <= max(usual * 1.5, 0.6 * height) and _is_more_description(row):
            gaps.append(max(gap, 0.001))
            items[-1] = _joined(items[-1], _only_description(row))
    return items


def _only_description(row: Row) -> Row:
    return Row(top=row.top, bottom=row.bottom, cells={"description": row.cells["description"]})


_BATCH = re.compile(r"(?:batch|charge|lot|serial|s/n|serien-?nr|n° de série|mhd|best before)\b", re.IGNORECASE)
_ITEM_NAMES = ("seller_item_id", "item")


def _detail(row: Row) -> bool:
    """`Article TE-22597` or `Batch 125979` below a description says more of the line, but describes nothing."""
    text = " ".join(word.text for word in row.cells["description"])
    return bool(_BATCH.match(text)) or _item_number(row) is not None


def _item_number(row: Row) -> Word | None:
    words = row.cells["description"]
    cell = Span(page=1, source=WordSource.TEXT_LAYER, words=words)
    for label in find_labels(cell, COLUMNS):
        if label.start == 0 and label.name == "seller_item_id" and label.end < len(words):
            word = words[label.end]
            short = len(words) <= label.end + 1 or _BATCH.match(words[label.end + 1].text)
            return word if short and any(char.isdigit() for char in word.text) else None
    return None


def _with_item_number(item: Row, row: Row) -> Row:
    word = _item_number(row)
    if word is None or any(name in item.cells for name in _ITEM_NAMES):
        return Row(top=item.top, bottom=row.bottom, cells=item.cells)
    return Row(top=item.top, bottom=row.bottom, cells={**item.cells, "seller_item_id": (word,)})


def _is_more_description(row: Row) -> bool:
    text = " ".join(word.text for word in row.cells["description"])
    return ":" not in text and len(text) < 60


def _counts(row: Row) -> bool:
    return any(_number(row.cells.get(name, ())) is not None for name in ("quantity", "unit_price"))


def _halves(upper: Row, lower: Row) -> bool:
    """Quantity and price in one printed row, the total a little lower: one line of the document."""
    return lower.top - upper.bottom < 0.5 * (upper.bottom - upper.top) and not _counts(lower)


def _joined(upper: Row, lower: Row) -> Row:
    names = {*upper.cells, *lower.cells}
    cells = {name: (*upper.cells.get(name, ()), *lower.cells.get(name, ())) for name in names}
    return Row(top=upper.top, bottom=lower.bottom, cells=cells)


def _number(words: Sequence[Word]) -> values.Found | None:
    return next(values.amounts(" ".join(word.text for word in words), whole=True), None)


_READ, _GUESSED = 0.9, 0.55
"""How sure a cell under its heading is; less where words of several printed rows or columns may have come together."""


def _line(row: Row, source: WordSource, page: int, numbers: Sequence[str]) -> dict[str, Field]:
    line: dict[str, Field] = {}
    for name in numbers:
        span = Span(page=page, source=source, words=row.cells.get(name, ()))
        found = _number(span.words)
        if found:
            words = span.chars(found.start, found.end)
            line[name] = words.field(name, found.value, _NUMBER_SURE, span.text[found.start : found.end])
            if name in ("quantity", "shipped_quantity"):
                _unit_beside(line, span, found)
    for name in _TEXT:
        printed = row.cells.get(name, ())
        if name in _ITEM_NAMES:
            printed = _without_line_number(printed)
        if any(char.isalnum() for word in printed for char in word.text):
            span = Span(page=page, source=source, words=printed)
            value = _unit(span.text) if name == "unit" else span.text
            line[name] = span.field(name, value, _sure_of(name, value, printed))
    rate = next(values.rates(" ".join(word.text for word in row.cells.get("vat_rate", ()))), None)
    if rate:
        span = Span(page=page, source=source, words=row.cells["vat_rate"])
        line["vat_rate"] = span.field("vat_rate", rate.value, 0.95)
    return line


_NUMBER_SURE = 0.6


def _without_line_number(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """`2 WU-3550` without the number of the line, where both share a column."""
    if len(words) > 1 and re.fullmatch(r"\d{1,3}", words[0].text) and any(char.isdigit() for char in words[1].text):
        return words[1:]
    return words


def _sure_of(name: str, value: str, words: Sequence[Word]) -> float:
    if name == "unit":
        return _READ if value in _UNITS.values() else _GUESSED
    if name in _ITEM_NAMES:
        # Two digits are more likely the number of the line.
        return _READ if len(words) == 1 and len(value) > 2 and any(char.isdigit() for char in value) else _GUESSED
    return _GUESSED


def _unit_beside(line: dict[str, Field], span: Span, found: values.Found) -> None:
    rest = span.text[found.end :].strip()
    if rest and any(char.isalpha() for char in rest):
        words = span.chars(found.end + 1, len(span.text))
        if words.words:
            line["unit"] = words.field("unit", _unit(rest), 0.55)


def _unit(text: str) -> str:
    """The UN/ECE code for a printed unit, or what is printed where it is not known."""
    return _UNITS.get(fold_text(text.replace("²", "2")), text.strip())


def _check(line: dict[str, Field], row: Row) -> None:
    """Quantity times price less discount makes the total: then all are right. What is missing stays missing."""
    if not {"quantity", "unit_price", "total"} <= line.keys():
        return
    product = line["quantity"].amount * line["unit_price"].amount
    rate = next(values.rates(" ".join(word.text for word in row.cells.get("discount", ()))), None)
    products = [product] + ([product * (1 - Decimal(rate.value) / 100)] if rate else [])
    slack = max(Decimal("0.01"), abs(product) * Decimal("0.001"))
    good = any(abs(item - line["total"].amount) <= slack for item in products)
    if good and "description" in line and row.bottom - row.top < 2 * _tallest(row):
        # One printed row whose figures agree: its text is whole, too.
        sure = line["description"].confidence * 0.85 / _GUESSED
        line["description"] = line["description"].model_copy(update={"confidence": round(sure, 3)})
    for name in ("quantity", "unit_price", "total"):
        sure = min(0.96, line[name].confidence * 1.6) if good else line[name].confidence * 0.8
        line[name] = line[name].model_copy(update={"confidence": round(sure, 3)})


def _tallest(row: Row) -> float:
    return max(word.box.y1 - word.box.y0 for words in row.cells.values() for word in words)
