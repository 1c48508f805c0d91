"""The words of a text layer, whatever its fonts say that their letters are, and what is drawn besides them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from ocr import pdf
from tallyman.errors import Quarantined
from tests import hostile
from tests.unit.ocr.paper import text_pdf

_MAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /X def /CMapType 2 def 1 begincodespacerange <00> <FF> endcodespacerange
1 beginbfchar <41> <{}> endbfchar endcmap end end"""


def _read_as(folder: Path, printed: str, said: str) -> str:
    """The one word of a page on which the letter A says something else (UTF-16 in hexadecimal digits)."""
    file = text_pdf(folder / "said.pdf", [[(50, 50, printed)]])
    with pikepdf.open(file, allow_overwriting_input=True) as document:
        document.pages[0].Resources.Font.F1.ToUnicode = document.make_stream(_MAP.format(said).encode())
        document.save(file)
    (word,) = pdf.text_words(pdf.open_pdf(str(file))[0])
    return word.text


@pytest.mark.parametrize(
    ("said", "read"),
    [("D83DDE00", "\U0001f600"), ("DBFFDFFF", "\U0010ffff"), ("D83D", ""), ("DE00", "\ufffd")],
    ids=["a pair", "the last one", "a first half alone", "a second half alone"],
)
def test_a_character_of_two_halves_is_one_and_a_half_is_none(tmp_path: Path, said: str, read: str) -> None:
    text = _read_as(tmp_path, "xAx", said)
    assert text == f"x{read}x"
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("said", "read"),
    [("FF11", "1"), ("0661", "1"), ("D835DFCF", "1"), ("202E", ""), ("200B", ""), ("DB40DC41", ""), ("00B2", "²")],
    ids=["wide", "Arabic", "bold", "turns what follows", "no width", "a tag", "a power is no digit"],
)
def test_a_number_is_what_a_person_sees_whatever_its_characters_are(tmp_path: Path, said: str, read: str) -> None:
    assert _read_as(tmp_path, "4A7", said) == f"4{read}7"


def drawing(content: bytes) -> Any:
    """An A4 page with Courier 10 that draws this."""
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>"
    return pdf.open_pdf(hostile.one_page(content, resources=font))[0]


def test_a_raised_number_after_an_amount_is_no_digit_of_it() -> None:
    page = drawing(b"BT /F 10 Tf 50 700 Td (1344) Tj /F 6 Tf 4 Ts (50) Tj /F 10 Tf 0 Ts ( EUR) Tj ET")
    assert [word.text for word in pdf.text_words(page)] == ["1344", "50", "EUR"]


WORDS = b"BT /F 10 Tf %s 50 700 Td (Invoice number 4711 of May) Tj ET "


@pytest.mark.parametrize(
    ("content", "doubtful"),
    [
        (WORDS % b"", False),
        (b"0 0 600 690 re f " + WORDS % b"", False),
        (b"0 .5 1 rg 0 690 600 30 re f 0 g " + WORDS % b"", False),
        (WORDS % b"3 Tr" + b"50 698 160 6 re f", True),
        (WORDS % b"" + b"1 g 40 690 200 20 re f 0 g 50 698 160 6 re f", True),
        (b"1 g " + b"0 0 1 1 re f " * 5001 + b"0 g " + WORDS % b"", True),
    ],
    ids=["alone", "above a shape", "on a band", "unseen under ink", "covered by ink", "more than is looked at"],
)
def test_a_text_layer_is_doubtful_where_the_ink_is_not_its_own(content: bytes, doubtful: bool) -> None:
    page = drawing(content)
    words, image = pdf.text_words(page), pdf.look(page)
    shown = pdf.seen(page, words, image)
    assert len(shown) == len(words) == 5
    assert pdf.is_doubtful(page, words, shown, pdf.not_text(page), image) is doubtful
    assert pdf.text_words(page) == words, "the text is there again"
    assert (pdf.look(page) == image).all()


BARS = b" ".join(b"%.2f 0 .02 1 re f" % (number / 40) for number in range(40))


def within_forms(path: Path, placed: Sequence[bytes], drawn: bytes, matrix: Sequence[float] | None = None) -> Any:
    """An A4 page with a form that holds a form, and so on, the innermost of which draws. placed: how each is placed."""
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        image = document.make_stream(bytes(64), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
        image.Width, image.Height, image.BitsPerComponent, image.ColorSpace = 8, 8, 8, pikepdf.Name.DeviceGray
        named, content = pikepdf.Dictionary(Im=image), drawn
        for place in reversed(placed):
            form = document.make_stream(content, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
            form.BBox, form.Resources = pikepdf.Array([-9999, -9999, 9999, 9999]), pikepdf.Dictionary(XObject=named)
            if matrix:
                form.Matrix = pikepdf.Array(matrix)
            named, content = pikepdf.Dictionary(X=form), b"q %s cm /X Do Q" % place
        page.Resources, page.Contents = pikepdf.Dictionary(XObject=named), document.make_stream(content)
        document.save(path)
    return pdf.open_pdf(str(path))[0]


@pytest.mark.parametrize(
    ("placed", "matrix"),
    [
        ([b"595 0 0 842 0 0"], None),
        ([b"297.5 0 0 421 0 0"], [2, 0, 0, 2, 0, 0]),
        ([b"0 842 -595 0 595 0"], None),
        ([b"59.5 0 0 84.2 0 0", b"5 0 0 5 0 0", b"2 0 0 2 0 0"], None),
        ([b"595 0 0 842 0 0"] + 8 * [b"1 0 0 1 0 0"], None),
    ],
    ids=["placed", "with a matrix of its own", "turned", "in forms", "in many forms"],
)
def test_a_scan_within_forms_covers_the_page_that_it_covers(
    tmp_path: Path, placed: list[bytes], matrix: list[float] | None
) -> None:
    page = within_forms(tmp_path / "a.pdf", placed, b"/Im Do", matrix)
    words = pdf.text_words(page)
    assert pdf.is_doubtful(page, words, words, pdf.not_text(page), pdf.look(page))


def test_a_small_picture_within_a_form_is_no_scan(tmp_path: Path) -> None:
    page = within_forms(tmp_path / "a.pdf", [b".1 0 0 .1 100 100"], b"600 0 0 850 0 0 cm /Im Do")
    assert not pdf.is_doubtful(page, [], [], pdf.not_text(page), None)


def test_a_bar_code_within_a_form_is_searched_where_it_stands(tmp_path: Path) -> None:
    page = within_forms(tmp_path / "a.pdf", [b"100 0 0 30 300 400"], BARS)
    area = pdf.code_area(page, pdf.not_text(page))
    assert area == pytest.approx((280, 842 - 450, 420, 842 - 380), abs=3)


def test_a_page_whose_font_does_not_say_what_its_letters_are_is_read_by_ocr(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", [[(50, 50, "Delivered in full")], []])
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        nothing = "".join(f"<{code:02X}> <0020>\n" for code in range(0x21, 0x7F))
        cmap = _MAP.replace("1 beginbfchar <41> <{}>", f"94 beginbfchar {nothing}")
        document.pages[0].Resources.Font.F1.ToUnicode = document.make_stream(cmap.encode())
        document.save(path)
    for page, ocr in zip(pdf.open_pdf(str(path)), (True, False), strict=True):
        words = pdf.text_words(page)
        assert words == []
        assert pdf.needs_ocr(page, words, pdf.not_text(page)) is ocr


@pytest.mark.parametrize(("word", "told"), [(b"x" * 11, "50,000 letters"), (b"x", "5,000 words")])
def test_a_page_with_more_text_than_any_honest_one_is_set_aside(word: bytes, told: str) -> None:
    page = drawing(b"BT /F 1 Tf 10 840 Td " + 170 * (b"0 -2 Td (" + b" ".join(30 * [word]) + b") Tj ") + b"ET")
    with pytest.raises(Quarantined, match=told):
        pdf.text_words(page)
