"""The page reader: what is in a stranger's file, read in child processes with limits."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from ocr import engines
from ocr.filetype import is_container
from ocr.languages import LANGUAGES, guess
from ocr.lines import as_placed
from tallyman.contracts.page_reader import Progress, nobody
from tallyman.domain.page import Barcode, Box, Drawn, Mark, Page, Part, Picture, Reading, Word, WordSource
from tallyman.domain.stack import Documents
from tallyman.errors import Quarantined, TechnicalError, Unreadable
from tallyman.platform.kept import Budget, KeptChildren, Turns
from tallyman.platform.sandbox import (
    DEFAULT,
    Limits,
    call,
    troubles_of_the_machine,
    unpack_bytes,
    what_a_child_said,
)
from tallyman.platform.scratch import Scratch

_VERSION = "6"
_AT_A_TIME = 4
"""So many pages are drawn by one child: of a page of pixels there are 9 MB."""
_PORTION = 10
"""So many pages are looked at by one child: even a coarse look at a scan of 600 dpi takes half a second."""
_OCR_LIMITS = Limits(memory_mib=8192, cpu_s=1_000_000, wall_s=60.0)
"""Of a child that stays. Networks map far more memory than they touch; what ends one that computes too long is time."""
_MAX_WORDS = 100_000
_FILE_S = 1200.0
"""The children's work on a file together: to read it, to compare it with its pictures, or to cut it."""
_UNPACK_LIMITS = Limits(result_mib=96)
_CHILD_BYTES = 1 << 30
"""What a child that reads pixels touches, and more than one that draws them; 1.6 GiB where no page is as large as
another."""
_MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
_AT_ONCE = max(1, min(os.cpu_count() or 1, _MEMORY // _CHILD_BYTES))
_turns = Turns(_AT_ONCE)
"""Of all that draws and reads pages; the text layers of a file's first pages wait for none."""
_MOST_CUT = 256 * 1024 * 1024
"""What is cut out of a file together: what its pages share is in each of the new files."""
_UNREAD: dict[str, Any] = {"ocr": True, "words": [], "marks": [], "barcodes": [], "engine": ""}
_children = KeptChildren(_turns, _OCR_LIMITS)


@dataclass(frozen=True, kw_only=True)
class PagesReader:
    """Text layers where they hold real words and the picture says no other, else OCR.

    What opens a stranger's file is a throw-away child; it gives words, and pixels of the pages that have none. What
    reads pixels is a child that stays, with its engines loaded: as many at once as there are cores, and memory.
    engine: a module with ENGINE, or None to choose one for each page. languages: ISO 639-2 codes.
    """

    name: str = "pages"
    engine: str | None = None
    languages: tuple[str, ...] = LANGUAGES
    limits: Limits = DEFAULT

    def parts(self, file: Path) -> tuple[Part, ...]:
        """What an e-mail or a ZIP file holds; () for a file that is none of these. Raises as `read` does."""
        path = _absolute(file)
        with file.open("rb") as stream:
            if not is_container(stream.read(1024)):
                return ()
        found = call("ocr.unpack:unpack", {"path": path}, _UNPACK_LIMITS)
        with what_a_child_said():
            return tuple(Part(**{**one, "content": unpack_bytes(one["content"])}) for one in found)

    @property
    def version(self) -> str:
        """Changes when another reading of the same file may give something else."""
        return f"{_VERSION}; {_parsers()}; {engines.versions(self.engine)}; {'+'.join(self.languages)}"

    def read(self, file: Path, *, password: str | None = None, progress: Progress = nobody) -> Reading:
        """Pages and words. Raises Unreadable, PasswordNeeded, Quarantined; TechnicalError when no file is there."""
        opened = {"path": _absolute(file), "password": password}
        budget = Budget(_FILE_S)
        with _pixels() as pixels:
            found = self._inspected(opened, pixels, budget)
            self._recognise(opened, found["pages"], pixels.name, progress, budget)
        return self._reading(found)

    @what_a_child_said()
    def _reading(self, found: dict[str, Any]) -> Reading:
        pages = found["pages"]
        _count(pages)
        made = tuple(_page(number, page, self.languages) for number, page in enumerate(pages, start=1))
        return Reading(media_type=found["media_type"], pages=made, xml=found["xml"])

    @what_a_child_said()
    def _inspected(self, opened: dict[str, Any], pixels: IO[bytes], budget: Budget) -> dict[str, Any]:
        """What `ocr.inside.inspect` tells of all pages; the first that are drawn lie in `pixels`."""
        asked = {**opened, "most": _PORTION}
        with budget.spent():
            found = call("ocr.inside:inspect", {**asked, "most_drawn": _AT_A_TIME}, self.limits, into=pixels)
        for first in range(len(found["pages"]) + 1, found["count"] + 1, _PORTION):
            with _turns.turn(budget):
                more = call("ocr.inside:inspect", {**asked, "first": first, "most_drawn": 0}, self.limits, into=pixels)
            found["pages"] += more["pages"]
            _count(found["pages"])
        if len(found["pages"]) != found["count"]:
            raise ValueError("There are not as many pages as were counted.")
        return dict(found)

    def _recognise(
        self, opened: dict[str, Any], pages: list[dict[str, Any]], pixels: str, progress: Progress, budget: Budget
    ) -> None:
        """Put into each page that needs it what OCR finds there: first those that are drawn, then the others."""
        with what_a_child_said():
            drawn = [page for page in pages if "drawn" in page]
            rest = [number for number, page in enumerate(pages, 1) if _is_drawn(page) and "drawn" not in page]
        bundles = [rest[start : start + _AT_A_TIME] for start in range(0, len(rest), _AT_A_TIME)]
        if not drawn and not bundles:
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            jobs = {pool.submit(self._read_drawn, page, pixels, budget): 1 for page in drawn}
            jobs |= {pool.submit(self._draw_and_read, opened, pages, some, budget): len(some) for some in bundles}
            done, every = 0, sum(jobs.values())
            try:
                for job in as_completed(jobs):
                    job.result()
                    done += jobs[job]
                    progress(done, every)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    @what_a_child_said()
    def _draw_and_read(
        self, opened: dict[str, Any], pages: list[dict[str, Any]], numbers: list[int], budget: Budget
    ) -> None:
        with _pixels() as pixels:
            with _turns.turn(budget):
                told = call("ocr.inside:draw", {**opened, "pages": numbers}, self.limits, into=pixels)
            for number, drawn in zip(numbers, told, strict=True):
                pages[number - 1]["drawn"] = drawn
                self._read_drawn(pages[number - 1], pixels.name, budget)

    @what_a_child_said()
    def _read_drawn(self, page: dict[str, Any], pixels: str, budget: Budget) -> None:
        """Put into a page what OCR finds on it; of one that can't be read the words are left out, and it says so."""
        drawn = page["drawn"]
        if "problem" in drawn:
            page.update(_UNREAD, problem=drawn["problem"])
            return
        across, down = drawn.pop("reshaped")
        page["width"], page["height"] = float(page["width"]) * across, float(page["height"]) * down
        asked = {
            **drawn,
            "pixels": pixels,
            "printed": None if page["ocr"] else page["words"],
            "doubtful": page["doubtful"],
            "hand": page["hand"],
            "engine": self.engine,
            "languages": list(self.languages),
        }
        try:
            page.update(_children.call("ocr.recognition:recognise", asked, budget))
        except Quarantined:
            raise
        except Unreadable as error:
            page.update(_UNREAD, problem=str(error))

    def as_drawn(
        self, file: Path, pages: Sequence[tuple[Page, Sequence[Word]]], *, password: str | None = None
    ) -> list[Drawn]:
        """What the pages' pictures say, each page with the words of its text layer that are asked about.

        One page after the other is drawn, and engines spell the places. Raises as `read` does.
        """
        opened = {"path": _absolute(file), "password": password}
        budget = Budget(_FILE_S)
        return [self._drawn(opened, page, words, budget) for page, words in pages]

    @what_a_child_said()
    def _drawn(self, opened: dict[str, Any], page: Page, words: Sequence[Word], budget: Budget) -> Drawn:
        with _pixels() as pixels:
            with _turns.turn(budget):
                (drawn,) = call("ocr.inside:draw", {**opened, "pages": [page.number]}, self.limits, into=pixels)
            if "problem" in drawn:
                return Drawn(texts=("",) * len(words))
            del drawn["reshaped"]
            asked = {
                **drawn,
                "pixels": pixels.name,
                "words": as_placed(words),
                "layer": as_placed(page.words),
                "engine": self.engine,
                "languages": list(self.languages),
            }
            try:
                told = Drawn(**_children.call("ocr.recognition:as_drawn", asked, budget))
            except Quarantined:
                raise
            except Unreadable:  # a page that can't be read shows nothing
                return Drawn(texts=("",) * len(words))
            if len(told.texts) != len(words):
                raise ValueError("There is not one text for each word.")
            return told

    def render(
        self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0, password: str | None = None
    ) -> bytes:
        """A PNG of one page (from 1), `width` pixels wide (50..4000).

        Pass `rotation` and `skew` of the Page to see it as it was read: boxes hold on that picture.
        """
        arguments = {
            "path": _absolute(file),
            "password": password,
            "page": page,
            "width": max(50, min(width, 4000)),
            "rotation": rotation,
            "skew": skew,
        }
        with what_a_child_said():
            return unpack_bytes(call("ocr.inside:render", arguments, self.limits))

    def cut(self, file: Path, documents: Documents, *, password: str | None = None) -> tuple[bytes, ...]:
        """A file for each of the documents, whose pages (from 1) are given; each is cut out by a child of its own.

        A PDF gives PDFs, with what was filled into their fields and without its attachments; pictures give TIFFs.
        """
        opened = {"path": _absolute(file), "password": password}
        budget = Budget(_FILE_S)
        made: list[bytes] = []
        left = _MOST_CUT
        for pages in documents:
            with _pixels() as out:
                with budget.spent():
                    call("ocr.inside:cut", {**opened, "pages": list(pages)}, self.limits, into=out)
                left -= out.seek(0, os.SEEK_END)
                if left < 0:
                    raise Quarantined(f"Its documents have more than {_MOST_CUT // (1024 * 1024)} MiB together.")
                out.seek(0)
                made.append(out.read())
        return tuple(made)


def _absolute(file: Path) -> str:
    if not file.is_file():
        raise TechnicalError(f"There is no file {file.name!r}.")
    return str(file.resolve())


@cache
def _parsers() -> str:
    """What opens and draws files, and finds codes, each with its version."""
    return ", ".join(f"{name} {version(name)}" for name in ("pypdfium2", "Pillow", "pi_heif", "zxing-cpp"))


@contextmanager
def _pixels() -> Iterator[IO[bytes]]:
    """An open file for pixels. It has a name, for a child that stays opens it by that."""
    with troubles_of_the_machine(), Scratch() as folder, open(os.path.join(folder, "pixels"), "x+b") as file:
        yield file


def _count(pages: list[dict[str, Any]]) -> None:
    """All that comes after reading takes its time over each word. Raises Quarantined."""
    if sum(len(page["words"]) for page in pages) > _MAX_WORDS:
        raise Quarantined(
            f"The file has more than {_MAX_WORDS:,} words, as no honest one has.",
            advice="Take out the pages that matter and send them in alone.",
        )


def _is_drawn(page: dict[str, Any]) -> bool:
    """Whether its pixels must be looked at; `ocr.inside.inspect` says what these mean."""
    return bool(page["ocr"] or page["hand"] or page["doubtful"])


def _page(number: int, read: dict[str, Any], languages: tuple[str, ...]) -> Page:
    rotation = read.get("rotation", 0)
    sideways = rotation in (90, 270)
    picture = read.get("picture")
    return Page(
        number=number,
        width=read["height"] if sideways else read["width"],
        height=read["width"] if sideways else read["height"],
        words=tuple(_word(word) for word in read["words"]),
        source=WordSource.OCR if read["ocr"] else WordSource.TEXT_LAYER,
        engine=read.get("engine", "pdfium"),
        rotation=rotation,
        skew=read.get("skew", 0.0),
        marks=tuple(Mark.from_json(mark) for mark in read["marks"]),
        barcodes=tuple(Barcode.from_json(code) for code in read["barcodes"]),
        language=guess((word[0] for word in read["words"]), languages),
        picture=None if picture is None else Picture.from_json(picture),
        problem=read.get("problem", ""),
    )


def _word(packed: list[Any]) -> Word:
    text, x0, y0, x1, y1, confidence, line = packed
    return Word(text=text, box=Box(x0=x0, y0=y0, x1=x1, y1=y1), confidence=confidence, line=line)


READER = PagesReader()
