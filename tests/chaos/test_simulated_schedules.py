"""The posting protocol under thousands of simulated schedules; TALLYMAN_SCHEDULES says how many."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyman.runtime.ledger import Ledger
from tests.chaos.simulation import Outcome, Simulation

SCHEDULES = int(os.environ.get("TALLYMAN_SCHEDULES", "800"))


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch:
        yield Simulation(tmp_path, patch)


def told(outcome: Outcome) -> str:
    return "\n".join([f"seed {outcome.seed}: {outcome.records} records, {outcome.state}", *outcome.told])


@pytest.mark.timeout(600)
def test_no_schedule_posts_twice_or_says_what_the_books_do_not(simulation: Simulation) -> None:
    outcomes = [simulation.run(seed) for seed in range(SCHEDULES)]
    wrong = [outcome for outcome in outcomes if outcome.duplicate or outcome.lost]
    assert not wrong, "\n\n".join(told(outcome) for outcome in wrong[:3])
    assert sum(outcome.ours == 1 for outcome in outcomes) > SCHEDULES / 2
    assert sum("crash" in line for outcome in outcomes for line in outcome.told) > SCHEDULES / 3


def test_without_the_armed_row_the_same_schedules_post_twice(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof that the simulation can find what it is looking for."""
    monkeypatch.setattr(Ledger, "arm", lambda *_: None)
    assert any(simulation.run(seed).duplicate for seed in range(300))
