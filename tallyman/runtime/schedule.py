"""Schedules: APScheduler wakes us up, the database decides what is due. Each fire time runs once, ever.

A wake-up reads the bot's watermark under a lock, starts a run for every fire time since then (as the catch-up policy
says) and moves the watermark, all in one transaction. So a wake-up that comes twice, late or in two processes changes
nothing, and one that is lost is made good by the next: we are woken every minute, whatever the cron expression says.
docs/reference/schedules.md tells users which times these are.
"""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import ConfigurationError, UsageError
from tallyman.platform.clock import now
from tallyman.platform.config import ScheduleSettings
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.desk import Desk
from tallyman.runtime.requests import start_run
from tallyman.store import audit, reviews
from tallyman.store.tables import schedules

ON_TIME = timedelta(minutes=5)
"""What starts within this long after its fire time is on time; the rest was missed, and the policy says what becomes
of it."""

_DONE = {
    "all": "each of them was made good by a run of its own",
    "one": "one run was started to make up for all of that",
    "skip": "nothing was started to make up for that, as `catch_up: skip` says",
}
_MOST_AT_ONCE = {"all": 1000, "one": 100_000, "skip": 100_000}
"""No wake-up deals with more fire times than this; the next one goes on."""
_TOLD = 5
_DAY = timedelta(days=1)
_EVERY_MINUTE = "* * * * *"
_HOUR_BY_HOUR = re.compile(r"(\*|\d+-\d+)(/1)?")

_log = get_logger(__name__)


class FireTime(NamedTuple):
    """When, in UTC, and under which name: the same in every process, and no other fire time of the schedule has it."""

    at: datetime
    name: str


def check(settings: ScheduleSettings) -> None:
    """Raises ConfigurationError for a cron expression that can't be read, or can be read in two ways."""
    try:
        CronTrigger.from_crontab(settings.cron, timezone=UTC)
    except ValueError as error:
        raise ConfigurationError(
            f"{settings.cron!r} is no schedule: {error}", advice="Write five cron fields."
        ) from error
    if any(letter.isdigit() for letter in settings.cron.split()[4]):  # 1 is Monday for cron and Tuesday for APScheduler
        raise ConfigurationError(f"{settings.cron!r} names weekdays by number.", advice="Write names, as in mon-fri.")


def fire_times(settings: ScheduleSettings, after: datetime, until: datetime) -> Iterator[FireTime]:
    """The fire times in (after, until], in order. Raises ConfigurationError.

    With fixed hours every local time counts once: the first of two in autumn, and in spring one that the clock leaves
    out comes as much later as the clock jumps. Hour by hour it counts whenever the clock shows it, in autumn twice.
    """
    check(settings)
    zone = ZoneInfo(settings.time_zone)
    fixed = not any(_HOUR_BY_HOUR.fullmatch(part) for part in settings.cron.split()[1].split(","))
    jump = _longest_jump(zone, after, until)
    earliest = after.astimezone(zone).replace(tzinfo=None, fold=0) - jump
    waiting: list[tuple[datetime, datetime]] = []
    for wall in _wall_times(settings.cron, earliest.date()):
        if wall < earliest:
            continue
        first = wall.replace(tzinfo=zone).astimezone(UTC)
        # Where a clock jumps, a time that it shows later may come earlier, though never by more than the jump.
        while waiting and waiting[0][0] < first - jump:
            yield _named(*heappop(waiting), fixed=fixed)
        if first > until + jump:
            return
        found = {first} if fixed else _shown(wall, first, zone)
        for at in found:
            if after < at <= until:
                heappush(waiting, (at, wall))
    while waiting:
        yield _named(*heappop(waiting), fixed=fixed)


def _longest_jump(zone: ZoneInfo, after: datetime, until: datetime) -> timedelta:
    """The most by which this clock jumps around then: an hour or nothing, but a day when a country changes sides of the
    date line. No clock of tzdata jumps forth and back within the day between two looks."""
    looks = (after + n * _DAY for n in range(-2, (until - after).days + 4))
    offsets = {look.astimezone(zone).utcoffset() or timedelta(0) for look in looks}
    return max(offsets) - min(offsets)


def _named(at: datetime, wall: datetime, *, fixed: bool) -> FireTime:
    if fixed:
        return FireTime(at, wall.isoformat(timespec="minutes"))
    return FireTime(at, f"{at.replace(tzinfo=None).isoformat(timespec='minutes')}Z")


def _shown(wall: datetime, first: datetime, zone: ZoneInfo) -> set[datetime]:
    """The instants at which a clock of the zone shows this: one, none or two."""
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second == first:
        return {first}
    return {at for at in (first, second) if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall}


def _wall_times(cron: str, first: date) -> Iterator[datetime]:
    """What a clock shows when the expression says so, from this day on, in order. Knows of no time zone."""
    minute, hour, *days = cron.split()
    for day in _matches(f"0 0 {' '.join(days)}", first):
        for at in _times_of_day(minute, hour):
            yield datetime.combine(day.date(), at)


@lru_cache(maxsize=64)
def _times_of_day(minute: str, hour: str) -> tuple[time, ...]:
    some = date(2001, 1, 1)
    return tuple(at.time() for at in takewhile(lambda at: at.date() == some, _matches(f"{minute} {hour} * * *", some)))


def _matches(cron: str, first: date) -> Iterator[datetime]:
    """APScheduler's answers in UTC, where no clock jumps: over a jump of a zone's clock it repeats and leaves out."""
    trigger = CronTrigger.from_crontab(cron, timezone=UTC)
    found = trigger.get_next_fire_time(None, datetime.combine(first, time(), UTC))
    while found is not None:
        yield found
        found = trigger.get_next_fire_time(None, found + timedelta(microseconds=1))


def run_id(bot: str, fire: FireTime) -> str:
    """`<bot>:<fire time>`: local wall time for fixed hours, UTC otherwise; the same in every process."""
    return f"{bot}:{fire.name}"


class Scheduler:
    """Wakes up for each bot with a schedule. Started by the worker."""

    def __init__(self, desk: Desk, client: engine.EngineClient) -> None:
        self._desk = desk
        self._client = client
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Raises ConfigurationError for a schedule that can't be read."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # else it tells of every wake-up, twice
        for bot, settings in self._desk.bots().items():
            if missing := self._desk.not_set_up(bot):
                _log.info("schedule waits for its systems", bot=bot, missing=missing)
            elif settings.schedule is not None:
                check(settings.schedule)
                # Every minute: a wake-up that failed, a clock that was set and a machine that slept cost no day.
                wake = CronTrigger.from_crontab(_EVERY_MINUTE, timezone=UTC)
                self._scheduler.add_job(self.wake_up, wake, args=[bot, settings.schedule], id=bot, next_run_time=now())
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)

    def wake_up(self, bot: str, settings: ScheduleSettings) -> list[str]:
        """Start what is due. Gives the ids of the runs that were started."""
        with self._desk.database.transaction() as connection:
            enabled, watermark = locked(connection, bot, settings)
            at = now()
            if not enabled:
                return []
            if watermark > at + ON_TIME:
                _tell_of_the_clock(connection, bot, settings, at, watermark)
                return []
            due, reached = _due(settings, watermark, at)
            missed = [fire for fire in due if at - fire.at > ON_TIME]
            started = []
            for fire in _wanted(settings, missed, due[len(missed) :]):
                if start_run(connection, self._client, bot, run_id(bot, fire), "schedule"):
                    started.append(run_id(bot, fire))
            if missed:
                origin = f"missed:{run_id(bot, due[-1])}"
                _tell(connection, origin, _missed_message(bot, settings, missed))
            # Moved at times when nothing is due as well: a changed cron expression is no reason to make good the past.
            if due or reached - watermark > ON_TIME:
                values = {"watermark": reached, "updated_at": at}
                connection.execute(schedules.update().where(schedules.c.bot == bot).values(**values))
        if due:
            _log.info("schedule fired", bot=bot, runs=started, due=len(due), missed=len(missed))
        return started


def _due(settings: ScheduleSettings, watermark: datetime, at: datetime) -> tuple[list[FireTime], datetime]:
    """The fire times to deal with now, and the new watermark."""
    times = fire_times(settings, watermark, at)
    due = list(islice(times, _MOST_AT_ONCE[settings.catch_up]))
    for fire in times:
        if fire.at > due[-1].at:
            return due, due[-1].at
        due.append(fire)  # two local times at one instant, in spring: the watermark passes both or none
    return due, at


def _wanted(settings: ScheduleSettings, missed: list[FireTime], on_time: list[FireTime]) -> list[FireTime]:
    """The fire times that get a run: all that are on time, and of the others what the policy says."""
    if settings.catch_up == "all":
        return [*missed, *on_time]
    if settings.catch_up == "one":
        return on_time or missed[-1:]
    return on_time


def _missed_message(bot: str, settings: ScheduleSettings, missed: list[FireTime]) -> str:
    told = [_local(settings, fire.at) for fire in missed]
    what = f"A run of {bot} did not start on time, that of {told[0]}"
    if len(told) > 1:
        which = " and ".join([", ".join(told[:-1]), told[-1]])
        if len(told) > _TOLD:
            which = f"the first of {told[0]}, the last of {told[-1]}"
        what = f"{len(told)} runs of {bot} did not start on time, {which}"
    return f"{what} ({settings.time_zone}); {_DONE[settings.catch_up]}."


def _tell_of_the_clock(
    connection: Connection, bot: str, settings: ScheduleSettings, at: datetime, watermark: datetime
) -> None:
    """Which of the two clocks is wrong, the one before or the one now, nobody here can tell: a person can."""
    if next(fire_times(settings, at, watermark), None) is None:
        return
    message = (
        f"The clock went back to {_local(settings, at)}, and {bot} has dealt with all times until"
        f" {_local(settings, watermark)} ({settings.time_zone}): it starts nothing before then;"
        f" if the clock is right now, switch the schedule off and on again."
    )
    _tell(connection, f"clock:{bot}:{watermark:%Y-%m-%dT%H:%M:%SZ}", message)


def _tell(connection: Connection, origin: str, message: str) -> None:
    reviews.open_item(connection, None, origin, [Finding(reason=Reason.SCHEDULE_MISSED, message=message)])


def _local(settings: ScheduleSettings, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings.time_zone)):%Y-%m-%d %H:%M}"


def locked(connection: Connection, bot: str, settings: ScheduleSettings) -> tuple[bool, datetime]:
    """(enabled, watermark) of the bot's row, locked until the transaction ends. A new schedule begins now."""
    query = select(schedules.c.enabled, schedules.c.watermark).where(schedules.c.bot == bot).with_for_update()
    row = connection.execute(query).first()
    if row is None:  # two processes may see that at once; the second one waits here, and finds the first one's row
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        values = {"bot": bot, "enabled": settings.enabled, "watermark": now(), "updated_at": now()}
        connection.execute(insert(schedules).values(**values).on_conflict_do_nothing())
        row = connection.execute(query).one()
    return bool(row.enabled), row.watermark


def set_enabled(desk: Desk, bot: str, enabled: bool, by: str) -> None:
    """Switch a schedule on or off. Switched on again it begins now: what was off is not made good."""
    settings = desk.bot(bot).schedule
    if settings is None:
        raise UsageError(f"The bot {bot!r} has no schedule.")
    with desk.database.transaction() as connection:
        was_on, _ = locked(connection, bot, settings)
        values = {"enabled": enabled, "updated_at": now()}
        if enabled and not was_on:  # one that was on keeps what is still due
            values["watermark"] = now()
        connection.execute(schedules.update().where(schedules.c.bot == bot).values(**values))
        audit.record(connection, by, "schedule.enabled" if enabled else "schedule.disabled", bot)


def next_times(settings: ScheduleSettings, count: int) -> list[datetime]:
    """Raises ConfigurationError."""
    return [fire.at for fire in islice(fire_times(settings, now(), now() + timedelta(days=3700)), count)]
