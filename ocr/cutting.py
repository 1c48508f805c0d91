"""A file of some pages of another one. Runs in the sandbox's child only."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pikepdf
from PIL import ImageOps, TiffImagePlugin

from ocr.raster import MAX_PIXELS, count_pages, resolution
from tallyman.errors import PasswordNeeded, Quarantined, Unreadable

_BLACK_AND_WHITE = "1"
_KEPT = ("1", "L", "RGB", "CMYK", "I;16")
"""Modes of pictures that a TIFF holds as they are."""


def cut_pdf(path: str, password: str | None, pages: Sequence[int]) -> memoryview:
    """A PDF of these pages (from 1), without password, attachments and what only other pages need.

    By pikepdf: pdfium leaves behind what was filled into the fields of a page. Equal pages give equal bytes.
    """
    with _damaged("PDF"), pikepdf.open(path, password=password or "") as whole, pikepdf.new() as part:
        _must_exist(pages, len(whole.pages))
        part.add_pages_from(whole, [page - 1 for page in pages])
        part.remove_unreferenced_resources()
        out = io.BytesIO()
        part.save(out, deterministic_id=True)
        return out.getbuffer()


def cut_image(image: Any, pages: Sequence[int]) -> memoryview:
    """A TIFF of these pages (from 1), upright, no pixel changed."""
    _must_exist(pages, count_pages(image))
    out = io.BytesIO()
    with _damaged("image"), TiffImagePlugin.AppendingTiffWriter(out) as tiff:
        for page in pages:
            image.seek(page - 1)
            if image.size[0] * image.size[1] > MAX_PIXELS:
                raise Quarantined(f"Page {page} has more than {MAX_PIXELS // 1_000_000} megapixels.")
            across, down = resolution(image)
            sheet = ImageOps.exif_transpose(image)
            if across != down and sheet.size != image.size:
                across, down = down, across
            if sheet.mode not in _KEPT:
                sheet = sheet.convert("RGBA" if sheet.has_transparency_data else "RGB")
            packed = "group4" if sheet.mode == _BLACK_AND_WHITE else "tiff_adobe_deflate"
            sheet.save(tiff, "TIFF", compression=packed, dpi=(across, down))
            tiff.newFrame()
    return out.getbuffer()


def _must_exist(pages: Sequence[int], count: int) -> None:
    if not pages or not all(1 <= page <= count for page in pages):
        raise Unreadable(f"The file has {count} pages, and other ones were asked for.")


@contextmanager
def _damaged(what: str) -> Iterator[None]:
    try:
        yield
    except pikepdf.PasswordError as error:
        raise PasswordNeeded("The password does not open the file.") from error
    except (pikepdf.PdfError, OSError, SyntaxError, ValueError, EOFError) as error:
        if getattr(error, "errno", None) is not None:  # the machine's trouble, or a limit's
            raise
        raise Unreadable(f"The {what} is damaged: no pages can be cut out of it.") from error
