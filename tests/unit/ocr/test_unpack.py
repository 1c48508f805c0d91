"""Documents out of e-mails and ZIP files, whatever a sender calls them."""

import io
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import pytest

from ocr import unpack
from ocr.unpack import clean_name, only_document
from tallyman.errors import PasswordNeeded, Quarantined, Unreadable
from tallyman.platform.sandbox import unpack_bytes

PDF = b"%PDF-1.7 one"
XML = b"<?xml version='1.0'?><Invoice/>"
LOGO = b"\x89PNG\r\n\x1a\n" + bytes(2000)


def mail(*attached: tuple[bytes, str, str], text: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Rechnung März"
    message.set_content(text)
    for content, kind, name in attached:
        message.add_attachment(content, *kind.split("/"), filename=name)
    return message


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def parts(folder: Path, content: bytes) -> list[tuple[str, str | None, bytes, str]]:
    (folder / "file").write_bytes(content)
    found = unpack.unpack(str(folder / "file"))
    return [(one["name"], one["media_type"], unpack_bytes(one["content"]), one["left_out"]) for one in found]


def test_the_documents_of_an_e_mail_are_found_by_what_they_are_not_by_what_they_are_called(tmp_path: Path) -> None:
    sent = mail((PDF, "application/octet-stream", "Rechnung März.bin"), (XML, "image/png", "a.png"))
    assert parts(tmp_path, sent.as_bytes()) == [
        ("Rechnung März.bin", "application/pdf", PDF, ""),
        ("a.png", "application/xml", XML, ""),
    ]


def test_small_pictures_and_signatures_of_an_e_mail_are_left_out_and_said(tmp_path: Path) -> None:
    sent = mail((PDF, "application/pdf", "a.pdf"), (b"x", "application/pkcs7-signature", "smime.p7s"))
    sent.add_attachment(LOGO, "image", "png", cid="<logo>", disposition="inline", filename="logo.png")
    found = {name: (kind, why) for name, kind, _, why in parts(tmp_path, sent.as_bytes())}
    assert found == {
        "a.pdf": ("application/pdf", ""),
        "smime.p7s": (None, "a signature"),
        "logo.png": (None, "a small picture in the text"),
    }


def test_a_picture_that_is_attached_or_large_is_a_document(tmp_path: Path) -> None:
    sent = mail((LOGO, "image/png", "receipt.png"))
    sent.add_attachment(LOGO + bytes(70_000), "image", "png", cid="<x>", disposition="inline", filename="scan.png")
    assert sorted(one[0] for one in parts(tmp_path, sent.as_bytes()) if not one[3]) == ["receipt.png", "scan.png"]


def test_an_attachment_that_can_not_be_read_is_kept_for_a_person(tmp_path: Path) -> None:
    sent = mail((PDF, "application/pdf", "a.pdf"), (zipped(("[Content_Types].xml", b"<x/>")), "a/b", "Rechnung.docx"))
    assert [(one[0], one[1], one[3]) for one in parts(tmp_path, sent.as_bytes())][1] == ("Rechnung.docx", None, "")


def test_documents_in_forwarded_e_mails_and_in_zip_files_inside_are_found(tmp_path: Path) -> None:
    outer = mail((zipped(("in/b.pdf", PDF + b"b")), "application/zip", "b.zip"))
    outer.add_attachment(mail((PDF, "application/pdf", "a.pdf")))
    assert [one[0] for one in parts(tmp_path, outer.as_bytes())] == ["b.pdf", "a.pdf"]


def test_no_document_hides_behind_a_name_or_a_type_that_is_usually_none(tmp_path: Path) -> None:
    packed = zipped(("a.pdf/", PDF), ("__MACOSX/b.pdf", PDF), ("Thumbs.db", PDF), ("__MACOSX/._c.pdf", b"litter"))
    assert [one[:2] for one in parts(tmp_path, packed)] == [
        (name, "application/pdf") for name in ("a.pdf", "b.pdf", "Thumbs.db")
    ]
    sent = mail((PDF, "text/calendar", "invoice.ics"), (PDF, "application/pgp-signature", "x.asc"))
    sent.attach(nameless := EmailMessage())
    nameless.set_content(PDF, "text", "plain")
    assert [one[1] for one in parts(tmp_path, sent.as_bytes())] == ["application/pdf"] * 3


@pytest.mark.parametrize("text", ["From: a@example.com\nSubject: Rechnung", "<?xml version='1.0'?><p>Hallo</p>"])
def test_the_text_of_an_e_mail_is_no_document_though_it_begins_like_one(tmp_path: Path, text: str) -> None:
    assert [one[0] for one in parts(tmp_path, mail((PDF, "application/pdf", "a.pdf"), text=text).as_bytes())] == [
        "a.pdf"
    ]


def test_an_e_mail_without_a_document_says_what_it_says(tmp_path: Path) -> None:
    sent = mail(text="Bitte rufen Sie uns an.")
    (tmp_path / "a.eml").write_bytes(sent.as_bytes())
    with pytest.raises(Unreadable, match=r"holds no files.*“Bitte rufen Sie uns an\."):
        only_document(str(tmp_path / "a.eml"))


def test_the_one_document_of_a_container_is_read_and_several_are_not_mixed_up(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(("a.pdf", PDF), ("notes.txt", b"hello")))
    assert only_document(str(tmp_path / "a.zip")) == PDF
    (tmp_path / "b.zip").write_bytes(zipped(("a.pdf", PDF), ("b.pdf", PDF + b"b")))
    with pytest.raises(Unreadable, match=r"2 documents \(a.pdf, b.pdf\)"):
        only_document(str(tmp_path / "b.zip"))


@pytest.mark.timeout(10)
def test_an_endless_header_is_set_aside_at_once(tmp_path: Path) -> None:
    continued = b"".join(b'; name*%d="aaaaaaaaaaaaaaaaaaaa"' % number for number in range(20_000))
    file = tmp_path / "a.eml"
    file.write_bytes(b"From: a@b\r\nContent-Type: application/pdf" + continued + b"\r\n\r\n%PDF-")
    with pytest.raises(Quarantined, match="header"):
        only_document(str(file))


def test_outlooks_own_package_is_named(tmp_path: Path) -> None:
    sent = mail((b"\x78\x9f\x3e\x22 and more", "application/ms-tnef", "winmail.dat"))
    assert parts(tmp_path, sent.as_bytes())[0][:2] == ("winmail.dat", None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/cron.d/x", "x"),
        ("C:\\Windows\\a.pdf", "a.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\x1b[31m\r\nc.pdf", "ab[31m c.pdf"),
        ("..", ".."),
        ("\u200b", ""),
    ],
)
def test_names_are_shown_without_what_could_deceive(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_an_endless_name_is_shortened_and_keeps_its_ending() -> None:
    shown = clean_name("x" * 4096 + ".pdf")
    assert len(shown) == 120
    assert shown.endswith(".pdf")


def test_links_folders_and_litter_of_a_zip_file_are_no_documents(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.pdf")
    link.external_attr = 0o120777 << 16
    content = zipped((link, b"/etc/passwd"), ("folder/", b""), ("__MACOSX/._a.pdf", b"x"), ("a.pdf", PDF))
    assert [(one[0], one[3]) for one in parts(tmp_path, content)] == [("link.pdf", "a link"), ("a.pdf", "")]
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_names_in_utf_8_without_its_mark_are_understood(tmp_path: Path) -> None:
    content = zipped(("März.pdf", PDF)).replace("März".encode(), b"M\xc3\xa4rz")
    content = content.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00")  # the flag of UTF-8, in both headers
    assert parts(tmp_path, content)[0][0] == "März.pdf"


def test_a_zip_file_that_unpacks_to_too_much_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_TOTAL", 1_000_000)
    with pytest.raises(Quarantined, match="unpacks to more"):
        parts(tmp_path, zipped(("a.pdf", bytes(600_000)), ("b.pdf", bytes(600_000))))
    lies = zipped(("a.pdf", bytes(1_200_000)))
    assert len(lies) < 5_000
    with pytest.raises(Quarantined, match="unpacks to more"):
        parts(tmp_path, lies)


def test_too_many_documents_entries_or_layers_are_set_aside(tmp_path: Path) -> None:
    with pytest.raises(Quarantined, match="more than 100 documents"):
        parts(tmp_path, zipped(*((f"{n}.pdf", PDF) for n in range(101))))
    with pytest.raises(Quarantined, match="2,000 entries"):
        parts(tmp_path, zipped(*((f"{n}/", b"") for n in range(2001))))
    deep = PDF
    for _ in range(4):
        deep = zipped(("inner", deep))
    with pytest.raises(Quarantined, match="3 deep"):
        parts(tmp_path, deep)


def _locked(content: bytes, password: bytes) -> bytes:
    """A ZIP file with one stored member in the old encryption of ZIP."""
    table = [_crc_entry(n) for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    for byte in password:
        update(byte)
    crc = zlib.crc32(content)
    sealed = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + content:
        k = keys[2] | 2
        sealed.append(byte ^ (((k * (k ^ 1)) >> 8) & 0xFF))
        update(byte)
    plain = zipped_stored("a.pdf", content)
    start = plain.index(content)
    told = plain[:start] + bytes(sealed) + plain[start + len(content) :]
    return _mark_locked(told, len(sealed), len(content))


def _crc_entry(number: int) -> int:
    for _ in range(8):
        number = (number >> 1) ^ 0xEDB88320 if number & 1 else number >> 1
    return number


def zipped_stored(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def _mark_locked(file: bytes, packed: int, size: int) -> bytes:
    """With the flag of encryption and the packed size in both headers, and the directory found where it is now."""
    out = bytearray(file)
    directory = out.index(b"PK\x01\x02")
    end = out.index(b"PK\x05\x06")
    for flag, length in ((6, 18), (directory + 8, directory + 20)):
        out[flag] |= 1
        out[length : length + 4] = packed.to_bytes(4, "little")
    out[end + 16 : end + 20] = directory.to_bytes(4, "little")
    assert packed == size + 12
    return bytes(out)


def test_a_locked_zip_file_asks_for_its_password_and_opens_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_locked(PDF, b"secret"))
    with pytest.raises(PasswordNeeded):
        only_document(str(tmp_path / "a.zip"))
    with pytest.raises(PasswordNeeded, match="does not open"):
        only_document(str(tmp_path / "a.zip"), "wrong")
    assert only_document(str(tmp_path / "a.zip"), "secret") == PDF


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"PK\x05\x06", zipped(("a.pdf", PDF))[:-30]],
    ids=["its first mark", "its last mark", "cut off"],
)
def test_a_damaged_zip_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Unreadable):
        parts(tmp_path, content)
