"""Pages as rows of cells: what the rules look at. A cell is a text line; cells of one row stand side by side."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

from tallyman.domain.compare import fold_text
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Box, Page, Word, WordSource

_GLUED = re.compile(r"^([^\W\d][^:/]*:)([^/:].*)$")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Some neighbouring words of one page."""

    page: int
    source: WordSource
    words: tuple[Word, ...]

    @cached_property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @cached_property
    def box(self) -> Box:
        return reduce(Box.union, (word.box for word in self.words))

    @property
    def confidence(self) -> float:
        return min((word.confidence for word in self.words), default=0.0)

    @property
    def height(self) -> float:
        return self.box.y1 - self.box.y0

    @property
    def middle(self) -> float:
        return (self.box.y0 + self.box.y1) / 2

    def part(self, start: int, end: int | None = None) -> "Span":
        """Words `start` to `end` (excluded)."""
        return Span(page=self.page, source=self.source, words=self.words[start:end])

    def chars(self, start: int, end: int) -> "Span":
        """The words that hold the characters `start` to `end` of the text."""
        at, kept = 0, []
        for word in self.words:
            if at < end and at + len(word.text) > start:
                kept.append(word)
            at += len(word.text) + 1
        return Span(page=self.page, source=self.source, words=tuple(kept))

    @property
    def evidence(self) -> Evidence:
        return Evidence(page=self.page, box=self.box, words=self.source)

    def field(self, name: str, value: str, confidence: float, raw: str | None = None) -> Field:
        """A field with this span as evidence; what OCR was not sure of can't be sure here."""
        # A text layer's words are certain; what a hand added beside them is not, and comes with its own confidence.
        sure = confidence * (0.35 + 0.65 * self.confidence)
        return Field(
            name=name,
            value=value,
            raw=self.text if raw is None else raw,
            confidence=round(min(0.99, max(0.01, sure)), 3),
            source=Source.RULE,
            evidence=self.evidence,
        )


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One page. `cells` are in reading order; `rows` groups them."""

    page: Page
    cells: tuple[Span, ...]
    rows: tuple[tuple[Span, ...], ...]

    def row_of(self, cell: Span) -> tuple[Span, ...]:
        return self._row_by_cell.get(id(cell), (cell,))

    @cached_property
    def _row_by_cell(self) -> dict[int, tuple[Span, ...]]:
        return {id(cell): row for row in self.rows for cell in row}

    @cached_property
    def _by_top(self) -> tuple[list[float], list[int]]:
        """The upper edges of the cells, sorted, and the cells' places."""
        order = sorted(range(len(self.cells)), key=lambda place: self.cells[place].box.y0)
        return [self.cells[place].box.y0 for place in order], order

    def is_level(self, cell: Span) -> bool:
        """Whether its letters stand side by side, not one above the other."""
        box = cell.box
        across, down = (box.x1 - box.x0) * self.page.width, (box.y1 - box.y0) * self.page.height
        return across > down or len(cell.text) < 3

    def right_of(self, cell: Span) -> Iterator[Span]:
        return (other for other in self.row_of(cell) if other.box.x0 >= cell.box.x1 - 0.002 and other is not cell)

    def below(self, box: Box, reach: float = 2.6) -> Iterator[Span]:
        """Cells under a box, in reading order, at most `reach` of its heights away."""
        height = max(box.y1 - box.y0, 0.006)
        tops, order = self._by_top
        near = order[bisect_left(tops, box.y1 - 0.3 * height) : bisect_right(tops, box.y1 + reach * height)]
        for cell in (self.cells[place] for place in sorted(near)):
            if cell.middle > box.y1:
                overlap = min(box.x1, cell.box.x1) - max(box.x0, cell.box.x0)
                if overlap > 0 or abs(cell.box.x0 - box.x0) < 0.02:
                    yield cell


@dataclass(frozen=True, kw_only=True)
class Area:
    """Where the rows of a line table stand on a page."""

    page: int
    x0: float
    top: float
    bottom: float

    def holds(self, cell: Span) -> bool:
        inside = self.top < cell.middle < self.bottom
        return cell.page == self.page and inside and cell.box.x0 >= self.x0 - 0.02


def sheets_of(pages: Sequence[Page]) -> list[Sheet]:
    return [_sheet(page) for page in pages]


def _sheet(page: Page) -> Sheet:
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        lines.setdefault(word.line, []).extend(_unglued(word))
    cells = tuple(Span(page=page.number, source=page.source, words=tuple(words)) for words in lines.values())
    return Sheet(page=page, cells=cells, rows=tuple(_rows(cells)))


def _unglued(word: Word) -> list[Word]:
    """`Nummer:2` is a label and a value."""
    match = _GLUED.match(word.text)
    if match is None:
        return [word]
    label, value = match.groups()
    cut = word.box.x0 + (word.box.x1 - word.box.x0) * len(label) / len(word.text)
    left = word.box.model_copy(update={"x1": cut})
    right = word.box.model_copy(update={"x0": cut})
    return [
        word.model_copy(update={"text": label, "box": left}),
        word.model_copy(update={"text": value, "box": right}),
    ]


def _rows(cells: Sequence[Span]) -> Iterator[tuple[Span, ...]]:
    row: list[Span] = []
    for cell in sorted(cells, key=lambda cell: (cell.middle, cell.box.x0)):
        if row and abs(cell.middle - sum(other.middle for other in row) / len(row)) > 0.45 * min(
            cell.height, row[-1].height
        ):
            yield tuple(sorted(row, key=lambda other: other.box.x0))
            row = []
        row.append(cell)
    if row:
        yield tuple(sorted(row, key=lambda other: other.box.x0))


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label that was found: words `start` to `end` of a cell. `name` is what it labels; `weight` is 0..1."""

    name: str
    weight: float
    cell: Span
    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.cell.part(self.start, self.end)

    @property
    def leads(self) -> bool:
        """Whether the label begins its cell; forms such as the CMR put the number of the box before it."""
        return self.start == 0 or (self.start == 1 and self.cell.words[0].text.isdigit())


def find_labels(cell: Span, phrases: dict[str, list[tuple[str, float]]]) -> list[Label]:
    """All labels in a cell, longest first at each place. `phrases` maps a folded phrase to names and weights."""
    folded = [_folded(word.text) for word in cell.words]
    found: list[Label] = []
    start = 0
    while start < len(folded):
        best = _longest(folded, start, phrases)
        if best is None:
            start += 1
            continue
        end, names = best
        inside = start > 0 and not cell.words[start - 1].text.endswith((":", ",", ";", "|", "-", "–", ")", "/", "."))
        for name, weight in names:
            found.append(Label(name=name, weight=weight * (0.8 if inside else 1.0), cell=cell, start=start, end=end))
        start = end
    return found


def _folded(word: str) -> str:
    return "#" if word.strip(".:") == "#" else fold_text(word)


def _longest(
    folded: list[str], start: int, phrases: dict[str, list[tuple[str, float]]]
) -> tuple[int, list[tuple[str, float]]] | None:
    if not folded[start]:
        return None
    joined, best = "", None
    for end in range(start, min(start + 7, len(folded))):
        joined += folded[end]
        if joined in phrases and folded[end]:
            best = (end + 1, phrases[joined])
    return best


def phrase_book(words: dict[str, Sequence[str]], weight: float = 1.0) -> dict[str, list[tuple[str, float]]]:
    """{name: phrases} into {folded phrase: [(name, weight)]}. A phrase that starts with ~ is a weak label."""
    book: dict[str, list[tuple[str, float]]] = {}
    for name, phrases in words.items():
        for phrase in phrases:
            strength = weight * (0.6 if phrase.startswith("~") else 1.0)
            for folded in {fold_text(phrase), "".join(_folded(word) for word in phrase.removeprefix("~").split())}:
                if folded:
                    book.setdefault(folded, []).append((name, strength))
    return book
