"""Schedules: APScheduler wakes us up, the database decides what is due. Each fire time runs once, ever.

A wake-up reads the bot's watermark under a lock, starts a run for every fire time since then (as the catch-up policy
says) and moves the watermark, all in one transaction. So a wake-up that comes twice, late or in two processes changes
nothing, and one that is lost is made good by the next.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Connection, select

from tallyman.errors import ConfigurationError, UsageError
from tallyman.platform.clock import now
from tallyman.platform.config import ScheduleSettings
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.desk import Desk
from tallyman.runtime.requests import start_run
from tallyman.store import audit
from tallyman.store.tables import schedules

_MOST_AT_ONCE = 1000
"""No catch-up starts more runs than this in one wake-up; the next one goes on."""

_log = get_logger(__name__)


def trigger(settings: ScheduleSettings) -> CronTrigger:
    """Raises ConfigurationError for a cron expression that can't be read."""
    try:
        return CronTrigger.from_crontab(settings.cron, timezone=ZoneInfo(settings.time_zone))
    except ValueError as error:
        raise ConfigurationError(
            f"{settings.cron!r} is no schedule: {error}", advice="Write five cron fields."
        ) from error


def fire_times(settings: ScheduleSettings, after: datetime, until: datetime) -> Iterator[datetime]:
    """The fire times in (after, until], each once: a local time that the clock shows twice in autumn counts once.

    Hourly and more frequent schedules go by UTC and do run in both hours.
    """
    wake, last_local = trigger(settings), None
    fixed_hour = settings.cron.split()[1].replace(",", "").isdigit()
    previous: datetime | None = None
    at = after + timedelta(microseconds=1)
    while True:
        found = wake.get_next_fire_time(previous, at)
        if found is None or found > until:
            return
        local = found.replace(tzinfo=None, fold=0)
        if not (fixed_hour and local == last_local):
            yield found
        previous, last_local = found, local
        at = found.astimezone(UTC) + timedelta(microseconds=1)


def run_id(bot: str, settings: ScheduleSettings, fire_time: datetime) -> str:
    """`<bot>:<fire time>`: local wall time for fixed hours, UTC otherwise; the same in every process."""
    if settings.cron.split()[1].replace(",", "").isdigit():
        return f"{bot}:{fire_time.astimezone(ZoneInfo(settings.time_zone)):%Y-%m-%dT%H:%M}"
    return f"{bot}:{fire_time.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


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
        for bot, settings in self._desk.bots().items():
            if missing := self._desk.not_set_up(bot):
                _log.info("schedule waits for its systems", bot=bot, missing=missing)
            elif settings.schedule is not None:
                wake = trigger(settings.schedule)
                self._scheduler.add_job(self.wake_up, wake, args=[bot, settings.schedule], id=bot, next_run_time=now())
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)

    def wake_up(self, bot: str, settings: ScheduleSettings) -> list[str]:
        """Start what is due. Gives the ids of the runs that were started."""
        with self._desk.database.transaction() as connection:
            row = locked(connection, bot, settings)
            if not row[0]:
                return []
            due = []
            for at in fire_times(settings, row[1], now()):
                due.append(at)
                if len(due) == _MOST_AT_ONCE:
                    break
            if not due:
                return []
            wanted = {"all": due, "one": due[-1:], "skip": [at for at in due[-1:] if now() - at < timedelta(minutes=5)]}
            started = [run_id(bot, settings, at) for at in wanted[settings.catch_up]]
            for run in started:
                start_run(connection, self._client, bot, run, "schedule")
            connection.execute(
                schedules.update().where(schedules.c.bot == bot).values(watermark=due[-1], updated_at=now())
            )
        _log.info("schedule fired", bot=bot, runs=started, due=len(due))
        return started


def locked(connection: Connection, bot: str, settings: ScheduleSettings) -> tuple[bool, datetime]:
    """(enabled, watermark) of the bot's row, locked until the transaction ends. A new schedule begins now."""
    query = select(schedules.c.enabled, schedules.c.watermark).where(schedules.c.bot == bot).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        connection.execute(
            schedules.insert().values(bot=bot, enabled=settings.enabled, watermark=now(), updated_at=now())
        )
        return settings.enabled, now()
    return bool(row.enabled), row.watermark


def set_enabled(desk: Desk, bot: str, enabled: bool, by: str) -> None:
    """Switch a schedule on or off. Switched on again it begins now: what was off is not made good."""
    settings = desk.bot(bot).schedule
    if settings is None:
        raise UsageError(f"The bot {bot!r} has no schedule.")
    with desk.database.transaction() as connection:
        locked(connection, bot, settings)
        values = {"enabled": enabled, "updated_at": now()} | ({"watermark": now()} if enabled else {})
        connection.execute(schedules.update().where(schedules.c.bot == bot).values(**values))
        audit.record(connection, by, "schedule.enabled" if enabled else "schedule.disabled", bot)


def next_times(settings: ScheduleSettings, count: int) -> list[datetime]:
    found = []
    for at in fire_times(settings, now(), now() + timedelta(days=3700)):
        found.append(at)
        if len(found) == count:
            break
    return found
