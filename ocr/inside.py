"""What runs in the sandbox's child: JSON values in, JSON values out."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ocr import pdf
from ocr.annotations import are_written
from ocr.filetype import FileType, file_type
from ocr.lines import Placed, as_words, placed
from ocr.marklabels import asks_for_mark
from tallyman.errors import Quarantined, Unreadable

if TYPE_CHECKING:  # see ocr.lines
    from tallyman.domain.page import Box, Mark

MAX_FILE = 100 * 1024 * 1024
_MARK_DPI = 150
_A4 = (595.0, 842.0)
PRELOAD = (
    "cv2",
    "PIL.Image",
    "PIL.ImageOps",
    "ocr.barcodes",
    "ocr.imaging.deskew",
    "ocr.imaging.marks",
    "ocr.imaging.photo",
    "ocr.raster",
)
"""What the template of the sandbox imports besides this module, once for all children."""
_PAPER = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <<
  /A <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> /B <</Type /Font /Subtype /TrueType /BaseFont /Arial>>
>> >> >> endobj
4 0 obj <</Length 76>> stream
BT /A 12 Tf 50 700 Td (Invoice 4711) Tj /B 12 Tf 0 -20 Td (Signature) Tj ET
endstream endobj
trailer <</Root 1 0 R>>
"""


def warm_up() -> None:
    """Look at a paper of our own, once for all children: pdfium searches the machine for fonts at the first one."""
    with pdf.open_pdf(_PAPER) as document:
        _text_page(document, 0)


def inspect(
    path: str, password: str | None, most_drawn: int, into: int, first: int = 1, most: int = pdf.MAX_PAGES
) -> dict[str, Any]:
    """Everything but OCR: {"media_type", "xml", "count", "pages": [page, ...]}.

    first, most: which pages of a PDF are looked at, since a child has only so much time; count: how many there are.
    A page is {"width", "height", "ocr", "hand", "doubtful", "words", "marks", "barcodes"}, with {"engine", "problem"}
    when it is damaged and not the only one. "ocr": it has no usable text layer. "hand": somebody wrote on a page that
    has one, or filled in its fields. "doubtful": its text layer is to be compared with the picture, in which marks and
    codes are looked for then. The first `most_drawn` of all these are drawn: "drawn", as `draw` tells.
    """
    path, kind = _document(path, password)
    if kind is FileType.XML:
        return {"media_type": kind.value, "xml": _decode(Path(path).read_bytes()), "count": 0, "pages": []}
    if kind is FileType.PDF:
        document = pdf.open_pdf(path, password)
        count, xml = len(document), pdf.embedded_xml(document)
        chosen = range(first - 1, min(first - 1 + most, count))
        pages = [_looked_at(partial(_text_page, document, index), count) for index in chosen]
    else:
        document, xml = _image(path), None
        count = _count(document, kind)
        pages = [_looked_at(partial(_image_page, document, index), count) for index in range(count)]
    wanted = [page["ocr"] or page["hand"] or page["doubtful"] for page in pages]
    waiting = [number for number, drawn in enumerate(wanted, start=first) if drawn][:most_drawn]
    for number, drawn in zip(waiting, _drawn(document, kind, waiting, into), strict=True):
        pages[number - first]["drawn"] = drawn
    text = None if xml is None else _decode(xml)
    return {"media_type": kind.value, "xml": text, "count": count, "pages": pages}


def draw(path: str, password: str | None, pages: list[int], into: int) -> list[dict[str, Any]]:
    """Write the grey pixels of pages (from 1) to the open file `into`, one after the other.

    For each page: {"offset", "height", "width" (in pixels), "reshaped": [across, down]}. The last says by how much the
    sheet is wider and higher than the picture that it was found on. Of one of several that is damaged: {"problem"}.
    """
    path, kind = _document(path, password)
    document = pdf.open_pdf(path, password) if kind is FileType.PDF else _image(path)
    return _drawn(document, kind, pages, into)


def _drawn(document: Any, kind: FileType, pages: list[int], into: int) -> list[dict[str, Any]]:
    told, offset = [], 0
    for page in pages:
        try:
            image, reshaped = _pixels(document, kind, page, grey=True)
        except Unreadable as error:
            told.append(_damaged(error, _count(document, kind)))
            continue
        image = np.ascontiguousarray(image)
        _write(into, image)
        height, width = image.shape
        told.append({"offset": offset, "height": height, "width": width, "reshaped": reshaped})
        offset += image.nbytes
    return told


def _write(into: int, image: Any) -> None:
    left = memoryview(image).cast("B")
    while left:
        left = left[os.write(into, left) :]


def render(path: str, password: str | None, page: int, width: int, rotation: int, skew: float) -> str:
    """A PNG of one page (from 1), `width` pixels wide, packed."""
    import io

    from PIL import Image

    from ocr.imaging.deskew import turned
    from tallyman.platform.sandbox import pack_bytes

    path, kind = _document(path, password)
    if kind is FileType.XML:
        raise Unreadable("An XML file has no pages to show.")
    document = pdf.open_pdf(path, password) if kind is FileType.PDF else _image(path)
    image, _ = _pixels(document, kind, page, grey=False)
    picture = Image.fromarray(turned(image, rotation, skew))
    height = max(1, round(picture.height * width / picture.width))
    out = io.BytesIO()
    picture.resize((width, min(height, 20 * width)), reducing_gap=2.0).save(out, "PNG", compress_level=1)
    return pack_bytes(out.getvalue())


def cut(path: str, password: str | None, pages: list[int], into: int) -> None:
    """Write a file of these pages (from 1), in this order, to the open file `into`."""
    path, kind = _document(path, password)
    if kind is FileType.XML:
        raise Unreadable("An XML file has no pages to cut.")
    if kind is FileType.PDF:
        from ocr.cutting import cut_pdf

        content = cut_pdf(path, password, pages)
    else:
        from ocr.cutting import cut_image

        content = cut_image(_image(path), pages)
    _write(into, content)


def _document(path: str, password: str | None) -> tuple[str, FileType]:
    """Path and type of the document: the file itself, or the one document in a container, laid into the scratch folder.

    Raises Unreadable, PasswordNeeded and Quarantined.
    """
    kind = _kind(path)
    if not kind.is_container:
        return path, kind
    from ocr.unpack import only_document

    file = Path("document").resolve()
    file.write_bytes(only_document(path, password))
    return str(file), _kind(str(file))


def _kind(path: str) -> FileType:
    file = Path(path)
    if file.stat().st_size > MAX_FILE:
        raise Quarantined(f"The file is larger than {MAX_FILE // (1024 * 1024)} MiB.")
    with file.open("rb") as stream:
        return file_type(stream.read(1024))


def _decode(content: bytes) -> str:
    """XML as text, by its byte order mark or its declaration. Raises Unreadable."""
    if len(content) > pdf.MAX_XML:
        raise Quarantined(f"The XML is larger than {pdf.MAX_XML // (1024 * 1024)} MiB.")
    encoding = "utf-8-sig"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"encoding=" in content[:200]:
        declared = content[:200].split(b"encoding=", 1)[1][1:].split(content[:200].split(b"encoding=", 1)[1][:1])[0]
        encoding = declared.decode("ascii", "replace").lower()
        encoding = "utf-8-sig" if encoding in ("utf-8", "utf8", "utf-16") else encoding
    if encoding not in ("utf-8-sig", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii", "ascii"):
        raise Unreadable(f"The XML is written in the encoding {encoding!r}, which is not read.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("The XML is damaged: its characters can't be read.") from error


def _image(path: str) -> Any:
    from ocr import raster

    return raster.open_image(path)


def _count(document: Any, kind: FileType) -> int:
    if kind is FileType.PDF:
        return len(document)
    from ocr import raster

    return raster.count_pages(document)


def _looked_at(look: Callable[[], dict[str, Any]], count: int) -> dict[str, Any]:
    try:
        return look()
    except Unreadable as error:
        return _page(*_A4, ocr=False) | {"engine": "", **_damaged(error, count)}


def _damaged(error: Unreadable, count: int) -> dict[str, Any]:
    """What to tell of a page that is damaged, so that it costs no other one. Raises the error where there is none."""
    if count == 1:
        raise error
    return {"problem": str(error)}


def _image_page(image: Any, index: int) -> dict[str, Any]:
    from ocr import raster

    width, height = raster.page_size(image, index + 1)
    return _page(width, height, ocr=True)


def _page(width: float, height: float, *, ocr: bool) -> dict[str, Any]:
    flags = {"ocr": ocr, "hand": False, "doubtful": False}
    return {"width": width, "height": height, **flags, "words": [], "marks": [], "barcodes": []}


def _text_page(document: Any, index: int) -> dict[str, Any]:
    try:
        page = document[index]
        width, height = page.get_size()
        raw_words = pdf.text_words(page)
    except pdf.PdfiumError as error:
        raise Unreadable(f"Page {index + 1} of the PDF is damaged.") from error
    if width <= 0 or height <= 0:
        raise Unreadable(f"Page {index + 1} of the PDF has no size.")
    look = pdf.look(page) if raw_words else None
    shown, drawn, written = pdf.seen(page, raw_words, look), pdf.not_text(page), are_written(page)
    told = _page(width, height, ocr=pdf.needs_ocr(page, shown, drawn, written=written))
    if told["ocr"]:
        return told
    told["hand"] = written
    told["doubtful"] = pdf.is_doubtful(page, raw_words, shown, drawn, look)
    told["words"] = words = placed(shown, width, height)
    if told["doubtful"]:
        return told
    if asks_for_mark((word[0], word[-1]) for word in words):
        marks = _marks(page, words)
        told["marks"] = [mark.to_json() for mark in marks]
        told["hand"] = written or any(mark.state != "absent" for mark in marks)
    if area := pdf.code_area(page, drawn):
        from ocr.barcodes import find_barcodes

        x0, y0, x1, y1 = area
        found = find_barcodes(pdf.render(page, pdf.RENDER_DPI, grey=True, area=area))
        within = (x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height)
        told["barcodes"] = [code.to_json() | {"box": _moved(code.box, *within)} for code in found]
    return told


def _moved(box: "Box", left: float, top: float, wide: float, high: float) -> dict[str, float]:
    """A box on a part of the page as a box on the page."""
    return {
        "x0": left + box.x0 * wide,
        "y0": top + box.y0 * high,
        "x1": left + box.x1 * wide,
        "y1": top + box.y1 * high,
    }


def _marks(page: Any, words: list[Placed]) -> "tuple[Mark, ...]":
    from ocr.imaging.marks import find_marks

    return find_marks(pdf.render(page, _MARK_DPI, grey=True), as_words(words))


def _pixels(document: Any, kind: FileType, page: int, *, grey: bool) -> tuple[Any, list[float]]:
    """A page as people see it and as it is read, and by how much it was reshaped (across, down)."""
    from ocr.imaging import photo

    if kind is not FileType.PDF:
        from ocr import raster

        _must_exist(page, raster.count_pages(document))
        return photo.sheet(raster.decoded(document, page), grey=grey)
    _must_exist(page, len(document))
    try:
        opened = document[page - 1]
        if _is_scan(opened):  # most scanners and phones send their pictures as PDFs
            return photo.sheet(pdf.render(opened, pdf.RENDER_DPI, grey=False), grey=grey)
        return pdf.render(opened, pdf.RENDER_DPI, grey=grey), [1.0, 1.0]
    except pdf.PdfiumError as error:
        raise Unreadable(f"Page {page} of the PDF is damaged.") from error


def _is_scan(page: Any) -> bool:
    """Whether a PDF's page is a picture that is read by OCR. One with a text layer stays as that layer lies on it."""
    drawn = pdf.not_text(page)
    if not pdf.is_covered(page, drawn):
        return False
    words = pdf.text_words(page)
    shown = pdf.seen(page, words, pdf.look(page) if words else None)
    return pdf.needs_ocr(page, shown, drawn, written=are_written(page))


def _must_exist(page: int, count: int) -> None:
    if not 1 <= page <= count:
        raise Unreadable(f"The file has no page {page}; it has {count}.")
