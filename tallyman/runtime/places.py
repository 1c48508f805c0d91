"""Where a worker stands among the others: its place, and names that only one of all workers may hold at a time.

On SQLite one worker works for a home; the kernel keeps its file lock. On PostgreSQL any number may work: each keeps
its locks on a connection of its own, and the server frees them when that connection ends, however the worker ends.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tallyman.errors import PlaceLost, WorkerRunning
from tallyman.platform.config import Home
from tallyman.store.database import ALIVE, WATCHED, Database

_SLOTS = 7415965
"""The first of the two numbers that make an advisory lock of a slot; the second is the slot's."""
MOST_WORKERS = 1000


class Place(Protocol):
    """`name` is the worker's among its peers; one that takes the place over has the same."""

    @property
    def name(self) -> str: ...

    @property
    def alone(self) -> bool:
        """No other worker can be there: what a worker left is left for good when this one stands in its place."""

    def check(self) -> None:
        """Raises PlaceLost when the others can't know any more that we are there."""

    def take(self, what: str) -> bool:
        """Hold a name until it is given back or the worker ends; False when another worker holds it."""

    def give_back(self, what: str) -> None: ...

    def dead(self, place: str) -> AbstractContextManager[bool]:
        """Whether nobody stands in that place; within the context nobody can step into it."""


class HomePlace:
    """The only worker of a home."""

    name = "worker"
    alone = True

    def check(self) -> None:
        pass

    def take(self, what: str) -> bool:  # noqa: ARG002 - nobody else is there who could hold it
        return True

    def give_back(self, what: str) -> None:
        pass

    def dead(self, place: str) -> AbstractContextManager[bool]:
        return nullcontext(place != self.name)


class SharedPlace:
    """One of several workers over a PostgreSQL database: the first slot that nobody holds."""

    alone = False

    def __init__(self, url: str) -> None:
        self.on_loss: Callable[[], None] = lambda: None
        """Called as soon as the locks are known to be lost, in whatever thread sees it."""
        told = {**ALIVE, "tcp_user_timeout": 5000, "application_name": f"tallyman worker {os.getpid()}"}
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=told)
        self._connection: Connection = self._engine.connect()
        self._mutex = threading.Lock()
        for setting in WATCHED:
            self._connection.execute(text(f"SET {setting}"))
        self._slot = next((slot for slot in range(MOST_WORKERS) if self._ask("try_advisory_lock", _slot(slot))), None)
        if self._slot is None:
            self.close()
            raise WorkerRunning(f"{MOST_WORKERS} workers are at work already.")
        self.name = f"slot-{self._slot}"

    def check(self) -> None:
        self._tell("SELECT 1")

    def take(self, what: str) -> bool:
        return self._ask("try_advisory_lock", _named(what))

    def give_back(self, what: str) -> None:
        self._ask("advisory_unlock", _named(what))

    @contextmanager
    def dead(self, place: str) -> Iterator[bool]:
        number = place.removeprefix("slot-")
        if not number.isdigit():
            yield place != self.name  # of a time when this database had another kind of worker
        elif int(number) == self._slot or not self._ask("try_advisory_lock", _slot(int(number))):
            yield False
        else:
            try:
                yield True
            finally:
                self._ask("advisory_unlock", _slot(int(number)))

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def _ask(self, function: str, key: str) -> bool:
        return self._tell(f"SELECT pg_{function}({key})")

    def _tell(self, query: str) -> bool:
        try:
            with self._mutex:
                return bool(self._connection.execute(text(query)).scalar())
        except SQLAlchemyError as error:
            self.on_loss()
            raise PlaceLost() from error


@contextmanager
def place_of_worker(home: Home, database: Database) -> Iterator[Place]:
    """Stand among the workers, as long as the process lives. Raises WorkerRunning."""
    if database.sqlite:
        with _file_lock(home):
            yield HomePlace()
        return
    place = SharedPlace(database.url)
    try:
        yield place
    finally:
        place.close()


def is_worker_there(home: Home, database: Database) -> bool:
    """Whether any worker is at work now."""
    if database.sqlite:
        try:
            with _file_lock(home):
                return False
        except WorkerRunning:
            return True
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :slots"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.transaction() as connection:
        return bool(connection.execute(query, {"slots": _SLOTS}).scalar_one())


@contextmanager
def _file_lock(home: Home) -> Iterator[None]:
    """Hold the home's worker lock. Raises WorkerRunning. The kernel frees it when the process dies, however it dies."""
    with home.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkerRunning() from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _slot(slot: int) -> str:
    return f"{_SLOTS}, {slot}"


def _named(what: str) -> str:
    """A number of 64 bits for a name; two names that share one would only wait for each other."""
    return str(int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True))
