"""Pages are read once for each content and version of the reader."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tallyman.contracts.page_reader import Progress, nobody
from tallyman.domain.page import Box, Drawn, Page, Part, Reading, Word, WordSource
from tallyman.domain.stack import Documents
from tallyman.errors import Unreadable
from tallyman.runtime.page_cache import CachedPages


class Reader:
    """Gives a page with the file's content as its one word, and counts."""

    name = "counting"

    def __init__(self) -> None:
        self.version = "1"
        self.read_files: list[str] = []
        self.drawn = 0

    def parts(self, file: Path) -> tuple[Part, ...]:
        return ()

    def read(self, file: Path, *, password: str | None = None, progress: Progress = nobody) -> Reading:
        text = file.read_text("utf-8")
        self.read_files.append(text)
        if text == "damaged":
            raise Unreadable("It is damaged.")
        word = Word(text=text, box=Box(x0=0.1, y0=0.1, x1=0.2, y1=0.2), confidence=0.75)
        page = Page(number=1, width=595, height=842, words=(word,), source=WordSource.OCR, engine="none")
        if text == "unread":
            page = page.model_copy(update={"words": (), "problem": "It took too long."})
        return Reading(media_type="application/pdf", pages=(page,), xml="<Invoice/>")

    def as_drawn(
        self, file: Path, pages: Sequence[tuple[Page, Sequence[Word]]], *, password: str | None = None
    ) -> list[Drawn]:
        self.drawn += 1
        return [Drawn(texts=tuple(word.text.strip("?") for word in words)) for _, words in pages]

    def render(
        self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0, password: str | None = None
    ) -> bytes:
        return b""

    def cut(self, file: Path, documents: Documents, *, password: str | None = None) -> tuple[bytes, ...]:
        return tuple(b"" for _ in documents)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def pages(reader: Reader, tmp_path: Path) -> CachedPages:
    return CachedPages(reader, tmp_path / "readings")


def paper(folder: Path, text: str = "Łódź 12,50", name: str = "paper.pdf") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_what_was_read_once_is_not_read_again(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    first = pages.read(paper(tmp_path))
    again = CachedPages(reader, tmp_path / "readings").read(paper(tmp_path, name="the same under another name.pdf"))
    assert again == first
    assert reader.read_files == ["Łódź 12,50"]


def test_another_content_is_read(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    pages.read(paper(tmp_path, "one"))
    assert pages.read(paper(tmp_path, "two")).pages[0].words[0].text == "two"


def test_a_newer_reader_reads_again_and_its_reading_is_kept(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    pages.read(paper(tmp_path))
    reader.version = "2"
    pages.read(paper(tmp_path))
    pages.read(paper(tmp_path))
    assert len(reader.read_files) == 2
    assert sum(file.is_file() for file in (tmp_path / "readings").rglob("*")) == 1


def test_what_a_password_opened_is_not_left_lying_open(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    pages.read(paper(tmp_path), password="secret")
    assert not (tmp_path / "readings").exists()
    pages.read(paper(tmp_path))
    pages.read(paper(tmp_path), password="secret")
    assert len(reader.read_files) == 3


def test_a_failure_is_not_remembered(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(Unreadable):
            pages.read(paper(tmp_path, "damaged"))
    assert len(reader.read_files) == 2


@pytest.mark.parametrize("damage", [b"", b"1\nno JSON", b"1\n", b"\xff" * 40])
def test_a_damaged_reading_is_read_again(
    pages: CachedPages, reader: Reader, tmp_path: Path, damage: bytes
) -> None:  # fmt: skip
    first = pages.read(paper(tmp_path))
    (kept,) = (file for file in (tmp_path / "readings").rglob("*") if file.is_file())
    kept.write_bytes(damage)
    assert pages.read(paper(tmp_path)) == first
    assert len(reader.read_files) == 2
    pages.read(paper(tmp_path))
    assert len(reader.read_files) == 2


def test_where_nothing_can_be_kept_it_is_read_all_the_same(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "readings").write_text("a file where the folder should be", "utf-8")
    for _ in range(2):
        assert pages.read(paper(tmp_path)).pages[0].words[0].text == "Łódź 12,50"
    assert len(reader.read_files) == 2


def test_a_reading_that_lacks_a_page_s_words_is_not_kept(pages: CachedPages, reader: Reader, tmp_path: Path) -> None:
    file = paper(tmp_path, "unread")
    assert pages.read(file) == pages.read(file)
    assert reader.read_files == ["unread", "unread"]


def test_what_is_kept_can_be_read_by_nobody_else(pages: CachedPages, tmp_path: Path) -> None:
    pages.read(paper(tmp_path))
    kept = [file for file in (tmp_path / "readings").rglob("*") if file.is_file()]
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600]


def test_what_the_picture_shows_is_asked_once_for_the_same_words_and_the_same_version(
    reader: Reader, pages: CachedPages, tmp_path: Path
) -> None:
    file = tmp_path / "a.pdf"
    file.write_text("4711", "utf-8")
    (page,) = pages.read(file).pages
    (word,) = page.words
    other = word.model_copy(update={"text": "4712"})
    for words, asked in (([word], 1), ([word], 1), ([other], 2), ([other], 2), ([word], 3)):
        assert pages.as_drawn(file, [(page, words)]) == [Drawn(texts=(words[0].text,))]
        assert reader.drawn == asked
    reader.version = "2"
    pages.as_drawn(file, [(page, [word])])
    assert reader.drawn == 4
    pages.as_drawn(file, [(page, [word])], password="secret")
    assert reader.drawn == 5


def test_a_picture_that_could_not_be_read_is_asked_again(reader: Reader, pages: CachedPages, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_text("?", "utf-8")
    (page,) = pages.read(file).pages
    for asked in (1, 2):
        assert pages.as_drawn(file, [(page, page.words)]) == [Drawn(texts=("",))]
        assert reader.drawn == asked
