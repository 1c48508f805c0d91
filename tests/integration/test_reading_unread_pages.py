"""A page that can't be read takes no other page with it, and is never passed over in silence."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ocr.engines.null import NullEngine
from ocr.reader import PagesReader
from tallyman.cli.read import read
from tallyman.domain.page import Box, Drawn, Page, Word, WordSource
from tallyman.domain.reasons import Reason
from tallyman.errors import Quarantined
from tallyman.matching.problems import problem_findings
from tallyman.platform.kept import KeptChildren, Turns
from tallyman.platform.sandbox import Limits
from tallyman.runtime.understand import read_file
from tests import hostile
from tests.unit.ocr.paper import text_pdf

_WHERE_ITS_ROWS_ARE = 273
"""TIFF's StripOffsets."""
READER = PagesReader(engine="tests.integration.test_reading_unread_pages")


class DiesOnDarkPages(NullEngine):
    name = "dies on dark pages"

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:
        del languages
        if image.mean() < 128:
            os.abort()
        return (Word(text="light", box=Box(x0=0.1, y0=0.1, x1=0.2, y1=0.2), confidence=1.0),)

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        del crops, languages
        os.abort()


ENGINE = DiesOnDarkPages()


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept = KeptChildren(Turns(1), Limits(memory_mib=4096, cpu_s=100, wall_s=50.0))
    monkeypatch.setattr("ocr.reader._children", kept)
    yield
    kept.close()


def papers(folder: Path, *shades: int) -> Path:
    """A TIFF with a page of each shade, with a stroke of ink on it."""
    pages = [Image.new("L", (620, 877), shade) for shade in shades]
    for page in pages:
        page.paste(0 if page.getpixel((0, 0)) else 255, (100, 100, 500, 110))
        page.paste(0, (100, 200, 500, 210))
    pages[0].save(folder / "papers.tif", save_all=True, append_images=pages[1:])
    return folder / "papers.tif"


def test_a_page_that_can_not_be_read_has_no_words_and_says_why_and_the_others_are_read(tmp_path: Path) -> None:
    before, dark, after = READER.read(papers(tmp_path, 255, 100, 255)).pages
    assert [word.text for page in (before, after) for word in page.words] == ["light", "light"]
    assert (before.problem, after.problem) == ("", "")
    assert dark.words == ()
    assert "broke the program" in dark.problem


def test_its_document_goes_to_a_person_by_a_sentence_that_names_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = papers(tmp_path, 255, 100)
    _, document = read_file(file, page_reader=READER)
    finding = problem_findings(document)[0]
    assert finding.reason is Reason.UNREADABLE
    assert finding.message.startswith("Page 2 could not be read: ")
    assert not finding.acceptable
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ocr.reader.READER", READER)
        read([file], jsonl=True)
    assert "Page 2: This page broke" in capsys.readouterr().out


def test_a_picture_that_can_not_be_read_shows_nothing_of_what_its_text_layer_says(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", [[(60.0, 80.0, "Summe 12,50")]])
    word = Word(text="12,50", box=Box(x0=0.1, y0=0.08, x1=0.2, y1=0.1), confidence=1.0)
    page = Page(number=1, width=595, height=842, words=(word,), source=WordSource.TEXT_LAYER, engine="pdfium")
    assert READER.as_drawn(path, [(page, (word,))]) == [Drawn(texts=("",))]


def test_a_file_whose_pages_take_too_long_together_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocr.reader._FILE_S", 0.0001)
    with pytest.raises(Quarantined, match="longer"):
        READER.read(papers(tmp_path, 255, 255))


def test_a_damaged_page_of_a_pdf_costs_no_other_one(tmp_path: Path) -> None:
    text = b"BT /F 12 Tf 50 700 Td (Invoice number 4711 of May) Tj ET"
    good = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R>>"
    font = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>>>"
    tree = b"<</Type/Pages/Kids[3 0 R 4 0 R 3 0 R]/Count 3%s>>" % font
    file = tmp_path / "damaged.pdf"
    file.write_bytes(hostile.pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, good, b"4711", hostile.stream(text)))
    first, damaged, last = READER.read(file).pages
    assert [word.text for word in first.words] == ["Invoice", "number", "4711", "of", "May"]
    assert last.words == first.words
    assert (first.problem, last.problem) == ("", "")
    assert "damaged" in damaged.problem
    assert damaged.words == ()


def test_a_damaged_page_of_a_tiff_costs_no_other_one(tmp_path: Path) -> None:
    good, bad = (Image.open(papers(tmp_path, shade)).copy() for shade in (255, 250))
    file = tmp_path / "damaged.tif"
    good.save(file, save_all=True, append_images=[bad], compression="tiff_deflate")
    whole = file.read_bytes()
    with Image.open(file) as image:
        image.seek(1)
        (offset, *_) = getattr(image, "tag_v2")[_WHERE_ITS_ROWS_ARE]  # noqa: B009 - Pillow's types do not know it
    file.write_bytes(whole[:offset] + bytes(16) + whole[offset + 16 :])
    first, second = READER.read(file).pages
    assert [word.text for word in first.words] == ["light"]
    assert "Page 2" in second.problem
