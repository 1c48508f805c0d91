"""Who reads the same pages, and how well: words found, seconds and processor time."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytesseract
from PIL import Image
from rich.table import Table

from benchmarks.processes import cpu_s
from ocr.reader import READER

CORES = os.cpu_count() or 1
BUNDLE = 2 * CORES
"""Pages that one contender reads before the next one's turn."""


@dataclass
class Count:
    """Words of a contender against the truth, and what they cost."""

    right: int = 0
    read: int = 0
    true: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    def add(self, words: Iterable[str], truth: Counter[str]) -> None:
        found = Counter(folded(words))
        self.right += (found & truth).total()
        self.read += found.total()
        self.true += truth.total()

    @property
    def recall(self) -> float:
        return self.right / max(1, self.true)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.read)


def folded(words: Iterable[str]) -> list[str]:
    """Letters and digits in lower case, as the publishers of the receipts compare words."""
    plain = ("".join(filter(str.isalnum, word)).lower() for word in words)
    return [word for word in plain if word]


def tesseract_cli(file: Path, languages: str) -> list[str]:
    """The raw command with one thread, as a script would call it."""
    command = ["tesseract", str(file), "stdout", "-l", languages]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.split()


def plain_pytesseract(file: Path, languages: str) -> list[str]:
    """pytesseract as it is commonly written: an image, its words with their boxes, one page after the other."""
    told = pytesseract.image_to_data(Image.open(file), lang=languages, output_type=pytesseract.Output.DICT)
    return [text for text in told["text"] if text.strip()]


def plain_rapidocr(file: Path) -> list[str]:
    """RapidOCR as it comes: its default pipeline, with as many threads as it takes."""
    return " ".join(_rapidocr()(str(file)).txts or ()).split()


@cache
def _rapidocr() -> Any:
    import rapidocr  # slow to load, and needed for some receipts only

    return rapidocr.RapidOCR(params={"Global.log_level": "critical"})


def ours(file: Path) -> list[str]:
    return [word.text for page in READER.read(file).pages for word in page.words]


def several(read: Callable[[Path], list[str]], files: Sequence[Path]) -> list[list[str]]:
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(read, files))


def one_by_one(read: Callable[[Path], list[str]], files: Sequence[Path]) -> list[list[str]]:
    return [read(file) for file in files]


Contender = tuple[str, Callable[[Path], list[str]], Callable[..., list[list[str]]]]


def race(
    contenders: Sequence[Contender], files: Sequence[Path], truths: Sequence[Counter[str]], tick: Callable[[int], None]
) -> dict[str, Count]:
    """Every contender reads every file, a bundle each in turn; who begins moves on with each bundle."""
    counts = {name: Count() for name, _, _ in contenders}
    for number, start in enumerate(range(0, len(files), BUNDLE)):
        bundle, wanted = files[start : start + BUNDLE], truths[start : start + BUNDLE]
        first = number % len(contenders)
        for name, read, how in (*contenders[first:], *contenders[:first]):
            with _costing(counts[name]):
                told = how(read, bundle)
            for words, truth in zip(told, wanted, strict=True):
                counts[name].add(words, truth)
        tick(min(len(files), start + BUNDLE))
    return counts


@contextmanager
def _costing(count: Count) -> Iterator[None]:
    began, used = time.perf_counter(), cpu_s()
    yield
    count.seconds += time.perf_counter() - began
    count.cpu_s += cpu_s() - used


def shown(title: str, counts: dict[str, Count], pages: int) -> Table:
    """The contenders; ratios are to the first one."""
    table = Table(title=title, box=None, header_style="bold", title_justify="left", pad_edge=False)
    table.add_column("")
    for name in ("recall", "precision", "s/page", "pages/s, ratio", "CPU s/page", "CPU, ratio"):
        table.add_column(name, justify="right")
    base = next(iter(counts.values()))
    for name, count in counts.items():
        speed = f"{base.seconds / count.seconds:.2f}"
        cpu = f"{count.cpu_s / max(0.01, base.cpu_s):.2f}"
        cells = (f"{count.recall:.3f}", f"{count.precision:.3f}", f"{count.seconds / pages:.2f}", speed)
        table.add_row(name, *cells, f"{count.cpu_s / pages:.2f}", cpu)
    return table
