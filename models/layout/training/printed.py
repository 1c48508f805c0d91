"""Printed documents as labelled pages, by many processes: laid out in Chromium, never rasterised."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.page import PageWords
from models.layout.training.labelled import LabelledPage, save
from models.synthetic.printer import Laid, PrintedWord, Printer
from models.synthetic.sampling import random_paper

HELD_OUT = frozenset({"sidebar", "facture", "flank", "dense", "eastern", "ribbon", "courier", "tally"})
"""Families of layouts that no training sees: a model is calibrated on four of them, and measured on the others."""
CALIBRATED_ON = frozenset({"sidebar", "ribbon", "dense", "tally"})
PORTION = 250
"""Documents of one file, and of one open Chromium."""


def print_pages(folder: Path, seeds: range, processes: int) -> Iterator[int]:
    """Print documents into files of `folder`; yields how many are done. What is there already is not printed again."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(files_of(folder, seeds))
    done = sum(len(portion) for portion, file in wanted if file.exists())
    yield done
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_print, portion, file) for portion, file in wanted if not file.exists()]
        for job in as_completed(jobs):
            done += job.result()
            yield done


def files_of(folder: Path, seeds: range) -> Iterator[tuple[range, Path]]:
    """Which seeds' pages lie in which file."""
    for start in range(0, len(seeds), PORTION):
        portion = seeds[start : start + PORTION]
        yield portion, folder / f"{portion[0]:07d}-{portion[-1]:07d}.npz"


def is_held_out(group: str) -> bool:
    """Whether a page of this group, or a layout of this name, is one to measure on."""
    return group.rpartition("/")[2] in HELD_OUT


def _print(seeds: Sequence[int], file: Path) -> int:
    pages: list[LabelledPage] = []
    with Printer() as printer:
        for seed in seeds:
            pages += pages_of(printer.lay_out(*random_paper(seed), seed))
    partial = file.with_suffix(".part.npz")
    save(pages, partial)
    partial.rename(file)
    return len(seeds)


def pages_of(laid: Laid) -> list[LabelledPage]:
    """The pages of a document as it was laid out."""
    kind = TYPES.index(laid.truth["type"])
    group = f"{laid.truth['type']}/{laid.truth['layout']}"
    by_page: dict[int, list[PrintedWord]] = {number: [] for number in range(1, laid.pages + 1)}
    for word in laid.words:
        by_page[word.page].append(word)
    return [_page(words, number, laid, kind, group) for number, words in by_page.items()]


def _page(words: list[PrintedWord], number: int, laid: Laid, kind: int, group: str) -> LabelledPage:
    classes = np.array([class_of(word) for word in words], np.int64)
    role = "empty" if not words else "first" if number == 1 else "next" if classes.any() else "terms"
    boxes = np.array([word.box for word in words], np.float32).reshape(-1, 4)
    aspect = laid.aspect
    if words and TYPES[kind] == "receipt":  # of a roll as much is scanned as is printed
        height = min(1.0, float(boxes[:, 3].max()) + 0.03)
        boxes[:, [1, 3]] /= height
        aspect /= height
    return LabelledPage(
        words=PageWords(
            texts=tuple(word.text for word in words),
            boxes=boxes,
            sure=np.ones(len(words), np.float32),
            is_ocr=False,
            aspect=aspect,
            number=number - 1,
            count=laid.pages,
        ),
        classes=classes,
        item=np.array([-1 if word.line is None else word.line for word in words], np.int64),
        kind=kind,
        role=ROLES.index(role),
        group=group,
    )


def class_of(word: PrintedWord) -> int:
    """Its place in CLASSES; `vat.2.rate` is `vat.rate`."""
    if word.field is None:
        return 0
    name = word.field
    head, _, rest = name.partition(".")
    if head == "vat":
        name = f"vat.{rest.partition('.')[2]}"
    return CLASSES.index(name) if name in CLASSES else 0
