"""Pages for tests: words at places, a row a line of text."""

from collections.abc import Sequence

import numpy as np

from models.layout.page import PageWords

HIGH, STEP = 0.010, 0.016


def page(rows: Sequence[Sequence[tuple[float, str]]], *, number: int = 0, count: int = 1) -> PageWords:
    """Rows of cells: (x, text), the words of a cell side by side. A letter is 0.008 of the page wide."""
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for level, cells in enumerate(rows):
        y = 0.05 + STEP * level
        for x, text in cells:
            for word in text.split():
                texts.append(word)
                boxes.append((x, y, x + 0.008 * len(word), y + HIGH))
                x += 0.008 * (len(word) + 0.6)
    return PageWords(
        texts=tuple(texts),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        sure=np.ones(len(texts), np.float32),
        is_ocr=False,
        aspect=0.707,
        number=number,
        count=count,
    )
