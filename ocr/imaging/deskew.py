"""How far a page leans, and the page made level."""

from typing import Any

import cv2
import numpy as np

_SEARCH_SIDE = 700
_RANGE = 6.0
_COARSE, _FINE = 0.5, 0.1
_WORTH_IT = 0.2


def skew_of(image: Any) -> float:
    """Degrees, clockwise, by which to turn a grey page so that its lines are level; 0.0 when it hardly leans.

    The right angle is the one at which rows of ink and rows of paper differ most (projection profile).
    """
    small = _ink(image)
    best = _best(small, np.arange(-_RANGE, _RANGE + 0.01, _COARSE))
    best = _best(small, np.arange(best - _COARSE, best + _COARSE + 0.01, _FINE))
    return round(best, 2) if abs(best) >= _WORTH_IT else 0.0


def turned(image: Any, rotation: int, skew: float) -> Any:
    """The page turned clockwise by `rotation` (0, 90, 180, 270), then by `skew` degrees; same size, white corners."""
    turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    if rotation in turns:
        image = cv2.rotate(image, turns[rotation])
    if not skew:
        return image
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -skew, 1.0)
    white = 255 if image.ndim == 2 else (255, 255, 255)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=white)


def _ink(image: Any) -> Any:
    scale = min(1.0, _SEARCH_SIDE / max(image.shape))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return 255 - cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]


def _best(ink: Any, angles: Any) -> float:
    height, width = ink.shape
    scores = []
    for angle in angles:
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -float(angle), 1.0)
        rows = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_NEAREST).sum(axis=1, dtype=np.float64)
        scores.append(float(np.square(np.diff(rows)).sum()))
    return float(angles[int(np.argmax(scores))])
