"""How right a release is on printed documents of families of layouts that no training sees: values, rows, types."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.layout.decode import document_of
from models.layout.fields import HEADER
from models.layout.onnx_network import loaded
from models.layout.serving import RELEASED, LayoutReader
from models.layout.training.printed import is_held_out, pages_of
from models.synthetic.printer import Laid, Printer
from models.synthetic.sampling import random_paper
from tallyman.contracts.trainer import Tell
from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document

_DOCUMENTS = 300
_FIRST = 10_000_000
"""Seeds of papers that are measured on begin here; training uses those below."""
_LINE = ("description", "quantity", "unit_price", "total")
_FREE = ("_name", "_street", "_city", "description")


@dataclass
class Hits:
    right: int = 0
    given: int = 0
    wanted: int = 0

    @property
    def f1(self) -> float:
        return round(2 * self.right / (self.given + self.wanted), 4) if self.given + self.wanted else 1.0


@dataclass
class Tally:
    fields: dict[str, Hits] = field(default_factory=lambda: defaultdict(Hits))
    languages: dict[str, Hits] = field(default_factory=lambda: defaultdict(Hits))
    types: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    lines: Hits = field(default_factory=Hits)
    seconds: list[float] = field(default_factory=list)


def measured(release: Path, work: Path, processes: int, tell: Tell) -> dict[str, Any]:
    """A table of figures by name; `fields`, `types` and `languages` are tables themselves."""
    del work, processes
    reader = LayoutReader(loaded(release / RELEASED))
    tally = Tally()
    for done, (laid, language) in enumerate(_papers(), start=1):
        pages = [page.words for page in pages_of(laid) if len(page.words)]
        started = time.perf_counter()
        document = document_of(reader.said(pages))
        tally.seconds.append((time.perf_counter() - started) / max(1, len(pages)))
        _count(tally, document, laid.truth, language)
        tell("Measuring", done, _DOCUMENTS)
    every = Hits(*(sum(getattr(one, name) for one in tally.fields.values()) for name in ("right", "given", "wanted")))
    told = [each for some in tally.types.values() for each in some]
    return {
        "header_f1": every.f1,
        "lines_f1": tally.lines.f1,
        "type_accuracy": round(float(np.mean(told)), 4),
        "ms_per_page": round(float(np.median(tally.seconds)) * 1000, 1),
        "documents": len(told),
        "fields": {name: hits.f1 for name, hits in sorted(tally.fields.items())},
        "types": {name: round(float(np.mean(some)), 4) for name, some in sorted(tally.types.items())},
        "languages": {name: hits.f1 for name, hits in sorted(tally.languages.items())},
    }


def _papers() -> Iterator[tuple[Laid, str]]:
    found, seed = 0, _FIRST
    with Printer() as printer:
        while found < _DOCUMENTS:
            spec, style = random_paper(seed)
            seed += 1
            if is_held_out(style.layout):
                found += 1
                yield printer.lay_out(spec, style, seed), style.language


def _count(tally: Tally, document: Document, truth: Mapping[str, Any], language: str) -> None:
    tally.types[truth["type"]].append(document.type == truth["type"])
    if truth["type"] not in ("invoice", "credit_note", "pod"):
        return
    seen = {name for name in truth["fields"] if name in HEADER and name in truth["boxes"]}
    for name in HEADER.keys() & (seen | document.fields.keys()):
        hits = (tally.fields[name], tally.languages[language])
        given, wanted = document.fields.get(name), name in seen
        right = given is not None and wanted and is_same(name, given.value, truth["fields"][name])
        if not wanted and name in truth["fields"]:
            continue  # the truth of a sum that another one states, or of a currency
        for one in hits:
            one.right += right
            one.given += given is not None
            one.wanted += wanted
    if truth["type"] == "pod":
        return
    wanted_lines = [tuple(line.get(name, "") for name in _LINE) for line in truth["lines"]]
    for line in document.lines:
        told = tuple(line[name].value if name in line else "" for name in _LINE)
        match = next((one for one in wanted_lines if _same_line(told, one)), None)
        tally.lines.right += match is not None
        if match is not None:
            wanted_lines.remove(match)
    tally.lines.given += len(document.lines)
    tally.lines.wanted += len(truth["lines"])


def _same_line(told: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return all(is_same(name, one, two) for name, one, two in zip(_LINE, told, wanted, strict=True))


def is_same(name: str, one: str, two: str) -> bool:
    """Amounts by value, names without case and spaces, all else without spaces."""
    if name.endswith(_FREE):
        return fold_text(one) == fold_text(two)
    try:
        return abs(float(one) - float(two)) < 0.005
    except ValueError:
        return "".join(one.split()).casefold() == "".join(two.split()).casefold()
