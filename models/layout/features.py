"""What the network sees of a page: hashed words, dense facts about each, and its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.layout.numbers import NAMES, SUMS, Numbers
from models.layout.page import PageWords
from models.layout.wordhash import PLACES, places_of

LONGEST = 640
"""Words that the network looks at together. Pages that hold more are cut into windows that overlap."""
_OVERLAP = 96
NEIGHBOURS = ("left", "second left", "right", "second right", "above", "second above", "below", "second below")
PLACE = ("x0", "y0", "x1", "y1", "width", "height", "relative height", "aspect")
LETTERS = ("length", "digits", "capitals", "letters", "ends with colon", "all capitals", "begins with capital")
ROW = (
    "place in row", "words in row", "cells in row", "place in cell", "words in cell", "gap left", "gap right",
    "gap above", "gap below", "left edges", "right edges",
)  # fmt: skip
PAGE = ("first page", "last page", "number of page", "pages", "words on page", "OCR", "sure")
DENSE = (*PLACE, *LETTERS, *ROW, *PAGE, *NAMES, "begins", *SUMS)


@dataclass(frozen=True, kw_only=True)
class Features:
    """Of n words: `places` int32 (n, PLACES), `dense` float32 (n, len(DENSE)), `neighbours` int32 (n, 8), each the
    number of a word plus 1 and 0 for none, `at` float32 (n, 2), the middle of each word, of the page."""

    places: Any
    dense: Any
    neighbours: Any
    at: Any

    def __len__(self) -> int:
        return len(self.places)

    def part(self, chosen: Any) -> "Features":
        """Of some words (their numbers, rising); neighbours outside are left out."""
        new = np.zeros(len(self) + 1, np.int32)
        new[chosen + 1] = np.arange(1, len(chosen) + 1)
        return Features(
            places=self.places[chosen],
            dense=self.dense[chosen],
            neighbours=new[self.neighbours[chosen]],
            at=self.at[chosen],
        )


def features_of(words: PageWords) -> Features:
    boxes = words.boxes
    return Features(
        places=places_of(words.texts),
        dense=_dense(words),
        neighbours=_neighbours(words),
        at=((boxes[:, :2] + boxes[:, 2:]) / 2).astype(np.float32),
    )


def windows_of(words: PageWords) -> list[Any]:
    """The numbers of the words that are looked at together: all of them, or row by row what fits, with an overlap."""
    order = words.rows.order
    if len(order) <= LONGEST:
        return [np.arange(len(order))]
    starts = range(0, len(order) - _OVERLAP, LONGEST - _OVERLAP)
    return [np.sort(order[start : start + LONGEST]) for start in starts]


def filled(pages: Sequence[Features]) -> dict[str, Any]:
    """Pages of different lengths side by side, the shorter ones filled up: the network's inputs by name."""
    longest = max((len(page) for page in pages), default=0) or 1
    places = np.zeros((len(pages), longest, PLACES), np.int64)
    dense = np.zeros((len(pages), longest, len(DENSE)), np.float32)
    neighbours = np.zeros((len(pages), longest, len(NEIGHBOURS)), np.int64)
    at = np.zeros((len(pages), longest, 2), np.float32)
    mask = np.zeros((len(pages), longest), bool)
    for number, page in enumerate(pages):
        size = len(page)
        places[number, :size], dense[number, :size] = page.places, page.dense
        neighbours[number, :size], at[number, :size] = page.neighbours, page.at
        mask[number, :size] = True
    mask[:, 0] = True  # a page without words still looks at something
    return {"places": places, "dense": dense, "neighbours": neighbours, "at": at, "mask": mask}


def _dense(words: PageWords) -> Any:
    count = len(words)
    numbers = Numbers(words)
    blocks = [_place(words), _letters(words), _row(words), _page(words), numbers.kinds]
    return np.concatenate([*blocks, numbers.begins[:, None], numbers.sums], axis=1).reshape(count, len(DENSE))


def _place(words: PageWords) -> Any:
    boxes = words.boxes
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    usual = float(np.median(height)) if len(boxes) else 1.0
    relative = np.clip(height / max(usual, 1e-4), 0, 4) / 2
    aspect = np.full(len(boxes), words.aspect)
    return np.stack([*boxes.T, width * 4, height * 40, relative, aspect], axis=1).astype(np.float32)


def _letters(words: PageWords) -> Any:
    made = np.zeros((len(words), len(LETTERS)), np.float32)
    for number, text in enumerate(words.texts):
        size = max(len(text), 1)
        digits = sum(char.isdigit() for char in text)
        letters = sum(char.isalpha() for char in text)
        capitals = sum(char.isupper() for char in text)
        made[number] = (
            min(size, 20) / 10, digits / size, capitals / size, letters / size, text[-1:] == ":",
            letters > 1 and capitals == letters, text[:1].isupper(),
        )  # fmt: skip
    return made


def _row(words: PageWords) -> Any:
    """Where in its row and cell a word stands, the gaps around it, and how many others stand flush with it."""
    rows, boxes, count = words.rows, words.boxes, len(words)
    made = np.zeros((count, len(ROW)), np.float32)
    if not count:
        return made
    order = rows.order
    row, cell = rows.row[order], rows.cell[order]
    in_row, of_row = _place_in(row)
    in_cell, of_cell = _place_in(cell)
    first_cell = np.maximum.accumulate(np.where(in_row == 0, cell, 0))
    cells = np.zeros(row.max() + 1, np.int64)
    np.maximum.at(cells, row, cell - first_cell + 1)
    sorted_boxes = boxes[order]
    gaps = np.full(count + 1, 0.3, np.float32)
    inside = row[1:] == row[:-1]
    gaps[1:-1][inside] = np.clip((sorted_boxes[1:, 0] - sorted_boxes[:-1, 2])[inside], 0, 0.3)
    tops, bottoms = np.full(row.max() + 1, np.inf), np.zeros(row.max() + 1)
    np.minimum.at(tops, row, sorted_boxes[:, 1])
    np.maximum.at(bottoms, row, sorted_boxes[:, 3])
    above = np.clip(np.concatenate(([0.1], tops[1:] - bottoms[:-1])), 0, 0.1)
    below = np.concatenate((above[1:], [0.1]))
    columns = (
        np.minimum(in_row, 20) / 10, np.minimum(of_row, 20) / 10, cells[row] / 8, np.minimum(in_cell, 20) / 10,
        np.minimum(of_cell, 20) / 10, gaps[:-1] * 5, gaps[1:] * 5, above[row] * 20, below[row] * 20,
        _flush(sorted_boxes[:, 0]), _flush(sorted_boxes[:, 2]),
    )  # fmt: skip
    made[order] = np.stack(columns, axis=1)
    return made


def _place_in(groups: Any) -> tuple[Any, Any]:
    """For each of the rising groups: the place within its group from 0, and the group's size."""
    starts = np.flatnonzero(np.concatenate(([True], groups[1:] != groups[:-1])))
    sizes = np.diff(np.append(starts, len(groups)))
    number = np.repeat(np.arange(len(starts)), sizes)
    return np.arange(len(groups)) - starts[number], sizes[number]


def _flush(edges: Any) -> Any:
    """How many edges lie where each does, up to 16, of 1."""
    levels = np.sort(edges)
    near = np.searchsorted(levels, edges + 0.004) - np.searchsorted(levels, edges - 0.004)
    return np.minimum(near, 16) / 16


def _page(words: PageWords) -> Any:
    made = np.zeros((len(words), len(PAGE)), np.float32)
    last = words.number == words.count - 1
    made[:, :6] = (
        words.number == 0, last, min(words.number, 8) / 4, min(words.count, 8) / 4, min(len(words), 1000) / 500,
        words.is_ocr,
    )  # fmt: skip
    made[:, 6] = words.sure
    return made


def _neighbours(words: PageWords) -> Any:
    """Two on each side within the row, two above and two below that overlap from the left to the right."""
    count, boxes, rows = len(words), words.boxes, words.rows
    made = np.zeros((count, len(NEIGHBOURS)), np.int32)
    order = rows.order
    row = rows.row[order]
    for column, step in ((0, -1), (1, -2), (2, 1), (3, 2)):
        places = np.arange(count) + step
        inside = (places >= 0) & (places < count)
        same = np.zeros(count, bool)
        same[inside] = row[places[inside]] == row[inside]
        made[order[same], column] = order[places[same]] + 1
    for start in range(0, count, LONGEST):  # of a page of thousands of words not all pairs at once
        block = slice(start, start + LONGEST)
        made[block, 4:6] = _nearest(boxes[block], boxes, upwards=True)
        made[block, 6:8] = _nearest(boxes[block], boxes, upwards=False)
    return made


def _nearest(some: Any, boxes: Any, *, upwards: bool) -> Any:
    """For some words the two nearest of all above or below that overlap from the left to the right: numbers plus 1."""
    overlap = np.minimum(some[:, None, 2], boxes[None, :, 2]) > np.maximum(some[:, None, 0], boxes[None, :, 0])
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    away = some[:, 1][:, None] - middles if upwards else middles - some[:, 3][:, None]
    away = np.where(overlap & (away > 0), away, np.inf)
    if boxes.shape[0] < 2:
        return np.zeros((len(some), 2), np.int32)
    two = np.argpartition(away, 1, axis=1)[:, :2]
    far = np.take_along_axis(away, two, axis=1)
    turned = np.argsort(far, axis=1)
    two, far = np.take_along_axis(two, turned, axis=1), np.take_along_axis(far, turned, axis=1)
    return np.where(np.isfinite(far), two + 1, 0)
