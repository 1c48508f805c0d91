"""How right a release is on printed documents of families of layouts that no training sees: values, rows, types."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from models.layout.calibration import Calibrator, coverage, fitted, reliability
from models.layout.decode import OURS, decoded
from models.layout.fields import HEADER, LINE, Kind
from models.layout.onnx_network import loaded
from models.layout.page import PageWords
from models.layout.serving import RELEASED, LayoutReader, calibrator_of
from models.layout.training.printed import CALIBRATED_ON, HELD_OUT, pages_of
from models.synthetic.printer import Laid, Printer
from models.synthetic.sampling import random_paper
from tallyman.contracts.trainer import Tell
from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.domain.field import Field

_CALIBRATED, _MEASURED = 400, 400
_FIRST = 10_000_000
"""Seeds of papers that are measured on begin here; training uses those below."""
_LINE = ("description", "quantity", "unit_price", "total")
Evidence = Mapping[str, Sequence[float]]
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
    judged: list[tuple[float, bool]] = field(default_factory=list)


def calibrated(release: Path, tell: Tell) -> Calibrator:
    """Learned from papers of the families that are kept for that."""
    reader = LayoutReader(loaded(release / RELEASED))
    samples: list[tuple[str, Sequence[float], bool]] = []
    for done, (laid, _) in enumerate(_papers(CALIBRATED_ON, _CALIBRATED), start=1):
        document, evidence = decoded(reader.said(_words(laid)))
        samples += [
            (name, evidence[name], right) for name, _, right in _judged(document, laid.truth) if name in evidence
        ]
        tell("Calibrating", done, _CALIBRATED)
    return fitted(samples)


def measured(release: Path, tell: Tell) -> dict[str, Any]:
    """A table of figures by name; `fields`, `types` and `languages` are tables themselves, `reliability` has rows of
    mean confidence, share that is right, and how many values."""
    reader = LayoutReader(loaded(release / RELEASED), calibrator_of(release))
    tally = Tally()
    for done, (laid, language) in enumerate(_papers(HELD_OUT - CALIBRATED_ON, _MEASURED), start=1):
        pages = _words(laid)
        started = time.perf_counter()
        document, evidence = decoded(reader.said(pages), calibrator=reader.calibrator)
        tally.seconds.append((time.perf_counter() - started) / max(1, len(pages)))
        _count(tally, document, evidence, reader.calibrator, laid.truth, language)
        tell("Measuring", done, _MEASURED)
    every = Hits(*(sum(getattr(one, name) for one in tally.fields.values()) for name in ("right", "given", "wanted")))
    told = [each for some in tally.types.values() for each in some]
    confidences = [confidence for confidence, _ in tally.judged]
    rights = [right for _, right in tally.judged]
    return {
        "header_f1": every.f1,
        "lines_f1": tally.lines.f1,
        "type_accuracy": round(float(np.mean(told)), 4),
        "coverage_at_995": round(coverage(confidences, rights, 0.995), 4),
        "ms_per_page": round(float(np.median(tally.seconds)) * 1000, 1),
        "documents": len(told),
        "fields": {name: hits.f1 for name, hits in sorted(tally.fields.items())},
        "types": {name: round(float(np.mean(some)), 4) for name, some in sorted(tally.types.items())},
        "type_counts": {name: len(some) for name, some in sorted(tally.types.items())},
        "languages": {name: hits.f1 for name, hits in sorted(tally.languages.items())},
        "reliability": [[round(one, 4), round(two, 4), many] for one, two, many in reliability(confidences, rights)],
    }


def _papers(layouts: frozenset[str], count: int) -> Iterator[tuple[Laid, str]]:
    found, seed = 0, _FIRST
    with Printer() as printer:
        while found < count:
            spec, style = random_paper(seed)
            seed += 1
            if style.layout in layouts:
                found += 1
                yield printer.lay_out(spec, style, seed), style.language


def _words(laid: Laid) -> list[PageWords]:
    return [page.words for page in pages_of(laid) if len(page.words)]


def _judged(document: Document, truth: Mapping[str, Any]) -> Iterator[tuple[str, Field | None, bool]]:
    """For each field that is given or printed: what is given, and whether that is right. Sums that nobody printed but
    another one states, and the currency, are left out."""
    if truth["type"] not in ("invoice", "credit_note", "pod"):
        return
    theirs = {ours: name for name, ours in OURS.items()}
    given_names = {theirs.get(name, name) for name in document.fields}
    for name in sorted(HEADER.keys() & (truth["fields"].keys() | given_names)):
        if name in truth["fields"] and name not in truth["boxes"]:
            continue
        given, wanted = document.fields.get(OURS.get(name, name)), truth["fields"].get(name)
        yield name, given, given is not None and wanted is not None and is_same(name, given.value, wanted)


def _count(
    tally: Tally, document: Document, evidence: Evidence, calibrator: Calibrator | None, truth: Mapping[str, Any],
    language: str,
) -> None:  # fmt: skip
    tally.types[truth["type"]].append(document.type == truth["type"])
    for name, given, right in _judged(document, truth):
        for one in (tally.fields[name], tally.languages[language]):
            one.right += right
            one.given += given is not None
            one.wanted += name in truth["fields"]
        if given is not None and name in evidence and calibrator is not None:
            tally.judged.append((calibrator.confidence(name, evidence[name]), right))
    if truth["type"] not in ("invoice", "credit_note"):
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
    return all(is_same(f"line.{name}", one, two) for name, one, two in zip(_LINE, told, wanted, strict=True))


def is_same(name: str, one: str, two: str) -> bool:
    """Amounts and quantities by value, names without case and spaces, all else without spaces."""
    kind = (HEADER | LINE)[name]
    if kind in (Kind.AMOUNT, Kind.NUMBER):
        try:
            return Decimal(one) == Decimal(two)
        except InvalidOperation:
            return False
    if name.endswith(_FREE):
        return fold_text(one) == fold_text(two)
    return "".join(one.split()).casefold() == "".join(two.split()).casefold()
