"""Never two cases at once on one vendor's orders and invoices, in whatever bot or worker, and nobody waits for ever."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tallyman.domain.case import CaseState
from tallyman.platform.config import Home
from tallyman.runtime.worker import Worker
from tallyman.store import cases
from tallyman.store.database import Database
from tallyman.store.reservations import forgotten, release, reserve
from tallyman.store.tables import cases as case_rows
from tallyman.store.tables import waiting
from tests.chaos.books import Books, books_desk
from tests.chaos.crashes import Scene
from tests.chaos.machines import fill


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.upgrade()
    with database.transaction() as connection:
        for name in ("a", "b", "c"):
            cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=name * 64, run="r", attended=False
            )
        yield connection
    database.dispose()


A, B, C = (f"invoices-{name * 16}" for name in "abc")


def test_a_party_is_one_open_cases_own_until_it_gives_it_back(connection: Connection) -> None:
    assert reserve(connection, "erp", "V1", B, f"run-of-{B}") is None
    assert reserve(connection, "erp", "V1", B, f"run-of-{B}") is None
    assert reserve(connection, "erp", "V1", C, f"run-of-{C}") == B
    assert reserve(connection, "erp", "V1", A, f"run-of-{A}") == B
    assert reserve(connection, "erp", "V2", A, f"run-of-{A}") is None
    assert reserve(connection, "other", "V1", A, f"run-of-{A}") is None


def test_who_came_first_is_woken_first_and_the_next_only_after_it(connection: Connection) -> None:
    reserve(connection, "erp", "V1", B, f"run-of-{B}")
    reserve(connection, "erp", "V1", C, f"run-of-{C}")
    reserve(connection, "erp", "V1", A, f"run-of-{A}")
    assert [row["id"] for row in release(connection, f"run-of-{B}")] == [A]
    assert reserve(connection, "erp", "V1", A, f"run-of-{A}") is None
    assert [row["id"] for row in release(connection, f"run-of-{A}")] == [C]
    assert release(connection, f"run-of-{A}") == []


def test_an_older_run_of_the_same_case_gives_nothing_back_that_the_later_one_has(connection: Connection) -> None:
    assert reserve(connection, "erp", "V1", A, "first run") is None
    assert reserve(connection, "erp", "V1", A, "second run") is None
    reserve(connection, "erp", "V1", B, "run of b")
    assert release(connection, "first run") == []
    assert [row["id"] for row in release(connection, "second run")] == [B]


def test_who_waits_for_a_case_that_ended_without_giving_back_is_not_forgotten(connection: Connection) -> None:
    reserve(connection, "erp", "V1", B, f"run-of-{B}")
    reserve(connection, "erp", "V1", C, f"run-of-{C}")
    assert forgotten(connection) == []
    cases.move(connection, B, CaseState.IN_REVIEW, "the machine failed")
    assert [row["id"] for row in forgotten(connection)] == [C]
    assert forgotten(connection) == []
    assert reserve(connection, "erp", "V1", C, f"run-of-{C}") is None


def test_two_cases_of_one_vendor_never_work_at_once_and_both_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tuple(f"invoice-{n}-V{n % 2}" for n in range(8))
    scene = Scene(tmp_path, 1, files=files, slow_s=0.02, faults=False)
    scene.make()
    toml = scene.home.path / "tallyman.toml"
    toml.write_text(toml.read_text().replace("concurrency = 1", "concurrency = 4"))
    fill(scene)
    last: dict[str, str] = {}
    together: list[str] = []
    desk = books_desk(Home(scene.home.path), Books(scene.books.file, slow_s=0.02, faults=False))
    bot = desk.registry.bot("invoices")
    run = type(bot).run

    def watched(self, clerk, case):  # type: ignore[no-untyped-def]
        vendor = case.file.rpartition("-")[2]
        reserved = clerk.reserve

        def note(party: str) -> None:
            reserved(party)
            with desk.database.transaction() as connection:
                before = cases.get(connection, last.get(vendor, case.id))
            together.extend([case.file] if before.id != case.id and before.state == CaseState.OPEN else [])
            last[vendor] = case.id

        clerk.reserve = note
        return run(self, clerk, case)

    monkeypatch.setattr(type(bot), "run", watched)
    worker = Worker(desk, schedules=False)
    worker.start()
    try:
        for _ in range(600):
            if not worker.client.unfinished():
                break
            time.sleep(0.05)
        with desk.database.transaction() as connection:
            states = {row.file: row.state for row in connection.execute(case_rows.select())}
            left = connection.execute(waiting.select()).all()
    finally:
        worker.stop()
        desk.close()
    assert states == dict.fromkeys(files, CaseState.POSTED)
    assert together == []
    assert not left
