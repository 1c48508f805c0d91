"""PDF by pypdfium2: text layers, attachments, rendering. Runs in the sandbox's child only."""

import ctypes
import re
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ocr.lines import RawWord
from tallyman.errors import PasswordNeeded, Quarantined, Unreadable

PdfiumError = pdfium.PdfiumError

MAX_PAGES = 200
RENDER_DPI = 300
MAX_PIXELS = 20_000_000
MAX_XML = 10 * 1024 * 1024
_MAX_CHARS = 200_000
_XML_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")
_XML_ROOTS = re.compile(rb"CrossIndustry(Invoice|Document)|SCRDMCCBDACIOMessageStructure|:(Invoice|CreditNote)-2\b")


def open_pdf(path: str) -> Any:
    """The open document. Raises PasswordNeeded, Unreadable, Quarantined (too many pages)."""
    try:
        document = pdfium.PdfDocument(path)
        count = len(document)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise PasswordNeeded() from error
        raise Unreadable("The file is a damaged PDF: it can't be opened.") from error
    if count == 0:
        raise Unreadable("The PDF has no pages.")
    if count > MAX_PAGES:
        raise Quarantined(
            f"The PDF has {count:,} pages; at most {MAX_PAGES} are read.",
            advice="Take out the pages that matter and send them in alone.",
        )
    return document


def embedded_xml(document: Any) -> bytes | None:
    """The XML of a hybrid invoice, found by its usual names, else by its root. None when there is none."""
    found: dict[str, bytes] = {}
    for index in range(min(document.count_attachments(), 50)):
        attachment = document.get_attachment(index)
        name = attachment.get_name().lower()
        if name.endswith(".xml"):
            content = bytes(attachment.get_data())
            if len(content) <= MAX_XML:
                found.setdefault(name, content)
    for name in _XML_NAMES:
        if name in found:
            return found[name]
    return next((content for content in found.values() if _XML_ROOTS.search(content[:4000])), None)


def text_words(page: Any) -> list[RawWord]:
    """Words of the text layer; coordinates in points of the upright page, origin upper left."""
    text = page.get_textpage()
    count = min(raw.FPDFText_CountChars(text), _MAX_CHARS)
    width, height = page.get_size()
    builder = _WordBuilder(page, width, height)
    box = raw.FS_RECTF()
    for index in range(count):
        char = chr(raw.FPDFText_GetUnicode(text, index) or 32)
        if char.isspace() or char in "\x00\ufeff":
            builder.space(generated=raw.FPDFText_IsGenerated(text, index) == 1 and char == " ")
        elif raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(box)):
            builder.char("-" if char == "\x02" else char, box.left, box.bottom, box.right, box.top)
    return builder.words()


class _WordBuilder:
    """Joins characters to words. pdfium puts a space into badly spaced words; where no gap is seen it is dropped."""

    _NO_GAP = 0.09
    _WIDE_GAP = 0.6

    def __init__(self, page: Any, width: float, height: float) -> None:
        self._page, self._width, self._height = page, width, height
        self._done: list[RawWord] = []
        self._text = ""
        self._box = (0.0, 0.0, 0.0, 0.0)
        self._last = self._box
        self._pending = False

    def space(self, *, generated: bool) -> None:
        if generated:
            self._pending = bool(self._text)
        else:
            self._close()

    def char(self, char: str, left: float, bottom: float, right: float, top: float) -> None:
        if self._text and self._apart(left, bottom, right, top):
            self._close()
        self._pending = False
        if self._text:
            x0, y0, x1, y1 = self._box
            self._box = (min(x0, left), min(y0, bottom), max(x1, right), max(y1, top))
        else:
            self._box = (left, bottom, right, top)
        self._last = (left, bottom, right, top)
        self._text += char

    def _apart(self, left: float, bottom: float, right: float, top: float) -> bool:
        _, last_bottom, last_right, last_top = self._last
        size = max(last_top - last_bottom, 0.1)
        level = abs((top + bottom) / 2 - (last_top + last_bottom) / 2) < 0.5 * size
        if not level:
            # Text that runs upwards stays together while its characters stand above each other.
            return self._pending or abs(left - self._last[0]) > 0.3 * size
        gap = left - last_right
        if self._pending:
            return gap > self._NO_GAP * size or gap < -size
        return gap > self._WIDE_GAP * size or right < self._last[0] - size

    def _close(self) -> None:
        if self._text:
            left, bottom, right, top = self._box
            x0, y0 = self._upright(left, top)
            x1, y1 = self._upright(right, bottom)
            word = RawWord(text=self._text, x0=min(x0, x1), y0=min(y0, y1), x1=max(x0, x1), y1=max(y0, y1))
            if word.x1 > 0 and word.y1 > 0 and word.x0 < self._width and word.y0 < self._height:
                self._done.append(word)
        self._text, self._pending = "", False

    def _upright(self, x: float, y: float) -> tuple[float, float]:
        scale = 20_000
        dx, dy = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(self._page, 0, 0, scale, scale, 0, x, y, ctypes.byref(dx), ctypes.byref(dy))
        return dx.value / scale * self._width, dy.value / scale * self._height

    def words(self) -> list[RawWord]:
        self._close()
        return self._done


def needs_ocr(page: Any, words: list[RawWord]) -> bool:
    """Whether the page must be read by OCR: its text layer has no real words, and something is drawn on it."""
    chars = "".join(word.text for word in words)
    real = [word for word in words if sum(char.isalnum() for char in word.text) >= 2]
    strange = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in chars)
    if len(real) >= 15 and strange < 0.2 * len(chars):
        return False
    covered, drawn = _images(page)
    if len(real) >= 3 and strange < 0.2 * len(chars):
        return covered > 0.4
    return drawn


def _images(page: Any) -> tuple[float, bool]:
    """The share of the page that its largest image covers, and whether anything but text is drawn."""
    width, height = page.get_size()
    covered, drawn = 0.0, False
    for number, item in enumerate(page.get_objects(max_depth=3)):
        drawn = drawn or item.type != raw.FPDF_PAGEOBJ_TEXT
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            covered = max(covered, abs((right - left) * (top - bottom)) / (width * height))
        if number > 2000:
            break
    return covered, drawn


def render(page: Any, dpi: float, *, grey: bool, max_pixels: int = MAX_PIXELS) -> Any:
    """The page as uint8 array (height, width) when grey, else (height, width, 3) RGB, never over the pixel cap."""
    width, height = page.get_size()
    scale = dpi / 72
    if width * height * scale * scale > max_pixels:
        scale = (max_pixels / (width * height)) ** 0.5
    bitmap = page.render(scale=scale, grayscale=grey, rev_byteorder=not grey, may_draw_forms=True)
    image = bitmap.to_numpy().copy()
    return image[:, :, 0] if grey and image.ndim == 3 else image
