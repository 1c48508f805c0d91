"""What the reader answers, against what was done to the paper."""

from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks import pages
from benchmarks.pages import Answer, Held, Paper
from models.synthetic.style import Scan
from tallyman.domain.page import Page, Reading, WordSource


class Reader:
    def __init__(self, rotation: int, skew: float) -> None:
        self._page = Page(
            number=1, width=1, height=1, words=(), source=WordSource.OCR, engine="", rotation=rotation, skew=skew
        )

    def read(self, file: Path) -> Reading:
        return Reading(media_type="", pages=(self._page,))


def answer(turn: int, lean: float, rotation: int, skew: float, held: Held = "leaning") -> Answer:
    paper = Paper((Path("a"),), held, Scan(), turn, lean, Counter())
    with patch.object(pages, "READER", Reader(rotation, skew)):
        return pages._answer(paper)


@pytest.mark.parametrize(("turn", "rotation"), [(0, 0), (90, 270), (180, 180), (270, 90)])
@pytest.mark.parametrize("lean", [-8.0, 0.0, 8.0])
def test_a_page_turned_back_and_made_level_is_right(turn: int, rotation: int, lean: float) -> None:
    told = [answer(turn, lean, rotation, -lean)]
    assert pages._orientation(told)["right"] == 1
    assert pages._skew(told)["greatest"] == 0


@pytest.mark.parametrize("wrong", [90, 180, 270])
def test_a_wrong_quarter_is_told_and_says_nothing_of_the_lean(wrong: int) -> None:
    told = [answer(0, 5.0, wrong, -4.9)]
    assert pages._orientation(told)["right"] == 0
    assert pages._skew(told)["greatest"] == pytest.approx(0.1)


def test_a_lean_that_is_turned_the_wrong_way_counts_twice() -> None:
    assert pages._skew([answer(270, 5.0, 90, 5.0)])["greatest"] == 10


def test_a_wrong_value_lowers_the_share_of_exact_codes_as_a_missed_one_does() -> None:
    def share(*found: str) -> float:
        paper = Paper((), "leaning", Scan(), 0, 0.0, Counter({"one": 1, "two": 1, "three": 2}))
        told = pages._codes([Answer(paper, (), (), Counter(found))])
        exact: float = told["exact"]
        return exact

    assert share("one", "two", "three", "three") == 1
    assert share("one", "two", "three") == 0.75
    assert share("one", "two", "three", "three", "0ne") == 0.8


def test_things_are_made_while_others_are_read_and_come_in_their_order() -> None:
    assert list(pages.together(lambda number: number * 2, range(20))) == list(range(0, 40, 2))


@pytest.mark.parametrize("count", [1, 20, 200])
def test_of_the_papers_as_many_lean_as_are_asked_for(count: int) -> None:
    held = Counter(pages._held(number) for number in range(pages.papers(count)))
    assert held["leaning"] >= count
    assert held["photo"] == held["level"] == held["leaning"] / 10
