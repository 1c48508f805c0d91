"""A page's words as arrays, and how they stand in rows and cells. Needs numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tallyman.domain.page import Page, WordSource

_LEVEL = 0.5
"""Of the lower of two heights: so far apart are middles of one row at most."""
_CELL_GAP = 1.1
"""Of a row's height: what is wider parts two cells."""


@dataclass(frozen=True, kw_only=True)
class PageWords:
    """The words of one page.

    boxes: float32 (n, 4), x0, y0, x1, y1 of the page, 0..1. sure: float32 (n,), how sure OCR was of each, 1 for a text
    layer. aspect: width over height of the page. number: from 0, of `count` pages.
    """

    texts: Sequence[str]
    boxes: Any
    sure: Any
    is_ocr: bool
    aspect: float
    number: int
    count: int

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def rows(self) -> "Rows":
        return rows_of(self.boxes)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Words that stand side by side. `order`: int (n,), words row by row, each from the left; `row`, `cell`: int (n,)
    for each word, counted from the top; cells of one row are parted by wide gaps."""

    order: Any
    row: Any
    cell: Any


_MOST = 5000
"""Words of a page that are looked at: honest ones have fewer, and the work grows faster than the words."""


def words_of(page: Page, count: int) -> PageWords:
    """The words of a page that was read, the first 5,000 of them; `count`: pages of its document."""
    words = page.words[:_MOST]
    boxes = [(word.box.x0, word.box.y0, word.box.x1, word.box.y1) for word in words]
    return PageWords(
        texts=tuple(word.text for word in words),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        sure=np.array([word.confidence for word in words], np.float32),
        is_ocr=page.source is WordSource.OCR,
        aspect=page.width / max(page.height, 1.0),
        number=page.number - 1,
        count=count,
    )


def rows_of(boxes: Any) -> Rows:
    """Rows and cells of the words with these boxes (n, 4)."""
    count = len(boxes)
    row, cell = np.zeros(count, np.int64), np.zeros(count, np.int64)
    middles, heights = (boxes[:, 1] + boxes[:, 3]) / 2, np.maximum(boxes[:, 3] - boxes[:, 1], 1e-4)
    number, at, high, many = -1, -1.0, 0.0, 0
    for place in np.argsort(middles, kind="stable").tolist():
        middle, height = float(middles[place]), float(heights[place])
        if number < 0 or middle - at > _LEVEL * min(height, high):
            number, at, high, many = number + 1, middle, height, 1
        else:
            many += 1
            at += (middle - at) / many
            high += (height - high) / many
        row[place] = number
    order = np.lexsort((boxes[:, 0], row))
    if count:
        sorted_row, sorted_boxes, sorted_heights = row[order], boxes[order], heights[order]
        gaps = sorted_boxes[1:, 0] - sorted_boxes[:-1, 2]
        # Widths are of the page's width and heights of its height: A4's sides make up for it well enough.
        wide = gaps > _CELL_GAP * 1.4 * np.maximum(sorted_heights[1:], sorted_heights[:-1])
        starts = np.concatenate(([True], wide | (sorted_row[1:] != sorted_row[:-1])))
        cell[order] = np.cumsum(starts) - 1
    return Rows(order=order, row=row, cell=cell)
