"""The documents in an e-mail or a ZIP file. Runs in the sandbox's child only.

Names inside a container are shown to people, cleaned, and are never used as paths. What is no document (a signature,
a small picture in the text, a link) is left out and named; what may be one, although it can't be read, is kept: a
person must see it.
"""

import email
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import EmailPolicy
from functools import partial
from io import BytesIO
from typing import IO, Any

from ocr.filetype import READ, FileType, file_type
from tallyman.errors import PasswordNeeded, Quarantined, Unreadable

MAX_PARTS = 100
MAX_TOTAL = 64 * 1024 * 1024
MAX_DEPTH = 3
"""Containers in containers, the outermost counted."""
_MAX_ENTRIES = 2000
"""What a container may list, with folders, texts and signatures."""
_MAX_NAME = 120
_MAX_HEADER = 10_000
"""Letters of a header that is looked at. The library's time grows with their square."""
_SMALL = 64 * 1024
"""A picture in the text of an e-mail is part of the signature below this size; scans and photos are larger."""
_NO_DOCUMENT = {
    "application/pkcs7-signature": "a signature",
    "application/x-pkcs7-signature": "a signature",
    "application/pgp-signature": "a signature",
    "application/pgp-keys": "a key",
    "text/calendar": "a calendar entry",
    "text/vcard": "a visiting card",
    "text/x-vcard": "a visiting card",
    "message/delivery-status": "a delivery report",
    "message/disposition-notification": "a receipt of reading",
    "text/rfc822-headers": "headers of an e-mail",
}
_LIKE_TEXT = (FileType.XML, FileType.EMAIL)
"""A text of an e-mail may begin as these do."""
_LITTER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_TOLD = 300


def unpack(path: str, password: str | None = None) -> list[dict[str, Any]]:
    """The parts: [{"name", "media_type", "content", "left_out"}]; content packed, "" for what is left out (and why).

    media_type is None for a part that can't be read. Raises Unreadable, PasswordNeeded and Quarantined.
    """
    from tallyman.platform.sandbox import pack_bytes

    return [
        {
            "name": one.name,
            "media_type": one.kind.value if one.kind else None,
            "content": pack_bytes(one.content),
            "left_out": one.left_out,
        }
        for one in _opened(path, password).parts
    ]


def only_document(path: str, password: str | None = None) -> bytes:
    """The content of the one document in a container. Raises Unreadable when it holds none, or several."""
    found = _opened(path, password)
    readable = [one for one in found.parts if one.kind is not None]
    if len(readable) == 1:
        return readable[0].content
    names = ", ".join(one.name for one in (readable or found.parts)[:10])
    if readable:
        raise Unreadable(
            f"The file holds {len(readable)} documents ({names}).",
            advice="Take them out and send each in on its own.",
        )
    said = f" It says: “{found.said}”" if found.said else ""
    held = f"it holds {names}" if names else "it holds no files"
    raise Unreadable(f"There is no document in it that can be read: {held}; {READ}.{said}")


@dataclass(frozen=True, kw_only=True)
class _Part:
    name: str
    kind: FileType | None
    content: bytes
    left_out: str = ""


@dataclass
class _Found:
    """What was found so far, in this container and in those inside it."""

    password: str | None
    parts: list[_Part] = field(default_factory=list)
    said: str = ""
    """The beginning of the text of an e-mail."""
    total: int = 0
    entries: int = 0

    def count(self) -> None:
        self.entries += 1
        if self.entries > _MAX_ENTRIES:
            raise Quarantined(f"The file lists more than {_MAX_ENTRIES:,} entries.")

    def room(self) -> int:
        return MAX_TOTAL - self.total

    def leave_out(self, name: str, why: str) -> None:
        self.parts.append(_Part(name=clean_name(name), kind=None, content=b"", left_out=why))

    def keep(self, name: str, content: bytes, depth: int) -> None:
        """A document, or a container whose documents are looked for in turn. Raises Quarantined."""
        self.total += len(content)
        if self.total > MAX_TOTAL:
            raise Quarantined(f"The file unpacks to more than {MAX_TOTAL // (1024 * 1024)} MiB.")
        if not content:
            self.leave_out(name, "an empty file")
            return
        kind = _kind(content)
        if kind is not None and kind.is_container:
            _look_into(self, kind, BytesIO(content), depth + 1)
            return
        number = sum(not one.left_out for one in self.parts) + 1
        if number > MAX_PARTS:
            raise Quarantined(
                f"The file holds more than {MAX_PARTS} documents.",
                advice="Ask the sender to send them in smaller lots.",
            )
        self.parts.append(_Part(name=clean_name(name) or f"part {number}", kind=kind, content=content))


def clean_name(name: str) -> str:
    """A stranger's file name for people to read: no folders, nothing invisible or turning, not endless."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", last))
    shown = " ".join("".join(char for char in seen if unicodedata.category(char)[0] != "C").split())
    return shown if len(shown) <= _MAX_NAME else f"{shown[: _MAX_NAME - 12]}…{shown[-11:]}"


def _opened(path: str, password: str | None) -> _Found:
    found = _Found(password=password)
    with open(path, "rb") as stream:
        kind = file_type(stream.read(1024))
        stream.seek(0)
        _look_into(found, kind, stream, 1)
    return found


def _look_into(found: _Found, kind: FileType, stream: IO[bytes], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Quarantined(f"Files are packed into each other more than {MAX_DEPTH} deep.")
    if kind is FileType.ZIP:
        _look_into_zip(found, stream, depth)
    else:
        _look_into_mail(found, stream, depth)


def _kind(content: bytes) -> FileType | None:
    try:
        return file_type(content[:1024])
    except Unreadable:
        return None


# -- ZIP


def _look_into_zip(found: _Found, stream: IO[bytes], depth: int) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            for entry in archive.infolist():
                found.count()
                _take_entry(found, archive, entry, depth)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable("The ZIP file is damaged, or packed in a way that is not read.") from error


def _take_entry(found: _Found, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int) -> None:
    name = _entry_name(entry)
    if entry.is_dir() and not entry.file_size:
        return
    if stat.S_ISLNK(entry.external_attr >> 16):
        found.leave_out(name, "a link")
        return
    with _entry_stream(found, archive, entry) as packed:
        content = packed.read(found.room() + 1)  # what the list says of its size proves nothing
    if _kind(content) is not None or not _LITTER.search(name):
        found.keep(name, content, depth)


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Names without the mark for UTF-8 are in UTF-8 all the same, more often than in code page 437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _entry_stream(found: _Found, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    if not entry.flag_bits & 0x1:
        return archive.open(entry)
    if found.password is None:
        raise PasswordNeeded("The ZIP file is protected with a password.")
    if entry.compress_type == 99:
        raise Unreadable(
            "The ZIP file is protected with AES, which is not read.",
            advice="Unpack it yourself and send in what is inside.",
        )
    try:
        return archive.open(entry, pwd=found.password.encode())
    except RuntimeError as error:
        raise PasswordNeeded("The password does not open the ZIP file.") from error


# -- e-mail


class _Policy(EmailPolicy):
    def header_fetch_parse(self, name: str, value: str) -> Any:
        if len(value) > _MAX_HEADER:
            raise Quarantined(f"The e-mail has a header {name} of more than {_MAX_HEADER:,} letters.")
        return super().header_fetch_parse(name, value)


def _look_into_mail(found: _Found, stream: IO[bytes], depth: int) -> None:
    for part in _leaves(found, email.message_from_binary_file(stream, policy=_Policy())):
        kind = _or_nothing(part.get_content_type) or "application/octet-stream"
        name = str(_or_nothing(part.get_filename) or "")
        attached = _or_nothing(part.get_content_disposition) == "attachment"
        content = _or_nothing(partial(part.get_payload, decode=True))
        content = content if isinstance(content, bytes) else b""
        paper = _kind(content) not in (None, *_LIKE_TEXT)  # whatever the sender calls it
        if kind in ("text/plain", "text/html") and not attached and not name and not paper:
            found.said = found.said or _text_of(content, kind)
        elif kind in _NO_DOCUMENT and not paper:
            found.leave_out(name, _NO_DOCUMENT[kind])
        elif kind.startswith("image/") and not attached and part["Content-ID"] and len(content) < _SMALL:
            found.leave_out(name, "a small picture in the text")
        else:
            found.keep(name, content, depth)


def _leaves(found: _Found, message: Message) -> Iterator[Message]:
    """All parts that have no parts, in their order; e-mails inside it too, however deep."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        found.count()
        if part.is_multipart():
            waiting.extend(reversed([one for one in part.get_payload() if isinstance(one, Message)]))
        else:
            yield part


def _or_nothing(ask: Callable[[], Any]) -> Any:
    """What the library makes of a header or a body; nothing where it stumbles over one that no standard knows."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - the parser of headers raises whatever comes; the part itself is kept
        return None


def _text_of(content: bytes, kind: str) -> str:
    text = content[: 100 * _TOLD].decode("utf-8", "replace")
    text = _TAGS.sub(" ", text) if kind == "text/html" else text
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= _TOLD else f"{text[:_TOLD]}…"
