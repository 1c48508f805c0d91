"""What a file is, by its content; its name proves nothing."""

from enum import StrEnum

from tallyman.errors import Unreadable

READ = "PDF, PNG, JPEG, TIFF and XML files are read"


class FileType(StrEnum):
    """Values are media types."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"
    XML = "application/xml"


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"II*\x00", FileType.TIFF),
    (b"MM\x00*", FileType.TIFF),
)
_OTHERS = (
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office or Outlook file"),
    (b"GIF8", "a GIF image"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF text"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def file_type(head: bytes) -> FileType:
    """The type of a file by its first kilobyte. Raises Unreadable, which names the types that are read."""
    if not head:
        raise Unreadable("The file is empty.", advice="Ask the sender for a new copy.")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    # Readers of PDF accept anything before the header within the first kilobyte; so do real files.
    if b"%PDF-" in head[:1024]:
        return FileType.PDF
    start = _plain(head)
    if start.startswith((b"<?xml", b"<rsm:", b"<invoice", b"<creditnote", b"<ubl:", b"<crossindustry")):
        return FileType.XML
    named = next((name for magic, name in _OTHERS if start.startswith(magic.lower())), "of a type that is not known")
    raise Unreadable(f"The file is {named}; {READ}.", advice="Ask the sender for a PDF, or save it as PDF.")


def _plain(head: bytes) -> bytes:
    for bom in _BOMS:
        if head.startswith(bom):
            head = head[len(bom) :]
    return head.replace(b"\x00", b"").lstrip().lower()
