"""A directory as a source of documents. Nothing in it is ever deleted, moved or written.

Settings (tallyman.toml, [systems.folder]):
  path     the directory; everything below it is offered
  quiet_s  how many seconds a file must not have changed before it is offered; 1 if not said
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from tallyman.contracts.system import Access, Capabilities, Offer
from tallyman.errors import ConfigurationError, SystemDown

_UNFINISHED = (".part", ".partial", ".crdownload", ".tmp", "~")
_LONGEST_KEY = 400


class FolderSession:
    """Offers every finished file below `root`; a file that changes is a new offer."""

    def __init__(self, root: Path, quiet_s: float) -> None:
        self._root = root
        self._quiet_s = quiet_s
        self._paths: dict[str, Path] = {}

    def close(self) -> None: ...

    def list_documents(self) -> list[Offer]:
        """In the order of the paths. Raises SystemDown when a part of the folder can't be read."""
        if not self._root.is_dir():
            raise SystemDown(
                f"The folder {self._root} is not there.",
                advice="Make or mount it, or mend `path` under [systems.folder] in tallyman.toml.",
            )
        found = [(path, key) for path in sorted(self._files()) if (key := self._key(path)) is not None]
        self._paths = {key: path for path, key in found}
        return [Offer(key=key, name=_printable(path.name)) for path, key in found]

    def fetch(self, offer: Offer) -> bytes:
        """The file as it was offered. Raises SystemDown when it changed or vanished since."""
        if offer.key not in self._paths:
            self.list_documents()
        path = self._paths.get(offer.key)
        try:
            content = path.read_bytes() if path is not None else b""
        except OSError as error:
            raise SystemDown(f"{offer.name} can't be read: {error.strerror}.") from error
        if path is None or self._key(path) != offer.key:
            raise SystemDown(f"{offer.name} changed or went away while it was taken; it is offered anew next time.")
        return content

    def _files(self) -> Iterator[Path]:
        def fail(error: OSError) -> None:
            raise SystemDown(f"{error.filename} can't be read: {error.strerror}.") from error

        for folder, below, names in os.walk(self._root, onerror=fail, followlinks=False):
            below[:] = [name for name in below if not name.startswith(".")]
            for name in names:
                if not name.startswith((".", "~$")) and not name.lower().endswith(_UNFINISHED):
                    yield Path(folder, name)

    def _key(self, path: Path) -> str | None:
        """Path, size and time of the last change; None for what is no finished file of this folder."""
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(self._root.resolve()):
                return None
            known = path.stat()
        except OSError:  # it went away, or leads nowhere
            return None
        if not stat.S_ISREG(known.st_mode) or time.time() - known.st_mtime < self._quiet_s:
            return None
        name = os.fsencode(path.relative_to(self._root)).decode("utf-8", "backslashreplace")
        key = f"{name}|{known.st_size}|{known.st_mtime_ns}"
        return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name)


class Folder:
    name = "folder"
    capabilities = Capabilities(title="Folder", needs_browser=False)

    def open(self, access: Access) -> FolderSession:
        """Raises ConfigurationError for a setting that can't be right; a missing folder may come back."""
        access.check_settings("path", known=("quiet_s",))
        settings = access.settings
        path = Path(settings.get("path", "")).expanduser()
        if not settings.get("path") or not path.is_absolute():
            raise ConfigurationError("folder needs the setting 'path': a directory, from the root on.")
        if path.exists() and not path.is_dir():
            raise ConfigurationError(f"{path} is no directory.")
        try:
            quiet_s = float(settings.get("quiet_s", "1"))
        except ValueError as error:
            raise ConfigurationError("The setting quiet_s of folder is a number of seconds.") from error
        return FolderSession(path, quiet_s)
