"""A folder as a source of documents."""

import os
from pathlib import Path

import pytest

from systems.folder import SYSTEM
from systems.folder.system import FolderSession
from tallyman.browser.session import SessionThread
from tallyman.contracts.system import Access
from tallyman.errors import ConfigurationError, SystemDown


def opened(**settings: str) -> FolderSession:
    def nothing() -> None:
        raise AssertionError("a folder needs no browser")

    return SYSTEM.open(Access(system="folder", settings=settings, secret=lambda name: name, tab=nothing))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "Eingang neu ä"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: bytes = b"%PDF", age_s: float = 60) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = path.stat().st_mtime - age_s
    os.utime(path, (at, at))
    return path


def names(session: FolderSession) -> list[str]:
    return [offer.name for offer in session.list_documents()]


def test_files_are_offered_with_those_of_folders_below_in_a_stable_order(inbox: Path) -> None:
    for name in ("b.pdf", "März/a.pdf", "a.pdf"):
        put(inbox, name)
    session = opened(path=str(inbox))
    offers = session.list_documents()
    assert [offer.name for offer in offers] == ["a.pdf", "a.pdf", "b.pdf"]
    assert [offer.key.split("|")[0] for offer in offers] == ["März/a.pdf", "a.pdf", "b.pdf"]
    assert session.list_documents() == offers
    assert session.fetch(offers[0]) == b"%PDF"


@pytest.mark.parametrize("name", [".hidden", ".git/a.pdf", "a.pdf.part", "a.TMP", "a.pdf~", "~$a.docx", "a.crdownload"])
def test_hidden_and_unfinished_files_are_not_offered(inbox: Path, name: str) -> None:
    put(inbox, name)
    assert names(opened(path=str(inbox))) == []


def test_a_file_that_is_still_being_written_is_offered_later(inbox: Path) -> None:
    put(inbox, "a.pdf", age_s=0)
    assert names(opened(path=str(inbox), quiet_s="30")) == []
    assert names(opened(path=str(inbox), quiet_s="0")) == ["a.pdf"]


def test_a_file_that_changed_is_a_new_offer(inbox: Path) -> None:
    put(inbox, "a.pdf")
    session = opened(path=str(inbox))
    (first,) = session.list_documents()
    put(inbox, "a.pdf", b"%PDF of another size")
    (second,) = session.list_documents()
    assert first.key != second.key
    with pytest.raises(SystemDown, match=r"a\.pdf changed or went away"):
        session.fetch(first)


def test_a_file_that_changes_while_it_is_taken_is_not_taken(inbox: Path) -> None:
    path = put(inbox, "a.pdf")
    session = opened(path=str(inbox))
    (offer,) = session.list_documents()
    put(inbox, "a.pdf", b"longer than before", age_s=10)
    with pytest.raises(SystemDown):
        session.fetch(offer)
    path.unlink()
    with pytest.raises(SystemDown):
        session.fetch(offer)


def test_a_link_that_leaves_the_folder_is_not_followed(inbox: Path, tmp_path: Path) -> None:
    outside = put(tmp_path, "secret.pdf")
    (inbox / "link.pdf").symlink_to(outside)
    (inbox / "all").symlink_to(tmp_path)
    (inbox / "nowhere.pdf").symlink_to(tmp_path / "missing.pdf")
    assert names(opened(path=str(inbox))) == []
    (inbox / "inside.pdf").symlink_to(put(inbox, "a.pdf"))
    assert names(opened(path=str(inbox))) == ["a.pdf", "inside.pdf"]


def test_long_paths_and_odd_names_give_short_keys_and_printable_names(inbox: Path) -> None:
    put(inbox, "/".join(["x" * 100] * 5) + "/a.pdf")
    Path(os.fsdecode(os.fsencode(inbox) + b"/b\xff\n.pdf")).write_bytes(b"%PDF")
    session = opened(path=str(inbox), quiet_s="0")
    offers = session.list_documents()
    assert [offer.name for offer in offers] == ["b??.pdf", "a.pdf"]
    assert all(len(offer.key) <= 400 and offer.key.isascii() for offer in offers)
    assert [session.fetch(offer) for offer in offers] == [b"%PDF", b"%PDF"]


def test_a_folder_that_is_not_there_is_told_with_what_to_do(inbox: Path) -> None:
    session = opened(path=str(inbox / "not mounted"))
    with pytest.raises(SystemDown, match="not mounted") as told:
        session.list_documents()
    assert "mount" in told.value.advice


@pytest.mark.parametrize(
    "settings", [{}, {"path": ""}, {"path": "relative"}, {"path": "/", "quiet_s": "soon"}, {"path": "/", "url": "x"}]
)
def test_settings_that_cannot_be_right_are_told(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        opened(**settings)


def test_a_file_in_place_of_the_folder_is_told(inbox: Path) -> None:
    with pytest.raises(ConfigurationError, match="no directory"):
        opened(path=str(put(inbox, "a.pdf")))


def test_nothing_in_the_folder_is_touched(inbox: Path) -> None:
    path = put(inbox, "a.pdf")
    before = path.stat()
    session = opened(path=str(inbox))
    session.fetch(session.list_documents()[0])
    session.close()
    after = path.stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (before.st_mtime_ns, before.st_size, before.st_ino)


def test_a_session_thread_opens_it_without_a_browser(inbox: Path) -> None:
    put(inbox, "a.pdf")
    thread = SessionThread(SYSTEM, inbox / "no maps", {"path": str(inbox)}, lambda name: name)
    try:
        assert thread.call(names) == ["a.pdf"]
        assert thread.snapshot() is None
    finally:
        thread.close()
