"""Prints specs: templates -> HTML -> one open Chromium -> PDF, then the paper that the style asks for."""

import datetime
import io
import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jinja2
import pikepdf
from markupsafe import Markup
from playwright.sync_api import Page, Playwright, sync_playwright

from models.synthetic import barcodes, degrade, hybrid, pod_view, truth
from models.synthetic.composed import families, plan_of
from models.synthetic.letters import LetterView
from models.synthetic.look import Look, look_of
from models.synthetic.small_print import small_print
from models.synthetic.specs import InvoiceSpec, LetterSpec, PodSpec
from models.synthetic.style import Style
from models.synthetic.view import InvoiceView

HERE = Path(__file__).parent
SHEETS = {"A4": ("210mm", "297mm"), "Letter": ("215.9mm", "279.4mm"), "Roll": ("80mm", "230mm")}
HTML_LANGUAGES = {
    "eng": "en", "deu": "de", "fra": "fr", "spa": "es", "ita": "it", "nld": "nl", "pol": "pl",
}  # fmt: skip
CHROMIUM_FLAGS = (
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-gpu", "--font-render-hinting=none",
)  # fmt: skip

Spec = InvoiceSpec | PodSpec | LetterSpec


@dataclass(frozen=True)
class PrintedWord:
    """A word on the paper. `box` is (x0, y0, x1, y1) of the page, 0..1, origin upper left; `page` counts from 1.

    `field` is the field that the word is a part of, by its name in the truth, and `line` the line it belongs to.
    """

    page: int
    text: str
    box: tuple[float, float, float, float]
    field: str | None
    line: int | None


@dataclass(frozen=True)
class Printed:
    """A finished paper: its file, what is true of it, and its printed words (not those written by hand)."""

    path: Path
    truth: dict[str, Any]
    words: tuple[PrintedWord, ...]


@dataclass(frozen=True)
class Laid:
    """A document laid out in the browser but not printed: what training needs, many times faster."""

    pages: int
    aspect: float
    """Width over height of its pages."""
    truth: dict[str, Any]
    words: tuple[PrintedWord, ...]


class NoChromiumError(RuntimeError):
    """No Chromium was found. Install one: `playwright install chromium`, or the package of the system."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


@cache
def _paginate() -> str:
    return (HERE / "templates" / "paginate.js").read_text(encoding="utf-8")


def chromium_path(playwright: Playwright) -> str:
    """Playwright's own Chromium, else the system's, without windows if it can be had. Raises NoChromiumError."""
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise NoChromiumError
    return found


class Printer:
    """A printing session: one Chromium for many documents. Use it as a context manager, from one thread.

    The same spec, style and seed give the same truth and the same pixels on one machine. Chromium runs without its
    sandbox: it is shown our own templates only, and containers and root allow no sandbox.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._page: Page | None = None

    def __enter__(self) -> Self:
        playwright = self._stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium_path(playwright), args=["--no-sandbox", *CHROMIUM_FLAGS]
        )
        self._stack.callback(browser.close)
        # The sheet has its own size; a small window spares painting it on a screen that nobody sees.
        self._page = browser.new_page(viewport={"width": 64, "height": 64}, offline=True)
        self._page.emulate_media(media="print")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._page = None
        self._stack.close()

    def lay_out(self, spec: Spec, style: Style, seed: int) -> Laid:
        """Words and truth of a document as a clean page, without printing it. Raises as `print` does."""
        seen = self._show(spec, style, seed)
        fields, words = seen["fields"], _words(seen["words"])
        width, height = (float(side.removesuffix("mm")) for side in SHEETS[style.page_size])
        return Laid(seen["pages"], width / height, _truth(spec, style, seed, "", fields), words)

    def print(self, spec: Spec, style: Style, out: Path, seed: int) -> Printed:
        """Prints one document to `out`: a PDF, or for scans the kind of image that the suffix names.

        Images hold one page each: a scan of several pages to a JPEG or PNG gets its further pages as `<name>-2.jpg`
        and so on, a TIFF holds them all. Raises ValueError for a layout, suffix or paper that does not fit.
        """
        _check(spec, style, out)
        seen = self._show(spec, style, seed)
        pdf = _plain_pdf(self._open_page().pdf(prefer_css_page_size=True, print_background=True), spec)
        fields, words = seen["fields"], seen["words"]
        out.parent.mkdir(parents=True, exist_ok=True)
        if style.paper == "scan":
            moves = degrade.scan(pdf, style.scan, out, seed)
            fields = [[page, name, line, text, moves[page - 1](box)] for page, name, line, text, box in fields]
            words = [[page, text, moves[page - 1](box), name, line] for page, text, box, name, line in words]
        elif style.paper == "hybrid" and isinstance(spec, InvoiceSpec):
            out.write_bytes(hybrid.embed(pdf, spec))
        else:
            out.write_bytes(pdf)
        return Printed(out, _truth(spec, style, seed, out.name, fields), _words(words))

    def html(self, spec: Spec, style: Style, seed: int) -> str:
        """The page as Chromium gets it."""
        said = spec.content if isinstance(spec, LetterSpec) else spec
        house = said.shipper if isinstance(said, PodSpec) else said.seller
        look = look_of(style, house, "EUR" if isinstance(said, PodSpec) else said.currency)
        context = self._context(spec, style, look, seed)
        name = "composed" if style.layout in families() else style.layout
        return _templates().get_template(f"{name}.html.j2").render(context)

    def _context(self, spec: Spec, style: Style, look: Look, seed: int) -> dict[str, Any]:
        width, height = SHEETS[style.page_size]
        common: dict[str, Any] = {
            "html_lang": HTML_LANGUAGES[style.language],
            "title": _content(spec).number,
            "page_width": width,
            "page_height": height,
            "small_print": small_print(style.language, look.seed) if style.terms_page else (),
            "qr": Markup(""),
            "codes": barcodes.drawn(style.codes),
        }
        if isinstance(spec, PodSpec):
            return common | pod_view.PodView(spec, look, seed).context()
        if style.layout in families():
            common["plan"] = plan_of(style.layout, look)
        if isinstance(spec, LetterSpec):
            return common | LetterView(spec, look).context()
        if barcodes.has_payment_code(spec, style):
            common["qr"] = barcodes.payment_code(spec, look.words["qr"])
        return common | InvoiceView(spec, look).context()

    def _open_page(self) -> Page:
        if self._page is None:
            raise RuntimeError("The printer is not open: use `with Printer() as printer`.")
        return self._page

    def _show(self, spec: Spec, style: Style, seed: int) -> dict[str, Any]:
        page = self._open_page()
        seen: dict[str, Any] = json.loads(page.evaluate(_paginate(), self.html(spec, style, seed)))
        return seen


def _check(spec: Spec, style: Style, out: Path) -> None:
    suffix = out.suffix.lower()
    if suffix != ".pdf" and (style.paper != "scan" or suffix not in degrade.WRITERS):
        raise ValueError(f"A {style.paper} paper cannot be written as '{suffix}'.")
    if style.paper == "hybrid" and not isinstance(spec, InvoiceSpec):
        raise ValueError("Only an invoice has a hybrid form.")


def _content(spec: Spec) -> InvoiceSpec | PodSpec:
    return spec.content if isinstance(spec, LetterSpec) else spec


def _plain_pdf(pdf: bytes, spec: Spec) -> bytes:
    """The PDF with the date of the document instead of today's, so that equal papers are equal bytes."""
    day = _content(spec).issue_date or datetime.date(2026, 1, 1)
    stamp = f"D:{day:%Y%m%d}080000Z"
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.docinfo["/CreationDate"] = pikepdf.String(stamp)
        opened.docinfo["/ModDate"] = pikepdf.String(stamp)
        opened.docinfo["/Producer"] = pikepdf.String("Office Print 4.2")
        opened.docinfo["/Creator"] = pikepdf.String("Office")
        opened.save(buffer, deterministic_id=True, recompress_flate=False)
    return buffer.getvalue()


def _words(rows: list[list[Any]]) -> tuple[PrintedWord, ...]:
    return tuple(
        PrintedWord(page, text, tuple(box), name, None if line is None else int(line))
        for page, text, box, name, line in rows
    )


def _truth(spec: Spec, style: Style, seed: int, file: str, fields: list[list[Any]]) -> dict[str, Any]:
    boxes = truth.boxes_of(fields)
    head = {"file": file, "type": "pod" if isinstance(spec, PodSpec) else spec.kind}
    tail = {
        "boxes": boxes,
        "paper": style.paper,
        "layout": style.layout,
        "language": style.language,
        "seed": seed,
        "barcodes": [] if isinstance(spec, LetterSpec) else barcodes.printed(spec, style),
    }
    if isinstance(spec, PodSpec):
        return {**head, "fields": truth.pod_fields(spec), "lines": truth.pod_lines(spec), **tail}
    if isinstance(spec, LetterSpec):
        known = truth.invoice_fields(spec.content)
        return {**head, "fields": {name: known[name] for name in boxes if name in known}, "lines": [], **tail}
    every = truth.invoice_fields(spec)
    return {
        **head,
        "fields": every if style.paper == "hybrid" else truth.stated(every, boxes),
        "visible": sorted(set(every) & set(boxes)),
        "lines": truth.invoice_lines(spec),
        "vat": truth.invoice_vat(spec),
        **tail,
    }


def print_document(spec: Spec, *, style: Style, out: Path, seed: int) -> Printed:
    """Prints a single document in a session of its own. See `Printer.print`."""
    with Printer() as printer:
        return printer.print(spec, style, out, seed)


def write_truth(path: Path, truths: list[dict[str, Any]]) -> None:
    """Writes truths as JSON lines."""
    lines = [json.dumps(each, ensure_ascii=False) for each in truths]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
