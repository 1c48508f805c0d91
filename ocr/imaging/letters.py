"""Where the letters of a page are and how their lines lean: before anything is read, and in little time."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ocr.imaging.components import components
from ocr.imaging.scale import shrunk

_SIDE = 1600
"""A4 at about 140 dpi, which keeps the letters of small print apart."""
_SMALLEST, _LARGEST = 4, 70
_DARKER = 14
"""So much darker than its surroundings is ink: also where the print is faint or a shadow lies."""
_MOST = 6000
_RANGE, _COARSE, _FINE = 10.0, 0.25, 0.05


@dataclass(frozen=True, kw_only=True)
class Letters:
    """`boxes` is an int array (n, 4) of x, y, width, height in pixels of a shrunken page; times `scale` gives those of
    the page itself."""

    boxes: Any
    scale: float


@dataclass(frozen=True, kw_only=True)
class Lean:
    """`degrees` is how far lines lean, clockwise; `contrast` (1 and more) how clearly there are lines at all."""

    degrees: float
    contrast: float


def find_letters(image: Any) -> Letters:
    """What is as large as letters are on a grey page (height, width): no rules, no pictures, no rim, no specks."""
    small = shrunk(image, _SIDE)
    height, width = small.shape
    _, ink = cv2.threshold(cv2.subtract(cv2.blur(small, (31, 31)), small), _DARKER, 255, cv2.THRESH_BINARY)
    _, stats = components(ink)
    x, y, w, h, area = stats[1:].T
    long, short = np.maximum(w, h), np.minimum(w, h)
    fits = (long >= _SMALLEST) & (long <= _LARGEST) & (short >= 2) & (long <= 8 * short)
    fits &= (area >= 8) & (area >= 0.12 * w * h)
    # The rim of a scan is full of dust and shadow.
    fits &= (x > 0.01 * width) & (y > 0.01 * height) & (x + w < 0.99 * width) & (y + h < 0.99 * height)
    boxes = stats[1:][fits, :4]
    if len(boxes):
        sizes = boxes[:, 2:].max(axis=1)
        boxes = boxes[sizes >= 0.4 * np.median(sizes)]
    return Letters(boxes=boxes[:: len(boxes) // _MOST + 1], scale=max(image.shape) / max(small.shape))


def lean_of(letters: Letters, *, upwards: bool = False) -> Lean:
    """How far the lines of these letters lean: those that run across the page or, with `upwards`, along its height.

    Heads and feet of letters stand on few heights when one looks along the lines (projection profile of Postl 1986,
    of the letters' boxes instead of all ink: rules and pictures have no say).
    """
    boxes = letters.boxes[:, [1, 0, 3, 2]] if upwards else letters.boxes
    if not len(boxes):
        return Lean(degrees=0.0, contrast=1.0)
    coarse = np.arange(-_RANGE, _RANGE + 0.01, _COARSE)
    scores = _order(boxes, coarse, step=2.0)
    best = coarse[int(scores.argmax())]
    fine = np.arange(best - 0.3, best + 0.301, _FINE)
    found = _order(boxes, fine, step=1.0)
    peak = found > 0.9 * found.max()
    degrees = float(np.average(fine[peak], weights=found[peak]))
    return Lean(degrees=-degrees if upwards else degrees, contrast=float(scores.max() / np.median(scores)))


def _order(boxes: Any, angles: Any, step: float) -> Any:
    """For each angle, how unevenly heads and feet are spread over the heights of the page."""
    x, y, width, height = boxes.T.astype(np.float64)
    middle = x + width / 2
    scores = []
    for slope in np.tan(np.radians(angles)):
        score = 0.0
        for edge in (y, y + height):
            heights = ((edge - slope * middle) / step).astype(np.int64)
            score += float(np.square(np.bincount(heights - heights.min()).astype(np.float64)).sum())
        scores.append(score)
    return np.array(scores)
