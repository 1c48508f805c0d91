"""Pictures of pages, made on our side: a supplier's file itself never reaches the browser."""

import contextlib
import os
from pathlib import Path

from tallyman.domain.document import Sheet
from tallyman.errors import PasswordNeeded
from tallyman.platform.log import get_logger
from tallyman.runtime.desk import Desk

_log = get_logger(__name__)

WIDTH = 1400
"""Pixels: sharp on a half of a large screen."""


def page_png(desk: Desk, sha256: str, sheet: Sheet) -> tuple[bytes, bool]:
    """The page as it was read, as a PNG; and whether it may be kept, which what a password opened may not.

    Made once for each content and turn, and kept in TALLYMAN_HOME/renders. Raises Unreadable, PasswordNeeded or
    Quarantined; UsageError when there is no such file.
    """
    source = desk.blobs.path(sha256)
    turned = f"-{sheet.rotation}-{sheet.skew:.3f}" if sheet.rotation or sheet.skew else ""
    file = desk.home.renders / sha256[:2] / f"{sha256}-{sheet.number}-{WIDTH}{turned}.png"
    if file.exists():
        return file.read_bytes(), True
    try:
        content = _render(desk, source, sheet, None)
    except PasswordNeeded:  # only now: a vault without its key hides no other document
        return _render(desk, source, sheet, desk.vault.document_password(sha256)), False
    _keep(file, content)
    return content, True


def _keep(file: Path, content: bytes) -> None:
    """Where there is no room for it, it is made again."""
    temporary = file.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.touch(mode=0o600)
        temporary.write_bytes(content)
        temporary.replace(file)
    except OSError as error:
        _log.warning("a picture could not be kept", file=file.name, error=error.strerror)
        with contextlib.suppress(OSError):
            temporary.unlink()


def _render(desk: Desk, source: Path, sheet: Sheet, password: str | None) -> bytes:
    reader = desk.registry.page_reader
    return reader.render(source, sheet.number, WIDTH, rotation=sheet.rotation, skew=sheet.skew, password=password)
