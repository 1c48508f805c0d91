"""When the picture of a word confirms it, contradicts it, or says nothing, and when it says more than all words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ocr.agreement import agrees, alike, leaves_out, sample, spelled
from tallyman.domain.page import Box, Word

PAGE = np.full((100, 100), 255, np.uint8)


class Engine:
    """Reads what it is told to, one after the other."""

    name = version = "told"
    cost, told_languages, robust = 1.0, False, True
    lacking: tuple[str, ...] = ()

    def __init__(self, *says: str, confidence: float = 1.0) -> None:
        self.says, self.confidence, self.asked = list(says), confidence, 0

    def available(self) -> str | None:
        return None

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:
        return ()

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        self.asked += len(crops)
        return [(self.says.pop(0), self.confidence) for _ in crops]


def words(*texts: str) -> tuple[Word, ...]:
    return tuple(
        Word(text=text, box=Box(x0=0.1, y0=at / 100, x1=0.5, y1=(at + 1) / 100), confidence=1.0)
        for at, text in enumerate(texts)
    )


def test_one_engine_confirms_and_the_next_is_asked_about_the_rest_only() -> None:
    second = Engine("20.00")
    told = spelled(PAGE, words("10.00", "20.00"), [Engine("10.00", "26.00"), second], ())
    assert told == ["10.00", "20.00"]
    assert second.asked == 1


def test_what_no_engine_confirms_is_told_as_the_first_read_it() -> None:
    assert spelled(PAGE, words("90.00"), [Engine("10.00"), Engine("16.00")], ()) == ["10.00"]


@pytest.mark.parametrize("engine", [Engine(""), Engine("#", confidence=0.2)], ids=["nothing", "a guess"])
def test_what_can_not_be_read_is_told_as_nothing(engine: Engine) -> None:
    assert spelled(PAGE, words("90.00"), [engine], ()) == [""]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("1.234,50", "1,234.50"), ("INV-2O417", "inv - 20417"), ("République", "Republique"), ("4,00 €", "4.00€")),
        *(("–7.00", "-7.00"), ("7.00.", "7.00"), ("Nr: 5", "Nr 5"), ("1'234.50", "1 234.50")),
    ],
)
def test_what_looks_the_same_is_alike(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("1234", "12.34"), ("1944.00", "1344.00"), ("4711", "47111"), ("-1,200.00", "1,200.00"), ("9,50-", "9,50")),
        *(("1/11/2024", "11/1/2024"), ("2024/11", "20/2411"), (".50", "50"), ("1-12-2026", "11-2-2026")),
        *(("(100.00)", "100.00"), ("$100", "€100"), ("100.00", "100.00%"), ("1.000", "1,000"), ("-$100", "$100")),
        *(("GBP -7.00", "GBP 7.00"), ("GBP", "JPY")),
    ],
)
def test_another_digit_sign_or_place_of_decimals_or_slashes_is_not_alike(one: str, other: str) -> None:
    assert not alike(one, other)


class Sees(Engine):
    """Tells how dark the left half of a crop is: whether something is drawn before the word."""

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        return [("-1.00" if crop[:, : crop.shape[1] // 2].min() < 100 else "1.00", 1.0) for crop in crops]


@pytest.mark.parametrize(
    ("text", "before", "told"),
    [("1.00", 0.2, "-1.00"), ("1.00", 0.55, "1.00"), ("07.10.2025", 0.2, "1.00")],
    ids=["sign", "word", "date"],
)
def test_a_line_drawn_before_an_amount_is_seen_unless_a_word_stands_there(text: str, before: float, told: str) -> None:
    page = np.full((100, 100), 255, np.uint8)
    page[55, 52:55] = 0
    word = Word(text=text, box=Box(x0=0.6, y0=0.5, x1=0.7, y1=0.6), confidence=1.0)
    other = Word(text="GBP", box=Box(x0=0.1, y0=0.5, x1=before, y1=0.6), confidence=1.0)
    assert spelled(page, [word], [Sees()], (), [other, word]) == [told]


def test_the_sample_has_words_with_digits_first_and_is_the_same_each_time() -> None:
    page = words(*(f"word{chr(97 + n)}" for n in range(30)), *(f"{n}.00" for n in range(100, 106)))
    asked = sample(page)
    assert len(asked) == 8
    assert sum(any(map(str.isdigit, word.text)) for word in asked) == 6
    assert asked == sample(page)


def test_a_layer_is_believed_when_most_of_the_sample_agrees() -> None:
    page = words(*(f"{n}.00" for n in range(100, 108)))
    right = [word.text for word in sample(page)]
    assert agrees(PAGE, page, [Engine(*right[:6], "x", "y")], ())
    assert not agrees(PAGE, page, [Engine(*right[:5], "x", "y", "z")], ())


def test_a_layer_without_a_word_to_compare_is_not_believed() -> None:
    assert not agrees(PAGE, words("a", "-"), [Engine()], ())


def page_of_letters(rows: int) -> tuple[Any, list[Word]]:
    """A sheet at 300 dpi with rows of 60 letters, and a word for each row."""
    sheet, laid = np.full((3508, 2480), 255, np.uint8), []
    for row in range(rows):
        top = 300 + 60 * row
        for letter in range(60):
            sheet[top : top + 30, 300 + 30 * letter : 316 + 30 * letter] = 0
        box = Box(x0=300 / 2480, y0=top / 3508, x1=2100 / 2480, y1=(top + 30) / 3508)
        laid.append(Word(text="letters", box=box, confidence=1.0))
    return sheet, laid


@pytest.mark.parametrize(("said", "more"), [(40, False), (34, False), (20, True), (3, True), (0, True)])
def test_a_layer_that_says_little_of_the_picture_leaves_much_out(said: int, more: bool) -> None:
    sheet, laid = page_of_letters(40)
    assert leaves_out(sheet, laid[:said]) is more


def test_lines_specks_and_pictures_are_no_print_that_is_left_out() -> None:
    sheet, laid = page_of_letters(10)
    sheet[2000:2004, 100:2400] = sheet[1000:3000, 100:104] = 0  # rules
    sheet[2200:2800, 500:1500] = 90  # a picture
    dice = np.random.default_rng(1)
    sheet[dice.integers(0, 3508, 4000), dice.integers(0, 2480, 4000)] = 0
    assert not leaves_out(sheet, laid)
