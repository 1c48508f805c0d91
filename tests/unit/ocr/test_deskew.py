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


@pytest.mark.parametrize("angle", [-8.0, -3.0, 1.5, 4.0, 8.0])
def test_the_angle_found_makes_the_lines_level_again(angle: float) -> None:
    leaning = turned(_lines(), 0, angle)
    assert skew_of(leaning) == pytest.approx(-angle, abs=0.15)


def test_a_level_page_is_left_alone() -> None:
    assert skew_of(_lines()) == 0.0


def test_a_rule_that_leans_does_not_turn_level_print() -> None:
    page = _lines()
    for y in range(100, 1300, 150):
        cv2.line(page, (50, y), (950, y + 60), 0, 4)
    assert skew_of(page) == 0.0


def test_a_picture_without_lines_is_left_alone() -> None:
    page = np.full((1400, 1000), 255, dtype=np.uint8)
    for x, y in np.random.default_rng(2).integers((60, 60), (940, 1340), (300, 2)):
        cv2.circle(page, (int(x), int(y)), 6, 0, -1)
    assert skew_of(page) == 0.0


def test_turning_by_quarters_keeps_every_pixel() -> None:
    page = _lines()
    assert np.array_equal(turned(turned(page, 90, 0.0), 270, 0.0), page)
