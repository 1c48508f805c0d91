"""Stacks: several papers in one file, as a scanner's feeder or a careless sender makes them, with the known cuts."""

import io
import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf

from models.synthetic.barcodes import separator
from models.synthetic.printer import Printer
from models.synthetic.sampling import random_invoice, random_pod
from models.synthetic.specs import InvoiceSpec, PodSpec
from models.synthetic.style import Paper, Style

_A4 = (595, 842)
_MOST_LINES = 45
"""Lines of an invoice at most: three pages."""


@dataclass(frozen=True)
class Stack:
    """A printed stack. `starts` are the pages (from 1) on which a document begins; `kinds` names them in turn."""

    path: Path
    pages: int
    starts: tuple[int, ...]
    kinds: tuple[str, ...]


def print_stack(
    printer: Printer, out: Path, pages: int, seed: int, *, paper: Paper | None = None, separators: bool = False
) -> Stack:
    """A PDF of at least `pages` pages: mixed papers, two in three stacks scanned, unless `paper` is given.

    A quarter of the papers come from the house of the one before. Scanned papers may have a blank back, stand on
    their head or lie on their side. separators: a separator sheet before each document but the first.
    """
    rng = random.Random(f"stack/{seed}")
    scanned = (rng.random() < 0.67) if paper is None else paper == "scan"
    stack, starts, kinds = pikepdf.new(), list[int](), list[str]()
    before: InvoiceSpec | PodSpec | None = None
    style: Style | None = None
    with TemporaryDirectory() as folder:
        while len(stack.pages) < pages:
            before, style = _next_paper(rng, before, style, scanned)
            if separators and starts:
                _append(stack, separator())
            starts.append(len(stack.pages) + 1)
            kinds.append(before.kind if isinstance(before, InvoiceSpec) else "pod")
            printed = printer.print(before, style, Path(folder) / f"{len(starts)}.pdf", rng.randrange(10**6))
            _append(stack, printed.path.read_bytes(), rng.choice((0,) * 8 + (180, 90)) if scanned else 0)
            if scanned and rng.random() < 0.2:
                stack.add_blank_page(page_size=_A4)
    stack.save(out, deterministic_id=True)
    return Stack(out, len(stack.pages), tuple(starts), tuple(kinds))


def _append(stack: pikepdf.Pdf, content: bytes, rotation: int = 0) -> None:
    with pikepdf.open(io.BytesIO(content)) as paper:
        for page in paper.pages:
            if rotation:
                page.rotate(rotation, relative=True)
            stack.pages.append(page)


def _next_paper(
    rng: random.Random, before: InvoiceSpec | PodSpec | None, style: Style | None, scanned: bool
) -> tuple[InvoiceSpec | PodSpec, Style]:
    seed = rng.randrange(10**6)
    paper: Paper = "scan" if scanned else "clean"
    same_house = style is not None and rng.random() < 0.25
    if rng.random() < 0.3:
        return random_pod(seed, paper)
    spec, fresh = random_invoice(seed, paper, style.language if style and same_house else None)
    spec = spec.model_copy(update={"lines": spec.lines[:_MOST_LINES]})
    if before is None or style is None or not same_house:
        return spec, fresh
    if isinstance(before, PodSpec):
        # The invoice of the goods that were just delivered.
        parts = {"seller": before.shipper, "buyer": before.consignee, "despatch_advice_reference": before.number}
        return spec.model_copy(update=parts), fresh
    return spec.model_copy(update={"seller": before.seller, "buyer": before.buyer, "currency": before.currency}), style
