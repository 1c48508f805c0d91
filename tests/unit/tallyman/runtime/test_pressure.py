"""Breakers and buckets: several workers over one database, and a clock that the test moves."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from tallyman.domain.document import Document
from tallyman.domain.page import Reading
from tallyman.errors import (
    BrowserDied,
    ConfigurationError,
    LoginFailed,
    NotArmed,
    PageChanged,
    ReadBackDiffers,
    SessionLost,
    StorageFull,
    SystemDown,
    SystemPaused,
    Unreadable,
)
from tallyman.platform import clock
from tallyman.platform.config import Home
from tallyman.runtime import pressure
from tallyman.runtime.attempts import Failure, attempt
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import FAILURES, LONGEST_WAIT_S, TRIED_WITHIN_S, Breaker, Breakers, Buckets
from tallyman.runtime.understand import understand
from tallyman.store.database import Database


class Clock:
    """The time that everybody here goes by."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self._now

    def pass_by(self, seconds: float) -> None:
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, at: datetime) -> None:
        with self._lock:
            self._now = max(self._now, at)


@pytest.fixture
def time() -> Iterator[Clock]:
    simulated = Clock()
    clock.set_source(simulated)
    yield simulated
    clock.set_source(None)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'Büro.db'}")
    opened.upgrade()
    yield opened
    opened.dispose()


@pytest.fixture
def breakers(database: Database, time: Clock) -> Breakers:
    return Breakers(database)


class System:
    """Counts how often it is touched, and raises what it is told to."""

    def __init__(self) -> None:
        self.touched = 0
        self.error: Exception | None = SystemDown("No answer.")

    def call(self, breakers: Breakers, name: str = "erp") -> None:
        with breakers.around(name):
            self.touched += 1
            if self.error is not None:
                raise self.error


def fail(breakers: Breakers, times: int = FAILURES, *, name: str = "erp") -> System:
    system = System()
    for _ in range(times):
        with pytest.raises(SystemDown):
            system.call(breakers, name)
    return system


def stands(database: Database, name: str = "erp") -> Breaker:
    with database.transaction() as connection:
        return pressure.all_breakers(connection)[name]


# -- the breaker


def test_after_five_failures_in_a_row_a_system_is_left_alone(breakers: Breakers) -> None:
    system = fail(breakers, 5)
    for _ in range(20):
        with pytest.raises(SystemPaused, match=r"The system erp failed 5 times .*No answer.*until 08:00:30 UTC"):
            system.call(breakers)
    assert system.touched == 5


def test_four_failures_and_a_success_begin_the_count_again(breakers: Breakers, database: Database) -> None:
    system = fail(breakers, 4)
    system.error = None
    system.call(breakers)
    fail(breakers, 4)
    assert not stands(database).is_open


def test_failures_seen_by_several_workers_count_together(breakers: Breakers, database: Database, time: Clock) -> None:
    other = Breakers(database)
    fail(breakers, 3)
    fail(other, 2)
    time.pass_by(1)  # a worker looks at the row once a second
    with pytest.raises(SystemPaused):
        System().call(breakers)


def test_systems_have_breakers_of_their_own(breakers: Breakers) -> None:
    fail(breakers)
    fail(breakers, 1, name="portal")


@pytest.mark.parametrize("error", [SystemDown(), SessionLost(), BrowserDied()])
def test_what_tells_that_the_other_side_is_down_counts(
    breakers: Breakers, database: Database, error: Exception
) -> None:
    system = System()
    system.error = error
    for _ in range(FAILURES):
        with pytest.raises(type(error)):
            system.call(breakers)
    assert stands(database).is_open


@pytest.mark.parametrize(
    "error",
    [
        LoginFailed(),
        ReadBackDiffers({}),
        PageChanged(),
        NotArmed(),
        StorageFull(),
        ConfigurationError(),
        KeyError("a defect"),
    ],
)
def test_what_tells_nothing_of_the_kind_does_not_count(
    breakers: Breakers, database: Database, error: Exception
) -> None:
    fail(breakers, 1)
    system = System()
    system.error = error
    for _ in range(2 * FAILURES):
        with pytest.raises(type(error)):
            system.call(breakers)
    assert stands(database).failures <= 1


def test_a_refusal_is_an_answer_too_and_closes_the_breaker(breakers: Breakers, database: Database, time: Clock) -> None:
    system = fail(breakers)
    time.pass_by(31)
    system.error = LoginFailed()
    with pytest.raises(LoginFailed):
        system.call(breakers)
    assert stands(database) == Breaker(name="erp")


def test_one_call_of_all_workers_tries_and_its_success_lets_the_others_through(
    breakers: Breakers, database: Database, time: Clock
) -> None:
    fail(breakers)
    time.pass_by(31)
    workers = [breakers, *(Breakers(database) for _ in range(3))]
    for worker in workers:
        worker.check("erp")  # each has seen that it is time to try, and looks again a second later only
    inside: list[int] = []
    refused = threading.Semaphore(0)

    def call(number: int) -> bool:
        try:
            with workers[number % len(workers)].around("erp"):
                inside.append(number)
                for _ in range(7):
                    assert refused.acquire(timeout=20), "another one was let through"
        except SystemPaused:
            refused.release()
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(call, range(8)))
    assert tried.count(True) == len(inside) == 1
    time.pass_by(1)
    assert [call_ok(worker) for worker in workers] == [True] * 4


def call_ok(breakers: Breakers) -> bool:
    with breakers.around("erp"):
        return True


def test_the_wait_doubles_with_each_opening_in_a_row_up_to_ten_minutes(breakers: Breakers, time: Clock) -> None:
    system = fail(breakers)
    for wait in (30, 60, 120, 240, 480, LONGEST_WAIT_S, LONGEST_WAIT_S):
        time.pass_by(wait - 1)
        with pytest.raises(SystemPaused):
            system.call(breakers)
        time.pass_by(1.5)
        with pytest.raises(SystemDown):
            system.call(breakers)
    system.error = None
    time.pass_by(LONGEST_WAIT_S)
    system.call(breakers)
    fail(breakers)
    time.pass_by(31)
    system.call(breakers)  # after a success it begins with the short wait again


def test_where_the_worker_that_tries_dies_another_tries_later(
    breakers: Breakers, database: Database, time: Clock
) -> None:
    fail(breakers)
    time.pass_by(31)
    dies = breakers.around("erp")
    dies.__enter__()
    other = Breakers(database)
    with pytest.raises(SystemPaused):
        call_ok(other)
    time.pass_by(TRIED_WITHIN_S + 1)
    assert call_ok(other)
    assert not stands(database).is_open


def test_a_try_that_tells_nothing_leaves_the_try_to_the_next_call(
    breakers: Breakers, database: Database, time: Clock
) -> None:
    system = fail(breakers)
    time.pass_by(31)
    system.error = NotArmed()
    with pytest.raises(NotArmed):
        system.call(breakers)
    assert stands(database).is_open
    assert call_ok(breakers)
    assert not stands(database).is_open


def test_a_call_that_began_before_the_opening_does_not_lengthen_the_wait(
    breakers: Breakers, database: Database, time: Clock
) -> None:
    opened: list[Breaker] = []

    def late() -> None:
        with breakers.around("erp"):
            fail(breakers)
            opened.append(stands(database))
            raise SystemDown

    with pytest.raises(SystemDown):
        late()
    assert [stands(database)] == opened


def test_a_call_that_goes_well_costs_no_database(breakers: Breakers, database: Database, time: Clock) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    for _ in range(200):
        assert call_ok(breakers)
    assert sum("SELECT" in one for one in statements) == 1
    time.pass_by(1)
    assert call_ok(breakers)
    assert sum("SELECT" in one for one in statements) == 2
    assert not any("INSERT" in one or "UPDATE" in one for one in statements)


def test_a_breaker_that_can_not_be_written_never_hides_what_the_call_told(
    breakers: Breakers, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_ok(breakers)

    def full() -> None:
        raise StorageFull

    monkeypatch.setattr(database, "transaction", full)
    with pytest.raises(SystemDown):
        System().call(breakers)


def test_what_is_left_alone_is_not_asked_again_within_a_step(breakers: Breakers) -> None:
    system = fail(breakers)
    told = attempt("search", lambda: system.call(breakers), waits_s=(60.0, 60.0))
    failure = Failure.from_json(told["failed"])
    assert failure.technical
    assert failure.paused_s == 30.0
    assert system.touched == FAILURES


def test_a_failure_says_more_than_the_pause_that_it_caused(breakers: Breakers) -> None:
    system = fail(breakers, 4)
    told = attempt("search", lambda: system.call(breakers), waits_s=(0.0, 0.0))
    failure = Failure.from_json(told["failed"])
    assert failure.message == "No answer."
    assert failure.paused_s == 0.0


# -- readers


class Reader:
    def __init__(self, name: str, order: int, answer: Callable[[], Document | None]) -> None:
        self.name, self.order, self._answer = name, order, answer
        self.asked = 0

    def read(self, reading: Reading) -> Document | None:
        self.asked += 1
        return self._answer()


READING = Reading(media_type="application/pdf", pages=())


def _down() -> None:
    raise OSError("Bolt Ltd, DE89 3704 0044 0532 0130 00")


def _defect() -> None:
    raise KeyError("Bolt Ltd, DE89 3704 0044 0532 0130 00")


def test_a_document_that_a_reader_fails_on_goes_to_a_person_and_stops_no_other(
    breakers: Breakers, database: Database
) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(Unreadable, match=r"the part 'broken' failed on it .KeyError.") as told:
            understand(READING, [Reader("broken", 1, _defect)], guard=breakers.around_reader)
        assert "Bolt" not in str(told.value)
    with database.transaction() as connection:
        assert pressure.all_breakers(connection) == {}


def test_a_reader_that_fails_is_left_alone_and_no_weaker_one_answers_for_it(
    breakers: Breakers, database: Database, time: Clock
) -> None:
    broken, weaker = Reader("broken", 1, _down), Reader("weaker", 2, lambda: Document(type="invoice"))
    for _ in range(FAILURES):
        with pytest.raises(OSError, match="Bolt"):
            understand(READING, [broken, weaker], guard=breakers.around_reader)
    with pytest.raises(SystemPaused, match="The reader broken"):
        understand(READING, [broken, weaker], guard=breakers.around_reader)
    assert (broken.asked, weaker.asked) == (FAILURES, 0)
    assert stands(database, "reader:broken").message == "OSError", "no word of a document"
    broken._answer = lambda: None
    time.pass_by(31)
    assert understand(READING, [broken, weaker], guard=breakers.around_reader).type == "invoice"


def test_a_bad_file_says_nothing_about_its_reader(breakers: Breakers, database: Database) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(Unreadable), breakers.around_reader("page reader:pages"):
            raise Unreadable
    with database.transaction() as connection:
        assert pressure.all_breakers(connection) == {}


# -- the bucket


class Waiting(threading.Event):
    """An event whose waiting moves the simulated clock instead of taking time."""

    def __init__(self, time: Clock) -> None:
        super().__init__()
        self._time = time
        self.turn: datetime | None = None

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.turn = self._time() + timedelta(seconds=timeout)
        self._time.move_to(self.turn)
        return self.is_set()


def test_two_workers_together_call_no_more_often_than_they_may(database: Database, time: Clock) -> None:
    turns: list[datetime] = []

    def work(_number: int) -> None:
        buckets = Buckets(database)
        for _ in range(20):
            waiting = Waiting(time)
            buckets.take("erp", 30, waiting)
            turns.append(waiting.turn or time())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    turns.sort()
    assert len(turns) == 40
    for first, start in enumerate(turns):
        for last in range(first, len(turns)):
            passed_s = (turns[last] - start).total_seconds()
            assert last - first + 1 <= 5 + passed_s * 30 / 60 + 0.01, "more than the rate and what may come at once"
    assert (turns[-1] - turns[0]).total_seconds() == pytest.approx(70)


def test_a_slow_rate_lets_one_call_through_at_a_time(database: Database, time: Clock) -> None:
    buckets, begun = Buckets(database), time()
    turns = []
    for _ in range(4):
        waiting = Waiting(time)
        buckets.take("erp", 2, waiting)
        turns.append(((waiting.turn or time()) - begun).total_seconds())
    assert turns == [0, 30, 60, 90]


def test_a_clock_that_was_set_back_stops_nobody_for_long(database: Database) -> None:
    later = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    clock.set_source(lambda: later)
    buckets = Buckets(database)
    try:
        assert buckets._take("erp", 1.0) == 0
        clock.set_source(lambda: later - timedelta(hours=3))
        assert [buckets._take("erp", 1.0) for _ in range(11)][-1] <= 2
    finally:
        clock.set_source(None)


def test_who_waits_for_a_turn_ends_when_the_session_is_to_end(database: Database, time: Clock) -> None:
    buckets, stopping = Buckets(database), Waiting(time)
    stopping.set()
    buckets.take("erp", 1, stopping)
    with pytest.raises(BrowserDied):
        buckets.take("erp", 1, stopping)


# -- the settings


@pytest.mark.parametrize("rate", ['"often"', '"0"', '"1.5"', '"-3"', '""'])
def test_a_rate_that_is_no_number_of_calls_is_refused(home: Path, rate: str) -> None:
    (home / "tallyman.toml").write_text(f"[systems.practice_erp]\nmax_per_minute = {rate}\n", "utf-8")
    with pytest.raises(ConfigurationError, match="max_per_minute"):
        Home(home).settings()


def test_a_rate_is_no_setting_of_the_system_itself(home: Path) -> None:
    (home / "tallyman.toml").write_text('[systems.practice_erp]\nuser = "u"\nmax_per_minute = "30"\n', "utf-8")
    desk = Desk.open(Home(home))
    try:
        assert desk.settings.of_system("practice_erp") == {"user": "u"}
        assert desk.settings.calls_per_minute("practice_erp") == 30
        assert desk.settings.calls_per_minute("folder") is None
    finally:
        desk.close()
