"""A model is served only as it was approved."""

import json
from pathlib import Path

import pytest

from tallyman.errors import ConfigurationError
from tallyman.platform.releases import Releases, seal


def make(folder: Path, weights: bytes = b"weights") -> None:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(weights)
    (folder / "metrics.json").write_text('{"header_f1": 0.9}')
    seal(folder)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    make(tmp_path / "shipped" / "2026.01")
    make(tmp_path / "own" / "2026.02")
    make(tmp_path / "own" / "2026.03", b"others")
    return Releases(tmp_path / "shipped", tmp_path / "own")


def served(releases: Releases) -> str | None:
    return releases.current.version if releases.current else None


def test_what_was_trained_here_serves_nobody_until_a_person_approves_it(releases: Releases) -> None:
    assert served(releases) == "2026.01"
    releases.approve("2026.02", "anna")
    assert served(releases) == "2026.02"


def test_one_command_goes_back_to_the_one_before(releases: Releases) -> None:
    releases.approve("2026.02", "anna")
    releases.approve("2026.03", "anna")
    releases.roll_back("anna")
    assert served(releases) == "2026.02"
    releases.roll_back("anna")
    assert served(releases) == "2026.01"
    with pytest.raises(ConfigurationError, match="No model was approved here"):
        releases.roll_back("anna")


@pytest.mark.parametrize("how", ["altered", "missing", "more"])
def test_a_model_that_is_not_as_it_was_made_is_not_served_and_no_other_instead(
    releases: Releases, tmp_path: Path, how: str
) -> None:
    releases.approve("2026.03", "anna")
    file = tmp_path / "own" / "2026.03" / "model.onnx"
    if how == "altered":
        file.write_bytes(b"othert")
    elif how == "missing":
        file.unlink()
    else:
        file.with_name("more.py").write_text("")
    with pytest.raises(ConfigurationError, match="not as it was when it was made"):
        _ = releases.current


def test_a_model_that_was_made_anew_under_the_approved_name_is_not_served(releases: Releases, tmp_path: Path) -> None:
    releases.approve("2026.03", "anna")
    folder = tmp_path / "own" / "2026.03"
    (folder / "model.onnx").write_bytes(b"better")
    seal(folder)
    with pytest.raises(ConfigurationError, match="not the one that anna approved"):
        _ = releases.current


def test_a_shipped_model_that_was_altered_is_not_served(releases: Releases, tmp_path: Path) -> None:
    (tmp_path / "shipped" / "2026.01" / "model.onnx").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"model\.onnx"):
        _ = releases.current


@pytest.mark.parametrize("version", ["", "../2026", "a/b", "2026.02", "UPPER", "x" * 65, "approved.json", "a.part"])
def test_a_new_release_needs_a_name_of_its_own_that_can_be_a_folders(releases: Releases, version: str) -> None:
    with pytest.raises(ConfigurationError):
        releases.place(version)


def test_there_may_be_no_model_at_all(tmp_path: Path) -> None:
    assert Releases(tmp_path / "shipped", tmp_path / "own").current is None


def test_who_approved_is_written_down(releases: Releases, tmp_path: Path) -> None:
    releases.approve("2026.02", "anna")
    releases.roll_back("bert")
    told = json.loads((tmp_path / "own" / "approved.json").read_text())
    assert [(one["what"], one["version"], one["by"]) for one in told] == [
        ("approved", "2026.02", "anna"),
        ("rolled back", "2026.01", "bert"),
    ]


def test_a_release_that_is_approved_twice_is_taken_back_once(releases: Releases) -> None:
    for version in ("2026.02", "2026.03", "2026.03"):
        releases.approve(version, "anna")
    releases.roll_back("anna")
    assert served(releases) == "2026.02"


def test_nothing_changes_when_the_one_before_is_damaged(releases: Releases, tmp_path: Path) -> None:
    releases.approve("2026.02", "anna")
    releases.approve("2026.03", "anna")
    (tmp_path / "own" / "2026.02" / "model.onnx").write_bytes(b"")
    with pytest.raises(ConfigurationError):
        releases.roll_back("anna")
    assert served(releases) == "2026.03"


def test_an_approved_release_is_served_though_one_of_its_name_is_shipped_later(
    releases: Releases, tmp_path: Path
) -> None:
    releases.approve("2026.02", "anna")
    make(tmp_path / "shipped" / "2026.02", b"another")
    assert releases.current is not None
    assert not releases.current.shipped
