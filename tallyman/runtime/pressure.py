"""Back-pressure: what is down is left alone for a while, and nothing is called more often than it may be.

All workers share the systems, so the state lies in the database. A call that goes well costs none of it: a breaker's
row is read once a second at most, and written only when something changes.

A *circuit breaker* (Nygard, Release It!) opens after FAILURES technical failures in a row. While it is open every
call raises SystemPaused at once and touches nothing. After a wait, which doubles with each opening in a row, one call
of one worker is let through; when it is answered, the breaker closes. An answer is an answer, a refusal too.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select

from tallyman.domain.base import Value
from tallyman.errors import (
    BrowserDied,
    BusinessError,
    ConfigurationError,
    SessionLost,
    StorageFull,
    SystemDown,
    SystemPaused,
    TallymanError,
)
from tallyman.platform.clock import now
from tallyman.platform.config import Settings
from tallyman.platform.log import get_logger, redact
from tallyman.runtime import engine
from tallyman.store.database import Database
from tallyman.store.tables import breakers, buckets

FAILURES = 5
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 600.0
TRIED_WITHIN_S = 900.0
"""The longest call ends within this; then the one that tries has died without a word, and another may."""
ASK_AGAIN_S = 30.0
"""Who meets an open breaker asks again after this at the latest: it may have closed."""
_LOOK_EVERY = timedelta(seconds=1)
_LONGEST_MESSAGE = 300
_AT_ONCE_S = 10.0
"""So many seconds' worth of calls may come at once."""

_DOWN = (SystemDown, SessionLost, BrowserDied)
"""What tells that the other side is down; NotArmed, say, tells nothing about it."""

_log = get_logger(__name__)


class Breaker(Value):
    """How a breaker stands. `opened` counts the openings in a row."""

    name: str
    failures: int = 0
    opened: int = 0
    open_until: datetime | None = None
    message: str = ""

    @property
    def is_open(self) -> bool:
        """Also while the one call that tries is under way."""
        return self.open_until is not None


class Breakers:
    """The breakers of all systems and readers, by name: "practice_erp", "reader:rules"."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, tuple[datetime, Breaker]] = {}
        self._lock = threading.Lock()

    def check(self, name: str) -> Breaker:
        """How it stands. Raises SystemPaused while it is not yet time to try."""
        seen = self._look(name)
        if seen.open_until is not None and seen.open_until > now():
            raise _paused(seen)
        return seen

    @contextmanager
    def around(self, name: str, down: Callable[[Exception], bool] | None = None) -> Iterator[None]:
        """Around one call. `down`: whether an exception tells that the other side is down.

        Raises SystemPaused before the call; else what the call raises.
        """
        tries_until = self._enter(name)
        try:
            yield
        except Exception as error:
            if (down or _is_down)(error):
                self._note(name, partial(_fail, name=name, tries_until=tries_until, told=_told(error)))
            elif isinstance(error, BusinessError):
                self._answered(name, tries_until)
            elif tries_until is not None:
                self._note(name, partial(_let_another_try, tries_until=tries_until))
            raise
        self._answered(name, tries_until)

    @contextmanager
    def around_reader(self, name: str) -> Iterator[None]:
        """Around a reader of documents: whatever it raises is its failure, but for what it says of one bad file."""
        with self.around(name, down=_reader_is_down):
            yield

    def _look(self, name: str) -> Breaker:
        with self._lock:
            at, seen = self._seen.get(name, (None, Breaker(name=name)))
        if at is None or not timedelta(0) <= now() - at < _LOOK_EVERY:
            with self._database.transaction() as connection:
                seen = self._remember(name, _row(connection, name))
        return seen

    def _remember(self, name: str, row: Row[Any] | None) -> Breaker:
        found = _breaker(row) if row is not None else Breaker(name=name)
        with self._lock:
            self._seen[name] = (now(), found)
        return found

    def _enter(self, name: str) -> datetime | None:
        """None: it is closed. Else we are the one that tries, until then. Raises SystemPaused."""
        seen = self.check(name)
        if seen.open_until is None:
            return None
        until = now() + timedelta(seconds=TRIED_WITHIN_S)
        with self._database.transaction() as connection:
            claimed = connection.execute(
                breakers.update()
                .where(breakers.c.name == name, breakers.c.open_until == seen.open_until)
                .values(open_until=until, updated_at=now())
            ).rowcount
            seen = self._remember(name, _row(connection, name))
        if claimed:
            _log.info("one call tries whether it is back", breaker=name)
            return until
        if seen.open_until is None:
            return None
        raise _paused(seen)

    def _answered(self, name: str, tries_until: datetime | None) -> None:
        with self._lock:
            troubled = name in self._seen and self._seen[name][1].failures > 0
        if troubled or tries_until is not None:
            self._note(name, partial(_close, tries_until=tries_until))

    def _note(self, name: str, change: Callable[[Connection, Row[Any] | None], None]) -> None:
        """Write what a call told. The call counts, whatever becomes of the note: it may have clicked."""
        try:
            with self._database.transaction() as connection:
                change(connection, _row(connection, name, lock=True))
                self._remember(name, _row(connection, name))
        except Exception:  # noqa: BLE001 - see above; the next call notes its own
            _log.exception("a breaker's state could not be written", breaker=name)


class Buckets:
    """Token buckets: how often a system may be called, by all workers together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, system: str, per_minute: int, stopping: threading.Event) -> None:
        """Wait for the turn of one call. Raises BrowserDied when the session is to end meanwhile."""
        wait_s = self._take(system, per_minute / 60)
        if wait_s > 0 and stopping.wait(wait_s):
            raise BrowserDied("The session was ended.")

    def _take(self, system: str, per_s: float) -> float:
        """Take a token, on credit if need be: the seconds until it is there. Who comes first goes first."""
        most = max(1.0, per_s * _AT_ONCE_S)
        with self._database.transaction() as connection:
            row = connection.execute(select(buckets).where(buckets.c.system == system)).first()
            # A machine whose clock is behind must not let time pass twice for the others.
            filled_at = now() if row is None else max(row.filled_at, now())
            passed_s = (filled_at - row.filled_at).total_seconds() if row is not None else 0.0
            tokens = min(row.tokens + passed_s * per_s, most) - 1 if row is not None else most - 1
            values = {"tokens": tokens, "filled_at": filled_at}
            if row is None:
                connection.execute(buckets.insert().values(system=system, **values))
            else:
                connection.execute(buckets.update().where(buckets.c.system == system).values(**values))
        return max(-tokens / per_s, 0.0)


class Pressure:
    """What stands before every call into a system's session, and around every reader."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.breakers = Breakers(database)
        self._buckets = Buckets(database)
        self._settings = settings

    @contextmanager
    def around_call(self, system: str, stopping: threading.Event) -> Iterator[None]:
        """Raises SystemPaused while the system is left alone; waits where it was called often enough."""
        self.breakers.check(system)
        rate = self._settings.calls_per_minute(system)
        if rate is not None:
            self._buckets.take(system, rate, stopping)
        with self.breakers.around(system):
            yield


def pause_s_of(told: Any) -> float:
    """For what `attempt` told: 0, or how long to wait because a breaker was open."""
    failed = told.get("failed") if isinstance(told, dict) and not told.get("clicked") else None
    return float(failed.get("paused_s", 0.0)) if isinstance(failed, dict) else 0.0


def patient_step(name: str, function: Callable[[], Any]) -> Any:
    """A durable step that asks `attempt`. Where it met an open breaker nothing was touched: it is waited for.

    It gets its turn to try, so this ends with an answer or with a failure of the system itself.
    """
    while True:
        told = engine.step(name, function)
        pause_s = pause_s_of(told)
        if pause_s <= 0:
            return told
        _log.info("waits for a system that is left alone", what=name, wait_s=pause_s)
        engine.sleep(pause_s)


def all_breakers(connection: Connection) -> dict[str, Breaker]:
    """Those that ever saw a failure."""
    rows = connection.execute(select(breakers).order_by(breakers.c.name))
    return {row.name: _breaker(row) for row in rows}


def _is_down(error: Exception) -> bool:
    return isinstance(error, _DOWN)


def _reader_is_down(error: Exception) -> bool:
    return not isinstance(error, (BusinessError, ConfigurationError, StorageFull, SystemPaused))


def _row(connection: Connection, name: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(breakers).where(breakers.c.name == name)
    return connection.execute(query.with_for_update() if lock else query).first()


def _breaker(row: Row[Any]) -> Breaker:
    return Breaker(
        name=row.name, failures=row.failures, opened=row.opened, open_until=row.open_until, message=row.message
    )


def _paused(seen: Breaker) -> SystemPaused:
    assert seen.open_until is not None
    left_s = (seen.open_until - now()).total_seconds()
    told = (
        f"{title(seen.name)} failed {seen.failures} times in a row ({seen.message.rstrip('.')}) and is left alone "
        f"until {seen.open_until.astimezone(UTC):%H:%M:%S} UTC; it was not touched."
    )
    return SystemPaused(told, wait_s=min(max(left_s, 0.1), ASK_AGAIN_S))


def title(name: str) -> str:
    """What a breaker stands before, in words: `The system practice_erp`, `The reader rules`."""
    kind, _, rest = name.rpartition(":")
    return f"The {kind or 'system'} {rest}"


def _told(error: Exception) -> str:
    """Its message if it is an error of ours; others may quote a document."""
    return redact(str(error))[:_LONGEST_MESSAGE] if isinstance(error, TallymanError) else type(error).__name__


def _fail(connection: Connection, row: Row[Any] | None, *, name: str, tries_until: datetime | None, told: str) -> None:
    was = _breaker(row) if row is not None else Breaker(name=name)
    if was.open_until != tries_until:
        return  # a call that began before it opened, or one that tried for too long: told already
    failures = min(was.failures + 1, FAILURES)
    values: dict[str, Any] = {"failures": failures, "message": told, "updated_at": now()}
    if failures == FAILURES:
        wait_s = min(FIRST_WAIT_S * 2**was.opened, LONGEST_WAIT_S)
        values |= {"opened": was.opened + 1, "open_until": now() + timedelta(seconds=wait_s)}
        _log.error("breaker opened", breaker=name, wait_s=wait_s, opened=was.opened + 1, error=told)
    if row is None:
        connection.execute(breakers.insert().values(name=name, **({"opened": 0} | values)))
    else:
        connection.execute(breakers.update().where(breakers.c.name == name).values(**values))


def _close(connection: Connection, row: Row[Any] | None, *, tries_until: datetime | None) -> None:
    if row is None or row.open_until != tries_until or not row.failures:
        return
    values = {"failures": 0, "opened": 0, "open_until": None, "message": "", "updated_at": now()}
    connection.execute(breakers.update().where(breakers.c.name == row.name).values(**values))
    if tries_until is not None:
        _log.info("breaker closed", breaker=row.name)


def _let_another_try(connection: Connection, row: Row[Any] | None, *, tries_until: datetime) -> None:
    """The call that tried told nothing about the system."""
    if row is not None and row.open_until == tries_until:
        connection.execute(breakers.update().where(breakers.c.name == row.name).values(open_until=now()))
