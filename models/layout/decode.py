"""What the network says of words, as a document: typed values, totals that fit each other, rows that are items."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from models import values
from models.layout.calibration import Calibrator
from models.layout.fields import CLASSES, HEADER, LINE, TYPES, Kind
from models.layout.page import PageWords
from models.values import Found
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Box, WordSource

_LEAST = 0.25
"""Odds below which a value is none at all."""
_WHOLE_ROW = 0.5
_FITS = 0.5
"""What it is worth that net and tax give gross, beside the sum of three odds."""
_TRIED = 4
_CENT = Decimal("0.02")
_BRIM = " .,:;()#'\"|"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the network says of one page: `words` float32 (n, classes), odds; `starts` float32 (n,); `type` float32
    (types,), odds; `role` float32 (roles,)."""

    page: PageWords
    words: Any
    starts: Any
    type: Any
    role: Any


@dataclass(frozen=True, kw_only=True)
class Run:
    """Neighbouring words of one cell that may be a value. `places`: their numbers on the page, from the left."""

    said: Said
    places: tuple[int, ...]
    value: str
    raw: str
    odds: float
    least: float = 0.0
    """The odds of its unlikeliest word."""
    sure: float = 1.0
    """How clearly it is of its type."""

    def field(self, name: str) -> Field:
        boxes = self.said.page.boxes[list(self.places)]
        box = reduce(Box.union, (Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in boxes.clip(0, 1).tolist()))
        words = WordSource.OCR if self.said.page.is_ocr else WordSource.TEXT_LAYER
        return Field(
            name=name,
            value=self.value,
            raw=self.raw,
            confidence=round(min(0.99, max(0.01, self.odds)), 3),
            source=Source.MODEL,
            evidence=Evidence(page=self.said.page.number + 1, box=box, words=words),
        )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The words of one cell and their text; where each word begins in it, and its length."""

    places: tuple[int, ...]
    text: str
    starts: tuple[int, ...]
    sizes: tuple[int, ...]

    def words(self, start: int, end: int) -> tuple[int, ...]:
        """The words that hold some characters."""
        first = max(0, bisect_right(self.starts, start) - 1)
        if start >= self.starts[first] + self.sizes[first]:
            first += 1
        return self.places[first : bisect_left(self.starts, end)]


def cells_of(page: PageWords) -> list[Cell]:
    order, number = page.rows.order, page.rows.cell
    cells: list[Cell] = []
    places: list[int] = []
    for at, place in enumerate(order.tolist()):
        places.append(place)
        if at + 1 == len(order) or number[order[at + 1]] != number[place]:
            cells.append(cell_of(page, tuple(places)))
            places = []
    return cells


def cell_of(page: PageWords, places: tuple[int, ...]) -> Cell:
    starts, length = [], 0
    for place in places:
        starts.append(length)
        length += len(page.texts[place]) + 1
    texts = [page.texts[place] for place in places]
    return Cell(places=places, text=" ".join(texts), starts=tuple(starts), sizes=tuple(map(len, texts)))


def document_of(pages: Sequence[Said], kind: str | None = None, calibrator: Calibrator | None = None) -> Document:
    """The document that these pages are, of the type that the network says, or `kind`. No document type of the program
    may have it. Without a calibrator, the network's odds are the confidences."""
    return decoded(pages, kind, calibrator)[0]


def decoded(
    pages: Sequence[Said], kind: str | None = None, calibrator: Calibrator | None = None
) -> tuple[Document, dict[str, tuple[float, ...]]]:
    """As `document_of`, and the evidence (EVIDENCE) for each field of the header that the network found."""
    cells = [cells_of(said.page) for said in pages]
    american = month_first([cell.text for some in cells for cell in some])
    found: dict[str, list[Run]] = {name: [] for name in HEADER}
    for said, some in zip(pages, cells, strict=True):
        for name, looks in HEADER.items():
            found[name] += _runs(said, some, name, looks, american)
    chosen = {name: max(runs, key=lambda run: run.odds) for name, runs in found.items() if runs}
    chosen |= _totals(found)
    for name, equal in _EQUAL.items():  # a paper that takes nothing off and adds nothing states both by one sum
        if name not in chosen and equal in chosen:
            chosen[name] = chosen[equal]
    evidence = {
        name: _evidence(chosen[name], found.get(name, []), name in _SUMS and _sums_fit(chosen))
        for name in chosen
        if "." not in name
    }
    fields = {}
    for name, seen in evidence.items():
        ours, run = OURS.get(name, name), chosen[name]
        odds = run.odds if calibrator is None else calibrator.confidence(name, seen)
        fields[ours] = replace(run, odds=odds).field(ours)
    _fill_currency(fields, pages, cells)
    lines = tuple(line for said in pages for line in _lines(said))
    type_name = kind or TYPES[int(np.mean([said.type for said in pages], axis=0).argmax())]
    if type_name == "receipt":
        fields |= _sender(pages[0])
    return Document(type=type_name, fields=fields, lines=lines), evidence


_SUMS = ("net_total", "tax_total", "gross_total", "payable_amount", "line_net_total")


def _evidence(run: Run, runs: Sequence[Run], fits: bool) -> tuple[float, ...]:
    """EVIDENCE for a chosen value among all that were found for its field."""
    rivals = [one.odds for one in runs if one.value != run.value]
    again = any(one.value == run.value and one.places != run.places for one in runs)
    page = run.said.page
    read = float(page.sure[list(run.places)].min())
    return (
        _logit(run.odds), _logit(run.least), float(bool(rivals)), _logit(max(rivals, default=0.02)), float(again),
        run.sure, read, float(fits), float(page.number == 0), min(8, len(run.places)) / 8, float(page.is_ocr),
    )  # fmt: skip


def _logit(odds: float) -> float:
    clipped = min(0.9995, max(0.0005, odds))
    return math.log(clipped / (1 - clipped))


def _sums_fit(chosen: Mapping[str, Run]) -> bool:
    three = [chosen[name] for name in ("net_total", "tax_total", "gross_total") if name in chosen]
    return len(three) == 3 and _fit(three)


def _sender(said: Said) -> dict[str, Field]:
    """Who gave a receipt, and the address as one text: on rolls they have several rows."""
    order = said.page.rows.order
    told = said.words[order].argmax(axis=1)
    found = {}
    for name, parts in (
        ("seller_name", ("seller_name",)), ("seller_address", ("seller_street", "seller_postcode", "seller_city"))
    ):  # fmt: skip
        numbers = [CLASSES.index(part) for part in parts]
        chosen = np.isin(told, numbers)
        places = tuple(order[chosen].tolist())
        if places:
            text = " ".join(said.page.texts[place] for place in places)
            odds = float(said.words[list(places)][:, numbers].sum(axis=1).mean())
            found[name] = Run(said=said, places=places, value=text, raw=text, odds=odds).field(name)
    return found


_EQUAL = {"line_net_total": "net_total", "payable_amount": "gross_total"}
OURS = {"preceding_invoice_reference": "preceding_invoice"}
"""Fields that `tallyman extract` calls otherwise than the printed papers do."""


def month_first(texts: Sequence[str]) -> bool:
    """Whether slashed dates put the month first: one of them could not be read otherwise, or it is an American's."""
    text = "\n".join(texts)
    pairs = [(int(one), int(two)) for one, two in values.slashed(text)]
    if any(one > 12 for one, _ in pairs):
        return False
    return any(two > 12 for _, two in pairs) or values.american(text)


def _runs(said: Said, cells: Sequence[Cell], name: str, kind: Kind, month_first: bool) -> Iterator[Run]:
    odds = said.words[:, CLASSES.index(name)]
    if not len(odds) or float(odds.max()) < _LEAST:
        return
    for cell in cells:
        if float(odds[list(cell.places)].max()) < _LEAST:
            continue
        for found, places in _candidates(said.page, cell, kind, odds, month_first):
            some = odds[list(places)]
            score = float(some.mean()) * found.sure
            if score >= _LEAST:
                raw = cell.text[found.start : found.end]
                yield Run(
                    said=said, places=places, value=found.value, raw=raw, odds=score, least=float(some.min()),
                    sure=found.sure,
                )  # fmt: skip


def _candidates(
    page: PageWords, cell: Cell, kind: Kind, odds: Any, month_first: bool
) -> Iterator[tuple[Found, tuple[int, ...]]]:
    finders = {
        Kind.AMOUNT: lambda text: values.amounts(text, whole=True),
        Kind.DATE: lambda text: values.dates(text, month_first=month_first),
        Kind.IBAN: values.ibans,
        Kind.VAT_ID: values.vat_ids,
        Kind.NUMBER: lambda text: values.amounts(text, whole=True),
    }
    if kind in finders:
        for found in finders[kind](cell.text):
            yield found, cell.words(found.start, found.end)
        return
    for places in _together(cell, odds):
        text = " ".join(page.texts[place] for place in places)
        start = cell.starts[cell.places.index(places[0])]
        value = text.strip(_BRIM)
        if value and (kind is not Kind.CODE or any(char.isdigit() for char in value)):
            yield Found(value=value, start=start, end=start + len(text)), places


def _together(cell: Cell, odds: Any) -> Iterator[tuple[int, ...]]:
    """Words side by side that are likely of a class."""
    run: list[int] = []
    for place in (*cell.places, None):
        if place is not None and odds[place] >= _LEAST:
            run.append(place)
        elif run:
            yield tuple(run)
            run = []


def _totals(found: dict[str, list[Run]]) -> dict[str, Run]:
    """Net, tax and gross, of which the first two give the third where the page has such three."""
    names = ("net_total", "tax_total", "gross_total")
    best = [_few(found[name]) for name in names]
    if not all(best):
        return {}
    score, chosen = max(
        (
            (sum(run.odds for run in three) + (_FITS if _fit(three) else 0.0), three)
            for three in product(*best)
        ),
        key=lambda each: each[0],
    )  # fmt: skip
    return dict(zip(names, chosen, strict=True)) if score > 0 else {}


def _few(runs: Sequence[Run]) -> list[Run]:
    """The likeliest, one of each value."""
    few: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: -run.odds):
        few.setdefault(run.value, run)
    return list(few.values())[:_TRIED]


def _fit(three: Sequence[Run]) -> bool:
    net, tax, gross = (Decimal(run.value) for run in three)
    return abs(net + tax - gross) <= _CENT


def _fill_currency(fields: dict[str, Field], pages: Sequence[Said], cells: Sequence[Sequence[Cell]]) -> None:
    """The currency that stands most often on the paper, by its code or its sign."""
    field = fields.pop("currency", None)
    if field is not None:
        named = next(values.currencies(field.raw), None)
        if named is not None:
            fields["currency"] = field.model_copy(update={"value": named.value})
            return
    seen: dict[str, list[Run]] = {}
    for said, some in zip(pages, cells, strict=True):
        for cell in some:
            for found in values.currencies(cell.text):
                places = cell.words(found.start, found.end)
                raw = cell.text[found.start : found.end]
                run = Run(said=said, places=places, value=found.value, raw=raw, odds=0.8)
                seen.setdefault(found.value, []).append(run)
    if seen:
        fields["currency"] = max(seen.values(), key=len)[0].field("currency")


def _lines(said: Said) -> Iterator[dict[str, Field]]:
    """The line items of a page: rows that hold their values, joined where the network sees none begin."""
    page = said.page
    if not len(page):
        return
    classes = said.words.argmax(axis=1)
    of_line = np.array([CLASSES[number] in LINE for number in classes])
    items: list[list[int]] = []
    for row in np.unique(page.rows.row[of_line]):
        here = np.flatnonzero((page.rows.row == row) & of_line)
        if not items or float(said.starts[here].mean()) > _WHOLE_ROW:
            items.append([])
        items[-1] += here.tolist()
    rank = np.empty(len(page), np.int64)
    rank[page.rows.order] = np.arange(len(page))
    for item in items:
        line = dict(_item(said, sorted(item, key=lambda place: int(rank[place])), classes))
        if line:
            yield line


def _item(said: Said, item: Sequence[int], classes: Any) -> Iterator[tuple[str, Field]]:
    """item: its words, row by row from the left."""
    for name, kind in LINE.items():
        number = CLASSES.index(name)
        ours = name.removeprefix("line.")
        by_cell: dict[int, list[int]] = {}
        for place in item:
            if classes[place] == number:
                by_cell.setdefault(int(said.page.rows.cell[place]), []).append(place)
        runs = []
        for places in by_cell.values():
            text = " ".join(said.page.texts[place] for place in places)
            odds = float(said.words[places, number].mean())
            runs.append(Run(said=said, places=tuple(places), value=text.strip(" |"), raw=text, odds=odds))
        if not runs:
            continue
        if kind in (Kind.NUMBER, Kind.AMOUNT):
            typed = [(run, next(values.amounts(run.raw.replace("%", ""), whole=True), None)) for run in runs]
            good = [replace(run, value=found.value) for run, found in typed if found is not None]
            if good:
                yield ours, max(good, key=lambda run: run.odds).field(ours)
        elif name == "line.description":
            yield ours, _joined(runs).field(ours)
        else:
            yield ours, max(runs, key=lambda run: run.odds).field(ours)


def _joined(runs: Sequence[Run]) -> Run:
    """A description that goes on in the rows below."""
    text = " ".join(run.value for run in runs)
    places = tuple(place for run in runs for place in run.places)
    return Run(said=runs[0].said, places=places, value=text, raw=text, odds=min(run.odds for run in runs))
