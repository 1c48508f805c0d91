"""Pages are turned the right way up, and nothing is said of what has no letters."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.imaging import orientation as module
from ocr.imaging.deskew import turned
from ocr.imaging.orientation import SURE, orientation
from tallyman.errors import TechnicalError

LINES = (
    "Rechnung 4711 vom 3. Mai", "Bitte überweisen Sie den Betrag", "Delivered in good order", "Ilość zamówiona: 12",
    "Payable within fourteen days", "Montant total à régler", "Hoeveelheid ontvangen", "Cantidad entregada",
)  # fmt: skip


def _page(lines: tuple[str, ...] = LINES) -> np.ndarray:
    picture = Image.new("L", (1240, 1754), 250)
    draw = ImageDraw.Draw(picture)
    for row, text in enumerate(lines):
        draw.text((120, 150 + 60 * row), text, fill=30, font=ImageFont.load_default(size=26))
    return np.asarray(picture)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("lean", [0.0, 2.5])
def test_a_page_is_turned_upright_however_it_lay(turn: int, lean: float) -> None:
    degrees, confidence = orientation(turned(_page(), turn, lean))
    assert (degrees + turn) % 360 == 0
    assert confidence >= SURE


def test_two_lines_are_enough() -> None:
    assert orientation(turned(_page(LINES[:2]), 180, 0.0))[0] == 180


@pytest.mark.parametrize("what", ["blank", "grain", "picture"])
def test_nothing_is_claimed_of_a_sheet_without_letters(what: str) -> None:
    dice = np.random.default_rng(3)
    page = np.full((1754, 1240), 250, dtype=np.uint8)
    if what == "grain":
        page = dice.integers(225, 256, page.shape).astype(np.uint8)
    if what == "picture":
        for x, y, r in dice.integers((100, 100, 20), (1100, 1600, 200), (40, 3)):
            cv2.circle(page, (int(x), int(y)), int(r), int(x) % 200, -1)
    assert orientation(page)[1] < SURE


def test_a_model_that_was_tampered_with_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / module._MODEL).write_bytes(b"another model")

    class Found:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(module, "find_spec", lambda _name: Found)
    module._classifier.cache_clear()
    with pytest.raises(TechnicalError, match="not the one that was measured"):
        orientation(_page())
    module._classifier.cache_clear()
