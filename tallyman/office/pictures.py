"""Pictures of pages, made on our side: a supplier's file itself never reaches the browser."""

import os
from pathlib import Path

from tallyman.domain.document import Sheet
from tallyman.runtime.desk import Desk

WIDTH = 1400
"""Pixels: sharp on a half of a large screen."""


def page_png(desk: Desk, sha256: str, sheet: Sheet) -> Path:
    """The page as it was read, as a PNG in TALLYMAN_HOME/renders; made once for each content and turn.

    Raises Unreadable, PasswordNeeded or Quarantined; UsageError when there is no such file.
    """
    source = desk.blobs.path(sha256)
    turned = f"-{sheet.rotation}-{sheet.skew:.3f}" if sheet.rotation or sheet.skew else ""
    file = desk.home.path / "renders" / sha256[:2] / f"{sha256}-{sheet.number}-{WIDTH}{turned}.png"
    if not file.exists():
        reader = desk.registry.page_reader
        content = reader.render(source, sheet.number, WIDTH, rotation=sheet.rotation, skew=sheet.skew)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")
        temporary.write_bytes(content)
        temporary.replace(file)
    return file
