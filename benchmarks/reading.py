"""Reading against its peers, on the same pages in one run: words found, pages a second, processor time.

`python -m benchmarks.reading` takes receipts and invoices from ../shared/data beside the checkout, or from `--receipts
DIR --truth FILE` and `--invoices DIR`. A peer and we take turns, page by page or bundle by bundle, so that what else
the machine does slows both. The last line is one JSON object; a figure whose documents are missing is null in it. Exit
code 1 when a figure is beyond its limit.

Words are compared as the data's publishers write them: at white space, letters and digits only, in lower case.
"""

import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import pypdfium2
import typer
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.marks import measure_marks, slips
from benchmarks.pages import measure_pages, papers
from benchmarks.peers import (
    CORES,
    Contender,
    folded,
    one_by_one,
    ours,
    plain_pytesseract,
    plain_rapidocr,
    race,
    several,
    shown,
    tesseract_cli,
)
from benchmarks.stacks import measure_splits
from benchmarks.timing import one_thread, timed
from benchmarks.verdict import Limits, broken, verdict
from ocr import engines, inside, pdf, recognition
from ocr.reader import READER
from tallyman.domain.page import WordSource
from tallyman.runtime.page_cache import CachedPages
from tallyman.runtime.picture import CODE as TEXT_DIFFERS
from tallyman.runtime.understand import read_file

T = TypeVar("T")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LANGUAGES = "deu+eng"
TEXT_LAYER = "pdfium"
"""The engine of a page that OCR had no part in."""
SLOW_EACH = 8
"""Of so many receipts one is for contenders that take seconds for it."""
SEED = 5000

LIMITS: Limits = {
    "throughput_vs_tesseract": (">=", 1.0),
    "throughput_vs_pytesseract": (">=", 2.0),
    "recall_vs_tesseract": (">=", 1.0),
    "overhead": ("<=", 0.10),
    "receipts_recall": (">=", 0.90),
    "receipts_precision": (">=", 0.92),
    "cpu_vs_tesseract": ("<=", 2.5),
    "invoice_recall": (">=", 0.94),
    "text_layer_ms": ("<=", 5.0),
    "text_layer_p95_ms": ("<=", 5.0),
    "cached_ms": ("<=", 5.0),
    "orientation": (">=", 0.99),
    "skew_deg_p95": ("<=", 0.3),
    "barcode_exact": (">=", 0.98),
    "signature_accuracy": (">=", 0.95),
    "signature_abstained": ("<=", 0.10),
    "smudges_signed": ("<=", 0),
    "split_boundaries": (">=", 0.95),
}

out = Console(width=None if Console().is_terminal else 120)


@dataclass
class Bench:
    receipts: Path
    truth: Path
    invoices: Path
    sample: int
    pages: int
    count: int
    stacks: int
    tick: Callable[[str, int, int], None]
    """Told the part, what is done of it, and how much it is in all."""
    figures: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(LIMITS))
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scans(bench: Bench) -> None:
    """Clean pages of 300 dpi as scanners give them, in JPEG: speed, words found, and what is not the engines' time."""
    with tempfile.TemporaryDirectory(prefix="tallyman-scans-") as folder:
        files, truths = _scans(bench.invoices, bench.pages, Path(folder))
        if not files:
            return
        one_by_one(ours, files[:1])  # the engines are loaded
        several(ours, files[:CORES])
        contenders: list[Contender] = [
            (f"tesseract, {CORES} processes", partial(tesseract_cli, languages=LANGUAGES), several),
            ("tesseract in German alone", partial(tesseract_cli, languages="deu"), several),
            ("pytesseract as commonly written", partial(plain_pytesseract, languages=LANGUAGES), one_by_one),
            ("tallyman", ours, several),
        ]
        counts = race(contenders, files, truths, lambda done: bench.tick("scans", done, 2 * len(files)))
        raw, german, plain, we = counts.values()
        overhead = _overhead(files, lambda done: bench.tick("scans", len(files) + done, 2 * len(files)))
    bench.tables.append(shown(f"{len(files)} clean invoice pages of 300 dpi, {LANGUAGES}", counts, len(files)))
    bench.figures["throughput_vs_tesseract"] = round(raw.seconds / we.seconds, 2)
    bench.figures["throughput_vs_pytesseract"] = round(plain.seconds / we.seconds, 2)
    bench.figures["recall_vs_tesseract"] = round(we.recall / max(0.01, raw.recall, german.recall), 4)
    bench.figures["invoice_recall"] = round(we.recall, 4)
    bench.figures["overhead"] = round(overhead, 3)


def _scans(invoices: Path, most: int, folder: Path) -> tuple[list[Path], list[Counter[str]]]:
    """The first two pages of invoices with a text layer, which is the truth, spread over all of them."""
    pages = [
        (file, number)
        for file in sorted(invoices.rglob("*.pdf"))
        for number, page in enumerate(list(pypdfium2.PdfDocument(file))[:2])
        if len(pdf.text_words(page)) >= 30
    ]
    files, truths = [], []
    for at in np.unique(np.linspace(0, len(pages) - 1, min(most, len(pages))).astype(int)) if pages else ():
        source, number = pages[at]
        page = pypdfium2.PdfDocument(source)[number]
        file = folder / f"{at}.jpg"
        Image.fromarray(pdf.render(page, 300, grey=True)).save(file, quality=90, dpi=(300, 300))
        files.append(file)
        truths.append(Counter(folded(word.text for word in pdf.text_words(page))))
    return files, truths


def _overhead(files: Sequence[Path], tick: Callable[[int], None]) -> float:
    """The whole pipeline's time for a page over the engines' own, one page after the other and by turns."""
    whole = alone = 0.0
    with one_thread():
        _engines_alone(files[0])
        for number, file in enumerate(files):
            for part in ("whole", "engines") if number % 2 else ("engines", "whole"):
                if part == "whole":
                    began = time.perf_counter()
                    READER.read(file)
                    whole += time.perf_counter() - began
                else:
                    alone += _engines_alone(file)
            tick(number + 1)
    return whole / alone - 1


def _engines_alone(file: Path) -> float:
    """Seconds that the engines take of a page, in this process, on the very pictures that the pipeline gives them."""
    with tempfile.TemporaryFile() as pixels:
        (drawn,) = (page["drawn"] for page in inside.inspect(str(file), None, 1, pixels.fileno())["pages"])
        pixels.seek(drawn["offset"])
        grey = np.frombuffer(pixels.read(), np.uint8).reshape(drawn["height"], drawn["width"])
    with ExitStack() as stack:
        calls = [(engine, name) for engine in engines.all_engines() for name in ("words", "spell")]
        spent = [stack.enter_context(timed(*call)) for call in calls]
        recognition.read_page(grey, READER.engine, READER.languages)
    return sum(map(sum, spent))


def receipts(bench: Bench) -> None:
    """Photographed and faded paper: words found, and processor time, by tesseract and by us."""
    if not bench.truth.is_file():
        return
    told = [json.loads(line) for line in bench.truth.read_text("utf-8").splitlines()]
    chosen = [told[at] for at in np.unique(np.linspace(0, len(told) - 1, min(bench.sample, len(told))).astype(int))]
    files = [_receipt(bench.receipts, one["file"]) for one in chosen]
    truths = [Counter(folded(" ".join(line["text"] for line in one["lines"]).split())) for one in chosen]
    several(ours, files[:CORES])
    contenders: list[Contender] = [
        ("tesseract", partial(tesseract_cli, languages="eng"), several),
        ("tallyman", ours, several),
    ]
    slow: list[Contender] = [
        ("pytesseract as commonly written", partial(plain_pytesseract, languages="eng"), one_by_one),
        ("RapidOCR as it comes", plain_rapidocr, one_by_one),
    ]
    some, their_truths = files[::SLOW_EACH], truths[::SLOW_EACH]
    plain_rapidocr(some[0])  # its networks are loaded
    every = len(files) + len(some)
    counts = race(contenders, files, truths, lambda done: bench.tick("receipts", done, every))
    more = race([*contenders, *slow], some, their_truths, lambda done: bench.tick("receipts", len(files) + done, every))
    raw, we = counts.values()
    bench.tables.append(shown(f"{len(files)} of {len(told)} receipts", counts, len(files)))
    bench.tables.append(shown(f"{len(some)} of these, with slow contenders too", more, len(some)))
    bench.figures["receipts_recall"] = round(we.recall, 4)
    bench.figures["receipts_precision"] = round(we.precision, 4)
    bench.figures["cpu_vs_tesseract"] = round(we.cpu_s / raw.cpu_s, 2)


def _receipt(folder: Path, name: str) -> Path:
    """The image that a line of the truth names, by its path or by its name alone."""
    return next(file for file in (folder / name, folder / Path(name).name) if file.is_file())


def layers(bench: Bench) -> None:
    """Pages with a text layer, and documents that are known: milliseconds each, against pypdfium2's bare text."""
    files = sorted(bench.invoices.rglob("*.pdf"))
    if not files:
        return
    READER.read(files[0])  # the children's template is there
    bare, cached = list[float](), list[float]()
    pages = list[float]()
    """Of each page with a text layer: pages of one document are read together, so each takes its share."""
    with tempfile.TemporaryDirectory(prefix="tallyman-readings-") as folder:
        keeping = CachedPages(READER, Path(folder))
        for number, file in enumerate(files):
            bare_s, _ = _took(partial(_bare_text, file))
            whole_s, reading = _took(partial(keeping.read, file))
            count = len(reading.pages)
            if count and all(page.engine == TEXT_LAYER for page in reading.pages):
                pages += [whole_s / count] * count
                bare += [bare_s / count] * count
            cached += [_took(partial(keeping.read, file))[0] for _ in range(3)]
            bench.tick("layers", number + 1, 2 * len(files))
        _understood(bench, files, keeping)
    if not pages:
        return
    bench.figures["text_layer_ms"] = round(1000 * statistics.mean(pages), 2)
    bench.figures["text_layer_p95_ms"] = round(1000 * _p95(pages), 2)
    bench.figures["cached_ms"] = round(1000 * _p95(cached), 2)
    bench.notes.append(
        f"text layers: {1000 * statistics.mean(pages):.1f} ms a page of {len(pages)}, in a child of its own for each "
        f"file, {sum(pages) / sum(bare):.1f} x pypdfium2 alone without one ({1000 * statistics.mean(bare):.1f} ms); "
        f"known documents: median {1000 * statistics.median(cached):.1f} ms"
    )


def _bare_text(file: Path) -> None:
    for page in pypdfium2.PdfDocument(file):
        page.get_textpage().get_text_bounded()


def _understood(bench: Bench, files: Sequence[Path], keeping: CachedPages) -> None:
    """How long it takes to a document's fields, without the XML inside that would give them; and how many pages are
    said to show something else than their text layers, which stops a posting, though nobody forged them."""
    cold, warm = list[float](), list[float]()
    alarms, pages = set[tuple[Path, int | None]](), 0
    for number, file in enumerate(files):
        seconds, (reading, document) = _took(partial(read_file, file, ignore_embedded=True, page_reader=READER))
        cold.append(seconds)
        warm.append(_took(partial(read_file, file, ignore_embedded=True, page_reader=keeping))[0])
        pages += sum(page.source is WordSource.TEXT_LAYER for page in reading.pages)
        different = [problem.field for problem in document.problems if problem.code == TEXT_DIFFERS]
        alarms |= {(file, document.fields[name].evidence.page) for name in different if name in document.fields}
        bench.tick("layers", len(files) + number + 1, 2 * len(files))
    bench.notes.append(
        f"from a file with text layers to its fields, of {len(files)} documents: median {_ms(cold)}; with the pages "
        f"known: {_ms(warm)}"
    )
    bench.notes.append(
        f"false alarms: {len(alarms)} of {pages} pages with a text layer, in {len({file for file, _ in alarms})} "
        f"documents that nobody forged, are said to show something else on their picture"
    )


def _took(function: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    told = function()
    return time.perf_counter() - began, told


def _ms(seconds: Sequence[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f} ms, p95 {1000 * _p95(seconds):.0f} ms"


def _p95(seconds: Sequence[float]) -> float:
    return float(np.percentile(seconds, 95))


def printed(bench: Bench) -> None:
    """Orientation, skew, codes, signatures and stacks, on papers that models/synthetic printed and scanned."""
    every = papers(bench.count) + slips(bench.count) + bench.stacks
    steps = iter(range(1, every + 1))

    def tick() -> None:
        bench.tick("own papers", next(steps), every)

    read = measure_pages(bench.count, SEED, tick)
    marks = measure_marks(bench.count, SEED, "reader", tick)
    stacks = measure_splits(bench.stacks, SEED, tick)
    bench.figures |= {
        "orientation": read["orientation"]["right"],
        "skew_deg_p95": read["skew"]["p95"],
        "barcode_exact": read["codes"]["exact"],
        "signature_accuracy": marks["right"],
        "signature_abstained": marks["abstained"],
        "smudges_signed": marks["dirt_signed"],
        "split_boundaries": stacks["right"],
    }
    table = Table(title=f"Our own papers, {bench.count} of each kind: these prove less than real ones would", box=None)
    for name in ("what", "figures"):
        table.add_column(name)
    for name, told in {**read, "marks": marks, "stacks": stacks}.items():
        table.add_row(name, ", ".join(f"{key} {value}" for key, value in told.items()))
    bench.tables.append(table)
    bench.notes.append(
        f"codes: {read['codes']['wrong']} values that stand on no paper, beside {read['codes']['codes']} that do; "
        f"{marks['dirt_signed']} of {marks['dirt']} smudges were taken for a signature"
    )


PARTS: dict[str, Callable[[Bench], None]] = {
    "scans": scans,
    "receipts": receipts,
    "layers": layers,
    "printed": printed,
}


def main(
    receipts: Annotated[Path, typer.Option(help="A folder of images.")] = DATA / "receipts",
    truth: Annotated[
        Path | None, typer.Option(help='JSONL of {"file", "lines": [{"text"}]}; else lines.jsonl in that folder.')
    ] = None,
    invoices: Annotated[Path, typer.Option(help="A folder of PDFs with text layers.")] = DATA / "invoices",
    sample: Annotated[int, typer.Option(help="Receipts at most, spread over all.")] = 160,
    pages: Annotated[int, typer.Option(help="Invoice pages at most, spread over all.")] = 40,
    count: Annotated[int, typer.Option(help="Own papers of each kind.")] = 200,
    stacks: Annotated[int, typer.Option(help="Stacks of 40 pages.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(PARTS)}.")] = None,
) -> None:
    """Read the same pages as the peers do, and print how both did."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("")

        def tick(part: str, done: int, every: int) -> None:
            progress.update(task, description=part, completed=done, total=every)

        bench = Bench(receipts, truth or receipts / "lines.jsonl", invoices, sample, pages, count, stacks, tick)
        for name in only or PARTS:
            PARTS[name](bench)
    for table in bench.tables:
        out.print(table)
        out.print()
    for note in bench.notes:
        out.print(note, highlight=False)
    out.print(verdict(bench.figures, LIMITS))
    print(json.dumps(bench.figures))
    if broken(bench.figures, LIMITS):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
