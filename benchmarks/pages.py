"""Does the page reader answer which way up a page lies, how far it leans, and what its codes say? On papers that
models/synthetic prints and scans, turned and leaning: our own documents, not the world's.

`python -m benchmarks.pages [--count 200] [--seed 5000]`. The last line is JSON. Every paper is read as a stranger's
file is: a scan as PDF, a phone's photo as JPEG. Seeds below 1000 were looked at while the reader was made.
"""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pikepdf
import typer
from PIL import Image

from benchmarks.peers import CORES
from benchmarks.verdict import show
from models.synthetic import Printer, Scan, random_invoice, random_pod, random_scan
from models.synthetic.barcodes import random_codes
from ocr.reader import READER

T = TypeVar("T")
R = TypeVar("R")
Tick = Callable[[], None]
Held = Literal["photo", "level", "leaning"]

_ROUND = 24
_LEAN = 8.0
"""Degrees, to either side."""
_LINES = 8
"""Of an invoice at most: the reader's time is better spent on other papers than on the second page of one."""


@dataclass(frozen=True)
class Paper:
    """`turn` and `lean` are the degrees, clockwise, by which its pages are off. A photo's lean is not known exactly."""

    files: tuple[Path, ...]
    held: Held
    scan: Scan
    turn: int
    lean: float
    codes: Counter[str]


@dataclass(frozen=True)
class Answer:
    """`left`: for each page the degrees by which it is still off when it is turned as the reader says."""

    paper: Paper
    left: tuple[float, ...]
    straightened: tuple[float, ...]
    codes: Counter[str]


def nothing() -> None:
    """No progress to show."""


def together(work: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
    """What `work` gives for each thing, in their order: as many at a time as there are cores, while next ones are made.

    Few are made ahead, for they are large.
    """
    with ThreadPoolExecutor(CORES) as pool:
        waiting: deque[Future[R]] = deque()
        for thing in things:
            waiting.append(pool.submit(work, thing))
            if len(waiting) > 2 * CORES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def papers(count: int) -> int:
    """How many are read so that `count` of them lean."""
    return _ROUND * -(-count // (_ROUND - 4))


def _held(number: int) -> Held:
    """Of each round an invoice and a slip are photos, and one of each is level."""
    place = number % _ROUND
    return "photo" if place < 2 else "level" if place < 4 else "leaning"


def measure_pages(count: int, seed: int, tick: Tick = nothing) -> dict[str, dict[str, Any]]:
    """{"orientation", "skew", "codes"}, each with its figures, of `papers(count)` papers.

    orientation: "right" is the share of pages. skew: what is left of the lean of those that lean, in degrees;
    "left_alone" of those that are level. codes: "exact" is the share of right values of all that are printed and all
    "wrong" ones, which stand on no paper.
    """
    answers = []
    with TemporaryDirectory() as folder, Printer() as printer:
        made = (_paper(printer, Path(folder), number, seed) for number in range(papers(count)))
        for answer in together(_answer, made):
            answers.append(answer)
            tick()
    return {"orientation": _orientation(answers), "skew": _skew(answers), "codes": _codes(answers)}


def _paper(printer: Printer, folder: Path, number: int, seed: int) -> Paper:
    at = seed + number
    dice = random.Random(f"pages/{at}")
    held = _held(number)
    how = random_scan(dice)
    while (how.photo > 0) is not (held == "photo"):
        how = random_scan(dice)
    lean = round(dice.uniform(-_LEAN, _LEAN), 2) if held == "leaning" else 0.0
    how = how.model_copy(update={"skew": lean})
    spec, style = random_pod(at, "scan") if number % 2 else random_invoice(at, "scan")
    spec = spec.model_copy(update={"lines": spec.lines[:_LINES]})
    style = style.model_copy(update={"codes": random_codes(spec, at), "scan": how, "terms_page": False})
    out = folder / f"{number}.{'jpg' if held == 'photo' else 'pdf'}"
    printed = printer.print(spec, style, out, at)
    files = (out, *sorted(folder.glob(f"{number}-*")))
    turn = dice.choice((0, 90, 180, 270))
    for file in files:
        _turn(file, turn, how.dpi)
    return Paper(files, held, how, turn, lean, Counter(printed.truth["barcodes"]))


def _turn(file: Path, degrees: int, dpi: int) -> None:
    """Turn its pages clockwise, as if they had lain so."""
    if file.suffix == ".pdf":
        with pikepdf.open(file, allow_overwriting_input=True) as document:
            for page in document.pages:
                page.rotate(degrees, relative=True)
            document.save(file)
    elif degrees:
        with Image.open(file) as picture:
            picture.rotate(-degrees, expand=True).save(file, "JPEG", quality=90, dpi=(dpi, dpi))


def _answer(paper: Paper) -> Answer:
    pages = [page for file in paper.files for page in READER.read(file).pages]
    off = paper.turn + paper.lean
    return Answer(
        paper,
        left=tuple((off + page.rotation + page.skew + 180) % 360 - 180 for page in pages),
        straightened=tuple(page.skew for page in pages),
        codes=Counter(code.text for page in pages for code in page.barcodes),
    )


def _orientation(answers: Sequence[Answer]) -> dict[str, Any]:
    left = [degrees for answer in answers for degrees in answer.left]
    return {"pages": len(left), "right": round(sum(abs(degrees) < 45 for degrees in left) / len(left), 4)}


def _skew(answers: Sequence[Answer]) -> dict[str, Any]:
    """What is left of the lean alone: a page on its side may be level."""
    leaning = [abs((left + 45) % 90 - 45) for one in answers if one.paper.held == "leaning" for left in one.left]
    level = [skew for one in answers if one.paper.held == "level" for skew in one.straightened]
    p50, p95 = (round(float(np.percentile(leaning, part)), 3) for part in (50, 95))
    greatest = round(max(leaning), 3)
    told = {"pages": len(leaning), "p50": p50, "p95": p95, "greatest": greatest}
    return {**told, "level": len(level), "left_alone": level.count(0.0)}


def _codes(answers: Sequence[Answer]) -> dict[str, Any]:
    wanted = sum(one.paper.codes.total() for one in answers)
    right = sum((one.paper.codes & one.codes).total() for one in answers)
    wrong = sum((one.codes - one.paper.codes).total() for one in answers)
    missed: Counter[str] = Counter()
    for one in answers:
        missed[f"{one.paper.scan.dpi} dpi, {one.paper.held}"] += (one.paper.codes - one.codes).total()
    exact = round(right / max(1, wanted + wrong), 4)
    return {"papers": len(answers), "codes": wanted, "exact": exact, "wrong": wrong, "missed": dict(+missed)}


def main(
    count: Annotated[int, typer.Option(help="Papers that lean.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the first paper.")] = 5000,
) -> None:
    """Print a table; the last line is JSON."""
    told = measure_pages(count, seed)
    show(told, f"Own papers, {papers(count)}, seed {seed}")


if __name__ == "__main__":
    typer.run(main)
