"""The switch that kills a process at a named point."""

import os
from collections import Counter

import pytest

from tallyman.platform import crashpoints


@pytest.mark.parametrize(
    ("switch", "reached", "killed_at"),
    [
        ("posting.armed", ["read", "posting.armed", "posting.armed"], 2),
        ("step.take_in:folder", ["step.take_in:folder"], 1),  # a step's name may hold a colon
        ("step.take_in:folder:2", ["step.take_in:folder", "read", "step.take_in:folder"], 3),
        ("posting.armed:3", ["posting.armed"] * 2, None),
        ("", ["posting.armed"], None),
    ],
)
def test_the_process_dies_at_the_named_point_when_it_is_reached_so_often(
    switch: str, reached: list[str], killed_at: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYMAN_CRASH_AT", switch)
    monkeypatch.setattr(crashpoints, "_reached", Counter())
    passed: list[str] = []
    kills: list[int] = []
    monkeypatch.setattr(os, "kill", lambda *_: kills.append(len(passed)))
    for name in reached:
        passed.append(name)
        crashpoints.crash_point(name)
    assert kills[:1] == ([killed_at] if killed_at else [])
