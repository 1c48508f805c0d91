"""The connection to the one database: SQLite in TALLYMAN_HOME, or PostgreSQL by URL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext

from tallyman.errors import StorageFull, SystemDown

ALIVE: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
"""Both ends notice within about five seconds that the other machine has gone without a word."""
WATCHED = ("tcp_keepalives_idle=2", "tcp_keepalives_interval=1", "tcp_keepalives_count=3", "tcp_user_timeout=5000")
"""The same at the server's end."""
_LASTING = ("idle_in_transaction_session_timeout=10000", "synchronous_commit=on")
"""*Armed* is on the disk when its transaction ends, whatever the server's default is."""
POSTGRES: dict[str, Any] = {
    **ALIVE,
    "tcp_user_timeout": 5000,
    "options": " ".join(f"-c {setting}" for setting in (*WATCHED, *_LASTING)),
}


class Database:
    """Transactions on our tables, which follow one another, and are on the disk when they have been committed.

    On SQLite each one is BEGIN IMMEDIATE; on PostgreSQL it takes one lock first. They are short, and so no two can wait
    for each other, nor read what the other is about to change.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        known = {"timeout": 30, "check_same_thread": False} if self.sqlite else POSTGRES
        options: dict[str, Any] = {"connect_args": known}
        self.engine: Engine = create_engine(url, pool_pre_ping=not self.sqlite, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)
        event.listen(self.engine, "handle_error", _translate)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commit at the end, roll back on an exception. Raises StorageFull when there is no space."""
        with self.engine.begin() as connection:
            if not self.sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(7415964)"))
            yield connection

    def upgrade(self) -> None:
        """Bring the tables to the newest shape."""
        from alembic import command  # half a second to load, for the few starts that need it
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(7415963)"))  # one process migrates at a time
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    def dispose(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _translate(context: ExceptionContext) -> None:
    told = str(context.original_exception)
    if "disk is full" in told or "No space left" in told or "disk I/O error" in told:
        raise StorageFull() from context.original_exception
    if "database is locked" in told:
        raise SystemDown("The database was busy for too long; nothing was changed.") from context.original_exception
