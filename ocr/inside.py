"""What runs in the sandbox's child: JSON values in, JSON values out."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr import pdf
from ocr.filetype import FileType, file_type
from ocr.lines import Placed, RawWord, as_words, in_reading_order, placed
from ocr.marklabels import asks_for_mark
from tallyman.errors import Quarantined, Unreadable

if TYPE_CHECKING:  # see ocr.lines
    from tallyman.domain.page import Mark, Word

MAX_FILE = 100 * 1024 * 1024
_MARK_DPI = 150
_HAND_AT_MOST = 0.5
_PAPER = 255


def inspect(path: str) -> dict[str, Any]:
    """Everything but OCR: {"media_type", "xml", "pages": [{"width", "height", "ocr", "hand", "words", "marks"}]}.

    "ocr": the page has no usable text layer. "hand": somebody wrote on a page that has one.
    """
    kind = _kind(path)
    if kind is FileType.XML:
        return {"media_type": kind.value, "xml": _decode(Path(path).read_bytes()), "pages": []}
    if kind is not FileType.PDF:
        return {"media_type": kind.value, "xml": None, "pages": _image_pages(path)}
    document = pdf.open_pdf(path)
    xml = pdf.embedded_xml(document)
    pages = [_text_page(document, index) for index in range(len(document))]
    return {"media_type": kind.value, "xml": None if xml is None else _decode(xml), "pages": pages}


def recognise(path: str, page: int, engine: str, languages: list[str]) -> dict[str, Any]:
    """One page (from 1) by OCR: {"words", "marks", "rotation", "skew", "engine"}."""
    from ocr.imaging.marks import find_marks
    from ocr.recognition import read_upright

    image = _pixels(path, page, grey=True)
    worker = importlib.import_module(engine).ENGINE
    result = read_upright(image, worker, tuple(languages))
    marks = find_marks(result.image, result.words)
    return {
        "words": _pack(result.words),
        "marks": [mark.to_json() for mark in marks],
        "rotation": result.rotation,
        "skew": result.skew,
        "engine": f"{worker.name} {worker.version}",
    }


def recognise_hand(path: str, page: int, engine: str, languages: list[str]) -> list[list[Any]]:
    """The words of a text layer together with what a hand wrote beside them, read by OCR and never trusted much.

    The printed words are taken out of the picture first: only what nobody knows yet is left to read.
    """
    document = pdf.open_pdf(path)
    sheet = document[page - 1]
    width, height = sheet.get_size()
    printed = pdf.text_words(sheet)
    worker = importlib.import_module(engine).ENGINE
    image = pdf.render(sheet, pdf.RENDER_DPI, grey=True)
    down, across = image.shape[0] / height, image.shape[1] / width
    for word in printed:
        image[_span(word.y0, word.y1, down), _span(word.x0, word.x1, across)] = _PAPER
    read = worker.words(image, tuple(languages))
    taken = in_reading_order(printed, width, height)
    added = [_raw(word, width, height) for word in read if not any(_overlap(word, other) for other in taken)]
    return _pack(in_reading_order(printed + added, width, height))


def _span(start: float, end: float, scale: float) -> slice:
    """The pixels of a length in points, with a little around it."""
    return slice(max(0, int(start * scale) - 2), max(0, int(end * scale) + 3))


def _raw(word: "Word", width: float, height: float) -> RawWord:
    box = word.box
    return RawWord(
        text=word.text,
        x0=box.x0 * width,
        y0=box.y0 * height,
        x1=box.x1 * width,
        y1=box.y1 * height,
        confidence=min(word.confidence, _HAND_AT_MOST),
    )


def _overlap(word: "Word", other: "Word") -> bool:
    across = min(word.box.x1, other.box.x1) - max(word.box.x0, other.box.x0)
    down = min(word.box.y1, other.box.y1) - max(word.box.y0, other.box.y0)
    area = (word.box.x1 - word.box.x0) * (word.box.y1 - word.box.y0)
    return across > 0 and down > 0 and across * down > 0.15 * area


def render(path: str, page: int, width: int, rotation: int, skew: float) -> str:
    """A PNG of one page (from 1), `width` pixels wide, packed."""
    import io

    from PIL import Image

    from ocr.imaging.deskew import turned
    from tallyman.platform.sandbox import pack_bytes

    image = _pixels(path, page, grey=False)
    picture = Image.fromarray(turned(image, rotation, skew))
    height = max(1, round(picture.height * width / picture.width))
    out = io.BytesIO()
    picture.resize((width, min(height, 20 * width)), reducing_gap=2.0).save(out, "PNG", compress_level=1)
    return pack_bytes(out.getvalue())


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


def _image_pages(path: str) -> list[dict[str, Any]]:
    from ocr import raster

    image = raster.open_image(path)
    pages = []
    for number in range(1, raster.count_pages(image) + 1):
        width, height = raster.page_size(image, number)
        pages.append({"width": width, "height": height, "ocr": True, "hand": False, "words": [], "marks": []})
    return pages


def _text_page(document: Any, index: int) -> dict[str, Any]:
    try:
        page = document[index]
        width, height = page.get_size()
        raw_words = pdf.text_words(page)
    except pdf.PdfiumError as error:
        raise Unreadable(f"Page {index + 1} of the PDF is damaged.") from error
    if width <= 0 or height <= 0:
        raise Unreadable(f"Page {index + 1} of the PDF has no size.")
    ocr = pdf.needs_ocr(page, raw_words)
    words = [] if ocr else placed(raw_words, width, height)
    marks = _marks(page, words) if asks_for_mark((word[0], word[-1]) for word in words) else ()
    packed = [mark.to_json() for mark in marks]
    hand = any(mark.state != "absent" for mark in marks)
    return {"width": width, "height": height, "ocr": ocr, "hand": hand, "words": words, "marks": packed}


def _marks(page: Any, words: list[Placed]) -> "tuple[Mark, ...]":
    from ocr.imaging.marks import find_marks

    return find_marks(pdf.render(page, _MARK_DPI, grey=True), as_words(words))


def _pixels(path: str, page: int, *, grey: bool) -> Any:
    if _kind(path) is FileType.PDF:
        document = pdf.open_pdf(path)
        _must_exist(page, len(document))
        return pdf.render(document[page - 1], pdf.RENDER_DPI, grey=grey)
    from ocr import raster

    if _kind(path) is FileType.XML:
        raise Unreadable("An XML file has no pages to show.")
    image = raster.open_image(path)
    _must_exist(page, raster.count_pages(image))
    return raster.decode(image, page, grey=grey)


def _must_exist(page: int, count: int) -> None:
    if not 1 <= page <= count:
        raise Unreadable(f"The file has no page {page}; it has {count}.")


def _pack(words: "tuple[Word, ...]") -> list[list[Any]]:
    return [
        [word.text, word.box.x0, word.box.y0, word.box.x1, word.box.y1, word.confidence, word.line] for word in words
    ]
