"""Fields and line items of invoices: the rules, the document model, and what the service answers.

`python -m benchmarks.invoices --pdf DIR --truth FILE [--ignore-embedded] [--scan SEED] [--model DIR]`. The truth has a
JSON object a line: file, fields, lines, visible (which values are printed), group (the supplier). Header F1 is micro
over the visible fields, values compared as values; a line is right when its description, quantity, unit price and total
are. The last line is one JSON object.
"""

import json
import random
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.peers import CORES
from benchmarks.scoring import OURS, Scores, add, add_lines, known_fields
from models.layout.memory import Memory, remember
from models.layout.page import words_of
from models.synthetic import degrade
from models.synthetic.sampling import random_scan
from tallyman.domain.document import Document
from tallyman.domain.page import Reading
from tallyman.registry import Registry
from tallyman.runtime.understand import understand

Reader = Callable[[Reading], Document]
console = Console(stderr=True)


def main(
    pdf: Annotated[Path, typer.Option(help="The folder of the PDFs.")],
    truth: Annotated[Path, typer.Option(help="What is true of them, a JSON object a line.")],
    scan: Annotated[int | None, typer.Option(help="A seed: pages are rendered, degraded like scans, and read.")] = None,
    ignore_embedded: Annotated[bool, typer.Option(help="As if no PDF had its XML inside it.")] = False,
    model: Annotated[Path | None, typer.Option(help="A trained model's folder, asked as well.")] = None,
) -> None:
    """Print a table of fields, and one JSON object."""
    truths = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    truths = [one for one in truths if one["fields"].get("kind") != "order"]
    files = [pdf / Path(one["file"]).name for one in truths]
    readings = _readings(files) if scan is None else _scanned(files, scan)
    readers = _contenders(ignore_embedded, model)
    scores = {name: _scored(read, truths, readings) for name, read in readers.items()}
    _show(scores)
    last = list(scores.values())[-1]
    after = _after_one(list(readers.values())[-1], truths, readings)
    figures: dict[str, Any] = {
        "header_f1": round(last.header.f1, 4),
        "lines_f1": round(last.lines.f1, 4),
        "fields": {name: round(score.f1, 4) for name, score in last.fields.items()},
        "documents": last.documents,
        "after_one_confirmed_f1": round(after.header.f1, 4),
        "after_one_confirmed_documents": after.documents,
    }
    print(json.dumps(figures))


def _readings(files: list[Path]) -> list[Reading]:
    reader = Registry().page_reader
    with ThreadPoolExecutor(CORES) as pool:
        return list(track(pool.map(reader.read, files), "Reading", len(files), console=console))


def _scanned(files: list[Path], seed: int) -> list[Reading]:
    """As if each had been printed and scanned, most of them in an office, some folded, faint or by phone."""
    with tempfile.TemporaryDirectory() as folder:
        scans = [Path(folder, file.name) for file in files]
        for number, (file, out) in enumerate(track(list(zip(files, scans, strict=True)), "Scanning", console=console)):
            degrade.scan(file.read_bytes(), random_scan(random.Random(f"{seed}/{number}")), out, seed)
        return _readings(scans)


def _contenders(ignore_embedded: bool, model: Path | None) -> dict[str, Reader]:
    registry = Registry()

    def by(*names: str) -> Reader:
        some = [one for one in registry.document_readers if not names or one.name in names]
        return lambda reading: understand(reading, some, ignore_embedded=ignore_embedded)

    found: dict[str, Reader] = {"rules": by("rules"), "service": by()}
    if model is not None:
        from models.layout.serving import reader_of

        reader = reader_of(model)
        found["model"] = lambda reading: reader.read(reading) or Document(type="unknown")
    return found


def _scored(read: Reader, truths: list[dict[str, Any]], readings: list[Reading]) -> Scores:
    known, scores = known_fields(truths), Scores()
    for truth, reading in zip(truths, readings, strict=True):
        document = read(reading)
        add(scores, known, truth["fields"], truth["visible"], _values(document.fields))
        if truth["lines"]:
            add_lines(scores.lines, truth["lines"], [_values(line) for line in document.lines])
    return scores


def _after_one(read: Reader, truths: list[dict[str, Any]], readings: list[Reading]) -> Scores:
    """The documents of each supplier but its first, which a person has confirmed: what stood where is remembered."""
    known, scores = known_fields(truths), Scores()
    memories: dict[str, Memory] = {}
    for truth, reading in zip(truths, readings, strict=True):
        pages = [words_of(page, len(reading.pages)) for page in reading.pages]
        if truth["group"] in memories:
            told = {name: field.value for name, field in read(reading).fields.items()}
            remembered = memories[truth["group"]].recall(pages)
            told |= {name: field.value for name, field in remembered.items()}
            add(scores, known, truth["fields"], truth["visible"], told)
        else:
            seen = [name for name, shown in truth["visible"].items() if shown]
            confirmed = {OURS.get(name, name): truth["fields"][name] for name in seen}
            memories[truth["group"]] = remember(pages, confirmed)
    return scores


def _values(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: field.value for name, field in fields.items()}


def _show(scores: dict[str, Scores]) -> None:
    table = Table("field", *(f"{name}: F1" for name in scores), "precision", "recall", "wanted")
    names = sorted({name for some in scores.values() for name in some.fields})
    last = list(scores.values())[-1]
    for name in names:
        one = last.fields[name]
        cells = (f"{some.fields[name].f1:.3f}" for some in scores.values())
        table.add_row(name, *cells, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.wanted}")
    for name, pick in (("header", lambda some: some.header), ("lines", lambda some: some.lines)):
        one = pick(last)
        cells = (f"{pick(some).f1:.3f}" for some in scores.values())
        table.add_row(f"[b]{name}", *cells, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.wanted}")
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
