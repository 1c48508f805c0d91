"""A model from nothing: printed, learned, measured, approved, taken back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallyman.registry import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a home")


def tallyman(home: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TALLYMAN_HOME": str(home)}
    command = [sys.executable, "-m", "tallyman.cli", "model", *asked]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500)


def test_the_whole_path_from_printed_papers_to_a_served_model(home: Path) -> None:
    pytest.importorskip("torch")
    told = tallyman(home, "train", "--quick", "--version", "first")
    assert told.returncode == 0, told.stdout + told.stderr
    release = home / "models" / "layout" / "first"
    assert {path.name for path in release.iterdir()} == {
        "calibration.json", "card.md", "curves.png", "metrics.json", "model.onnx", "release.json", "reliability.png",
    }  # fmt: skip
    assert (release / "model.onnx").stat().st_size < 25_000_000
    assert json.loads((release / "metrics.json").read_text())["header_f1"] > 0.05  # it has begun to learn
    assert "Known to fail" in (release / "card.md").read_text()

    (listed,) = [one for one in json.loads(tallyman(home, "list", "--json").stdout) if one["version"] == "first"]
    assert not listed["served"]
    assert tallyman(home, "approve", "first").returncode == 0
    (listed,) = [one for one in json.loads(tallyman(home, "list", "--json").stdout) if one["version"] == "first"]
    assert listed["served"]

    (release / "model.onnx").write_bytes(b"altered")
    refused = tallyman(home, "list")
    assert refused.returncode == 3
    assert "not as it was when it was made" in " ".join(refused.stderr.split())
    assert tallyman(home, "rollback").returncode == 0


def test_a_version_that_is_taken_is_refused_before_anything_is_printed(home: Path) -> None:
    taken = home / "models" / "layout" / "taken"
    taken.mkdir(parents=True)
    (taken / "release.json").write_text('{"files": {}}')
    told = tallyman(home, "train", "--quick", "--version", "taken")
    assert told.returncode == 3
    assert "There is a model 'taken' already" in " ".join(told.stderr.split())


@pytest.mark.parametrize(
    "asked", [("approve", "none"), ("evaluate", "none"), ("rollback",), ("list", "--name", "none")]
)
def test_what_is_not_there_is_named_with_what_is(tmp_path: Path, asked: tuple[str, ...]) -> None:
    told = tallyman(tmp_path, *asked)
    assert told.returncode == 3
    assert "Error:" in told.stderr
