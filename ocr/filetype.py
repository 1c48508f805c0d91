"""What a file is, by its content; its name proves nothing."""

import re
from enum import StrEnum

from tallyman.errors import Unreadable

READ = "PDF, PNG, JPEG, TIFF, HEIC, WebP and XML files are read, and e-mails and ZIP files that hold some"


class FileType(StrEnum):
    """Values are media types."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"
    HEIC = "image/heic"
    WEBP = "image/webp"
    XML = "application/xml"
    EMAIL = "message/rfc822"
    ZIP = "application/zip"

    @property
    def is_container(self) -> bool:
        """Whether it is no document itself, but holds some."""
        return self in (FileType.EMAIL, FileType.ZIP)


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"II*\x00", FileType.TIFF),
    (b"MM\x00*", FileType.TIFF),
)
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/", b"_rels/.rels", b"docProps/", b"META-INF/")
"""What the first entry of an Office, OpenDocument or Java file is called; they are ZIP files too."""
_MAIL = re.compile(
    rb"(return-path|received|delivered-to|envelope-to|from|sender|reply-to|to|cc|bcc|date|subject|message-id|mime-version"
    rb"|in-reply-to|references|dkim-signature|authentication-results|arc-[a-z-]+|x-[a-z0-9-]+|content-type|thread-[a-z]+)"
    rb"[ \t]*:"
)
_OTHERS = (
    (b"\x78\x9f\x3e\x22", "an Outlook package (winmail.dat), which only Outlook opens"),
    (b"\xd0\xcf\x11\xe0", "an old Office or Outlook file"),
    (b"GIF8", "a GIF image"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF text"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing"),
    (b"rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
)
_ADVICE = "Ask the sender for a PDF, or save it as PDF."
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def file_type(head: bytes) -> FileType:
    """The type of a file by its first kilobyte. Raises Unreadable, which names the types that are read."""
    if not head:
        raise Unreadable("The file is empty.", advice="Ask the sender for a new copy.")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileType.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return FileType.HEIC
    if head.startswith(_ZIP):  # before PDF: a PDF that lies unpacked in a ZIP file has its header within a kilobyte
        if any(name in head[:120] for name in _OFFICE):
            raise Unreadable(f"The file is an Office file; {READ}.", advice=_ADVICE)
        return FileType.ZIP
    # Readers of PDF accept anything before the header within the first kilobyte; so do real files.
    if b"%PDF-" in head[:1024]:
        return FileType.PDF
    start = _plain(head)
    if start.startswith((b"<?xml", b"<rsm:", b"<invoice", b"<creditnote", b"<ubl:", b"<crossindustry")):
        return FileType.XML
    if _MAIL.match(start):
        return FileType.EMAIL
    named = next((name for magic, name in _OTHERS if start.startswith(magic.lower())), "of a type that is not known")
    raise Unreadable(f"The file is {named}; {READ}.", advice=_ADVICE)


def is_container(head: bytes) -> bool:
    """Whether a file is no document itself, but an e-mail or a ZIP file. Looks at its first kilobyte only."""
    try:
        return file_type(head).is_container
    except Unreadable:
        return False


def _plain(head: bytes) -> bytes:
    for bom in _BOMS:
        if head.startswith(bom):
            head = head[len(bom) :]
    return head.replace(b"\x00", b"").lstrip().lower()
