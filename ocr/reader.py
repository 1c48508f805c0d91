"""The page reader: what is in a stranger's file, read in child processes with limits."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallyman.domain.page import Box, Mark, Page, Reading, Word, WordSource
from tallyman.errors import TechnicalError
from tallyman.platform.sandbox import DEFAULT, Limits, call, unpack_bytes

_OCR_LIMITS = Limits(wall_s=60)


@dataclass(frozen=True, kw_only=True)
class PagesReader:
    """Text layers where they hold real words, else OCR, one child process a page.

    ocr_limits hold for one page; their wall time is longer, because tesseract has 20 s of its own and may have to wait.
    engine: a module with ENGINE. languages: ISO 639-2 codes, as the engine knows them. parallel: OCR processes at once.
    """

    name: str = "pages"
    engine: str = "ocr.engines.tesseract"
    languages: tuple[str, ...] = ("eng", "deu")
    limits: Limits = DEFAULT
    ocr_limits: Limits = _OCR_LIMITS
    parallel: int = max(1, min(4, os.cpu_count() or 1))

    def read(self, file: Path) -> Reading:
        """Pages and words. Raises Unreadable, PasswordNeeded, Quarantined; TechnicalError when no file is there."""
        path = _absolute(file)
        found = call("ocr.inside:inspect", {"path": path}, self.limits)
        with ThreadPoolExecutor(self.parallel) as pool:
            pages = tuple(pool.map(lambda item: self._page(path, *item), enumerate(found["pages"], start=1)))
        return Reading(media_type=found["media_type"], pages=pages, xml=found["xml"])

    def render(self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0) -> bytes:
        """A PNG of one page (from 1), `width` pixels wide (50..4000).

        Pass `rotation` and `skew` of the Page to see it as it was read: boxes hold on that picture.
        """
        arguments = {
            "path": _absolute(file),
            "page": page,
            "width": max(50, min(width, 4000)),
            "rotation": rotation,
            "skew": skew,
        }
        return unpack_bytes(call("ocr.inside:render", arguments, self.limits))

    def _page(self, path: str, number: int, found: dict[str, Any]) -> Page:
        arguments = {"path": path, "page": number, "engine": self.engine, "languages": list(self.languages)}
        if found["hand"]:
            words = call("ocr.inside:recognise_hand", arguments, self.ocr_limits)
            return _page(number, found, {**found, "words": words}, WordSource.TEXT_LAYER, "pdfium + OCR")
        if not found["ocr"]:
            return _page(number, found, found, WordSource.TEXT_LAYER, "pdfium")
        read = call("ocr.inside:recognise", arguments, self.ocr_limits)
        return _page(number, found, read, WordSource.OCR, read["engine"])


def _absolute(file: Path) -> str:
    if not file.is_file():
        raise TechnicalError(f"There is no file {file.name!r}.")
    return str(file.resolve())


def _page(number: int, size: dict[str, Any], read: dict[str, Any], source: WordSource, engine: str) -> Page:
    rotation = read.get("rotation", 0)
    sideways = rotation in (90, 270)
    return Page(
        number=number,
        width=size["height"] if sideways else size["width"],
        height=size["width"] if sideways else size["height"],
        words=tuple(_word(word) for word in read["words"]),
        source=source,
        engine=engine,
        rotation=rotation,
        skew=read.get("skew", 0.0),
        marks=tuple(Mark.from_json(mark) for mark in read["marks"]),
    )


def _word(packed: list[Any]) -> Word:
    text, x0, y0, x1, y1, confidence, line = packed
    return Word(text=text, box=Box(x0=x0, y0=y0, x1=x1, y1=y1), confidence=confidence, line=line)


READER = PagesReader()
