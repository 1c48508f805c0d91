"""A stranger's picture may have any shape; no step on pictures falls over it."""

import numpy as np
import pytest

from ocr.imaging.deskew import skew_of
from ocr.imaging.marks import find_marks
from ocr.imaging.orientation import orientation
from ocr.imaging.photo import even_light, sheet_corners, without_colour
from tallyman.domain.page import Box, Word

LABELS = tuple(
    Word(text="Signature", box=Box(x0=x, y0=y, x1=min(1.0, x + 0.2), y1=min(1.0, y + 0.05)), confidence=1.0, line=line)
    for line, (x, y) in enumerate(((0.1, 0.4), (0.99, 0.0), (0.0, 1.0), (1.0, 0.97)))
)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9000), (9000, 1), (2, 3), (40, 40), (5000, 7), (120, 160), (900, 101)])
@pytest.mark.parametrize("what", ["white", "black", "noise"])
def test_no_shape_breaks_a_step(shape: tuple[int, int], what: str) -> None:
    fill = {"white": 255, "black": 0}.get(what)
    page = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    if fill is not None:
        page[:] = fill
    degrees, confidence = orientation(page)
    assert degrees in (0, 90, 180, 270)
    assert 0 <= confidence <= 1
    assert abs(skew_of(page)) <= 11
    assert len(find_marks(page, LABELS)) >= (4 if min(shape) > 100 else 0)
    assert even_light(page).shape == shape
    assert without_colour(np.stack([page] * 3, axis=-1)).shape == shape
    corners = sheet_corners(page)
    assert corners is None or len(corners) == 4
