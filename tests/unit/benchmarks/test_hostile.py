"""The benchmark of hostile files sees what it is to see."""

import math
from pathlib import Path

import pytest

from benchmarks import hostile
from benchmarks.hostile import LIMITS, Ran, Told, figures_of
from benchmarks.verdict import broken
from tallyman.domain.page import Part
from tallyman.errors import Quarantined


class Reader:
    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def parts(self, file: Path) -> tuple[Part, ...]:
        return self._parts


class Registry:
    page_reader = Reader()


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "Registry", Registry)
    monkeypatch.setattr(Registry, "page_reader", Reader())


def outcome(monkeypatch: pytest.MonkeyPatch, error: Exception) -> str:
    def read_file(file: Path) -> None:
        raise error

    monkeypatch.setattr(hostile, "read_file", read_file)
    return hostile.read("kind", "name", Path("file")).outcome


def test_a_reason_for_a_clerk_is_an_outcome_and_any_other_error_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch, Quarantined("Too large.")) == "Quarantined"
    assert outcome(monkeypatch, ValueError("broken")) == "CRASH ValueError: broken"


def test_each_document_in_a_container_is_read_and_one_that_crashes_is_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contents = [b"first", b"a signature", b"last"]
    parts = [
        Part(name="", media_type="application/pdf", content=content, left_out="small" if b"sign" in content else "")
        for content in contents
    ]
    monkeypatch.setattr(Registry, "page_reader", Reader(*parts))
    read: list[bytes] = []

    def read_file(file: Path) -> None:
        read.append(file.read_bytes())
        if read[-1] == b"first":
            raise Quarantined("Too large.")
        if len(read) > 2:
            raise RuntimeError("broken")

    monkeypatch.setattr(hostile, "read_file", read_file)
    assert hostile.read("kind", "name", Path("file")).outcome == "parts"
    assert read == [b"first", b"last"]
    assert hostile.read("kind", "name", Path("file")).outcome == "CRASH RuntimeError: broken"


def ran(*, seconds: float = 1.0, outcome: str = "read", page: float = 1.0, scan: float = 1.0, kind: str = "cut") -> Ran:
    calls = {"child": [0.1], "page": [0.2, page]}
    return Ran([Told(kind, "a.pdf", outcome, seconds)], 500, {"text": [0.1] * 20, "scan": [scan] * 20}, calls)


def test_what_is_within_the_limits_breaks_none() -> None:
    assert broken(figures_of({"cut": ran()}, ran()), LIMITS) == []


@pytest.mark.parametrize(
    ("bad", "figure"),
    [
        (ran(outcome="CRASH BrokenProcessPool"), "crashes"),
        (ran(seconds=20.1), "slowest_file_s"),
        (ran(page=20.1), "slowest_page_s"),
        (ran(scan=1.6), "other_scan_p95_ratio"),
    ],
)
def test_one_bad_kind_among_others_breaks_the_limit(bad: Ran, figure: str) -> None:
    assert broken(figures_of({"cut": ran(), "loops": bad}, ran()), LIMITS) == [figure]


def test_a_file_of_many_pages_is_told_apart() -> None:
    figures = figures_of({"cut": ran(), "many pages": ran(seconds=300, kind="many pages")}, ran())
    assert (figures["slowest_file_s"], figures["slowest_long_file_s"]) == (1.0, 300)
    assert broken(figures, LIMITS) == []


def test_honest_work_that_was_never_done_is_no_good_figure() -> None:
    bad = Ran([Told("cut", "a.pdf", "read", 1.0)], 500)
    figures = figures_of({"cut": bad}, ran())
    assert math.isnan(figures["other_scan_p95_ratio"] or 0)
    assert set(broken(figures, LIMITS)) == {"other_text_p95_ratio", "other_scan_p95_ratio"}
