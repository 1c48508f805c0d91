"""PDF by pypdfium2: text layers, attachments, rendering. Runs in the sandbox's child only."""

import ctypes
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from pypdfium2.version import PDFIUM_INFO

from ocr.lines import RawWord
from tallyman.errors import PasswordNeeded, Quarantined, Unreadable

PdfiumError = pdfium.PdfiumError
_loose_box = ctypes.cast(
    raw.FPDFText_GetLooseCharBox,
    ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p),
)
"""With plain addresses as arguments, for it is called for every letter of every page."""

Area = tuple[float, float, float, float]
"""Points: left, bottom, right and top on the page as it was made, or x0, y0, x1 and y1 on the upright one."""

MAX_PAGES = 200
RENDER_DPI = 300
MAX_PIXELS = 20_000_000
MAX_XML = 10 * 1024 * 1024
_MAX_CHARS, _MAX_WORDS = 50_000, 5_000
"""Of a page. The smallest print on A4 has half as many; each costs its readers time."""
_CODE_SIDE = 14.0
"""Points: no code is less than 5 mm high."""
_CODE_BARS, _CODE_SQUARES, _CODE_CORNERS = 20, 60, 150
"""The smallest bar code has 22 bars, the smallest QR code far more squares; one shape can be all of them."""
_CODE_MARGIN = 20.0
"""Codes need white around them."""
_MODULE = 5.0
"""Points, more than the side of a square."""
_SPACES = (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF)
_HYPHENS = (0x02, 0xFFFE, 0xAD)
"""At the end of a line, as pdfium gives it letter by letter, and in one piece; and what some fonts call a hyphen."""
_NO_LETTERS = (0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
"""What turns and joins letters, and is not seen."""
_NO_GAP, _WIDE_GAP = 0.09, 0.6
"""Of a letter's height: what is less is no gap though pdfium saw one, and what is more is one though it saw none."""
_SMALLER, _RAISED = 0.8, 0.15
"""Of a letter's height: what is so much smaller, and stands so much higher or lower, belongs to no word with it."""
_SCAN = 0.4
"""The share of a page that an image covers which is its scan."""
_MAX_DRAWN, _MAX_TEXTS, _CODE_IMAGES = 5000, 50_000, 6
_DRAWN = (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_FORM)
_DEEPEST = 40
"""So deep pdfium follows forms that hold forms, and no deeper."""
_SAMPLE = 3000
_LOOK_DPI = 60
"""At which a look says whether there is ink: of 25,652 words of real invoices, one had less than _CONTRAST; it has none
at 300 either. The next one has 36."""
_CONTRAST = 25
"""Levels of grey, of 255, between a word and the paper that it stands on."""
_LEGIBLE = 1.2
"""Points, the side of the square that a letter of a word fills on the average; print of 4 points has 2."""
_FEW_HIDDEN = 0.1
"""The share of the words that may be hidden on a page of which the rest is believed."""
RUNS_SCRIPTS = bool({"V8", "XFA"} & set(PDFIUM_INFO.flags))
"""A build of pdfium that would run a stranger's scripts where fields are drawn. The one in the wheel does not."""
_XML_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")
_XML_ROOTS = re.compile(
    rb"<([\w.-]+:)?(CrossIndustry(Invoice|Document)|SCRDMCCBDACIOMessageStructure)\b|:(Invoice|CreditNote)-2\b"
)


def open_pdf(file: str | bytes, password: str | None = None) -> Any:
    """The open document. Raises PasswordNeeded, Unreadable, Quarantined (too many pages).

    file: its path or its content.
    """
    try:
        document = pdfium.PdfDocument(file, password=password)
        if not RUNS_SCRIPTS:
            document.init_forms()  # before a page is opened: else pdfium draws no field that was filled in
        count = len(document)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise PasswordNeeded("" if password is None else "The password does not open the file.") from error
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
    """The XML of a hybrid invoice, found by its usual names or by its root. None when there is none.

    Raises Unreadable where there are two that differ: nobody could tell which of them is meant.
    """
    found: set[bytes] = set()
    for index in range(min(document.count_attachments(), 50)):
        attachment = document.get_attachment(index)
        name = attachment.get_name().lower()
        if name.endswith(".xml"):
            content = bytes(attachment.get_data())
            if len(content) <= MAX_XML and (name in _XML_NAMES or _XML_ROOTS.search(content[:4000])):
                found.add(content)
    if len(found) > 1:
        raise Unreadable(
            "The PDF carries several electronic invoices (XML) that differ.",
            advice="Compare them with the pages, and ask the sender which one is meant.",
        )
    return next(iter(found), None)


def text_words(page: Any) -> list[RawWord]:
    """Words of the text layer; coordinates in points of the upright page, origin upper left. Raises Quarantined.

    Letters are joined to words here, since pdfium puts spaces into words that are set wide: where no gap is seen, its
    space is dropped, and where one is seen without a space, a word ends. All letters are looked at together, by numpy,
    for a loop over the letters of a page costs more than pdfium's own work on them.
    """
    text = page.get_textpage()
    count = raw.FPDFText_CountChars(text)
    if count > _MAX_CHARS:
        raise _too_many("letters", _MAX_CHARS)
    codes, (boxes, known) = _codes(text, count), _boxes(text, count)
    codes[np.isin(codes, _HYPHENS)] = ord("-")
    blank = (codes <= 32) | np.isin(codes, _SPACES)
    generated = np.zeros(count, bool)
    for index in np.flatnonzero(codes == 32).tolist():
        generated[index] = raw.FPDFText_IsGenerated(text, index) == 1
    first_half = (codes >= 0xD800) & (codes < 0xDC00)  # pdfium counts UTF-16: a character may have two halves
    at = np.flatnonzero(known & ~blank & ~first_half & ~np.isin(codes, _NO_LETTERS))
    if not len(at):
        return []
    left, top, right, bottom = boxes[at].astype(float).T
    ended, spaced = (np.diff(np.cumsum(gaps)[at]) > 0 for gaps in (blank & ~generated, generated))
    begins = np.flatnonzero(np.append(True, ended | _apart(left, bottom, right, top, spaced)))
    places = _upright(page)(
        np.minimum.reduceat(left, begins),
        np.minimum.reduceat(bottom, begins),
        np.maximum.reduceat(right, begins),
        np.maximum.reduceat(top, begins),
    )
    if len(begins) > _MAX_WORDS:
        raise _too_many("words", _MAX_WORDS)
    letters = _letters(codes, at)
    starts = begins.tolist()
    texts = ["".join(letters[start:end]) for start, end in zip(starts, [*starts[1:], len(letters)], strict=True)]
    width, height = page.get_size()
    return [
        RawWord(text=word if word.isascii() else _as_seen(word), x0=x0, y0=y0, x1=x1, y1=y1)
        for word, x0, y0, x1, y1 in zip(texts, *(side.tolist() for side in places), strict=True)
        if x1 > 0 and y1 > 0 and x0 < width and y0 < height
    ]


def _too_many(what: str, most: int) -> Quarantined:
    return Quarantined(
        f"A page of the PDF has more than {most:,} {what}, as no honest page has.",
        advice="Ask the sender for the document alone, as a PDF that was made anew or a scan.",
    )


def _as_seen(word: str) -> str:
    """What a person sees as 4 must not be another key than 4: digits of any script are digits, what is unseen goes."""
    seen = (char for char in word if unicodedata.category(char) != "Cf")
    return "".join(char if (digit := unicodedata.decimal(char, None)) is None else str(digit) for char in seen)


def _apart(left: Any, bottom: Any, right: Any, top: Any, spaced: Any) -> Any:
    """For each letter but the first whether a gap is seen before it. spaced: pdfium saw one there."""
    sizes = np.maximum(top - bottom, 0.1)
    size, larger, smaller = sizes[:-1], np.maximum(sizes[1:], sizes[:-1]), np.minimum(sizes[1:], sizes[:-1])
    # A footnote's number after an amount is no digit of it.
    raised = (smaller < _SMALLER * larger) & (np.abs(bottom[1:] - bottom[:-1]) > _RAISED * larger)
    gap = left[1:] - right[:-1]
    moved = left[1:] - left[:-1]
    # Text that runs upwards stays together while its letters stand above each other.
    elsewhere = np.abs((top + bottom)[1:] - (top + bottom)[:-1]) >= size
    upwards = spaced | (np.abs(moved) > 0.3 * size)
    with_space = (gap > _NO_GAP * size) | (gap < -size)
    without = (gap > _WIDE_GAP * size) | (right[1:] < left[:-1] - size)
    return np.where(elsewhere, upwards, np.where(spaced, with_space, without) | raised)


def _codes(text: Any, count: int) -> Any:
    """The UTF-16 code of each letter, uint16: all at once, where that gives one for each."""
    codes = np.zeros(count + 1, np.uint16)
    if raw.FPDFText_GetText(text, 0, count, codes.ctypes.data_as(ctypes.POINTER(ctypes.c_ushort))) == count + 1:
        return codes[:count]
    return np.array([raw.FPDFText_GetUnicode(text, index) & 0xFFFF for index in range(count)], np.uint16)


def _boxes(text: Any, count: int) -> tuple[Any, Any]:
    """Left, top, right and bottom of each letter on the page as it was made, float32; and whether pdfium knows it."""
    boxes = np.zeros((count, 4), np.float32)
    handle, start = ctypes.cast(text.raw, ctypes.c_void_p).value, boxes.ctypes.data
    places = range(start, start + boxes.nbytes, ctypes.sizeof(raw.FS_RECTF))
    known = map(_loose_box, repeat(handle), range(count), places)
    return boxes, np.fromiter(known, np.intc, count) != 0


def _letters(codes: Any, at: Any) -> Sequence[str]:
    """The characters at these places, where a second half stands for both."""
    if not np.any((codes >= 0xD800) & (codes < 0xE000)):
        return str(codes[at].tobytes().decode(f"utf-16-{sys.byteorder[0]}e"))
    letters = []
    for index, code in zip(at.tolist(), codes[at].tolist(), strict=True):
        if code < 0xDC00 or code >= 0xE000:
            letters.append(chr(code))
            continue
        first = int(codes[index - 1]) if index else 0
        pair = 0xD800 <= first < 0xDC00
        letters.append(chr(0x10000 + ((first - 0xD800) << 10) + (code - 0xDC00)) if pair else "\ufffd")
    return letters


def _upright(page: Any) -> Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]:
    """A function from left, bottom, right and top on the page as it was made to x0, y0, x1 and y1 on the upright one.

    It takes numbers or arrays of them.
    """
    width, height = page.get_size()
    scale = 20_000
    across, down = ctypes.c_int(), ctypes.c_int()

    def shown(x: float, y: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page, 0, 0, scale, scale, 0, x, y, ctypes.byref(across), ctypes.byref(down))
        return across.value / scale * width, down.value / scale * height

    far = 1000.0
    x, y = shown(0, 0)
    (xx, xy), (yx, yy) = (((a - x) / far, (b - y) / far) for a, b in (shown(far, 0), shown(0, far)))

    def place(left: Any, bottom: Any, right: Any, top: Any) -> tuple[Any, Any, Any, Any]:
        xs = x + left * xx + top * yx, x + right * xx + bottom * yx
        ys = y + left * xy + top * yy, y + right * xy + bottom * yy
        return np.minimum(*xs), np.minimum(*ys), np.maximum(*xs), np.maximum(*ys)

    return place


def look(page: Any) -> Any:
    """The coarse grey picture by which `seen` and `is_doubtful` judge."""
    return render(page, _LOOK_DPI, grey=True)


def seen(page: Any, words: list[RawWord], image: Any) -> list[RawWord]:
    """The words that a person sees in `image`, a `look`: large enough to be read, and with ink where they stand.

    What is white on white, drawn invisibly, covered or outside of the picture has none.
    """
    if not words:
        return []
    width, height = page.get_size()
    across, down = image.shape[1] / width, image.shape[0] / height
    return [word for word in words if _large(word) and _has_ink(image, word, across, down)]


def _large(word: RawWord) -> bool:
    return (word.x1 - word.x0) * word.height >= len(word.text) * _LEGIBLE**2


def _has_ink(image: Any, word: RawWord, across: float, down: float) -> bool:
    y0, y1 = max(0, int(word.y0 * down)), int(word.y1 * down) + 1
    x0, x1 = max(0, int(word.x0 * across)), int(word.x1 * across) + 1
    middle = image[min((y0 + y1) // 2, len(image) - 1), x0:x1].tobytes()
    if middle and max(middle) - min(middle) >= _CONTRAST:  # as most words have, and it costs a fifth
        return True
    there = image[y0:y1, x0:x1]
    return there.size > 0 and int(there.max()) - int(there.min()) >= _CONTRAST


def not_text(page: Any) -> list[Any]:
    """What is drawn on a page besides text, up to a number: shapes, images, and forms that hold them."""
    things = ((handle, form) for handle, kind, form in _things(page) if kind in _DRAWN)
    return [
        pdfium.PdfObject(handle, page=page, pdf=page.pdf, container=form) for handle, form in islice(things, _MAX_DRAWN)
    ]


def _things(page: Any, form: Any = None, level: int = 0) -> Iterator[tuple[Any, int, Any]]:
    """pdfium's handle and kind of each thing on a page, and the form that holds it or None.

    As `page.get_objects`, which makes a Python object of each text too, most of what is on a page.
    """
    if form is None:
        count, thing = raw.FPDFPage_CountObjects(page), raw.FPDFPage_GetObject
    else:
        count, thing = raw.FPDFFormObj_CountObjects(form), raw.FPDFFormObj_GetObject
    for index in range(count):
        handle = thing(form or page, index)
        kind = raw.FPDFPageObj_GetType(handle)
        yield handle, kind, form
        if kind == raw.FPDF_PAGEOBJ_FORM and level < _DEEPEST:
            inner = pdfium.PdfObject(handle, page=page, pdf=page.pdf, container=form)
            yield from _things(page, inner, level + 1)


def _bounds(item: Any) -> Area:
    """Where a thing lies on the page. pdfium measures what a form holds on the form, which may lie on another one."""
    bounds: Area = item.get_bounds()
    while item.container is not None:
        item = item.container
        bounds = item.get_matrix().on_rect(*bounds)
    return bounds


def is_doubtful(page: Any, words: list[RawWord], shown: list[RawWord], drawn: list[Any], image: Any) -> bool:
    """Whether a text layer may be another's than the picture's: some of it is hidden, or other ink is where it stands.

    shown: those of the words that are seen in `image`, a `look`. drawn: what `not_text` gives.
    """
    if len(words) - len(shown) > _FEW_HIDDEN * len(words) or is_covered(page, drawn):
        return True
    if not shown or not (drawn or raw.FPDFPage_GetAnnotCount(page)):
        return False
    bare = _without_text(page)
    width, height = page.get_size()
    across, down = image.shape[1] / width, image.shape[0] / height
    borrowed = sum(bare is None or not _changes(image, bare, word, across, down) for word in shown)
    return borrowed > _FEW_HIDDEN * len(shown)


def _without_text(page: Any) -> Any:
    """A look at the page as it would be without its text; None where that is too much to take away.

    However a picture came there (an image, a pattern, an annotation): it is what stays.
    """
    texts = [handle for handle, kind, _ in islice(_things(page), _MAX_TEXTS) if kind == raw.FPDF_PAGEOBJ_TEXT]
    if len(texts) == _MAX_TEXTS:
        return None
    for text in texts:
        raw.FPDFPageObj_SetIsActive(text, False)
    try:
        return look(page)
    finally:
        for text in texts:
            raw.FPDFPageObj_SetIsActive(text, True)


def _changes(image: Any, bare: Any, word: RawWord, across: float, down: float) -> bool:
    y0, y1 = max(0, int(word.y0 * down)), int(word.y1 * down) + 1
    x0, x1 = max(0, int(word.x0 * across)), int(word.x1 * across) + 1
    with_it, without = image[y0:y1, x0:x1].astype(np.int16), bare[y0:y1, x0:x1]
    return with_it.size > 0 and int(np.abs(with_it - without).max()) >= _CONTRAST


def needs_ocr(page: Any, words: list[RawWord], drawn: list[Any], *, written: bool = False) -> bool:
    """Whether the page must be read by OCR: its text layer has no real words, and something stands on it.

    Text can be there without words: a font need not tell what its letters mean.
    written: what `annotations.are_written` says.
    """
    chars = "".join(word.text for word in words)
    real = [word for word in words if sum(char.isalnum() for char in word.text) >= 2]
    strange = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in chars)
    if len(real) >= 15 and strange < 0.2 * len(chars):
        return False
    if len(real) >= 3 and strange < 0.2 * len(chars):
        return is_covered(page, drawn)
    return bool(drawn) or written or _has_text(page)


def _has_text(page: Any) -> bool:
    return any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=_DEEPEST))


def is_covered(page: Any, drawn: list[Any]) -> bool:
    """Whether images cover so much of a page as scans do; many scanners cut a page into strips."""
    width, height = page.get_size()
    bounds = [_bounds(item) for item in drawn if item.type == raw.FPDF_PAGEOBJ_IMAGE]
    if len(drawn) >= _MAX_DRAWN:  # what comes after them is not known
        return True
    area: float = sum(abs((right - left) * (top - bottom)) for left, bottom, right, top in bounds)
    return bool(area > _SCAN * width * height)


def code_area(page: Any, drawn: list[Any]) -> Area | None:
    """Where an upright page with a text layer may show bar codes or matrix codes, by what is drawn on it, or None.

    An image may be one that is about half black and half white, or show one where it is the scan of a page; drawn
    shapes, where many bars stand close together, or many small squares are there or one shape with many corners.
    """
    width, height = page.get_size()
    bars: dict[tuple[int, int], list[Area]] = {}
    squares: list[Area] = []
    found: list[Area] = []
    images = 0
    for item in drawn:
        bounds = left, bottom, right, top = _bounds(item)
        across, down = right - left, top - bottom
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            images += 1
            scan = across * down >= _SCAN * width * height
            if min(across, down) >= _CODE_SIDE and images <= _CODE_IMAGES and (scan or _half_black(item)):
                found.append(bounds)
        if item.type != raw.FPDF_PAGEOBJ_PATH:
            continue
        if min(across, down) >= _CODE_SIDE and raw.FPDFPath_CountSegments(item.raw) >= _CODE_CORNERS:
            found.append(bounds)
        if max(across, down) <= _MODULE:
            squares.append(bounds)
        if min(across, down) <= 2 * _MODULE < max(across, down):
            side = (0, round(bottom)) if down > across else (1, round(left))
            bars.setdefault(side, []).append(bounds)
    found += [area for (lies, _), row in bars.items() for area in _runs(row, lies)]
    if len(squares) >= _CODE_SQUARES:
        found.append(_around(squares))
    if not found:
        return None
    x0, y0, x1, y1 = (float(side) for side in _upright(page)(*_around(found)))
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        return None
    return (
        max(0.0, x0 - _CODE_MARGIN),
        max(0.0, y0 - _CODE_MARGIN),
        min(width, x1 + _CODE_MARGIN),
        min(height, y1 + _CODE_MARGIN),
    )


def _runs(bars: list[Area], lies: int) -> list[Area]:
    """Where bars of one row (lies: 0 where they stand side by side, 1 one above the other) are as close as a code's."""
    if len(bars) < _CODE_BARS:
        return []
    runs: list[list[Area]] = []
    for bar in sorted(bars, key=lambda bar: bar[lies]):
        if runs and bar[lies] - runs[-1][-1][lies + 2] <= _MODULE:
            runs[-1].append(bar)
        else:
            runs.append([bar])
    return [_around(run) for run in runs if len(run) >= _CODE_BARS]


def _around(areas: Sequence[Area]) -> Area:
    lefts, bottoms, rights, tops = zip(*areas, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _half_black(item: Any) -> bool:
    try:
        across, down = item.get_px_size()
        if across * down > MAX_PIXELS:
            return False
        bitmap = item.get_bitmap(scale_to_original=False)
    except (pdfium.PdfiumError, RuntimeError, ValueError):
        return False
    pixels = np.frombuffer(bitmap.buffer, np.uint8)
    sample = pixels[:: max(1, len(pixels) // _SAMPLE) | 1]
    dark, light = np.count_nonzero(sample < 80), np.count_nonzero(sample > 175)
    return bool(min(dark, light) >= 0.2 * len(sample) and dark + light >= 0.75 * len(sample))


def render(page: Any, dpi: float, *, grey: bool, max_pixels: int = MAX_PIXELS, area: Area | None = None) -> Any:
    """The page, or an area of the upright page, as uint8 array: (height, width) when grey, else (height, width, 3) RGB.

    Never over the pixel cap: then it is coarser.
    """
    width, height = page.get_size()
    scale = dpi / 72
    if width * height * scale * scale > max_pixels:
        scale = (max_pixels / (width * height)) ** 0.5
    x0, y0, x1, y1 = area or (0.0, 0.0, width, height)
    crop = (x0, height - y1, width - x1, y0)
    bitmap = page.render(scale=scale, crop=crop, grayscale=grey, rev_byteorder=not grey, may_draw_forms=True)
    image = bitmap.to_numpy().copy()
    return image[:, :, 0] if grey and image.ndim == 3 else image
