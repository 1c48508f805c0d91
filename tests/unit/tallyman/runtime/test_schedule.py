"""When a bot is due: clocks that go back, clocks that jump, wake-ups that come twice, late or never."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tallyman.errors import ConfigurationError
from tallyman.platform import clock
from tallyman.platform.config import Home, ScheduleSettings
from tallyman.runtime.desk import Desk
from tallyman.runtime.schedule import Scheduler, fire_times, next_times, run_id, set_enabled, trigger
from tallyman.store.tables import runs, schedules
from tests.fake_target import FakeSystem, FakeTarget, fake_desk

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ids(settings: ScheduleSettings, after: str, until: str) -> list[str]:
    return [run_id("invoices", settings, found) for found in fire_times(settings, at(after), at(until))]


def test_half_past_two_comes_once_in_the_night_in_which_the_clock_shows_it_twice() -> None:
    nightly = ScheduleSettings(cron="30 2 * * *", time_zone=BERLIN)
    found = ids(nightly, "2026-10-24T12:00", "2026-10-26T12:00")
    assert found == ["invoices:2026-10-25T02:30", "invoices:2026-10-26T02:30"]


def test_an_hourly_bot_runs_in_both_of_the_two_hours() -> None:
    hourly = ScheduleSettings(cron="0 * * * *", time_zone=BERLIN)
    assert len(ids(hourly, "2026-10-24T23:30", "2026-10-25T03:30")) == 4


def test_the_night_that_has_no_half_past_two_still_has_its_run() -> None:
    nightly = ScheduleSettings(cron="30 2 * * *", time_zone=BERLIN)
    assert len(ids(nightly, "2026-03-27T12:00", "2026-03-30T12:00")) == 3
    assert len(ids(nightly, "2026-03-29T12:00", "2026-03-31T12:00")) == 2


def test_the_id_of_a_run_is_the_same_in_every_process() -> None:
    nightly = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN)
    assert run_id("invoices", nightly, at("2026-11-22T01:00")) == "invoices:2026-11-22T02:00"


def test_a_cron_expression_that_says_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="every morning"):
        trigger(ScheduleSettings(cron="every morning"))


def test_the_next_times_are_shown_in_order() -> None:
    found = next_times(ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN), 3)
    assert len(found) == 3
    assert sorted(found) == found


class Recorder:
    """Stands for the engine's client: remembers what was started, in the transaction of the caller."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def enqueue(self, _connection: Any, _workflow: str, _queue: str, workflow_id: str, *_args: Any) -> None:
        self.started.append(workflow_id)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = fake_desk(Home(tmp_path / "home"), FakeSystem(FakeTarget()))
    yield found
    found.close()
    clock.set_source(None)


def wake_up_at(desk: Desk, recorder: Recorder, settings: ScheduleSettings, time: str) -> list[str]:
    clock.set_source(lambda: at(time))
    return Scheduler(desk, recorder).wake_up("invoices", settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("policy", "runs_started"), [("one", 1), ("all", 3), ("skip", 0)])
def test_what_was_missed_is_caught_up_as_the_schedule_says(desk: Desk, policy: Any, runs_started: int) -> None:
    settings = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN, catch_up=policy)
    recorder = Recorder()
    wake_up_at(desk, recorder, settings, "2026-11-01T12:00")
    assert len(wake_up_at(desk, recorder, settings, "2026-11-04T12:00")) == runs_started
    assert wake_up_at(desk, recorder, settings, "2026-11-04T12:01") == []


def test_two_wake_ups_for_one_fire_time_start_one_run(desk: Desk) -> None:
    settings, recorder = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN), Recorder()
    wake_up_at(desk, recorder, settings, "2026-11-01T12:00")
    for second in range(5):
        wake_up_at(desk, recorder, settings, f"2026-11-02T01:00:0{second}")
    assert recorder.started == ["run:invoices:2026-11-02T02:00"]


def test_a_crash_before_the_commit_leaves_the_fire_time_due(desk: Desk) -> None:
    settings = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN)
    wake_up_at(desk, Recorder(), settings, "2026-11-01T12:00")

    class Broken(Recorder):
        def enqueue(self, *_args: Any) -> None:
            raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError):
        wake_up_at(desk, Broken(), settings, "2026-11-02T01:00")
    with desk.database.transaction() as connection:
        assert connection.execute(runs.select()).all() == []
    assert wake_up_at(desk, Recorder(), settings, "2026-11-02T01:05") == ["invoices:2026-11-02T02:00"]


def test_a_schedule_that_is_switched_off_starts_nothing(desk: Desk) -> None:
    settings, recorder = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN), Recorder()
    wake_up_at(desk, recorder, settings, "2026-11-01T12:00")
    with desk.database.transaction() as connection:
        connection.execute(schedules.update().values(enabled=False))
    assert wake_up_at(desk, recorder, settings, "2026-11-03T12:00") == []
    set_enabled(desk, "invoices", True, "eva")
    assert wake_up_at(desk, recorder, settings, "2026-11-03T12:01") == []
    assert len(wake_up_at(desk, recorder, settings, "2026-11-04T12:01")) == 1


def test_a_schedule_of_a_zone_without_summer_time_is_as_long_as_a_day() -> None:
    found = list(
        fire_times(ScheduleSettings(cron="0 2 * * *", time_zone="Asia/Tokyo"), at("2026-10-01"), at("2026-10-10"))
    )
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(days=1)}
