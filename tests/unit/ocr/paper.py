"""Small PDFs made by hand, for tests."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pikepdf

Line = tuple[float, float, str]
"""x and y in points from the upper left corner of an A4 page, and the text."""


class PlacedWord(Protocol):
    """A word with its page, from 1, and its box there, 0..1 from the upper left corner."""

    @property
    def page(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def box(self) -> tuple[float, float, float, float]: ...


def layered(scan: Path, words: Iterable[PlacedWord], out: Path) -> Path:
    """A scan with words laid unseen over its first page, as scanners that read write them."""
    with pikepdf.open(scan) as document:
        page = document.pages[0]
        _, _, width, height = (float(side) for side in page.mediabox)
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Courier,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        page.add_resource(font, pikepdf.Name.Font, pikepdf.Name("/Layer"))
        laid = []
        for word in words:
            text = word.text.encode("cp1252", "ignore").translate(None, b"()\\")
            if text and word.page == 1:
                x0, y0, x1, y1 = word.box
                size = (y1 - y0) * height * 0.9
                wide = 100 * (x1 - x0) * width / (0.6 * size * len(text))
                place = (size, wide, x0 * width, (1 - y1) * height + 0.2 * size, text)
                laid.append(b"/Layer %.2f Tf %.1f Tz 1 0 0 1 %.2f %.2f Tm (%s) Tj" % place)
        page.contents_add(b"q BT 3 Tr " + b"\n".join(laid) + b" ET Q")
        document.save(out)
    return out


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
    document.save(path, deterministic_id=True)
    return path


def annotated(path: Path, *annotations: Mapping[str, Any]) -> Path:
    """The first page with annotations, form fields among them, one below the other from (300, 60) to (500, 90).

    A text that begins with a slash is a name; AP=True draws the contents, and a line beneath it.
    """
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        made = []
        for number, values in enumerate(annotations):
            plain = {f"/{name}": _named(value) for name, value in values.items() if name != "AP"}
            one = pikepdf.Dictionary({"/Type": pikepdf.Name.Annot, "/DA": "/Helv 12 Tf 0 g", **plain})
            one.Rect = pikepdf.Array([300, 752 - 40 * number, 500, 782 - 40 * number])
            if values.get("AP"):
                text = b"BT /Helv 12 Tf 4 10 Td (%s) Tj ET 0 2 200 1 re f" % values.get("Contents", "").encode()
                drawn = document.make_stream(text, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
                drawn.BBox, drawn.Resources = pikepdf.Array([0, 0, 200, 30]), _helvetica()
                one.AP = pikepdf.Dictionary(N=drawn)
            elif values.get("FT") == "/Btn":
                ticked = document.make_stream(b"0 0 20 20 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
                ticked.BBox = pikepdf.Array([0, 0, 20, 20])
                one.AP = pikepdf.Dictionary(N=pikepdf.Dictionary(Yes=ticked))
            made.append(document.make_indirect(one))
        document.pages[0].Annots = pikepdf.Array(made)
        fields = [one for one in made if one.Subtype == "/Widget"]
        if fields:
            document.Root.AcroForm = pikepdf.Dictionary(Fields=fields, DR=_helvetica(), DA="/Helv 12 Tf 0 g")
        document.save(path)
    return path


def _helvetica() -> pikepdf.Dictionary:
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    return pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))


def _named(value: Any) -> Any:
    return pikepdf.Name(value) if isinstance(value, str) and value.startswith("/") else value


def _shown(x: float, y: float, text: str) -> bytes:
    safe = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /F1 10 Tf %.1f %.1f Td (%s) Tj ET" % (x, 842 - y, safe)


def _attached(document: pikepdf.Pdf, name: str, content: bytes) -> pikepdf.AttachedFileSpec:
    kind = "application/xml"
    return pikepdf.AttachedFileSpec(
        document, content, filename=name, description="", mime_type=kind, creation_date="", mod_date=""
    )
