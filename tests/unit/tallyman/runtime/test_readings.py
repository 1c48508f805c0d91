"""Files are read ahead; what nobody takes is forgotten."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tallyman.domain.page import Reading
from tallyman.platform.blobs import Blobs
from tallyman.platform.vault import Vault
from tallyman.registry import Registry
from tallyman.runtime import readings
from tallyman.runtime.readings import Readings


class Counted:
    """A page reader that counts how often it was asked."""

    name = "counted"
    version = "1"
    times = 0

    def read(self, file: Path, **_: Any) -> Reading:
        self.times += 1
        return Reading(media_type="application/pdf", pages=())


@pytest.fixture
def reader() -> Counted:
    return Counted()


@pytest.fixture
def ahead(reader: Counted, tmp_path: Path) -> Iterator[Readings]:
    vault = Vault(tmp_path / "vault.json")
    made = Readings(Registry(), reader, Blobs(tmp_path / "blobs"), vault, lambda _: nullcontext())  # type: ignore[arg-type]
    yield made
    made.close()


def stored(tmp_path: Path) -> str:
    return Blobs(tmp_path / "blobs").put(b"a file")


def test_what_was_read_ahead_is_taken_once(reader: Counted, ahead: Readings, tmp_path: Path) -> None:
    file = stored(tmp_path)
    ahead.ahead(file).result()
    assert ahead.take(file) == ahead.ahead(file).result()
    assert reader.times == 2, "once ahead, and once after it was taken"


def test_who_asks_anew_is_not_given_what_was_read_ahead(reader: Counted, ahead: Readings, tmp_path: Path) -> None:
    file = stored(tmp_path)
    ahead.ahead(file).result()
    ahead.take(file, anew=True)
    assert reader.times == 2


def test_what_nobody_takes_is_forgotten(
    reader: Counted, ahead: Readings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has the case; a service must not grow for ever."""
    file = stored(tmp_path)
    ahead.ahead(file).result()
    monkeypatch.setattr(readings, "FORGOTTEN_AFTER_S", 0.0)
    other = Blobs(tmp_path / "blobs").put(b"another")
    ahead.ahead(other).result()
    assert set(ahead._begun) == {other}
