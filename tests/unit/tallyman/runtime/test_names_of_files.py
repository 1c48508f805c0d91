"""What a file is called when it is attached to a record."""

import pytest

from ocr.filetype import FileType, file_type
from tallyman.runtime.clerk import _suffix

BEGIN = {
    FileType.PDF: (".pdf", b"%PDF-1.7\n", b"\xef\xbb\xbf junk\n%PDF-1.4\n"),
    FileType.PNG: (".png", b"\x89PNG\r\n\x1a\n"),
    FileType.JPEG: (".jpg", b"\xff\xd8\xff\xe0"),
    FileType.TIFF: (".tif", b"II*\x00\x08", b"MM\x00*\x00"),
    FileType.HEIC: (".heic", b"\x00\x00\x00\x18ftypheic", b"\x00\x00\x00\nftypmif1"),
    FileType.WEBP: (".webp", b"RIFF\x00\n\x00\x00WEBPVP8 "),
    FileType.XML: (".xml", b"\xef\xbb\xbf<?xml version", "<?xml ".encode("utf-16"), b"\n <rsm:CrossIndustryInvoice"),
    FileType.EMAIL: (".eml", b"Received: from x\nSubject: Rechnung\n"),
    FileType.ZIP: (".zip", b"PK\x03\x04\x14\x00 a.pdf %PDF-1.4"),
}


@pytest.mark.parametrize("kind", list(FileType))
def test_a_file_is_attached_under_the_suffix_of_its_kind(kind: FileType) -> None:
    suffix, *heads = BEGIN[kind]
    for head in heads:
        assert isinstance(head, bytes)
        assert file_type(head) is kind, "else the sample proves nothing"
        assert _suffix(head) == suffix
