"""Words into reading order: row by row from the top, left to right; a wide gap starts another line.

Cells of one row therefore follow each other, yet have line numbers of their own, which keeps columns apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the sandbox's child reads text layers without the domain, whose import costs more than the reading
    from tallyman.domain.page import Word

Placed = tuple[str, float, float, float, float, float, int]
"""Text, x0, y0, x1, y1 (0..1 of the page), confidence, line number."""

_GAP = 2.0
"""A gap of so many word heights parts two lines of one row."""


@dataclass(frozen=True, kw_only=True)
class RawWord:
    """A word before it has its place. Coordinates in any unit in which a pixel is square; origin upper left."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        return self.y1 - self.y0


def in_reading_order(words: list[RawWord], width: float, height: float) -> "tuple[Word, ...]":
    """The words with boxes relative to a page of `width` and `height` (in the unit of the words) and line numbers."""
    return as_words(placed(words, width, height))


def as_words(items: list[Placed]) -> "tuple[Word, ...]":
    from tallyman.domain.page import Box, Word

    return tuple(
        Word(text=text, box=Box(x0=x0, y0=y0, x1=x1, y1=y1), confidence=confidence, line=line)
        for text, x0, y0, x1, y1, confidence, line in items
    )


def as_placed(words: "Iterable[Word]") -> list[Placed]:
    return [
        (word.text, word.box.x0, word.box.y0, word.box.x1, word.box.y1, word.confidence, word.line) for word in words
    ]


def placed(words: list[RawWord], width: float, height: float) -> list[Placed]:
    """As `in_reading_order`, in plain values."""
    if not words:
        return []
    usual = median(word.height for word in words)
    upright = [word for word in words if not _sideways(word, usual)]
    lines = [line for row in _rows(upright) for line in _split(row)]
    lines += [[word] for word in words if _sideways(word, usual)]
    return [
        (word.text, *_box(word, width, height), word.confidence, number)
        for number, line in enumerate(lines)
        for word in line
    ]


def _sideways(word: RawWord, usual: float) -> bool:
    return len(word.text) > 2 and word.height > 2.5 * usual and word.height > 1.5 * (word.x1 - word.x0)


def _rows(words: list[RawWord]) -> list[list[RawWord]]:
    rows: list[list[RawWord]] = []
    last: list[tuple[float, float]] = []  # middle and height of the row's last three words
    for word in sorted(words, key=lambda word: (word.middle, word.x0)):
        middle, height = word.middle, word.height
        if last and _same_row(last, middle, height):
            rows[-1].append(word)
        else:
            rows.append([word])
            last = []
        last = [*last[-2:], (middle, height)]
    return [sorted(row, key=lambda word: word.x0) for row in rows]


def _same_row(last: list[tuple[float, float]], middle: float, height: float) -> bool:
    usual = sum(middle for middle, _ in last) / len(last)
    return abs(middle - usual) < 0.5 * min(height, max(height for _, height in last))


def _split(row: list[RawWord]) -> list[list[RawWord]]:
    lines = [[row[0]]]
    for before, word in pairwise(row):
        if word.x0 - before.x1 > _GAP * max(before.height, word.height):
            lines.append([])
        lines[-1].append(word)
    return lines


def _box(word: RawWord, width: float, height: float) -> tuple[float, float, float, float]:
    def within(value: float) -> float:
        return 0.0 if value < 0.0 else 1.0 if value > 1.0 else round(value, 5)

    return within(word.x0 / width), within(word.y0 / height), within(word.x1 / width), within(word.y1 / height)
