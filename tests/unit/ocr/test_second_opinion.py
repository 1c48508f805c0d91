"""What one engine doubts the other one is asked about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ocr.engines.null import NullEngine
from ocr.second_opinion import settled
from tallyman.domain.page import Box, Word

PAGE = np.full((400, 400), 255, np.uint8)


class Other(NullEngine):
    def __init__(self, text: str, confidence: float) -> None:
        self.told = (text, confidence)
        self.asked = 0

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        self.asked += len(crops)
        return [self.told for _ in crops]


def word(text: str, confidence: float) -> Word:
    return Word(text=text, box=Box(x0=0.1, y0=0.1, x1=0.4, y1=0.15), confidence=confidence)


def of_one(text: str, confidence: float, other: Other) -> Word:
    return settled(PAGE, (word(text, confidence),), other, ("eng",))[0][0]


def test_what_is_read_surely_is_not_asked_about() -> None:
    other = Other("x", 1.0)
    assert settled(PAGE, (word("Invoice", 0.99),), other, ("eng",)) == ((word("Invoice", 0.99),), False)
    assert other.asked == 0


def test_two_that_read_the_same_are_believed_more_than_either() -> None:
    told = of_one("1.234,50", 0.8, Other("1.234,50", 0.7))
    assert told.text == "1.234,50"
    assert told.confidence > 0.9


def test_two_that_differ_are_believed_less_than_either() -> None:
    told = of_one("1.234,50", 0.8, Other("1.284,50", 0.7))
    assert told.confidence < 0.5


def test_of_two_that_differ_the_surer_one_stands() -> None:
    assert of_one("1.284,50", 0.6, Other("1.234,50", 0.85)).text == "1.234,50"
    assert of_one("1.284,50", 0.85, Other("1.234,50", 0.6)).text == "1.284,50"


def test_an_engine_that_sees_nothing_has_no_say() -> None:
    assert of_one("RE-77", 0.7, Other("", 0.0)) == word("RE-77", 0.7)


def test_another_kind_of_dash_is_no_difference() -> None:
    assert of_one("RE-77", 0.7, Other("RE–77", 0.7)).confidence > 0.9


@pytest.mark.parametrize(("read", "said"), [("0ct", "Oct"), ("Ju1i", "Juli"), ("0ttobre", "Ottobre")])
def test_what_one_of_them_saw_as_a_month_is_the_month(read: str, said: str) -> None:
    for told in (of_one(read, 0.8, Other(said, 0.7)), of_one(said, 0.7, Other(read, 0.8))):
        assert (told.text, told.confidence) == (said, 0.8)


@pytest.mark.parametrize(("read", "said"), [("100", "loo"), ("Art1", "Artl"), ("LS1", "LSI"), ("2O26", "2026")])
def test_a_letter_that_looks_like_a_digit_stays_in_doubt_in_what_is_no_month(read: str, said: str) -> None:
    assert of_one(read, 0.8, Other(said, 0.7)).confidence < 0.5
    assert of_one(said, 0.8, Other(read, 0.7)).confidence < 0.5
