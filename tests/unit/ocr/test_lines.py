"""Words into reading order."""

from ocr.lines import RawWord, in_reading_order


def _word(text: str, x: float, y: float) -> RawWord:
    return RawWord(text=text, x0=x, y0=y, x1=x + 6 * len(text), y1=y + 10)


def test_columns_of_one_row_follow_each_other_but_are_lines_of_their_own() -> None:
    words = [_word("Muster", 50, 101), _word("Rechnung", 300, 100), _word("GmbH", 92, 100), _word("Nr.", 354, 101)]
    read = in_reading_order(words, 595, 842)
    assert [word.text for word in read] == ["Muster", "GmbH", "Rechnung", "Nr."]
    assert [word.line for word in read] == [0, 0, 1, 1]


def test_rows_are_read_from_the_top() -> None:
    read = in_reading_order([_word("below", 50, 130), _word("above", 400, 100)], 595, 842)
    assert [word.text for word in read] == ["above", "below"]


def test_boxes_are_shares_of_the_page() -> None:
    (word,) = in_reading_order([RawWord(text="x", x0=59.5, y0=84.2, x1=119, y1=168.4)], 595, 842)
    assert (word.box.x0, word.box.y0, word.box.x1, word.box.y1) == (0.1, 0.1, 0.2, 0.2)


def test_text_that_runs_up_the_margin_does_not_tear_the_rows_apart() -> None:
    margin = RawWord(text="Copyright", x0=5, y0=60, x1=15, y1=200)
    words = [_word("one", 50, 100), margin, _word("two", 75, 100), _word("three", 50, 120)]
    read = in_reading_order(words, 595, 842)
    assert [word.text for word in read] == ["one", "two", "three", "Copyright"]
