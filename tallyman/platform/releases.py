"""Releases of models: folders with weights, card and figures, which are served only as they were approved.

A release is a folder `<models>/<name>/<version>/`; release.json in it names every other file with its SHA-256. Those
that come with the project lie in models/registry, those trained here in TALLYMAN_HOME/models. Which one is served is
written down beside the latter, with who approved it; nothing else changes it.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallyman.errors import ConfigurationError
from tallyman.platform import clock

_MANIFEST = "release.json"
_APPROVED = "approved.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Release:
    """One release; `shipped`: it came with the project, which approved it."""

    folder: Path
    shipped: bool

    @property
    def version(self) -> str:
        return self.folder.name

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures it was measured with."""
        told: dict[str, Any] = _read(self.folder / "metrics.json")
        return told

    @property
    def digest(self) -> str:
        """The SHA-256 of its manifest, and so of all of it."""
        return _sha256(self.folder / _MANIFEST)

    def check(self) -> None:
        """Raises ConfigurationError when a file is missing, more, or not as it was when the release was made."""
        wanted = _read(self.folder / _MANIFEST).get("files", {})
        found = {path.relative_to(self.folder).as_posix() for path in _files(self.folder)}
        wrong = sorted(found ^ wanted.keys())
        wrong += [name for name in sorted(found & wanted.keys()) if _sha256(self.folder / name) != wanted[name]]
        if wrong:
            raise ConfigurationError(
                f"The model {self.folder} is not as it was when it was made: {', '.join(wrong[:5])}.",
                advice="It is not used. Put the files back, or go back to the one before: `tallyman model rollback`.",
            )


def seal(folder: Path) -> Release:
    """Write the manifest of a finished release."""
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    _write(folder / _MANIFEST, {"files": dict(sorted(files.items()))})
    return Release(folder, shipped=False)


class Releases:
    """Those of one model. `shipped`, `own`: folders that hold a folder for each release; either may be missing."""

    def __init__(self, shipped: Path, own: Path) -> None:
        self._shipped, self._own = shipped, own

    def __iter__(self) -> Iterator[Release]:
        for folder, shipped in ((self._shipped, True), (self._own, False)):
            if folder.is_dir():
                for each in sorted(folder.iterdir()):
                    if (each / _MANIFEST).is_file():
                        yield Release(each, shipped)

    def of_version(self, version: str) -> Release:
        """Raises ConfigurationError when there is none."""
        for release in self:
            if release.version == version:
                return release
        known = ", ".join(release.version for release in self) or "none"
        raise ConfigurationError(f"There is no model {version!r}.", advice=f"Known: {known}.")

    def place(self, version: str) -> Path:
        """Where a new release goes. Raises ConfigurationError for a name that can't be a folder's, or that is taken."""
        if not _NAME.fullmatch(version) or version.endswith((".json", ".part")):
            raise ConfigurationError(
                f"{version!r} can't name a model.", advice="Use small letters, digits, points and dashes."
            )
        if any(release.version == version for release in self) or (self._own / version).exists():
            raise ConfigurationError(f"There is a model {version!r} already.", advice="Give it another version.")
        return self._own / version

    @property
    def current(self) -> Release | None:
        """The one that is served: checked, and the very one that was approved. None when there is none at all.

        Raises ConfigurationError when it is missing or was altered since: nothing else is served instead.
        """
        approved = self._standing()
        if not approved:
            return self._latest_shipped()
        return self._approved(approved[-1])

    def approve(self, version: str, by: str) -> Release:
        """From now on it is served. Raises ConfigurationError when it is not there or not whole."""
        release = self.of_version(version)
        release.check()
        self._write_down("approved", release, by)
        return release

    def roll_back(self, by: str) -> Release | None:
        """The one before is served again; the shipped one, when no other was. Raises ConfigurationError when none was
        approved, or when the one before can't be served: then nothing changes."""
        approved = self._standing()
        if not approved:
            raise ConfigurationError("No model was approved here: the one that came with the project is served.")
        before = self._approved(approved[-2]) if len(approved) > 1 else self._latest_shipped()
        self._write_down("rolled back", before, by)
        return before

    def _latest_shipped(self) -> Release | None:
        shipped = [release for release in self if release.shipped]
        if shipped:
            shipped[-1].check()
        return shipped[-1] if shipped else None

    def _approved(self, told: dict[str, str]) -> Release:
        """The very release that an approval is about."""
        same = [release for release in self if release.version == told["version"]]
        for release in same:
            if release.digest == told["digest"]:
                release.check()
                return release
        if not same:
            self.of_version(told["version"])
        raise ConfigurationError(
            f"The model {told['version']} is not the one that {told['by']} approved.",
            advice="Approve it anew, or go back: `tallyman model rollback`.",
        )

    def _standing(self) -> list[dict[str, str]]:
        """The approvals that nobody took back, each different from the one before it."""
        standing: list[dict[str, str]] = []
        for told in self._told():
            if told["what"] == "rolled back":
                standing.pop()
            elif not standing or standing[-1]["digest"] != told["digest"]:
                standing.append(told)
        return standing

    def _told(self) -> list[dict[str, str]]:
        """All that was ever decided here, in order."""
        file = self._own / _APPROVED
        told: list[dict[str, str]] = _read(file) if file.exists() else []
        return told

    def _write_down(self, what: str, release: Release | None, by: str) -> None:
        digest, version = ("", "") if release is None else (release.digest, release.version)
        told = {"what": what, "version": version, "digest": digest, "by": by, "at": clock.now().isoformat()}
        self._own.mkdir(parents=True, exist_ok=True)
        _write(self._own / _APPROVED, [*self._told(), told])


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / _MANIFEST)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} can't be read: {error}") from error


def _write(file: Path, told: Any) -> None:
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    os.replace(partial, file)
