"""Printed documents as an engine reads them after a scanner had them: labelled pages with real misreadings."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from models.layout.fields import ROLES, TYPES
from models.layout.page import PageWords, words_of
from models.layout.training.labelled import LabelledPage, save
from models.layout.training.printed import class_of
from models.synthetic.printer import Printed, PrintedWord, Printer
from models.synthetic.sampling import random_paper, random_scan
from tallyman.domain.page import Reading

_COVERED = 0.5
"""So much of a read word's area must lie within a printed word, to be it."""
Read = Callable[[Path], Reading]


def scan_pages(folder: Path, seeds: range, read: Read) -> Iterator[int]:
    """Print, scan and read documents into one file of `folder`; yields how many are done."""
    pages: list[LabelledPage] = []
    file = folder / f"scanned-{seeds[0]:07d}-{seeds[-1]:07d}.npz"
    if file.exists():
        yield len(seeds)
        return
    with Printer() as printer:
        for done, seed in enumerate(seeds, start=1):
            spec, style = random_paper(seed)
            scan = random_scan(random.Random(f"scan/{seed}"))  # noqa: S311 - papers, no secrets
            style = style.model_copy(update={"paper": "scan", "scan": scan})
            out = folder / f"{seed}.pdf"
            printed = printer.print(spec, style, out, seed)
            pages += pages_of(printed, read(out))
            out.unlink()
            yield done
    save(pages, file)


def pages_of(printed: Printed, reading: Reading) -> list[LabelledPage]:
    """What was read, each word with the class of the printed word it lies on; pages that were turned are left out."""
    truth = printed.truth
    kind, group = TYPES.index(truth["type"]), f"{truth['type']}/{truth['layout']}"
    made = []
    for page in reading.pages:
        here = [word for word in printed.words if word.page == page.number]
        if page.rotation or abs(page.skew) > 0.3 or not page.words or not here:
            continue
        made.append(_page(words_of(page, len(reading.pages)), here, kind, group))
    return made


def _page(words: PageWords, printed: Sequence[PrintedWord], kind: int, group: str) -> LabelledPage:
    boxes = np.array([word.box for word in printed], np.float32)
    area = (words.boxes[:, 2] - words.boxes[:, 0]) * (words.boxes[:, 3] - words.boxes[:, 1])
    across = np.minimum(words.boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(
        words.boxes[:, None, 0], boxes[None, :, 0]
    )
    down = np.minimum(words.boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(
        words.boxes[:, None, 1], boxes[None, :, 1]
    )
    covered = across.clip(0) * down.clip(0) / np.maximum(area, 1e-9)[:, None]
    best = covered.argmax(axis=1)
    sure = covered[np.arange(len(best)), best] >= _COVERED
    classes = np.array([class_of(printed[place]) if known else 0 for place, known in zip(best, sure, strict=True)])
    lines = [printed[place].line if known else None for place, known in zip(best, sure, strict=True)]
    role = "first" if words.number == 0 else "next" if classes.any() else "terms"
    return LabelledPage(
        words=words,
        classes=classes.astype(np.int64),
        item=np.array([-1 if line is None else line for line in lines], np.int64),
        kind=kind,
        role=ROLES.index(role),
        group=group,
    )
