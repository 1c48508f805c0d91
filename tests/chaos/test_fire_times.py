"""Each fire time once: two schedulers that are killed on both databases, and the clocks of all zones."""

from pathlib import Path

import pytest

from tests.chaos.fire_times import every_zone, two_schedulers
from tests.chaos.tally import Tally
from tests.postgres import database, postgres

pytestmark = pytest.mark.slow

KILLS = 20


def check(tally: Tally) -> None:
    assert tally.clean, tally
    assert tally.n >= KILLS
    assert tally.extra["fire times"] > 50
    assert tally.extra["late runs"] < tally.extra["fire times"]  # they were at work, and not killed before they could
    assert tally.extra["runs"] == tally.extra["workflows"] == tally.extra["fire times"]


def test_two_schedulers_on_sqlite_that_are_killed_start_each_fire_time_once(tmp_path: Path) -> None:
    check(two_schedulers(f"sqlite:///{tmp_path / 'tallyman.db'}", KILLS, seed=1))


def test_two_schedulers_on_postgresql_that_are_killed_start_each_fire_time_once() -> None:
    with postgres() as server:
        check(two_schedulers(database(server, "schedules"), KILLS, seed=2))


def test_every_jump_of_every_clock_of_the_world_keeps_each_fire_time_once() -> None:
    tally = every_zone(2025, 2030, alike=True, nights=True)
    assert tally.clean, tally.problems[:5]
    assert tally.extra["zones"] > 500
    assert tally.extra["jumps"] > 2000
