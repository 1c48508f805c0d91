"""What is down is left alone and waited for, what is too much is left at its source: real engine and database."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from tallyman.browser.session import SessionThread
from tallyman.cli.main import build
from tallyman.contracts.bot import Clerk, Ending, Outcome, RunInputs
from tallyman.contracts.system import Access, Capabilities, Offer
from tallyman.domain.case import Case, CaseState
from tallyman.domain.document import UNKNOWN, Document
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.posting import PostingState
from tallyman.domain.reasons import Reason
from tallyman.errors import ConfigurationError, SystemDown, SystemPaused
from tallyman.platform import clock, log
from tallyman.platform.config import Home
from tallyman.platform.crashpoints import crash_point
from tallyman.registry import ROOT
from tallyman.runtime import engine, intake, ledger, pressure
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import Breakers
from tallyman.runtime.requests import start_run
from tallyman.runtime.worker import Worker
from tallyman.store import cases
from tallyman.store.database import Database
from tallyman.store.tables import offers, runs
from tests import postgres
from tests.fake_target import POSTING, FakeErpSession, FakeSystem, FakeTarget, PostsOne, fake_desk

DOCUMENTS = 30
MOST = 10


def until(what: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def trip(database: Database, name: str) -> None:
    """Open a breaker, as another worker would that sees five failures."""
    breakers = Breakers(database)
    for _ in range(pressure.FAILURES):
        with pytest.raises(SystemDown), breakers.around(name):
            raise SystemDown("No answer.")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Breakers that are open for a moment, and workers that look at them each time."""
    monkeypatch.setattr(pressure, "FIRST_WAIT_S", 1.0)
    monkeypatch.setattr(pressure, "_LOOK_EVERY", timedelta(0))


# -- a target that refuses connections


class Wire:
    """A target behind a real port, and how often its connections were tried."""

    name = "wire"
    capabilities = Capabilities(title="Wire", needs_browser=False)

    def __init__(self, port: int) -> None:
        self.port = port
        self.tried = 0

    def open(self, access: Access) -> "Wire":
        self.ask()
        return self

    def ask(self) -> str:
        self.tried += 1
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError as error:
            raise SystemDown(f"The system can't be reached ({type(error).__name__}).") from error
        return "an answer"

    def close(self) -> None:
        pass


def test_a_target_that_refuses_connections_is_touched_five_times_and_then_left_alone_until_it_is_back(
    home: Path, free_port: int
) -> None:
    now = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    clock.set_source(lambda: now)
    desk, wire = Desk.open(Home(home)), Wire(free_port)
    guard = pressure.Pressure(desk.database, desk.settings).around_call
    session = SessionThread(wire, ROOT, {}, str, guard=lambda stopping: guard("wire", stopping))
    try:
        for _ in range(5):
            with pytest.raises(SystemDown, match="ConnectionRefusedError"):
                session.call(Wire.ask)
        for _ in range(20):
            with pytest.raises(SystemPaused):
                session.call(Wire.ask)
        assert wire.tried == 5
        now += timedelta(seconds=31)
        with pytest.raises(SystemDown):
            session.call(Wire.ask)
        assert wire.tried == 6
        with socket.create_server(("127.0.0.1", free_port)):
            now += timedelta(seconds=31)
            with pytest.raises(SystemPaused):
                session.call(Wire.ask)
            now += timedelta(seconds=30)
            assert [session.call(Wire.ask) for _ in range(3)] == ["an answer"] * 3
    finally:
        clock.set_source(None)
        session.close()
        desk.close()


def test_over_postgresql_one_call_of_all_workers_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    if postgres.programs() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    now = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    with postgres.postgres() as server:
        workers = [Database(postgres.database(server, "breakers"))]
        workers.append(Database(workers[0].url))
        workers[0].upgrade()
        clock.set_source(lambda: now)
        try:
            with ThreadPoolExecutor(5) as pool:  # five first failures at once: one row, five failures
                list(pool.map(_fail_once, [workers[number % 2] for number in range(5)]))
            with workers[0].transaction() as connection:
                assert pressure.all_breakers(connection)["erp"].is_open
            now += timedelta(seconds=31)
            refused = threading.Semaphore(0)
            seen = [Breakers(workers[number % 2]) for number in range(6)]
            for breakers in seen:
                breakers.check("erp")  # each has seen that it is time to try
            with ThreadPoolExecutor(6) as pool:
                tried = list(pool.map(lambda breakers: _try(breakers, refused, 5), seen))
            assert tried.count(True) == 1
            with workers[1].transaction() as connection:
                assert not pressure.all_breakers(connection)["erp"].is_open
        finally:
            clock.set_source(None)
            for worker in workers:
                worker.dispose()


def _fail_once(database: Database) -> None:
    with pytest.raises(SystemDown), Breakers(database).around("erp"):
        raise SystemDown


def _try(breakers: Breakers, refused: threading.Semaphore, others: int) -> bool:
    try:
        with breakers.around("erp"):
            return all(refused.acquire(timeout=20) for _ in range(others))
    except SystemPaused:
        refused.release()
        return False


# -- the posting protocol and an open breaker


class Bench:
    """One case after another at the fake target, by a real worker."""

    def __init__(self, desk: Desk, worker: Worker, target: FakeTarget) -> None:
        self.desk, self.worker, self.target = desk, worker, target

    def post(self) -> str:
        with self.desk.database.transaction() as connection:
            case = cases.take_in(
                connection, bot="invoices", source="s", key="a", name="a", sha256="a" * 64, run="r", attended=False
            )
            assert case is not None
            queue = engine.case_queue("invoices")
            self.worker.client.enqueue(connection, engine.PROCESS, queue, "case:a", case.id)
        until(lambda: not self.worker.client.unfinished())
        with self.desk.database.transaction() as connection:
            return str(cases.of_run(connection, "r")[-1]["state"])

    def posting(self) -> str:
        with self.desk.database.transaction() as connection:
            return str(ledger.listed(connection)[0]["state"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    target = FakeTarget()
    desk = fake_desk(Home(tmp_path / "home"), FakeSystem(target))
    worker = Worker(desk, schedules=False)
    worker.start()
    yield Bench(desk, worker, target)
    worker.stop()
    desk.close()


def test_a_case_waits_for_a_system_that_is_left_alone_and_asks_nobody(
    bench: Bench, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, search = PostsOne.run, FakeErpSession.find_invoice
    tripped: list[float] = []
    searched: list[float] = []

    def trip_and_run(self: PostsOne, clerk: Clerk, case: Case) -> Outcome:
        trip(bench.desk.database, "fake")
        tripped.append(time.monotonic())
        return run(self, clerk, case)

    def search_and_note(self: FakeErpSession, **given: str) -> Any:
        searched.append(time.monotonic())
        return search(self, **given)

    monkeypatch.setattr(PostsOne, "run", trip_and_run)
    monkeypatch.setattr(FakeErpSession, "find_invoice", search_and_note)
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 1
    assert searched[0] - tripped[0] > 0.8, "it was touched while it was left alone"


def test_a_click_before_the_breaker_opened_is_verified_when_the_system_is_back(
    bench: Bench, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = FakeErpSession.post_invoice

    def post_and_trip(self: FakeErpSession, *given: Any) -> None:
        post(self, *given)
        trip(bench.desk.database, "fake")

    monkeypatch.setattr(FakeErpSession, "post_invoice", post_and_trip)
    assert bench.post() == CaseState.POSTED
    assert bench.posting() == PostingState.POSTED
    assert bench.target.clicks == 1


def test_what_somebody_keyed_while_the_system_was_left_alone_is_found_before_the_click(
    bench: Bench, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = FakeErpSession.find_invoice

    def search_and_trip(self: FakeErpSession, **given: str) -> Any:
        found = search(self, **given)
        if bench.target.searches == 1:
            trip(bench.desk.database, "fake")
            bench.target.store(POSTING)
        return found

    monkeypatch.setattr(FakeErpSession, "find_invoice", search_and_trip)
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 0


# -- the queue's threshold


class Pile:
    """A source with many documents; `most_open` is what it saw of open cases when it was asked for one."""

    name = "pile"
    capabilities = Capabilities(title="Pile", needs_browser=False)

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fetched: list[str] = []
        self.most_open = 0
        self.listed = 0
        self.bad: set[str] = set()

    def open(self, access: Access) -> "Pile":
        return self

    def list_documents(self) -> Sequence[Offer]:
        self.listed += 1
        return [Offer(key=f"{n:03}", name=f"{n:03}.pdf") for n in range(DOCUMENTS)]

    def fetch(self, offer: Offer) -> bytes:
        crash_point("pile.fetch")
        if offer.key in self.bad:
            raise SystemDown("This document is broken.")
        with self._database.transaction() as connection:
            self.most_open = max(self.most_open, cases.count_open(connection, "invoices") + 1)
        self.fetched.append(offer.key)
        return f"%PDF {offer.key}".encode()

    def close(self) -> None:
        pass


class AsksAll:
    """A bot that gives every case to a person, as soon as it may."""

    name = "invoices"
    inputs = RunInputs

    def __init__(self) -> None:
        self.may = threading.Event()

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        self.may.wait(60)
        finding = Finding(reason=Reason.UNREADABLE, message="Look.")
        outcome = clerk.ask(case, Document(type=UNKNOWN), Verdict.of([finding]))
        assert outcome.ending is Ending.IN_REVIEW
        return outcome


@contextmanager
def intake_bench(home: Path) -> Iterator[tuple[Desk, Worker, Pile, AsksAll]]:
    desk = fake_desk(Home(home), FakeSystem(FakeTarget()))
    text = f'[bots.invoices]\nerp = "fake"\nsources = ["pile"]\nmost_waiting = {MOST}\nconcurrency = 4\n'
    (home / "tallyman.toml").write_text(text, "utf-8")
    object.__setattr__(desk, "settings", desk.home.settings())
    pile, bot = Pile(desk.database), AsksAll()
    desk.registry.systems["pile"] = pile
    desk.registry.bots["invoices"] = bot
    desk.readings._pool.shutdown()
    object.__setattr__(desk.readings, "ahead", lambda sha256: None)
    worker = Worker(desk, schedules=False)
    worker.start()
    try:
        yield desk, worker, pile, bot
    finally:
        bot.may.set()
        worker.stop()
        desk.close()


def begin(desk: Desk, worker: Worker) -> None:
    with desk.database.transaction() as connection:
        start_run(connection, worker.client, "invoices", "run-1", "eva")


def run_row(desk: Desk) -> Any:
    with desk.database.transaction() as connection:
        return connection.execute(runs.select()).mappings().one()


def taken(desk: Desk) -> tuple[int, int]:
    """(cases, offers) that there are."""
    with desk.database.transaction() as connection:
        return (
            len(cases.of_run(connection, "run-1")),
            connection.execute(select(func.count()).select_from(offers)).scalar_one(),
        )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "ROOM_WAITS_S", (0.05,))


def test_intake_leaves_at_the_source_what_is_too_much_and_fetches_it_later(home: Path, quick: None) -> None:
    with intake_bench(home) as (desk, worker, pile, bot):
        begin(desk, worker)
        until(lambda: run_row(desk)["problems"])
        assert run_row(desk)["problems"] == [
            "20 more documents wait at pile, since 10 cases of this bot are open; it goes on at half."
        ]
        time.sleep(0.5)
        assert (len(pile.fetched), pile.listed) == (MOST, 1), "it waits, and asks for nothing meanwhile"
        bot.may.set()
        until(lambda: not worker.client.unfinished())
        row = run_row(desk)
        assert (row["offered"], row["taken"], row["repeated"], row["problems"]) == (DOCUMENTS, DOCUMENTS, 0, [])
        assert taken(desk) == (DOCUMENTS, DOCUMENTS)
        assert sorted(pile.fetched) == [offer.key for offer in pile.list_documents()], "each once"
        assert pile.most_open <= MOST


def test_broken_documents_keep_back_nothing_behind_them_though_they_open_the_breaker(
    home: Path, quick: None, short: None
) -> None:
    with intake_bench(home) as (desk, worker, pile, bot):
        pile.bad = {f"{n:03}" for n in range(7)}
        bot.may.set()
        begin(desk, worker)
        until(lambda: not worker.client.unfinished())
        row = run_row(desk)
        assert taken(desk) == (DOCUMENTS - 7, DOCUMENTS - 7)
        assert (row["offered"], row["taken"]) == (DOCUMENTS, DOCUMENTS - 7)
        assert ["This document is broken." in problem for problem in row["problems"]] == [True]


def test_a_crash_in_the_midst_of_a_later_portion_loses_no_document(home: Path, quick: None) -> None:
    program = "from tests.integration.test_back_pressure import crash; crash()"
    environment = {**os.environ, "TALLYMAN_HOME": str(home), "TALLYMAN_CRASH_AT": "intake.taken:14"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL
    with intake_bench(home) as (desk, worker, pile, bot):
        assert taken(desk) == (14, 14)
        bot.may.set()
        until(lambda: not worker.client.unfinished())
        assert taken(desk) == (DOCUMENTS, DOCUMENTS)
        assert len(pile.fetched) == DOCUMENTS - 14
        assert run_row(desk)["ended_at"] is not None


def crash() -> None:
    """The process that is killed: see above."""
    intake.ROOM_WAITS_S = (0.05,) * 5
    with intake_bench(Path(os.environ["TALLYMAN_HOME"])) as (desk, worker, _, bot):
        begin(desk, worker)
        until(lambda: run_row(desk)["problems"])
        bot.may.set()
        until(lambda: not worker.client.unfinished())


# -- what people see


def test_doctor_tells_which_system_is_left_alone_until_when_and_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "configure", lambda file: None)
    (home / "tallyman.toml").write_text('[systems.practice_erp]\nmax_per_minute = "30"\n', "utf-8")
    desk = Desk.open(Home(home))
    trip(desk.database, "practice_erp")
    desk.close()
    result = CliRunner().invoke(build(), ["doctor", "--json"])
    assert isinstance(result.exception, ConfigurationError)
    lines = {row["name"]: row for row in json.loads(result.stdout)}
    erp = lines["System practice_erp"]
    assert not erp["ok"]
    assert (erp["breaker"]["state"], erp["breaker"]["failures"], erp["max_per_minute"]) == ("open", 5, 30)
    assert "No answer." in erp["told"]
    assert (lines["Bot invoices"]["open"], lines["Bot invoices"]["most_waiting"]) == (0, 500)
    told = CliRunner().invoke(build(), ["doctor"]).stdout
    assert "PAUSED  System practice_erp: at most 30 calls a minute; left alone until" in told
