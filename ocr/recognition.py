"""A page image into words: level it, read it, and turn it only when what was read makes no sense."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ocr.imaging.deskew import skew_of, turned
from tallyman.domain.page import Word

_BAD = 0.6
_FEW = 8
_SURE = 1.0
_INK = 40
"""So much darker than the paper is ink, also pencil."""
_STROKES = 1e-5
"""The share of a page that one short word covers, and more."""


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """`image` is the page as it was read: upright and level. Boxes of words hold on it."""

    image: Any
    words: tuple[Word, ...]
    rotation: int = 0
    skew: float = 0.0


def read_upright(image: Any, engine: Any, languages: tuple[str, ...]) -> Recognised:
    """Words of a grey page (height, width). Raises Unreadable, as the engine does."""
    if _blank(image):
        return Recognised(image=image, words=())
    found = _level(image, engine, languages, 0)
    if not _doubtful(found.words, *image.shape) or not hasattr(engine, "orientation"):
        return found
    rotation, confidence = engine.orientation(image)
    if rotation and confidence >= _SURE:
        other = _level(image, engine, languages, rotation)
        return other if rotation in (90, 270) else max(found, other, key=lambda item: _sense(item.words))
    words = engine.words(found.image, languages, mode=6)
    other = Recognised(image=found.image, words=words, rotation=0, skew=found.skew)
    return max(found, other, key=lambda item: _sense(item.words))


def _blank(image: Any) -> bool:
    """Whether hardly a stroke is darker than the paper, as on a sheet that lay in the scanner upside down."""
    sample = image[::3, ::3]
    paper = int(np.median(sample))
    return bool(np.count_nonzero(sample < paper - _INK) < _STROKES * sample.size)


def _level(image: Any, engine: Any, languages: tuple[str, ...], rotation: int) -> Recognised:
    upright = turned(image, rotation, 0.0)
    skew = skew_of(upright)
    level = turned(upright, 0, skew)
    return Recognised(image=level, words=engine.words(level, languages), rotation=rotation, skew=skew)


def _doubtful(words: tuple[Word, ...], height: int, width: int) -> bool:
    if len(words) < _FEW:
        return True
    long = [word.box for word in words if len(word.text) >= 4]
    # Tesseract reads a page that lies on its side, but one column at a time: its lines are lost.
    if sum((box.y1 - box.y0) * height > (box.x1 - box.x0) * width for box in long) > 0.4 * len(long):
        return True
    return sum(word.confidence for word in words) / len(words) < _BAD


def _sense(words: tuple[Word, ...]) -> float:
    """How many characters were read with confidence."""
    return sum((word.confidence - 0.3) * len(word.text) for word in words)
