"""Tesseract 5 through pytesseract: for clean pages of about 300 dpi."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ocr.languages import LANGUAGES
from ocr.lines import RawWord, in_reading_order
from tallyman.domain.page import Word
from tallyman.errors import TechnicalError, Unreadable

_INSTALL = "apt-get install tesseract-ocr tesseract-ocr-eng tesseract-ocr-deu"


class Tesseract:
    """One process, one thread: several pages at once are faster than several threads on one page."""

    name = "tesseract"
    cost = 1.0
    told_languages = True
    robust = False

    @cached_property
    def version(self) -> str:
        try:
            told = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, timeout=10, check=False)
        except OSError:
            return "missing"
        return (told.stdout or told.stderr).split("\n", 1)[0].removeprefix("tesseract ").strip()

    @property
    def lacking(self) -> tuple[str, ...]:
        return tuple(language for language in LANGUAGES if language not in self._installed)

    def available(self) -> str | None:
        if shutil.which("tesseract") is None:
            return f"Tesseract is not installed: {_INSTALL}"
        return None if "eng" in self._installed else f"Tesseract lacks its English model: {_INSTALL}"

    def words(self, image: Any, languages: tuple[str, ...], *, mode: int = 3) -> tuple[Word, ...]:
        """As the contract says. `mode` is tesseract's page segmentation: 3 finds blocks, 6 takes one block."""
        languages = tuple(language for language in languages if language in self._installed) or ("eng",)
        height, width = image.shape
        told = _run([image], languages, f"--psm {mode} -c tessedit_create_tsv=1", "tsv")
        return in_reading_order([word for _, word in _words(told)], width, height)

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        """All pictures in one run: the models are loaded once."""
        languages = tuple(language for language in languages if language in self._installed) or ("eng",)
        pages = _run(crops, languages, "--psm 7 -c tessedit_create_tsv=1", "tsv")
        found: list[list[RawWord]] = [[] for _ in crops]
        for page, word in _words(pages):
            found[page].append(word)
        return [
            (" ".join(word.text for word in line), min((w.confidence for w in line), default=0.0)) for line in found
        ]

    @cached_property
    def _installed(self) -> set[str]:
        command = ["tesseract", "--list-langs"]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except OSError:  # it is not there, which `_run` says
            return set()
        return set(told.stdout.split())


def _run(images: Sequence[Any], languages: tuple[str, ...], config: str, extension: str) -> str:
    """Tesseract's output as text. Images go by uncompressed files, which cost far less than PNGs, and by a list."""
    import pytesseract

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, image in enumerate(images):
            paths.append(Path(folder) / f"{number}.pgm")
            height, width = image.shape
            paths[-1].write_bytes(b"P5 %d %d 255\n" % (width, height) + image.tobytes())
        source = paths[0]
        if len(paths) > 1:
            source = Path(folder) / "pages.txt"
            source.write_text("".join(f"{path}\n" for path in paths), "utf-8")
        try:
            told = pytesseract.pytesseract.run_and_get_output(
                str(source), extension=extension, lang="+".join(languages), config=config
            )
        except pytesseract.TesseractNotFoundError as error:
            raise TechnicalError("Tesseract is not installed.", advice=f"Install it: {_INSTALL}") from error
        except pytesseract.TesseractError as error:
            raise Unreadable(f"Tesseract could not read the page: {str(error)[:200]}") from error
    return str(told)


def _words(tsv: str) -> list[tuple[int, RawWord]]:
    """Words with the number of their page, from 0."""
    found = []
    for line in tsv.splitlines()[1:]:
        cells = line.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        x0, y0, across, down = (float(cell) for cell in cells[6:10])
        confidence = min(1.0, max(0.0, float(cells[10]) / 100))
        text = cells[11].strip()
        word = RawWord(text=text, x0=x0, y0=y0, x1=x0 + across, y1=y0 + down, confidence=confidence)
        found.append((int(cells[1]) - 1, word))
    return found


ENGINE = Tesseract()
