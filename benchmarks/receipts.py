"""Receipts, end to end by our own OCR: who sold, where, when, and for how much.

`python -m benchmarks.receipts --images DIR --truth FILE [--lines FILE] --model DIR`. The truth has a JSON object a
line: file, fields (company, date, address, total). Measured on receipts of companies that no training may see: one
company in six, chosen by its name; `--learn FILE` writes the labelled pages of all others instead. --lines: the true
text, to tell what reading costs. Exact: the raw strings are the same. Relaxed: case, spaces and punctuation folded,
dates and amounts by value. The last line is one JSON object.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.peers import CORES
from benchmarks.scoring import Score
from models import values
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.numbers import NAMES, Numbers
from models.layout.page import PageWords, words_of
from models.layout.serving import LayoutReader, reader_of
from models.layout.training.labelled import IGNORED, LabelledPage, save
from tallyman.domain.compare import fold_text
from tallyman.registry import Registry

OURS = {"company": "seller_name", "date": "issue_date", "address": "seller_address", "total": "gross_total"}
_PARTS = {"company": "seller_name", "date": "issue_date", "address": "seller_street", "total": "gross_total"}
"""The class of the words of each."""
_DEV = 6
_AMOUNT = NAMES.index("amount")
console = Console(stderr=True)


def main(
    images: Annotated[Path, typer.Option(help="The folder of the pictures.")],
    truth: Annotated[Path, typer.Option(help="What is true of them, a JSON object a line.")],
    lines: Annotated[Path | None, typer.Option(help="Their true text, a JSON object a line.")] = None,
    model: Annotated[Path | None, typer.Option(help="A release, or a checkpoint of ours.")] = None,
    learn: Annotated[Path | None, typer.Option(help="Write labelled pages of the other receipts there.")] = None,
) -> None:
    """Print a table of fields, and one JSON object."""
    truths = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    told = {} if lines is None else {one["file"]: one for one in map(json.loads, lines.open(encoding="utf-8"))}
    if learn is not None:
        _write(learn, [one for one in truths if not is_dev(one)], images, told)
        return
    dev = [one for one in truths if is_dev(one)]
    if model is None:
        raise typer.BadParameter("Give --model, the folder of a release or of a checkpoint.")
    reader = reader_of(model)
    assert isinstance(reader, LayoutReader)
    read = {"ours": list(_read(dev, images))}
    if told:
        read["true text"] = [_true_words(told[one["file"]], images) for one in dev]
    scores = {
        (name, how): _scored(reader, dev, pages, same) for name, pages in read.items() for how, same in HOW.items()
    }
    _show(scores)
    figures: dict[str, Any] = {
        "exact_f1": _micro(scores["ours", "exact"]),
        "relaxed_f1": _micro(scores["ours", "relaxed"]),
        "true_text_f1": _micro(scores["true text", "relaxed"]) if told else None,
        "fields": {name: round(score.f1, 4) for name, score in scores["ours", "relaxed"].items()},
        "documents": len(dev),
    }
    print(json.dumps(figures))


def is_dev(truth: dict[str, Any]) -> bool:
    """Whether a receipt is measured on: all of a company are, or none."""
    return zlib.crc32(fold_text(truth["fields"].get("company", "")).encode()) % _DEV == 0


def _read(truths: list[dict[str, Any]], images: Path) -> Iterator[PageWords]:
    reader = Registry().page_reader

    def one(truth: dict[str, Any]) -> PageWords:
        reading = reader.read(images / Path(truth["file"]).name)
        return words_of(reading.pages[0], len(reading.pages))

    with ThreadPoolExecutor(CORES) as pool:
        yield from track(pool.map(one, truths), "Reading", len(truths), console=console)


def _true_words(told: dict[str, Any], images: Path) -> PageWords:
    """The true lines, cut into words by the share of their letters."""
    with Image.open(images / Path(told["file"]).name) as picture:
        width, height = picture.size
    texts, boxes = [], []
    for line in told["lines"]:
        x0, y0, x1, y1 = line["box"]
        step, at = (x1 - x0) / max(1, len(line["text"])), 0
        for word in line["text"].split():
            start = line["text"].index(word, at)
            at = start + len(word)
            texts.append(word)
            boxes.append((x0 + step * start, y0, x0 + step * at, y1))
    scaled = np.array(boxes, np.float32).reshape(-1, 4) / np.array([width, height] * 2, np.float32)
    return PageWords(
        texts=texts, boxes=scaled, sure=np.ones(len(texts), np.float32), is_ocr=True, aspect=width / height, number=0,
        count=1,
    )  # fmt: skip


def _fields(reader: LayoutReader, page: PageWords) -> dict[str, str]:
    """What is read of a receipt, by the names of the truth."""
    if not len(page):
        return {}
    document = reader.document([page], kind="receipt")
    return {name: document.fields[ours].raw for name, ours in OURS.items() if ours in document.fields}


def _exact(_name: str, one: str, other: str) -> bool:
    return one.strip() == other.strip()


def _relaxed(name: str, one: str, other: str) -> bool:
    if name == "total":
        return _amount(one) == _amount(other) is not None
    if name == "date":
        return bool(set(_days(one)) & set(_days(other)))
    return fold_text(one) == fold_text(other)


HOW: dict[str, Callable[[str, str, str], bool]] = {"exact": _exact, "relaxed": _relaxed}


def _amount(text: str) -> str | None:
    return next((found.value for found in values.amounts(text, whole=True)), None)


def _days(text: str) -> list[str]:
    return [found.value for found in values.dates(text)]


def _scored(
    reader: LayoutReader, truths: Iterable[dict[str, Any]], pages: Iterable[PageWords],
    same: Callable[[str, str, str], bool],
) -> dict[str, Score]:  # fmt: skip
    scores = {name: Score() for name in OURS}
    for truth, page in zip(truths, pages, strict=True):
        given = _fields(reader, page)
        for name, score in scores.items():
            wanted = truth["fields"].get(name)
            score.wanted += bool(wanted)
            score.given += name in given
            score.right += bool(wanted) and name in given and same(name, given[name], wanted)
    return scores


def _micro(scores: dict[str, Score]) -> float:
    every = scores.values()
    return round(Score(
        right=sum(one.right for one in every), given=sum(one.given for one in every),
        wanted=sum(one.wanted for one in every),
    ).f1, 4)  # fmt: skip


def _show(scores: dict[tuple[str, str], dict[str, Score]]) -> None:
    table = Table("field", *(f"{name}, {how}: F1" for name, how in scores))
    for name in OURS:
        table.add_row(name, *(f"{some[name].f1:.3f}" for some in scores.values()))
    table.add_row("[b]all", *(f"{_micro(some):.3f}" for some in scores.values()))
    Console(width=120).print(table)


def _write(out: Path, truths: list[dict[str, Any]], images: Path, told: dict[str, Any]) -> None:
    """Labelled pages: as our OCR reads them, and as they are."""
    pages = [_labelled(page, truth) for page, truth in zip(_read(truths, images), truths, strict=True) if len(page)]
    pages += [_labelled(_true_words(told[one["file"]], images), one) for one in truths if one["file"] in told]
    save(pages, out)


def _labelled(page: PageWords, truth: dict[str, Any]) -> LabelledPage:
    """Words that are most like a true value; from other rows with amounts nothing is learned, they may be items."""
    order = page.rows.order
    texts = [fold_text(page.texts[place]) for place in order.tolist()]
    classes = np.zeros(len(page), np.int64)
    amounts = Numbers(page).kinds[:, _AMOUNT] > 0
    classes[np.isin(page.rows.row, page.rows.row[amounts])] = IGNORED
    for name, value in truth["fields"].items():
        if name == "total":
            for place in np.flatnonzero(amounts).tolist():
                if _relaxed(name, page.texts[place], value):
                    classes[place] = CLASSES.index("gross_total")
            continue
        span = _most_like(texts, fold_text(value), len(value.split()))
        if span:
            classes[order[span[0] : span[1]]] = CLASSES.index(_PARTS[name])
    return LabelledPage(
        words=page, classes=classes, item=np.full(len(page), -1, np.int64), kind=TYPES.index("receipt"),
        role=ROLES.index("first"), group="receipt/real",
    )  # fmt: skip


def _most_like(texts: list[str], wanted: str, count: int) -> tuple[int, int] | None:
    """The neighbouring words that together are most like a text, if they are rather like it."""
    best, like = None, 0.7
    for start in range(len(texts)):
        for end in range(start + max(1, count - 3), min(len(texts), start + count + 3) + 1):
            matcher = SequenceMatcher(None, "".join(texts[start:end]), wanted, autojunk=False)
            if matcher.quick_ratio() > like and matcher.ratio() > like:
                best, like = (start, end), matcher.ratio()
    return best


if __name__ == "__main__":
    typer.run(main)
