"""Bar codes and matrix codes of a page by zxing-cpp. Runs in child processes only: it reads a stranger's pixels.

A page is searched at half its resolution first, which finds nearly every code at a quarter of the cost. Then only those
places are looked at in full that have as much ink as a code has, and in which none was read.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import zxingcpp

from ocr.imaging.components import components
from ocr.imaging.scale import divided
from tallyman.domain.page import MAX_BARCODE, Barcode, Box

_FORMATS = {
    zxingcpp.BarcodeFormat.QRCode: "qr_code",
    zxingcpp.BarcodeFormat.DataMatrix: "data_matrix",
    zxingcpp.BarcodeFormat.Aztec: "aztec",
    zxingcpp.BarcodeFormat.PDF417: "pdf417",
    zxingcpp.BarcodeFormat.Code128: "code_128",
    zxingcpp.BarcodeFormat.Code39: "code_39",
    zxingcpp.BarcodeFormat.ITF: "itf",
    zxingcpp.BarcodeFormat.EAN13: "ean_13",
    zxingcpp.BarcodeFormat.EAN8: "ean_8",
}
_WANTED = zxingcpp.BarcodeFormats(list(_FORMATS))
_MOST = 50
"""So many codes of a page are given; labels on a pallet's list have about twenty."""
_HALF_ABOVE = 2000
"""Pages whose long side has more pixels are searched at half their size first."""
_BLOCK = 4
"""Pixels of the halved page."""
_AREA = 5
_NEAR = 31
_INK_LEAST, _INK_MOST = 0.28, 0.8
_SMALLEST = 5
"""Blocks on the short side of a place that may hold a code: 40 pixels, 3.4 mm at 300 dpi."""
_MARGIN = 16
"""Blocks around a place: thin bars at the ends of a code have little ink, and codes need white beside them."""
_PLACES = 8
_SURE_LENGTH = 6
"""An ITF or Code 39 code that is shorter is a chance find among ruled lines: neither has a check digit of its own."""


def find_barcodes(image: Any) -> tuple[Barcode, ...]:
    """The codes of a grey page (height, width), from the top down. One whose check digits fail is not given."""
    height, width = image.shape
    halved = max(image.shape) > _HALF_ABOVE
    small = divided(image, 2) if halved else image
    found = list(_read(small, 0, 0, *small.shape))
    for x0, y0, x1, y1 in _unread(small, found) if halved else ():
        more = _read(image[y0:y1, x0:x1], x0, y0, height, width, thorough=True)
        found += [code for code in more if not _known(code, found)]
    return tuple(sorted(found, key=lambda code: (code.box.y0, code.box.x0))[:_MOST])


def _read(image: Any, left: int, top: int, height: int, width: int, *, thorough: bool = False) -> Iterator[Barcode]:
    """The codes of a part of a page. left, top: where it begins; height, width: of the page, in the part's pixels."""
    hits = zxingcpp.read_barcodes(
        np.ascontiguousarray(image), formats=_WANTED, try_invert=False, try_downscale=thorough
    )
    for hit in hits:
        name, text = _FORMATS.get(hit.format, ""), _clean(hit.text)
        if not hit.valid or not name or not 0 < len(text) <= MAX_BARCODE:
            continue
        if name in ("itf", "code_39") and len(text) < _SURE_LENGTH:
            continue
        gs1 = hit.content_type == zxingcpp.ContentType.GS1
        yield Barcode(
            format=f"gs1_{name}" if gs1 else name, text=text, box=_box(hit.position, left, top, height, width)
        )


def _clean(text: str) -> str:
    """Without control characters, apart from the line feeds that part the rows of a payment code.

    zxing has spelled out, as <ESC>, those of a text that is none.
    """
    rows = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in rows if char == "\n" or char.isprintable())


def _box(position: Any, left: int, top: int, height: int, width: int) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [left + corner.x for corner in corners], [top + corner.y for corner in corners]

    def within(value: float) -> float:
        return round(min(1.0, max(0.0, value)), 5)

    return Box(
        x0=within(min(across) / width),
        y0=within(min(down) / height),
        x1=within(max(across) / width),
        y1=within(max(down) / height),
    )


def _known(code: Barcode, found: list[Barcode]) -> bool:
    return any(code.text == other.text and _touch(code.box, other.box) for other in found)


def _touch(one: Box, other: Box) -> bool:
    return one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1


def _unread(small: Any, found: list[Barcode]) -> Iterator[tuple[int, int, int, int]]:
    """Places with as much ink as a code has and none read in them: x0, y0, x1, y1 in pixels of the whole page."""
    blocks = divided(small, _BLOCK)
    # Paper is as light as the lightest block near: a photo is lit from one side.
    paper = cv2.dilate(blocks, np.ones((_NEAR, _NEAR), np.uint8)).astype(np.float32)
    ink = 1 - cv2.blur(blocks, (_AREA, _AREA)) / np.maximum(paper, 1)
    likely = ((ink > _INK_LEAST) & (ink < _INK_MOST)).astype(np.uint8)
    likely = cv2.morphologyEx(likely, cv2.MORPH_OPEN, np.ones((_SMALLEST, _SMALLEST), np.uint8))
    _, stats = components(likely)
    high, wide = likely.shape
    for x, y, across, down, _ in sorted(stats[1:], key=lambda row: -row[4])[:_PLACES]:
        place = Box(x0=x / wide, y0=y / high, x1=(x + across) / wide, y1=(y + down) / high)
        if not any(_touch(place, code.box) for code in found):
            x0, y0 = max(0, x - _MARGIN), max(0, y - _MARGIN)
            x1, y1 = x + across + _MARGIN, y + down + _MARGIN
            yield 2 * _BLOCK * x0, 2 * _BLOCK * y0, 2 * _BLOCK * x1, 2 * _BLOCK * y1
