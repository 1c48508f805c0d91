"""Types are told by content."""

import pytest

from ocr.filetype import FileType, file_type
from tallyman.errors import Unreadable


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", FileType.PDF),
        (b"\r\n junk %PDF-1.4", FileType.PDF),
        (b"\x89PNG\r\n\x1a\n....", FileType.PNG),
        (b"\xff\xd8\xff\xe0....", FileType.JPEG),
        (b"II*\x00....", FileType.TIFF),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", FileType.WEBP),
        (b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1", FileType.HEIC),
        (b"PK\x03\x04\x14\x00" + bytes(24) + b"a.pdf%PDF-1.4", FileType.ZIP),
        (b"Return-Path: <a@example.com>\r\nReceived: from x", FileType.EMAIL),
        (b"Content-Type: application/pdf\r\n\r\n%PDF-1.4", FileType.PDF),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", FileType.XML),
        ("<?xml version='1.0'?>".encode("utf-16"), FileType.XML),
        (b"<Invoice xmlns='urn:oasis'>", FileType.XML),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, kind: FileType) -> None:
    assert file_type(head) is kind


@pytest.mark.parametrize(
    "head",
    [
        b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml",
        b"To whom it may concern",
        b"MZ\x90",
        b"<html><body>",
        b"hello",
        b"GIF89a",
    ],
)
def test_other_files_are_refused_with_the_types_that_are_read(head: bytes) -> None:
    with pytest.raises(Unreadable, match="PDF, PNG, JPEG, TIFF, HEIC, WebP and XML files are read"):
        file_type(head)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(Unreadable, match="empty"):
        file_type(b"")
