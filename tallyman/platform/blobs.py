"""Files by the hash of their content. The sender's file name never becomes a name on our disk."""

import errno
import hashlib
import os
from pathlib import Path

from tallyman.errors import StorageFull, UsageError


class Blobs:
    """A folder of files named by their SHA-256, in 256 sub-folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Store and return the hash; durable when it returns. Raises StorageFull."""
        sha256 = hashlib.sha256(content).hexdigest()
        file = self._place(sha256)
        if file.exists():
            return sha256
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_name(f"{sha256}.{os.urandom(8).hex()}.part")
            with temporary.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(file)
            for folder in (file.parent, self._folder):  # the name is on the disk too
                _force(folder)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull() from error
            raise
        return sha256

    def path(self, sha256: str) -> Path:
        """The file of a hash. Raises UsageError when there is none."""
        file = self._place(sha256)
        if not file.exists():
            raise UsageError(f"There is no stored file {sha256[:12]}…")
        return file

    def get(self, sha256: str) -> bytes:
        return self.path(sha256).read_bytes()

    def _place(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise UsageError("That is no name of a stored file.")
        return self._folder / sha256[:2] / sha256


def _force(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
