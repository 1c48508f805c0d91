"""Hostile files, read as the service reads them: does it live, in how much memory and time, and does other work notice?

`python -m benchmarks.hostile [--seed 1] [--every 1] [--no-long] [--real FOLDER]`. What follows from a file is a reading
or a BusinessError; everything else is a crash. Beside the files, in the process that reads them, honest pages are read
again and again, one with a text layer and one that needs OCR: the p95 of each may be at most 1.5 times what it is while
that process reads nothing else. --real: PDFs that are cut and fuzzed beside our own. The last line is one JSON object;
exit code 1 when a figure is beyond its limit.

A child, a page and a file have 20 s. A file of many pages that need OCR takes longer, as an honest one does
(`slowest_long_file_s`; --no-long leaves those out): there each page is limited.
"""

import json
import multiprocessing
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.peers import CORES
from benchmarks.processes import peak_mib
from benchmarks.timing import timed
from benchmarks.verdict import Limits, broken, verdict
from tallyman.errors import BusinessError
from tallyman.platform import kept, sandbox
from tallyman.registry import Registry
from tallyman.runtime.understand import read_file
from tests.hostile import MANY_PAGES, files, honest_page, honest_scan, save

ALONE = 20
"""So often each honest page is read with nothing beside it."""
PAUSE_S = 0.1
LIMITS: Limits = {
    "crashes": ("<=", 0),
    "slowest_child_s": ("<=", 20),
    "slowest_page_s": ("<=", 20),
    "slowest_file_s": ("<=", 20),
    "peak_mib": ("<=", 1024),
    "other_text_p95_ratio": ("<=", 1.5),
    "other_scan_p95_ratio": ("<=", 1.5),
}
Work = list[tuple[str, str, Path]]
"""Kind, name and place of files."""
Seconds = dict[str, list[float]]


@dataclass(frozen=True)
class Told:
    """What became of one file. `outcome`: "read", "parts", the name of a BusinessError, or "CRASH" and what it was."""

    kind: str
    name: str
    outcome: str
    seconds: float
    """With all documents in it."""


@dataclass
class Ran:
    """What one process told. Seconds of each reading of honest pages, "text" and "scan", and of each call of a child:
    "child" for those that are thrown away, "page" for those that stay."""

    told: list[Told] = field(default_factory=list)
    peak_mib: int = 0
    honest: Seconds = field(default_factory=lambda: defaultdict(list))
    calls: Seconds = field(default_factory=lambda: defaultdict(list))


def read(kind: str, name: str, file: Path) -> Told:
    """Take a file in as intake does, and read each document in it."""
    started = time.monotonic()
    try:
        outcome = _read(file)
    except BusinessError as error:
        outcome = type(error).__name__
    except Exception as error:  # noqa: BLE001 - this is what is counted here
        outcome = f"CRASH {type(error).__name__}: {error}"[:200]
    return Told(kind, name, outcome, time.monotonic() - started)


def _read(file: Path) -> str:
    reader = Registry().page_reader
    try:
        parts = reader.parts(file)
    except BusinessError:  # it stays one document, whose reading tells the reason
        parts = ()
    if not any(part.media_type for part in parts):
        read_file(file)
        return "read"
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(part for part in parts if not part.left_out):
            document = Path(folder, str(number))
            document.write_bytes(part.content)
            with suppress(BusinessError):
                read_file(document)
    return "parts"


class Service:
    """A process that reads, as a worker of the service does; when it dies of a file, another one takes its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(1, mp_context=spawn, initializer=_warm_up, initargs=(self._folder,))

    def read(self, work: Work) -> Ran:
        """With honest work beside; of no files, honest work alone. If it dies of that, each of the files is a crash."""
        try:
            return self._process.submit(_read_all, work, self._folder).result()
        except Exception as error:
            self.close()
            if not work:
                raise
            self._start()
            return Ran([Told(kind, name, f"CRASH {type(error).__name__}: {error}", 0.0) for kind, name, _ in work])

    def close(self) -> None:
        self._process.shutdown()


def _warm_up(folder: Path) -> None:
    """All children are there, and have loaded what they need."""
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(_read_honest, [folder] * CORES))


def _read_all(work: Work, folder: Path) -> Ran:
    ran, ended = Ran(), threading.Event()
    with peak_mib() as peak, calls(ran.calls), ThreadPoolExecutor(1) as pool:
        other = pool.submit(_read_honest, folder, ran.honest, ended if work else None)
        try:
            ran.told = [read(*one) for one in work]
        finally:
            ended.set()
        other.result()
    ran.peak_mib = peak[0]
    return ran


@contextmanager
def calls(into: Seconds) -> Iterator[None]:
    """Puts there the seconds of every call of a child, without the wait for its turn."""
    with timed(sandbox, "_exchange") as child, timed(kept._Child, "ask") as page:
        yield
    into["child"] += child
    into["page"] += page


def _read_honest(folder: Path, into: Seconds | None = None, until: threading.Event | None = None) -> None:
    """Once; or ALONE times, or until the event, with the seconds that each reading took."""
    reader = Registry().page_reader
    left = 1 if into is None else ALONE
    while left if until is None else not until.is_set():
        for kind in ("text", "scan"):
            started = time.monotonic()
            reader.read(folder / f"{kind}.pdf")
            if into is not None:
                into[kind].append(time.monotonic() - started)
                time.sleep(PAUSE_S)
        left -= 1


def main(
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 1,
    every: Annotated[int, typer.Option(min=1, help="Only each n-th file.")] = 1,
    long: Annotated[bool, typer.Option(help="Also those of many heavy pages, which take minutes.")] = True,
    real: Annotated[Path | None, typer.Option(help="A folder with PDFs to cut and fuzz as well.")] = None,
) -> None:
    """Read them all and print a table, at last one line of JSON."""
    documents = [file.read_bytes() for file in sorted(real.rglob("*.pdf"))[::10]] if real else []
    with tempfile.TemporaryDirectory(prefix="hostile-") as made:
        folder = Path(made)
        for kind, content in (("text", honest_page()), ("scan", honest_scan())):
            (folder / f"{kind}.pdf").write_bytes(content)
        work: dict[str, Work] = defaultdict(list)
        for number, one in enumerate(files(seed, documents)):
            if long if one.kind == MANY_PAGES else number % every == 0:
                work[one.kind].append((one.kind, one.name, save(folder, one, number)))
        service = Service(folder)
        alone = service.read([])
        console = Console(stderr=True)
        ran = {kind: service.read(some) for kind, some in track(work.items(), "Reading", console=console)}
        service.close()
    figures = figures_of(ran, alone)
    _show(ran)
    Console().print(verdict(figures, LIMITS))
    print(json.dumps(figures))
    if broken(figures, LIMITS):
        raise typer.Exit(1)


def figures_of(ran: dict[str, Ran], alone: Ran) -> dict[str, float | None]:
    """The JSON: of all kinds together, beside honest work alone."""
    told = [one for some in ran.values() for one in some.told]
    figures: dict[str, float | None] = {
        "files": len(told),
        "crashes": sum(one.outcome.startswith("CRASH") for one in told),
        "slowest_child_s": _slowest(seconds for some in ran.values() for seconds in some.calls["child"]),
        "slowest_page_s": _slowest(seconds for some in ran.values() for seconds in some.calls["page"]),
        "slowest_file_s": _slowest(one.seconds for one in told if one.kind != MANY_PAGES),
        "slowest_long_file_s": _slowest(one.seconds for one in told if one.kind == MANY_PAGES),
        "peak_mib": max(some.peak_mib for some in ran.values()),
    }
    for kind in ("text", "scan"):
        before = _p95(alone.honest[kind])
        beside = _p95([seconds for some in ran.values() for seconds in some.honest[kind]])
        figures[f"other_{kind}_p95_alone_s"] = round(before, 3)
        figures[f"other_{kind}_p95_beside_s"] = round(beside, 3)
        figures[f"other_{kind}_p95_ratio"] = round(beside / before, 2)
    return figures


def _slowest(seconds: Iterator[float]) -> float | None:
    most = max(seconds, default=None)
    return None if most is None else round(most, 1)


def _p95(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 95)) if seconds else float("nan")


def _show(ran: dict[str, Ran]) -> None:
    table = Table(
        "kind", "files", "crashes", "slowest file s", "child s", "page s", "peak MiB", "other p95 s", "outcomes"
    )
    for kind, some in ran.items():
        outcomes = Counter(one.outcome.split(" ")[0].split(":")[0] for one in some.told)
        counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        slowest = max(some.told, key=lambda one: one.seconds)
        child, page = (max(some.calls[name], default=0.0) for name in ("child", "page"))
        other = ", ".join(f"{_p95(seconds):.2f} {name}" for name, seconds in sorted(some.honest.items()))
        cells = (f"{len(some.told)}", f"{outcomes['CRASH']}", f"{slowest.seconds:.1f} ({slowest.name})")
        table.add_row(kind, *cells, f"{child:.1f}", f"{page:.1f}", f"{some.peak_mib}", other, counted)
    console = Console(width=180)
    console.print(table)
    for some in ran.values():
        for one in some.told:
            if one.outcome.startswith("CRASH"):
                console.print(one, markup=False)


if __name__ == "__main__":
    typer.run(main)
