"""Folders for what lies on the disk while a file is read, such as what was unpacked from it. None of it may stay.

Whoever makes one removes it. A process that is killed can't; so each folder is locked by its process, the kernel opens
the lock of a dead one, and the next worker sweeps. It also sweeps the parts of files that were being written.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "tallyman-scratch-"
_YOUNG_S = 60.0
"""Between making a folder and locking it a moment passes."""
_OLD_S = 24 * 3600.0
"""Nobody writes so long at one file."""


class Scratch(tempfile.TemporaryDirectory[str]):
    """A new folder that only our user may enter, below TMPDIR."""

    def __init__(self) -> None:
        super().__init__(prefix=_PREFIX, ignore_cleanup_errors=True)
        self._lock = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError:
            self.cleanup()
            raise

    def cleanup(self) -> None:
        super().cleanup()
        os.close(self._lock)


def sweep() -> None:
    """Remove the folders of processes that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another's folder, or one that goes just now
            if folder.is_dir() and time.time() - folder.stat().st_mtime > _YOUNG_S:
                _remove_unless_locked(folder)


def sweep_parts(folder: Path) -> None:
    """Remove what killed processes have left of files that were to lie two levels deep in it."""
    for part in folder.glob("*/*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _OLD_S:
                part.unlink()


def _remove_unless_locked(folder: Path) -> None:
    """Raises BlockingIOError while its process lives."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
