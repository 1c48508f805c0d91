"""How far a page leans, and the page made level."""

from typing import Any

import cv2

from ocr.imaging.letters import find_letters, lean_of

_WORTH_IT = 0.2
_FEW = 10
_CLEAR = 1.5
"""Less contrast than that has dust, a picture or a page whose lines bend."""


def skew_of(image: Any) -> float:
    """Degrees, clockwise, by which to turn a grey page so that its lines are level; 0.0 when it hardly leans.

    Found up to 10 degrees; the page must stand upright or upside down.
    """
    letters = find_letters(image)
    lean = lean_of(letters)
    if len(letters.boxes) < _FEW or lean.contrast < _CLEAR or abs(lean.degrees) < _WORTH_IT:
        return 0.0
    return round(-lean.degrees, 2)


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
