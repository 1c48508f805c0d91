"""Photos are made flat and even; scans are left as they are."""

import cv2
import numpy as np
import pytest

from ocr.imaging.photo import even_light, sheet_corners, unwarped, without_colour

CORNERS = np.array([[110, 90], [900, 130], [930, 1290], [70, 1250]], dtype=np.float32)


def _sheet() -> np.ndarray:
    sheet = np.full((1200, 850), 245, dtype=np.uint8)
    for y in range(100, 1100, 40):
        cv2.putText(sheet, "Rechnung 4711 ueber 12,50", (90, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 2)
    return sheet


def photographed() -> np.ndarray:
    source = np.array([[0, 0], [850, 0], [850, 1200], [0, 1200]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, CORNERS)
    return cv2.warpPerspective(_sheet(), matrix, (1000, 1400), borderValue=90)


def test_a_sheet_on_a_desk_is_found_and_made_rectangular() -> None:
    corners = sheet_corners(photographed())
    assert corners is not None
    assert np.array(corners) * (1000, 1400) == pytest.approx(CORNERS, abs=14)
    flat = unwarped(photographed(), corners)
    assert (flat[:, :12] > 150).mean() > 0.9
    assert flat.shape[0] / flat.shape[1] == pytest.approx(1200 / 850, abs=0.1)


def test_a_scan_has_no_sheet_to_cut_out() -> None:
    assert sheet_corners(_sheet()) is None
    rimmed = _sheet()
    rimmed[:, :12] = 40
    assert sheet_corners(rimmed) is None


def test_a_shadow_is_evened_out() -> None:
    shadow = np.linspace(1.0, 0.45, 1200)[:, None]
    page = even_light((_sheet() * shadow).astype(np.uint8))
    paper = cv2.dilate(page, np.ones((41, 41), np.uint8))
    assert int(paper[1100:1180].mean()) - int(paper[20:100].mean()) == pytest.approx(0, abs=12)


def test_even_light_is_left_alone() -> None:
    page = _sheet()
    assert even_light(page) is page


def test_a_stamp_fades_and_the_print_under_it_stays() -> None:
    page = np.full((100, 300, 3), 250, dtype=np.uint8)
    page[20:80, 50:250] = (90, 110, 205)
    page[40:60, 100:200] = (15, 18, 30)
    grey = without_colour(page)
    assert grey[30, 70] > 190
    assert grey[50, 150] < 40
    assert grey[5, 5] == 250
