"""What one confirmed document of a supplier teaches about the next: where its values stand, beside which words, and in
which form.

Nothing is trained: of each confirmed value its surroundings are kept, and in a new document that place is looked for
whose surroundings are most like them. After "template memory" of Esser et al. 2012, with typed values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models import values
from models.layout.decode import Cell, Run, Said, cell_of, cells_of, month_first
from models.layout.fields import HEADER, Kind
from models.layout.page import PageWords
from tallyman.domain.compare import fold_text
from tallyman.domain.field import Field

_ENOUGH = 3.0
"""Below this likeness a place is none that was confirmed."""
_SURE = 6.5
"""With this likeness, or more, there is no doubt about the place."""
_NAMED = (Kind.AMOUNT, Kind.DATE, Kind.CODE)
"""Of such values there are many on a page: only what stands beside the same words is the same field."""
_FREE = (Kind.TEXT, Kind.CODE)
"""Values of such kinds may begin and end at any word: they are told by the words before them."""
_PLACES = 8
"""Of a value are remembered."""
_AROUND, _LETTERS = 10, 60
"""Words of the same cell, and letters of others, that are looked at around a value."""
_OWN = ("seller_", "iban", "bic", "currency", "buyer_", "ship_to_")
"""Values of a supplier and its customer, which mostly stay."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a confirmed value stood. `before`, `after`: what its cell says around it; `left`, `above`: the cells there,
    all folded; `words`: of how many it is; `shape`: letters as a, digits as 9; x0, x1, y of the page; from_end: pages
    after it."""

    field: str
    value: str
    before: str
    after: str
    left: str
    above: str
    words: int
    shape: str
    x0: float
    x1: float
    y: float
    page: int
    from_end: int


@dataclass(frozen=True)
class Memory:
    """Places of one supplier's confirmed documents, the latest first."""

    places: tuple[Place, ...]

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(place) for place in self.places]

    @classmethod
    def from_json(cls, told: list[dict[str, Any]]) -> "Memory":
        return cls(tuple(Place(**one) for one in told))

    def recall(self, pages: Sequence[PageWords]) -> dict[str, Field]:
        """The confirmed fields as they stand in another document of the supplier; those that are not found are left
        out."""
        spots: dict[tuple[Kind, str | None], list[Spot]] = {}
        for spot in spots_of(pages):
            spots.setdefault((spot.kind, spot.prefix), []).append(spot)
        found: dict[str, tuple[float, Run]] = {}
        for place in self.places:
            kind = HEADER[place.field]
            for spot in spots.get((kind, place.before if kind in _FREE else None), []):
                like = _likeness(place, spot)
                if like >= _ENOUGH and like > found.get(place.field, (0.0, None))[0]:
                    found[place.field] = (like, spot.run)
        return {name: _certain(run, like).field(name) for name, (like, run) in found.items()}


def remember(pages: Sequence[PageWords], confirmed: Mapping[str, str]) -> Memory:
    """The places of confirmed values, the first few of each that stands on the pages.

    confirmed: values by field, as `tallyman extract` gives them.
    """
    places: dict[str, list[Place]] = {}
    wanted = [(name, fold_text(value), value) for name, value in confirmed.items() if name in HEADER]
    for spot in spots_of(pages):
        folded = fold_text(spot.run.value)
        for name, value, told in wanted:
            if folded == value and HEADER[name] is spot.kind and len(places.setdefault(name, [])) < _PLACES:
                places[name].append(spot.place(name, told))
    return Memory(tuple(place for some in places.values() for place in some))


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place where a value of a kind may stand; `prefix`: the words that its cell must begin with, None for any."""

    kind: Kind
    run: Run
    prefix: str | None
    before: str
    after: str
    left: str
    above: str
    x0: float
    x1: float
    y: float
    page: int
    from_end: int

    def place(self, name: str, value: str) -> Place:
        return Place(
            field=name, value=value, before=self.before, after=self.after, left=self.left, above=self.above,
            words=len(self.run.places), shape=_shape(self.run.raw), x0=self.x0, x1=self.x1, y=self.y, page=self.page,
            from_end=self.from_end,
        )  # fmt: skip


def spots_of(pages: Sequence[PageWords]) -> Iterator[Spot]:
    """All places where a value of any kind may stand; of texts and codes there are many that overlap."""
    american = month_first([cell.text for page in pages for cell in cells_of(page)])
    for page in pages:
        said = Said(page=page, words=None, starts=None, type=None, role=None)
        cells = cells_of(page)
        boxes = [_box(page, cell.places) for cell in cells]
        cells += _stacked(page, cells, boxes)
        boxes += [_box(page, cell.places) for cell in cells[len(boxes) :]]
        for number, cell in enumerate(cells):
            left, above = _beside(number, cells, boxes, page), _above(number, cells, boxes)
            for kind, places, value, raw, prefix in _values(page, cell, american):
                first, last = cell.places.index(places[0]), cell.places.index(places[-1])
                x0, y0, x1, y1 = _box(page, places)
                yield Spot(
                    kind=kind,
                    run=Run(said=said, places=places, value=value, raw=raw, odds=0.0),
                    prefix=prefix,
                    before=_folded(page, cell.places[max(0, first - _AROUND) : first]),
                    after=_folded(page, cell.places[last + 1 : last + 1 + _AROUND]),
                    left=left,
                    above=above,
                    x0=x0,
                    x1=x1,
                    y=(y0 + y1) / 2,
                    page=page.number,
                    from_end=page.count - page.number,
                )


def _stacked(page: PageWords, cells: Sequence[Cell], boxes: Sequence[tuple[float, ...]]) -> list[Cell]:
    """Two cells, one right below the other and flush left, as one: names may have two rows."""
    made = []
    for number, (x0, _, _, bottom) in enumerate(boxes):
        for other in range(number + 1, min(len(cells), number + 12)):
            top = boxes[other][1]
            if abs(boxes[other][0] - x0) < 0.006 and -0.004 < top - bottom < 0.008:
                made.append(cell_of(page, (*cells[number].places, *cells[other].places)))
                break
    return made


def _values(
    page: PageWords, cell: Cell, american: bool
) -> Iterator[tuple[Kind, tuple[int, ...], str, str, str | None]]:
    """Everything in a cell that may be a value of some kind."""
    typed = (
        (Kind.AMOUNT, values.amounts(cell.text, whole=True)),
        (Kind.DATE, values.dates(cell.text, month_first=american)),
        (Kind.IBAN, values.ibans(cell.text)),
        (Kind.VAT_ID, values.vat_ids(cell.text)),
    )
    for kind, some in typed:
        for found in some:
            places = cell.words(found.start, found.end)
            if places:
                yield kind, places, found.value, cell.text[found.start : found.end], None
    count = len(cell.places)
    for start in range(min(count, 8)):
        prefix = _folded(page, cell.places[:start])
        for end in range(start + 1, min(count, start + 8) + 1):
            places = cell.places[start:end]
            raw = " ".join(page.texts[place] for place in places)
            value = raw.strip(" .,:;()#'\"|")
            if not value:
                continue
            if end - start <= 3 and any(char.isdigit() for char in value):
                yield Kind.CODE, places, value, raw, prefix
            yield Kind.TEXT, places, value, raw, prefix


def _likeness(place: Place, spot: Spot) -> float:
    """How much a spot is like a confirmed place: what stands around it counts most, then where it is."""
    points, named = 0.0, False
    for one, two, worth in (
        (place.before, spot.before, 3.0), (place.left, spot.left, 2.0), (place.above, spot.above, 1.5)
    ):  # fmt: skip
        if one and two:
            alike = _alike(one, two)
            named = named or alike
            points += worth if alike else -0.5 * worth
        elif one or two:
            points -= 0.3 * worth
    if not named and HEADER[place.field] in _NAMED:
        return 0.0
    edge = min(abs(place.x0 - spot.x0), abs(place.x1 - spot.x1))
    points += 1.5 * float(np.exp(-edge / 0.01)) + 1.0 * float(np.exp(-abs(place.y - spot.y) / 0.02))
    points += 0.5 * (place.page == spot.page) + 0.5 * (place.from_end == spot.from_end)
    points += 1.0 if _shape(spot.run.raw) == place.shape else 0.0
    if place.field.startswith(_OWN):
        points += 3.0 if _same(spot.run.value, place.value) else 0.0
    if HEADER[place.field] in _FREE:
        points += 1.0 if bool(place.after) == bool(spot.after) else -1.5
        points -= 0.4 * abs(place.words - len(spot.run.places)) if HEADER[place.field] is Kind.CODE else 0.0
    return points


def _certain(run: Run, likeness: float) -> Run:
    """A run with odds by its likeness."""
    odds = 0.6 + 0.39 * min(1.0, max(0.0, (likeness - _ENOUGH) / (_SURE - _ENOUGH)))
    return Run(said=run.said, places=run.places, value=run.value, raw=run.raw, odds=odds)


def _alike(one: str, two: str) -> bool:
    """The same words, up to digits: a date in a sentence changes, its words stay."""
    return re.sub(r"\d+", "0", one) == re.sub(r"\d+", "0", two)


def _same(one: str, two: str) -> bool:
    return fold_text(one) == fold_text(two)


def _shape(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text)))


def _folded(page: PageWords, places: Sequence[int]) -> str:
    return fold_text(" ".join(page.texts[place] for place in places))


def _box(page: PageWords, places: Sequence[int]) -> tuple[float, float, float, float]:
    boxes = page.boxes[list(places)]
    x0, y0 = boxes[:, :2].min(axis=0)
    x1, y1 = boxes[:, 2:].max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _beside(number: int, cells: Sequence[Cell], boxes: Sequence[tuple[float, ...]], page: PageWords) -> str:
    """The text of the cell to the left in the same row."""
    if not number:
        return ""
    here, there = cells[number].places[0], cells[number - 1].places[0]
    if page.rows.row[here] != page.rows.row[there]:
        return ""
    return fold_text(cells[number - 1].text[:_LETTERS]) if boxes[number - 1][2] <= boxes[number][0] + 0.01 else ""


def _above(number: int, cells: Sequence[Cell], boxes: Sequence[tuple[float, ...]]) -> str:
    """The text of the nearest cell above that overlaps from the left to the right."""
    x0, y0, x1, _ = boxes[number]
    best, nearest = "", 0.08
    for other in range(number - 1, max(-1, number - 40), -1):
        left, _, right, bottom = boxes[other]
        away = y0 - bottom
        if -0.004 < away < nearest and min(right, x1) > max(left, x0):
            best, nearest = fold_text(cells[other].text[:_LETTERS]), away
    return best
