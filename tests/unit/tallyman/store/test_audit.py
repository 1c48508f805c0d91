"""The audit trail tells when somebody touched it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tallyman.store import audit
from tallyman.store.database import Database


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = Database(f"sqlite:///{tmp_path / 'audit.db'}")
    database.upgrade()
    with database.transaction() as open_connection:
        for n in range(5):
            audit.record(open_connection, "eva", "case.posted", f"case-{n}", {"n": n})
        yield open_connection
    database.dispose()


def test_an_untouched_trail_holds(connection: Connection) -> None:
    assert audit.verify(connection) is None


@pytest.mark.parametrize(
    ("harm", "row"),
    [
        ("UPDATE audit SET actor = 'otto' WHERE seq = 3", "Row 3 was changed"),
        ("UPDATE audit SET data = '{}' WHERE seq = 2", "Row 2 was changed"),
        ("DELETE FROM audit WHERE seq = 4", "Row 4 is missing"),
        ("DELETE FROM audit WHERE seq = 1", "Row 1 is missing"),
    ],
)
def test_a_row_that_was_changed_or_taken_away_is_named(connection: Connection, harm: str, row: str) -> None:
    connection.exec_driver_sql(harm)
    assert (audit.verify(connection) or "").startswith(row)


def test_two_rows_that_changed_places_are_noticed(connection: Connection) -> None:
    for sentence in ("seq = 90 WHERE seq = 2", "seq = 2 WHERE seq = 3", "seq = 3 WHERE seq = 90"):
        connection.exec_driver_sql(f"UPDATE audit SET {sentence}")
    assert audit.verify(connection) is not None
