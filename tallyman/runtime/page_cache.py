"""Pages that were read once are not read again, until another version of the reader would read them differently."""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from tallyman.contracts.page_reader import PageReader, Progress, nobody
from tallyman.domain.base import Value
from tallyman.domain.page import Drawn, Page, Part, Reading, Word
from tallyman.domain.stack import Documents
from tallyman.platform.log import get_logger

T = TypeVar("T", bound=Value)
_log = get_logger(__name__)


class _DrawnPages(Value):
    pages: tuple[Drawn, ...]


class CachedPages:
    """A page reader that remembers, by the hash of a file's content and the reader's version.

    One file a document, named by that hash; a newer version writes over an older one. What was opened with a password
    is not kept: it would lie there without one. Nor is a reading that lacks a page's words: that may have been the
    machine's fault. Nothing breaks when the folder is lost, or can't be written.
    """

    def __init__(self, reader: PageReader, folder: Path) -> None:
        self._reader = reader
        self._folder = folder

    @property
    def name(self) -> str:
        return self._reader.name

    @property
    def version(self) -> str:
        return self._reader.version

    def parts(self, file: Path) -> tuple[Part, ...]:
        return self._reader.parts(file)

    def read(self, file: Path, *, password: str | None = None, progress: Progress = nobody) -> Reading:
        if password is not None or not file.is_file():
            return self._reader.read(file, password=password, progress=progress)
        kept, version = self._kept(file), self.version.encode()
        reading = _read(kept, version, Reading)
        if reading is None:
            reading = self._reader.read(file, progress=progress)
            if not any(page.problem for page in reading.pages):
                _write(kept, version, reading)
        return reading

    def as_drawn(
        self, file: Path, pages: Sequence[tuple[Page, Sequence[Word]]], *, password: str | None = None
    ) -> list[Drawn]:
        """Kept beside the reading, for the words that were asked about last; not where a picture could not be read."""
        if password is not None or not file.is_file():
            return self._reader.as_drawn(file, pages, password=password)
        kept = self._kept(file)
        kept = kept.with_name(f"{kept.name}.drawn")
        asked = json.dumps([[page.number, [word.to_json() for word in words]] for page, words in pages])
        version = f"{self.version}; {hashlib.sha256(asked.encode()).hexdigest()}".encode()
        told = _read(kept, version, _DrawnPages)
        if told is None:
            told = _DrawnPages(pages=tuple(self._reader.as_drawn(file, pages)))
            if all(any(one.texts) for one in told.pages):
                _write(kept, version, told)
        return list(told.pages)

    def _kept(self, file: Path) -> Path:
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        return self._folder / sha256[:2] / sha256

    def render(
        self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0, password: str | None = None
    ) -> bytes:
        return self._reader.render(file, page, width, rotation=rotation, skew=skew, password=password)

    def cut(self, file: Path, documents: Documents, *, password: str | None = None) -> tuple[bytes, ...]:
        return self._reader.cut(file, documents, password=password)


def _read(kept: Path, version: bytes, kind: type[T]) -> T | None:
    """What is kept by this version; None where there is nothing, or what is there is damaged."""
    try:
        written, _, told = kept.read_bytes().partition(b"\n")
        return kind.model_validate_json(told) if written == version else None
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        _log.warning("a kept reading is damaged; the file is read again", file=kept.name)
        return None


def _write(kept: Path, version: bytes, told: Value) -> None:
    temporary = kept.with_name(f"{kept.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.touch(mode=0o600)
        temporary.write_bytes(version + b"\n" + told.model_dump_json().encode())
        temporary.replace(kept)
    except OSError as error:
        _log.warning("a reading could not be kept; it will be read again", file=kept.name, error=error.strerror)
        with contextlib.suppress(OSError):
            temporary.unlink()
