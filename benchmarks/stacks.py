"""Stacks, split where documents begin; and single documents, which are left whole.

`python -m benchmarks.stacks [--stacks 5] [--singles 100] [--seed 5000] [--real FOLDER]`. Every paper is made by
`models.synthetic` from its seed, scanned, and read as a stranger's file is. The last line is JSON. Seeds below 1000
were looked at while the weights were made.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from benchmarks.pages import Tick, nothing
from benchmarks.verdict import show
from models.cross_checks._stack.split import split_of
from models.synthetic import Printer, random_invoice
from models.synthetic.stacks import print_stack
from ocr.pdf import open_pdf
from ocr.reader import PagesReader
from tallyman.registry import Registry
from tallyman.runtime.understand import read_file

UNSEEN = 5000
_STACK_PAGES = 40


def measure_splits(stacks: int = 5, seed: int = UNSEEN, tick: Tick = nothing) -> dict[str, Any]:
    """Stacks of 40 pages: at how many pages it is told right whether a document begins there.

    {"stacks", "pages", "begins" (true beginnings but the first), "found" (share of them), "false" (told beginnings that
    are none), "right" (found less false, as a share of begins), "wrong_and_sure" (wrong, not marked), "doubtful"}
    """
    pages = begins = found = false = sure = doubtful = 0
    reader = PagesReader()
    with TemporaryDirectory() as folder:
        for at in range(seed, seed + stacks):
            with Printer() as printer:
                stack = print_stack(printer, Path(folder) / "stack.pdf", _STACK_PAGES, at)
            split = split_of(reader.read(stack.path).pages)
            told, true = {part[0] for part in split.documents[1:]}, set(stack.starts[1:])
            pages, begins, doubtful = pages + stack.pages, begins + len(true), doubtful + len(split.doubtful)
            found, false = found + len(told & true), false + len(told - true)
            sure += len((told ^ true) - set(split.doubtful))
            tick()
    return {
        "stacks": stacks,
        "pages": pages,
        "begins": begins,
        "found": round(found / begins, 4),
        "false": false,
        "right": round((found - false) / begins, 4),
        "wrong_and_sure": sure,
        "doubtful": doubtful,
    }


def measure_false_alarms(count: int = 100, seed: int = UNSEEN, real: Sequence[Path] = ()) -> dict[str, Any]:
    """Single documents of several pages, and real files: how many are taken for a stack, or for one perhaps.

    "doubtful": taken for one document of which a page may begin another; a person is asked about these too.
    Real ones are read without the XML inside them, which would answer the question.
    """
    printed = alarms = doubtful = real_alarms = real_doubtful = several = 0
    reader = PagesReader()
    with TemporaryDirectory() as folder, Printer() as printer:
        at = seed
        while printed < count:
            spec, style = random_invoice(at, "clean")
            paper = printer.print(spec, style, Path(folder) / "paper.pdf", at)
            at += 1
            if len(open_pdf(str(paper.path))) > 1:
                printed += 1
                split = split_of(reader.read(paper.path).pages)
                alarms += len(split.documents) > 1
                doubtful += len(split.documents) == 1 and bool(split.doubtful)
    checks = Registry()
    for path in real:
        reading, document = read_file(path, ignore_embedded=True, page_reader=reader, readers=checks.document_readers)
        several += len(reading.pages) > 1
        if any(problem.code == "SPLIT_SUGGESTED" for problem in document.problems):
            real_alarms += len(split_of(reading.pages).documents) > 1
            real_doubtful += len(split_of(reading.pages).documents) == 1
    return {
        "printed": printed,
        "printed_taken_for_stacks": alarms,
        "printed_doubtful": doubtful,
        "real": len(real),
        "real_of_several_pages": several,
        "real_taken_for_stacks": real_alarms,
        "real_doubtful": real_doubtful,
    }


def main(
    stacks: int = 5,
    singles: int = 100,
    seed: int = UNSEEN,
    real: Annotated[Path | None, typer.Option(help="a folder of real invoices as PDF")] = None,
) -> None:
    files = sorted(real.rglob("*.pdf")) if real else []
    result = {
        "splits": measure_splits(stacks, seed),
        "false_alarms": measure_false_alarms(singles, seed, files),
    }
    show(result)


if __name__ == "__main__":
    typer.run(main)
