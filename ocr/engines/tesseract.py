"""Tesseract 5 through pytesseract: for clean pages of about 300 dpi."""

import shutil
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from ocr.lines import RawWord, in_reading_order
from tallyman.domain.page import Word
from tallyman.errors import TechnicalError, Unreadable

_INSTALL = "apt-get install tesseract-ocr tesseract-ocr-eng tesseract-ocr-deu"


class Tesseract:
    """One process, one thread: several pages at once are faster than several threads on one page."""

    name = "tesseract"

    @cached_property
    def version(self) -> str:
        try:
            told = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, timeout=10, check=False)
        except OSError:
            return "missing"
        return (told.stdout or told.stderr).split("\n", 1)[0].removeprefix("tesseract ").strip()

    def available(self) -> str | None:
        if shutil.which("tesseract") is None:
            return f"Tesseract is not installed: {_INSTALL}"
        told = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, timeout=10, check=False)
        missing = {"eng", "deu"} - set(told.stdout.split())
        return f"Tesseract lacks the languages {', '.join(sorted(missing))}: {_INSTALL}" if missing else None

    def words(self, image: Any, languages: tuple[str, ...], *, mode: int = 3) -> tuple[Word, ...]:
        """As the contract says. `mode` is tesseract's page segmentation: 3 finds blocks, 6 takes one block."""
        height, width = image.shape
        return in_reading_order(
            _words(_run(image, languages, f"--psm {mode} -c tessedit_create_tsv=1", "tsv")), width, height
        )

    def orientation(self, image: Any) -> tuple[int, float]:
        """(degrees clockwise by which to turn the page upright, confidence 0..); (0, 0.0) when it can't be told."""
        try:
            told = _run(image, ("osd",), "--psm 0", "osd")
        except Unreadable:
            return 0, 0.0
        values = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
        return int(values.get("Rotate", 0)), float(values.get("Orientation confidence", 0))


def _run(image: Any, languages: tuple[str, ...], config: str, extension: str) -> str:
    """Tesseract's output as text. The image goes by an uncompressed file, which costs far less than a PNG."""
    import pytesseract

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pgm"
        height, width = image.shape
        path.write_bytes(b"P5 %d %d 255\n" % (width, height) + image.tobytes())
        try:
            told = pytesseract.pytesseract.run_and_get_output(
                str(path), extension=extension, lang="+".join(languages), config=config
            )
        except pytesseract.TesseractNotFoundError as error:
            raise TechnicalError("Tesseract is not installed.", advice=f"Install it: {_INSTALL}") from error
        except pytesseract.TesseractError as error:
            raise Unreadable(f"Tesseract could not read the page: {str(error)[:200]}") from error
    return str(told)


def _words(tsv: str) -> list[RawWord]:
    found = []
    for line in tsv.splitlines()[1:]:
        cells = line.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        x0, y0, across, down = (float(cell) for cell in cells[6:10])
        confidence = min(1.0, max(0.0, float(cells[10]) / 100))
        text = cells[11].strip()
        found.append(RawWord(text=text, x0=x0, y0=y0, x1=x0 + across, y1=y0 + down, confidence=confidence))
    return found


ENGINE = Tesseract()
