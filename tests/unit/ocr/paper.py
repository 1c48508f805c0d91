"""Small PDFs made by hand, for tests."""

from collections.abc import Sequence
from pathlib import Path

import pikepdf

Line = tuple[float, float, str]
"""x and y in points from the upper left corner of an A4 page, and the text."""


def text_pdf(path: Path, pages: Sequence[Sequence[Line]], attachments: dict[str, bytes] | None = None) -> Path:
    """A PDF with a text layer in Helvetica 10."""
    document = pikepdf.new()
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    for lines in pages:
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = document.make_stream(b"\n".join(_shown(*line) for line in lines))
    for name, content in (attachments or {}).items():
        document.attachments[name] = _attached(document, name, content)
    document.save(path)
    return path


def _shown(x: float, y: float, text: str) -> bytes:
    safe = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /F1 10 Tf %.1f %.1f Td (%s) Tj ET" % (x, 842 - y, safe)


def _attached(document: pikepdf.Pdf, name: str, content: bytes) -> pikepdf.AttachedFileSpec:
    kind = "application/xml"
    return pikepdf.AttachedFileSpec(
        document, content, filename=name, description="", mime_type=kind, creation_date="", mod_date=""
    )
