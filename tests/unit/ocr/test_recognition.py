"""Pages are turned until they make sense, and only when they don't."""

from typing import Any

import numpy as np
import pytest

from ocr.imaging.deskew import turned
from ocr.recognition import read_upright
from tallyman.domain.page import Box, Word


def _page() -> Any:
    """A page whose ink is heavier at its top."""
    page = np.full((1200, 900), 250, dtype=np.uint8)
    for row, y in enumerate(range(100, 1100, 50)):
        page[y : y + 12, 100 : 800 - 20 * row] = 20
    return page


class Engine:
    """Reads a page well only when it stands upright; tells its orientation as told."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.read = 0

    def words(self, image: Any, languages: tuple[str, ...], *, mode: int = 3) -> tuple[Word, ...]:
        self.read += 1
        upright = image.shape == (1200, 900) and image[:600].mean() < image[600:].mean()
        box = Box(x0=0.1, y0=0.1, x1=0.3, y1=0.12)
        return (Word(text="Rechnung", box=box, confidence=0.95 if upright else 0.2),) * 12

    def orientation(self, image: Any) -> tuple[int, float]:
        return self.turn, 9.0


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_sheet_that_was_scanned_the_wrong_way_round_is_turned_and_read(turn: int) -> None:
    read = read_upright(turned(_page(), 360 - turn, 0.0), Engine(turn), ("eng",))
    assert read.rotation == turn
    assert read.words[0].confidence > 0.9


def test_a_page_that_makes_sense_is_read_once() -> None:
    engine = Engine(180)
    assert read_upright(_page(), engine, ("eng",)).rotation == 0
    assert engine.read == 1


def test_an_empty_sheet_is_not_searched_for_words() -> None:
    engine = Engine(0)
    grain = np.random.default_rng(1).integers(240, 256, (1200, 900)).astype(np.uint8)
    assert read_upright(grain, engine, ("eng",)).words == ()
    assert engine.read == 0


def test_a_single_word_keeps_a_sheet_from_being_empty() -> None:
    page = np.full((3508, 2480), 250, dtype=np.uint8)
    page[1000:1030, 1000:1006] = 90
    engine = Engine(0)
    read_upright(page, engine, ("eng",))
    assert engine.read > 0
