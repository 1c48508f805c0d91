"""Which engine reads a page, and what is not read at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ocr import engines
from ocr.recognition import chosen, look, noisy, read_page
from tallyman.domain.page import Box, Word


class Engine:
    """Counts what it is given to read."""

    told_languages = False
    lacking: tuple[str, ...] = ()
    version = "1"
    text = ""
    confidence = 0.99

    def __init__(self, name: str, cost: float | None, *, robust: bool) -> None:
        self.name, self.cost, self.robust = name, cost, robust
        self.read = self.asked = 0

    def available(self) -> str | None:
        return None

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:
        self.read += 1
        box = Box(x0=0.1, y0=0.1, x1=0.2, y1=0.12)
        return tuple(Word(text=word, box=box, confidence=self.confidence) for word in self.text.split())

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        self.asked += 1
        return [("", 0.0) for _ in crops]


def sheet(height: int = 3508, width: int = 2480, grain: int = 1) -> Any:
    dice = np.random.default_rng(1)
    page = np.clip(245 + dice.normal(0, grain, (height, width)), 0, 255).astype(np.uint8)
    for row in range(300, height - 300, 60):
        page[row : row + 20, 300 : width - 300 : 3] = 20
    return page


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, Engine]:
    """A quick engine for clean pages, and a slow one that reads all."""
    quick, slow = Engine("quick", 1.0, robust=False), Engine("slow", 2.4, robust=True)
    monkeypatch.setattr(engines, "all_engines", lambda: [Engine("none", None, robust=True), slow, quick])
    return quick, slow


def test_a_clean_scan_is_read_by_the_quick_engine(two: tuple[Engine, Engine]) -> None:
    quick, slow = two
    assert chosen(look(sheet())) == (quick, slow)


@pytest.mark.parametrize("page", [sheet(1800, 900), sheet(grain=14)], ids=["coarse", "grainy"])
def test_a_noisy_page_is_read_by_the_engine_that_reads_those(two: tuple[Engine, Engine], page: Any) -> None:
    quick, slow = two
    assert noisy(look(page))
    assert chosen(look(page)) == (slow, quick)


def test_where_the_robust_engine_is_the_quicker_one_it_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = Engine("quick", 0.6, robust=True), Engine("slow", 1.0, robust=False)
    monkeypatch.setattr(engines, "all_engines", lambda: [slow, quick])
    assert chosen(look(sheet())) == (quick, slow)
    assert chosen(look(sheet(grain=14))) == (quick, slow)


def test_an_empty_sheet_is_not_searched_for_words(two: tuple[Engine, Engine]) -> None:
    grain = np.random.default_rng(1).integers(240, 256, (1200, 900)).astype(np.uint8)
    assert read_page(grain, None, ("eng",)).words == ()
    assert [engine.read for engine in two] == [0, 0]


def test_a_single_word_keeps_a_sheet_from_being_empty(two: tuple[Engine, Engine]) -> None:
    page = np.full((3508, 2480), 250, dtype=np.uint8)
    page[1000:1030, 1000:1006] = 90
    read_page(page, None, ("eng",))
    assert sum(engine.read for engine in two) == 1


def test_a_page_in_a_language_that_the_quick_engine_lacks_is_read_by_the_other_one(two: tuple[Engine, Engine]) -> None:
    quick, slow = two
    quick.text, quick.told_languages = "Facture dc la livraison du mois pour votre societe", True
    slow.text = "Facture de la livraison du mois pour votre société"
    assert read_page(sheet(), None, ("eng", "deu", "fra")).engine.startswith("quick")
    quick.lacking = ("fra",)
    found = read_page(sheet(), None, ("eng", "deu", "fra"))
    assert [word.text for word in found.words] == slow.text.split()
    assert found.engine == "slow 1"


def test_a_negative_is_read_as_the_page_that_it_is_of(two: tuple[Engine, Engine]) -> None:
    page = sheet()
    for image in (page, 255 - page):
        assert (read_page(image, None, ("eng",)).image == page).all()
    assert [engine.read for engine in two] == [2, 0]


@pytest.mark.parametrize("lacks", [True, False])
def test_who_lacks_the_language_of_a_page_is_not_asked_what_its_words_say(
    two: tuple[Engine, Engine], lacks: bool
) -> None:
    quick, slow = two
    for engine in two:
        engine.text, engine.confidence = "Facture de la livraison du mois pour votre société", 0.5
    quick.lacking = ("fra",) if lacks else ()
    read_page(sheet(grain=14), None, ("eng", "deu", "fra"))
    assert (slow.read, quick.asked) == (1, 0 if lacks else 1)
