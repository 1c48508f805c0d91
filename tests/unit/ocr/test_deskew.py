"""Leaning pages are made level."""

import cv2
import numpy as np
import pytest

from ocr.imaging.deskew import skew_of, turned


def _lines() -> np.ndarray:
    page = np.full((1400, 1000), 255, dtype=np.uint8)
    for y in range(150, 1300, 40):
        cv2.putText(page, "Rechnung 4711 ueber 1.234,56 EUR", (120, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
    return page


@pytest.mark.parametrize("angle", [-3.0, 1.5, 4.0])
def test_the_angle_found_makes_the_lines_level_again(angle: float) -> None:
    leaning = turned(_lines(), 0, angle)
    assert skew_of(leaning) == pytest.approx(-angle, abs=0.25)


def test_a_level_page_is_left_alone() -> None:
    assert skew_of(_lines()) == 0.0


def test_turning_by_quarters_keeps_every_pixel() -> None:
    page = _lines()
    assert np.array_equal(turned(turned(page, 90, 0.0), 270, 0.0), page)
