"""When a bot is due: clocks that go back, clocks that jump, wake-ups that come twice, late or never."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tallyman.domain.reasons import Reason
from tallyman.errors import ConfigurationError
from tallyman.platform import clock
from tallyman.platform.config import BotSettings, Home, ScheduleSettings
from tallyman.runtime import schedule
from tallyman.runtime.desk import Desk
from tallyman.runtime.schedule import Scheduler, check, fire_times, next_times, run_id, set_enabled
from tallyman.store import reviews
from tallyman.store.tables import runs, schedules
from tests.chaos.fire_times import compare, every_zone
from tests.chaos.tally import Tally
from tests.fake_target import FakeSystem, FakeTarget, fake_desk

BERLIN = "Europe/Berlin"
NIGHTLY = ScheduleSettings(cron="0 2 * * *", time_zone=BERLIN)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ids(settings: ScheduleSettings, after: str, until: str) -> list[str]:
    return [run_id("invoices", found) for found in fire_times(settings, at(after), at(until))]


def test_half_past_two_comes_once_in_the_night_in_which_the_clock_shows_it_twice() -> None:
    nightly = ScheduleSettings(cron="30 2 * * *", time_zone=BERLIN)
    found = ids(nightly, "2026-10-24T12:00", "2026-10-26T12:00")
    assert found == ["invoices:2026-10-25T02:30", "invoices:2026-10-26T02:30"]


def test_an_hourly_bot_runs_in_both_of_the_two_hours() -> None:
    hourly = ScheduleSettings(cron="0 * * * *", time_zone=BERLIN)
    assert len(ids(hourly, "2026-10-24T23:30", "2026-10-25T03:30")) == 4


def test_the_night_that_has_no_half_past_two_has_its_run_an_hour_later() -> None:
    nightly = ScheduleSettings(cron="30 2 * * *", time_zone=BERLIN)
    found = list(fire_times(nightly, at("2026-03-27T12:00"), at("2026-03-30T12:00")))
    assert [fire.name for fire in found] == ["2026-03-28T02:30", "2026-03-29T02:30", "2026-03-30T02:30"]
    assert found[1].at == at("2026-03-29T01:30")  # the clock shows 03:30


def test_every_second_hour_has_its_run_when_the_clock_leaves_one_of_them_out() -> None:
    assert (
        len(ids(ScheduleSettings(cron="0 */2 * * *", time_zone=BERLIN), "2026-03-28T22:59", "2026-03-29T21:59")) == 12
    )


def test_an_hour_that_the_clock_leaves_out_and_the_next_one_are_two_runs() -> None:
    found = ids(ScheduleSettings(cron="0 2,3 * * *", time_zone=BERLIN), "2026-03-28T12:00", "2026-03-29T12:00")
    assert found == ["invoices:2026-03-29T02:00", "invoices:2026-03-29T03:00"]


def test_every_jump_of_every_clock_of_the_world_keeps_each_fire_time_once() -> None:
    tally = every_zone(2026, 2026, alike=True, nights=False)
    assert tally.clean, tally.problems[:5]
    assert tally.extra["zones"] > 500
    assert tally.n > 20_000, tally.n


def test_a_day_that_a_country_leaves_out_has_its_runs_with_the_next_one() -> None:
    tally = Tally(row="10", fault="Samoa went over the date line")
    compare(tally, "Pacific/Apia", at("2011-12-28"), at("2012-01-02"))
    compare(tally, "Pacific/Apia", at("2011-12-30T11:00"), at("2011-12-30T12:00"))  # an hour of two days
    assert tally.clean, tally.problems
    assert tally.n > 5 * 96


@pytest.mark.parametrize("cron", ["30 2,3 * * *", "*/15 * * * *", "15,45 1-4 * * *"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_process_that_looks_more_often_finds_the_same_fire_times(cron: str, day: str) -> None:
    settings, begin = ScheduleSettings(cron=cron, time_zone=BERLIN), at(day) - timedelta(hours=3)
    once = list(fire_times(settings, begin, begin + timedelta(hours=9)))
    looks = [begin + timedelta(minutes=7 * n) for n in range(78)]
    often = [fire for after, until in pairwise(looks) for fire in fire_times(settings, after, until)]
    assert often == [fire for fire in once if fire.at <= looks[-1]]
    assert len({run_id("invoices", fire) for fire in once}) == len(once)


@pytest.mark.parametrize("cron", ["every morning", "0 2 * * 1-5", "0 25 * * *"])
def test_a_cron_expression_that_says_nothing_or_two_things_is_refused(cron: str) -> None:
    with pytest.raises(ConfigurationError, match=cron.replace("*", r"\*")):
        check(ScheduleSettings(cron=cron))


def test_weekdays_are_written_by_name() -> None:
    found = fire_times(ScheduleSettings(cron="0 2 * * mon-fri"), at("2026-11-02"), at("2026-11-16"))
    assert [fire.at.isoweekday() for fire in found] == [1, 2, 3, 4, 5] * 2


def test_a_date_that_never_comes_ends_the_search() -> None:
    assert next_times(ScheduleSettings(cron="0 2 30 2 *"), 1) == []


def test_the_next_times_are_shown_in_order() -> None:
    found = next_times(NIGHTLY, 3)
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


def told(desk: Desk) -> list[str]:
    """What a person finds in the review queue."""
    with desk.database.transaction() as connection:
        items = reviews.listed(connection)
    assert all(item["reason"] == Reason.SCHEDULE_MISSED for item in items)
    return [item["findings"][0]["message"] for item in items]


@pytest.mark.parametrize(
    ("policy", "runs_started", "done"),
    [
        ("one", ["04"], "one run was started to make up for all of that"),
        ("all", ["02", "03", "04"], "each of them was made good by a run of its own"),
        ("skip", [], "nothing was started to make up for that, as `catch_up: skip` says"),
    ],
)
def test_what_was_missed_is_caught_up_as_the_schedule_says_and_told_in_one_sentence(
    desk: Desk, policy: Any, runs_started: list[str], done: str
) -> None:
    settings, recorder = NIGHTLY.model_copy(update={"catch_up": policy}), Recorder()
    wake_up_at(desk, recorder, settings, "2026-11-01T12:00")
    assert told(desk) == []
    started = wake_up_at(desk, recorder, settings, "2026-11-04T12:00")
    assert started == [f"invoices:2026-11-{day}T02:00" for day in runs_started]
    assert wake_up_at(desk, recorder, settings, "2026-11-04T12:01") == []
    assert told(desk) == [
        "3 runs of invoices did not start on time, 2026-11-02 02:00, 2026-11-03 02:00 and 2026-11-04 02:00"
        f" (Europe/Berlin); {done}."
    ]


@pytest.mark.parametrize("policy", ["one", "all", "skip"])
def test_what_is_a_few_minutes_late_runs_under_every_policy_and_is_not_told(desk: Desk, policy: Any) -> None:
    settings = ScheduleSettings(cron="* * * * *", time_zone=BERLIN, catch_up=policy)
    wake_up_at(desk, Recorder(), settings, "2026-11-01T12:00")
    assert len(wake_up_at(desk, Recorder(), settings, "2026-11-01T12:05:59")) == 5
    assert told(desk) == []


@pytest.mark.parametrize(("policy", "runs_started"), [("one", 6), ("all", 61), ("skip", 6)])
def test_a_clock_that_is_set_forward_is_an_outage(desk: Desk, policy: Any, runs_started: int) -> None:
    settings = ScheduleSettings(cron="* * * * *", time_zone=BERLIN, catch_up=policy)
    wake_up_at(desk, Recorder(), settings, "2026-11-01T12:00")
    assert len(wake_up_at(desk, Recorder(), settings, "2026-11-01T13:01")) == runs_started
    (message,) = told(desk)
    assert "55 runs of invoices did not start on time" in message
    assert "the first of 2026-11-01 13:01, the last of 2026-11-01 13:55 (Europe/Berlin)" in message


def test_a_clock_that_is_set_back_starts_nothing_again(desk: Desk) -> None:
    settings, recorder = ScheduleSettings(cron="*/30 * * * *", time_zone=BERLIN), Recorder()
    for time in ("12:00", "12:30", "13:00", "12:20", "12:30", "12:59", "13:00", "13:30"):
        wake_up_at(desk, recorder, settings, f"2026-11-01T{time}")
    assert recorder.started == [f"run:invoices:2026-11-01T{time}Z" for time in ("12:30", "13:00", "13:30")]
    assert told(desk) == [
        "The clock went back to 2026-11-01 13:20, and invoices has dealt with all times until 2026-11-01 14:00"
        " (Europe/Berlin): it starts nothing before then; if the clock is right now, switch the schedule off and"
        " on again."
    ]


def test_a_clock_that_is_set_back_over_no_fire_time_is_not_told(desk: Desk) -> None:
    for time in ("12:00", "13:00", "12:10"):
        wake_up_at(desk, Recorder(), NIGHTLY, f"2026-11-01T{time}")
    assert told(desk) == []


def test_after_a_clock_that_was_years_ahead_a_schedule_begins_anew_and_repeats_nothing(desk: Desk) -> None:
    recorder = Recorder()
    wake_up_at(desk, recorder, NIGHTLY, "2026-11-01T12:00")
    wake_up_at(desk, recorder, NIGHTLY, "2026-11-02T01:00")
    wake_up_at(desk, recorder, NIGHTLY, "2030-11-02T12:00")
    clock.set_source(lambda: at("2026-11-01T23:00"))
    set_enabled(desk, "invoices", False, "eva")
    set_enabled(desk, "invoices", True, "eva")
    assert wake_up_at(desk, recorder, NIGHTLY, "2026-11-02T01:00") == []  # it has had its run
    assert wake_up_at(desk, recorder, NIGHTLY, "2026-11-03T01:00") == ["invoices:2026-11-03T02:00"]
    assert len(recorder.started) == len(set(recorder.started)) == 3


def test_a_new_cron_expression_makes_nothing_good_that_was_before_it(desk: Desk) -> None:
    wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-01T12:00")
    wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-01T20:00")
    hourly = ScheduleSettings(cron="30 * * * *", time_zone=BERLIN, catch_up="all")
    assert wake_up_at(desk, Recorder(), hourly, "2026-11-01T20:10") == []
    assert told(desk) == []


def test_a_long_catch_up_is_done_in_portions_and_keeps_both_runs_of_one_instant(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(schedule._MOST_AT_ONCE, "all", 3)
    settings = ScheduleSettings(cron="0 2,3 * * *", time_zone=BERLIN, catch_up="all")
    wake_up_at(desk, Recorder(), settings, "2026-03-28T00:00")
    portions = [wake_up_at(desk, Recorder(), settings, "2026-03-30T12:00") for _ in range(3)]
    assert [[run[-5:] for run in portion] for portion in portions] == [
        ["02:00", "03:00", "02:00", "03:00"],
        ["02:00", "03:00"],
        [],
    ]
    assert len(told(desk)) == 2


def test_two_wake_ups_for_one_fire_time_start_one_run(desk: Desk) -> None:
    recorder = Recorder()
    wake_up_at(desk, recorder, NIGHTLY, "2026-11-01T12:00")
    for second in range(5):
        wake_up_at(desk, recorder, NIGHTLY, f"2026-11-02T01:00:0{second}")
    assert recorder.started == ["run:invoices:2026-11-02T02:00"]


def test_a_crash_before_the_commit_leaves_the_fire_time_due_and_nothing_told(desk: Desk) -> None:
    wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-01T12:00")

    class Broken(Recorder):
        def enqueue(self, *_args: Any) -> None:
            raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError):
        wake_up_at(desk, Broken(), NIGHTLY, "2026-11-02T01:10")
    with desk.database.transaction() as connection:
        assert connection.execute(runs.select()).all() == []
    assert told(desk) == []
    assert wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-02T01:15") == ["invoices:2026-11-02T02:00"]
    assert told(desk) == [
        "A run of invoices did not start on time, that of 2026-11-02 02:00 (Europe/Berlin);"
        " one run was started to make up for all of that."
    ]


def test_a_schedule_that_is_switched_off_starts_nothing_and_tells_nothing(desk: Desk) -> None:
    recorder = Recorder()
    wake_up_at(desk, recorder, NIGHTLY, "2026-11-01T12:00")
    with desk.database.transaction() as connection:
        connection.execute(schedules.update().values(enabled=False))
    assert wake_up_at(desk, recorder, NIGHTLY, "2026-11-03T12:00") == []
    set_enabled(desk, "invoices", True, "eva")
    assert wake_up_at(desk, recorder, NIGHTLY, "2026-11-03T12:01") == []
    assert told(desk) == []
    assert len(wake_up_at(desk, recorder, NIGHTLY, "2026-11-04T01:01")) == 1


def test_switching_on_what_is_on_keeps_what_is_due(desk: Desk) -> None:
    wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-01T12:00")
    clock.set_source(lambda: at("2026-11-02T01:00:30"))
    set_enabled(desk, "invoices", True, "eva")
    assert len(wake_up_at(desk, Recorder(), NIGHTLY, "2026-11-02T01:01")) == 1


def test_a_nightly_bot_is_woken_at_once_and_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake-up that failed at two o'clock would else be made good a day later."""
    bots = {"invoices": BotSettings(erp="fake", schedule=NIGHTLY)}
    found = Scheduler(SimpleNamespace(bots=lambda: bots, not_set_up=lambda _: []), Recorder())  # type: ignore[arg-type]
    monkeypatch.setattr(found, "wake_up", lambda *_: None)
    found.start()
    try:
        (job,) = found._scheduler.get_jobs()
        first = job.trigger.get_next_fire_time(None, at("2026-11-01T12:00:30"))
        assert first == at("2026-11-01T12:01")
        assert job.next_run_time < clock.now() + timedelta(minutes=1)
    finally:
        found.stop()


def test_a_schedule_of_a_zone_without_summer_time_is_as_long_as_a_day() -> None:
    found = list(
        fire_times(ScheduleSettings(cron="0 2 * * *", time_zone="Asia/Tokyo"), at("2026-10-01"), at("2026-10-10"))
    )
    assert {later.at - earlier.at for earlier, later in pairwise(found)} == {timedelta(days=1)}
