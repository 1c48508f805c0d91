"""Signed, not signed, or unclear."""

import cv2
import numpy as np
import pytest

from ocr.imaging.marks import find_marks
from tallyman.domain.page import Box, MarkKind, MarkState, Word

WIDTH, HEIGHT = 1240, 1754


def _page() -> np.ndarray:
    return np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)


def _label(text: str = "Unterschrift", y: float = 0.80) -> tuple[Word, ...]:
    return (Word(text=text, box=Box(x0=0.1, y0=y, x1=0.22, y1=y + 0.012), confidence=1.0, line=0),)


def _sign(page: np.ndarray, x0: int = 140, y0: int = 1450) -> None:
    across = np.linspace(0, 1, 200)
    x = x0 + 260 * across + 25 * np.sin(40 * across)
    y = y0 + 35 * np.sin(25 * across) * (1.2 - across)
    points = np.stack([x, y], axis=1).astype(np.int32)
    cv2.polylines(page, [points], False, 20, 3, cv2.LINE_AA)


def test_winding_strokes_below_the_label_are_a_signature() -> None:
    page = _page()
    _sign(page)
    (mark,) = find_marks(page, _label())
    assert (mark.kind, mark.state) == (MarkKind.SIGNATURE, MarkState.PRESENT)


def test_an_empty_zone_is_no_signature() -> None:
    (mark,) = find_marks(_page(), _label())
    assert mark.state is MarkState.ABSENT


def test_the_ruled_line_to_sign_on_is_no_signature() -> None:
    page = _page()
    cv2.line(page, (124, 1480), (600, 1480), 0, 2)
    (mark,) = find_marks(page, _label())
    assert mark.state is MarkState.ABSENT


@pytest.mark.parametrize("size", [12, 30, 45])
def test_a_smudge_is_never_a_signature(size: int) -> None:
    page = _page()
    cv2.ellipse(page, (250, 1460), (size * 2, size), 10, 0, 360, 60, -1)
    (mark,) = find_marks(page, _label())
    assert mark.state is not MarkState.PRESENT


def test_dirt_is_no_signature() -> None:
    page = _page()
    spots = np.random.default_rng(1)
    for x, y in spots.integers((120, 1410), (500, 1520), (60, 2)):
        cv2.circle(page, (int(x), int(y)), 1, 0, -1)
    (mark,) = find_marks(page, _label())
    assert mark.state is MarkState.ABSENT


def test_printed_words_in_the_zone_are_no_signature() -> None:
    page = _page()
    cv2.putText(page, "Max Mustermann", (130, 1460), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 2)
    printed = Word(text="Mustermann", box=Box(x0=0.09, y0=0.81, x1=0.42, y1=0.845), confidence=0.95, line=1)
    (mark,) = find_marks(page, (*_label(), printed))
    assert mark.state is not MarkState.PRESENT


def test_a_page_that_asks_for_nothing_has_no_marks() -> None:
    page = _page()
    _sign(page)
    assert find_marks(page, _label("Rechnung")) == ()


BOX = (110, 1380, 660, 1560)
IN_BOX = Word(text="Unterschrift", box=Box(x0=0.1, y0=1390 / HEIGHT, x1=0.2, y1=1412 / HEIGHT), confidence=1.0, line=0)


def _box(page: np.ndarray, *gaps: tuple[int, int]) -> None:
    """A box to sign in, its lines worn away between the gaps' columns."""
    x0, y0, x1, y1 = BOX
    cv2.rectangle(page, (x0, y0), (x1, y1), 0, 2)
    for left, right in gaps:
        page[y0 - 3 : y0 + 4, left:right] = page[y1 - 3 : y1 + 4, left:right] = 255


def test_a_place_to_sign_reaches_to_the_end_of_its_box_over_a_stroke_under_the_name() -> None:
    page = _page()
    _box(page)
    _sign(page)
    cv2.line(page, (130, 1535), (270, 1532), 20, 3)
    (mark,) = find_marks(page, (IN_BOX,))
    assert mark.state is MarkState.PRESENT
    assert mark.box.x1 * WIDTH == pytest.approx(BOX[2], abs=12)
    assert mark.box.y1 * HEIGHT == pytest.approx(BOX[3], abs=12)


def test_a_tall_stroke_is_no_end_of_the_place_to_sign() -> None:
    page = _page()
    _box(page)
    cv2.line(page, (200, 1430), (202, 1530), 20, 3)
    (mark,) = find_marks(page, (IN_BOX,))
    assert mark.box.x1 * WIDTH == pytest.approx(BOX[2], abs=12)


def test_worn_lines_are_whole() -> None:
    page = _page()
    _box(page, (260, 270), (430, 440))
    (mark,) = find_marks(page, (IN_BOX,))
    assert mark.box.x1 * WIDTH == pytest.approx(BOX[2], abs=12)


def test_a_line_within_the_rim_that_an_engine_leaves_about_a_label_is_seen() -> None:
    page = _page()
    cv2.line(page, (124, 1402), (600, 1402), 0, 2)
    _sign(page)  # below the line, where nobody asks for it
    label = Word(
        text="Unterschrift", box=Box(x0=0.1, y0=1398 / HEIGHT, x1=0.2, y1=1424 / HEIGHT), confidence=1.0, line=0
    )
    (mark, _written) = find_marks(page, (label,))
    assert mark.state is MarkState.ABSENT
    assert mark.box.y1 * HEIGHT == pytest.approx(1402, abs=15)


def test_the_feet_of_letters_are_no_line() -> None:
    page = _page()
    _box(page)
    for x in range(126, 320, 8):  # letters that run together at their feet
        cv2.line(page, (x, 1393), (x, 1416), 0, 3)
    cv2.line(page, (126, 1416), (320, 1416), 0, 2)
    _sign(page)
    wide = IN_BOX.model_copy(update={"box": Box(x0=0.1, y0=1390 / HEIGHT, x1=0.26, y1=1412 / HEIGHT)})
    (mark,) = find_marks(page, (wide,))
    assert mark.state is MarkState.PRESENT
    assert mark.box.y1 * HEIGHT == pytest.approx(BOX[3], abs=12)


def _word(text: str, x: int, y: int, line: int) -> Word:
    box = Box(x0=x / WIDTH, y0=y / HEIGHT, x1=(x + 12 * len(text)) / WIDTH, y1=(y + 20) / HEIGHT)
    return Word(text=text, box=box, confidence=1.0, line=line)


@pytest.mark.parametrize("gap", [18, 35, 70])
@pytest.mark.parametrize("told", [True, False])
def test_who_signed_on_the_next_line_did_not_sign_here(gap: int, told: bool) -> None:
    page = _page()
    cv2.line(page, (124, 1500), (480, 1500), 0, 2)
    cv2.line(page, (480 + gap, 1500), (940, 1500), 0, 2)
    _sign(page, 480 + gap + 40)
    words = [_word("Unterschrift", 124, 1508, 0)]
    if told:
        words.append(_word("Datum", 480 + gap, 1508, 1))
    mark, *_ = find_marks(page, words)
    assert mark.state is MarkState.ABSENT


def test_who_signed_on_a_short_line_below_did_not_sign_above() -> None:
    page = _page()
    for y in (1300, 1420):
        cv2.line(page, (124, y), (254, y), 0, 2)
    _sign(page, 130, 1370)
    mark, *_ = find_marks(page, (_word("Unterschrift", 124, 1308, 0), _word("Fahrer", 124, 1428, 1)))
    assert mark.state is not MarkState.PRESENT


@pytest.mark.parametrize("high", [70, 85, 130])
def test_who_signed_in_the_next_box_did_not_sign_in_this_one(high: int) -> None:
    page = _page()
    cv2.rectangle(page, (110, 1500 - high), (800, 1500), 0, 2)
    cv2.line(page, (400, 1500 - high), (400, 1500), 0, 2)
    _sign(page, 440, 1500 - high // 2)
    mark, *_ = find_marks(page, (_word("Unterschrift", 124, 1508, 0),))
    assert mark.state is MarkState.ABSENT


@pytest.mark.parametrize(
    ("at", "top", "foot", "state"),
    [
        (200, 1470, 1552, MarkState.PRESENT),
        (360, 1470, 1557, MarkState.PRESENT),
        (200, 1470, 1557, MarkState.UNCLEAR),  # it meets the box, as a worn line between two boxes does
        (200, 1420, 1552, MarkState.UNCLEAR),  # it goes most of the way up
    ],
)
def test_a_tall_upright_letter_in_a_box_is_no_certain_side_of_the_box(
    at: int, top: int, foot: int, state: MarkState
) -> None:
    page = _page()
    cv2.rectangle(page, BOX[:2], BOX[2:], 0, 2)
    _sign(page, 160, 1500)
    cv2.line(page, (at, top), (at, foot), 20, 3)
    mark, *_ = find_marks(page, (IN_BOX,))
    assert mark.state is state


def test_who_signed_in_the_next_cell_of_a_table_did_not_sign_in_this_one() -> None:
    page = _page()
    cv2.rectangle(page, BOX[:2], (900, BOX[3]), 0, 2)
    cv2.line(page, (400, BOX[1]), (400, BOX[3]), 0, 2)
    _sign(page, 440, 1500)
    mark, *_ = find_marks(page, (IN_BOX,))
    assert mark.state is MarkState.ABSENT


WORN = {
    "the divider is worn": ((400, 1380), (400, 1560), (1430, 1444)),
    "the divider begins below the label": ((400, 1410), (400, 1560), None),
    "the divider leans": ((392, 1380), (408, 1560), None),
    "the divider is below a line of the table": ((400, 1420), (400, 1560), None),
    "the label stands on the border": ((400, 1405), (400, 1560), None),
    "the divider is worn at its foot": ((400, 1380), (400, 1560), (1546, 1558)),
}


@pytest.mark.parametrize("how", WORN)
def test_who_signed_beyond_a_divider_that_is_not_whole_did_not_sign_for_certain(how: str) -> None:
    page = _page()
    upper = 1405 if "border" in how else BOX[1]
    cv2.rectangle(page, (BOX[0], upper), (900, BOX[3]), 0, 2)
    if "border" in how:
        page[upper - 3 : upper + 4, 120:255] = 255
    start, end, gap = WORN[how]
    cv2.line(page, start, end, 0, 2)
    if "table" in how:
        cv2.line(page, start, (900, start[1]), 0, 2)
    if gap:
        page[gap[0] : gap[1], 390:411] = 255
    _sign(page, 450, 1500)
    mark, *_ = find_marks(page, (IN_BOX,))
    assert mark.state is not MarkState.PRESENT
