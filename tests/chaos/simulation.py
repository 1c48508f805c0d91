"""The posting protocol in simulated time: workers that die or sleep, lost answers, late records, rivals, persons.

Real: the procedures, clerk, `Poster`, `Ledger`, leases, persons' decisions and the database (on one file, without
waiting for the disk, which is not what is tested here). Simulated: the clock, the engine's memory of steps, the browser
and the target, which accepts duplicates without a word. A `World` is one schedule; who runs it says what happens.

A process that sleeps (a suspended machine, a cut-off network) is simulated by nesting: what happens `meanwhile`, other
workers and all, is carried out whole inside the point at which it sleeps, before that point returns.
"""

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import structlog
from sqlalchemy import event

from tallyman.browser.session import SessionThread
from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.contracts.system import Arm, Capabilities, Found
from tallyman.domain.case import Case, CaseState, DecisionKind, ReviewState
from tallyman.domain.document import Document
from tallyman.domain.posting import InvoicePosting, PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import BrowserDied, Rejected, SystemDown, UsageError
from tallyman.platform import clock
from tallyman.platform.config import Home
from tallyman.runtime import attempts, engine, ledger, posting, requests, turns
from tallyman.runtime.leases import Lease, Leases
from tallyman.runtime.ledger import Ledger
from tallyman.runtime.procedures import Procedures
from tallyman.runtime.sessions import Sessions
from tallyman.store import audit
from tallyman.store.tables import metadata
from tests.fake_target import FakeSystem, FakeTarget, fake_desk

NUMBERS = ("INV-0", "INV-1")
GROSS, OTHER_GROSS = Decimal(20), Decimal(21)
DOCUMENTS = 2
SETTLE_S = 2.0
DELAY_S = 20.0
"""The longest time that the target takes to store and show a record; in some schedules it declares so, in some not."""
LOOKING_S = 1000.0
"""A person looks when whatever may come has come, and takes some time."""
ROUNDS = 30
"""Work and decisions that a case may need to its ending, once nothing goes wrong any more."""

FATES = (
    "stored",
    "stored, then an error page",
    "stored, the answer lost",
    "stored, then refused",
    "stored, shown late",
    "stored late, the answer lost",
    "an error page",
    "the answer lost",
    "refused",
    "stored late, then refused",
)
"""What comes of a click."""
LATE_FATES = ("stored, shown late", "stored late, the answer lost", "stored late, then refused")

_CASE = """
    INSERT INTO cases (id, bot, sha256, file, source, run, received_at, updated_at, state, attended, message, record)
    VALUES (:id, 'invoices', :id, :id, 's', 'r', '2026-11-02 00:00:00', '2026-11-02 00:00:00', 'OPEN', 0, '', '')
"""
"""As intake takes a case in; written directly, since each schedule begins so."""
_START = datetime(2026, 11, 2, tzinfo=UTC)
_ENDED = (CaseState.POSTED, CaseState.REJECTED, CaseState.SPLIT)
_MAY_BE_CLICKED = (PostingState.ARMED, PostingState.UNKNOWN)
"""Who has armed may click for some seconds, though another has given up to find it meanwhile."""
_ASKED = (CaseState.IN_REVIEW, CaseState.UNKNOWN)
_DEFECTS = ("failed on this document", "connector failed", "no posting of this case")


@dataclass(frozen=True)
class Happening:
    """Something that happens while a worker's process sleeps; `what` is a method of `World`."""

    what: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Script:
    """What a worker meets while it carries out a case. `name:2` is the second passing of a boundary; "" is none."""

    dies_at: str = ""
    sleeps_at: str = ""
    meanwhile: tuple[Happening, ...] = ()
    account: int = 0
    """Of two licensed users; who takes an account over that another works with takes its lease."""
    fates: tuple[str, ...] = ("stored",)
    """Of its clicks, in their order."""
    late_s: float = 0.0
    down: int = 0
    """So many calls of the target fail at first, before anything is done."""
    blind: bool = False
    """Its searches can't see everything."""
    skew_s: float = 0.0
    """How far the clock on the wall of its machine is ahead."""


class Crash(BaseException):
    """The process is gone; nothing that stands behind this is carried out."""


class Superseded(BaseException):
    """The engine refuses what a process that does not own the workflow any more wants to write."""


class Replayed(Exception):
    """A failure that the engine remembers comes back without its class."""

    __module__ = "dbos._serialization"


@dataclass
class Record:
    number: str
    gross: Decimal
    stored_at: float
    shown_at: float
    ours: bool


@dataclass
class Run:
    """A workflow: what the engine remembers of it, each step's answer in order, and who owns it."""

    id: str
    case: str
    number: str
    answers: list[str] = field(default_factory=list)
    owner: "Worker | None" = None
    ended: bool = False


@dataclass
class Worker:
    """A process that carries out a run."""

    run: Run
    script: Script
    at: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    clicks: int = 0
    saw: dict[str, int] = field(default_factory=dict)
    """How many records its last search has shown, by number."""


class Place:
    """Takes the account that its script names, whoever has it: that worker is held to be dead."""

    def __init__(self, account: int, alone: bool) -> None:
        self.alone = alone
        self.name = f"slot-{account}"
        self._account = f":bot{account}"

    def check(self) -> None:
        pass

    def take(self, what: str) -> bool:
        return what.endswith(self._account)

    def give_back(self, what: str) -> None:
        pass

    def dead(self, place: str) -> AbstractContextManager[bool]:
        return nullcontext(True)


class Bench:
    """What all schedules of a process share: a desk over one database, which each schedule empties for itself."""

    def __init__(self, folder: Path, armed: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.armed = armed
        self.alone = False
        self.world: World | None = None
        self.system = FakeSystem(FakeTarget(), name="simulated")
        self.desk = fake_desk(Home(folder), FakeSystem(FakeTarget()))
        settings = self.desk.settings.model_copy(update={"systems": {"simulated": {"accounts": "bot0, bot1"}}})
        bot = self.desk.bot("invoices").model_copy(update={"erp": "simulated"})
        found = {"systems": {"simulated": self.system}, "bots": {"invoices": Bot(self)}, "document_types": {}}
        self.desk.registry.__dict__.update(found)
        self.give(settings=settings, bot=lambda _name: bot)
        self.own_sessions = self.desk.sessions
        self.own_sessions.__dict__.update(_registry=self.desk.registry, _settings=settings)
        event.listen(self.desk.database.engine, "connect", _without_waiting_for_the_disk)
        self.desk.database.dispose()
        self.look = sqlite3.connect(self.desk.database.url.removeprefix("sqlite:///"), isolation_level=None)
        self.look.execute("PRAGMA synchronous=OFF")
        self._clear = [f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)]

    def give(self, **parts: Any) -> None:
        """Put stand-ins in the places of the desk's parts, though it is frozen."""
        for name, part in parts.items():
            object.__setattr__(self.desk, name, part)

    def begin(self, *, declared: bool, alone: bool = False) -> "World":
        """An empty world; the one before it ends. alone: one worker at a time can be there at all, as on SQLite."""
        self.alone = alone
        self.look.execute("BEGIN IMMEDIATE")
        for statement in self._clear:
            self.look.execute(statement)
        self.look.execute("COMMIT")
        delay = DELAY_S if declared else None
        self.system.capabilities = Capabilities(
            title="Simulated", posts=True, settle_s=SETTLE_S, max_visibility_delay_s=delay
        )
        self.world = World(self)
        return self.world

    def now(self) -> float:
        return self.world.now if self.world else 0.0


class World:
    """One schedule: its clock, the target's books, the engine's runs; and what was wrong in it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.now = 0.0
        self.books: list[Record] = []
        self.runs: list[Run] = []
        self.numbers: dict[str, str] = {}
        """The number on each case's document, as it is read now."""
        self.worker: Worker | None = None
        """Who is at work in this moment."""
        self.told: list[str] = []
        self.wrong: dict[str, str] = {}
        """What must never be, by kind: duplicate, lost, breach."""
        self.counted: Counter[str] = Counter()
        self._clicked: set[tuple[str, int]] = set()
        self._leases: dict[int, Lease] = {}

    # -- what may happen

    def a_document_comes(self, number: int) -> None:
        if len(self.numbers) == DOCUMENTS:
            return
        case = f"document-{len(self.numbers)}"
        self._bench.look.execute(_CASE, {"id": case})
        self.numbers[case] = NUMBERS[number]
        self.runs.append(Run(f"case:{case}", case, NUMBERS[number]))
        self.note(f"{case} comes, {NUMBERS[number]}")

    def a_worker_runs(self, which: int, script: Script) -> None:
        """It takes up a case that has not ended, be it that another worker is asleep over it."""
        waiting = self.waiting()
        if waiting and not (self._bench.alone and self.worker):
            self._carry_out(waiting[which % len(waiting)], script)

    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    def what_is_hidden_shows(self) -> None:
        for record in self.books:
            record.stored_at, record.shown_at = min(record.stored_at, self.now), min(record.shown_at, self.now)

    def a_person_keys_it(self, number: int, mistyped: bool) -> None:
        if not all(record.ours for record in self.books):
            return
        gross = OTHER_GROSS if mistyped else GROSS
        self.books.append(Record(NUMBERS[number], gross, self.now, self.now, ours=False))
        self.note(f"a person keys {NUMBERS[number]} by hand, {gross}")

    def a_person_decides(self, which: int, choice: int) -> None:
        """An open item, after having looked: 0 and 1 as a careful person does, 2 corrects the number, 3 rejects."""
        items = self.open_items()
        if not items:
            return
        item, case, reason, seen = items[which % len(items)]
        if choice == 2:
            self._correct(item, case, seen)
        elif choice == 3:
            self._decide(item, DecisionKind.REJECT, seen)
        elif reason == Reason.OUTCOME_UNKNOWN and self._posting_state(case) in ("ARMED", "UNKNOWN"):
            self._say_what_the_target_shows(item, case, seen)
        else:
            self._decide(item, DecisionKind.ACCEPT, seen)

    def end(self) -> None:
        """Nothing goes wrong any more; workers and persons carry every case to its ending."""
        for _ in range(ROUNDS):
            for run in self.waiting():
                self._carry_out(run, Script())
            items = self.open_items()
            if not items and not self.waiting():
                break
            for place, (_, case, *_) in reversed(list(enumerate(items))):
                clicked = self._posting_state(case) in ("ARMED", "UNKNOWN", "POSTED")
                self.a_person_decides(place, 0 if clicked else 3)
        self.now += LOOKING_S
        self.check()
        self._check_the_end()

    # -- what must hold

    def check(self) -> None:
        """After whatever has happened."""
        rows = self._rows("SELECT number, state FROM postings")
        for number in NUMBERS:
            if sum(record.ours and record.number == number for record in self.books) > 1:
                self._is_wrong("duplicate", f"{number} is in the books twice through us")
        for number, state in rows:
            if state == PostingState.POSTED and not self._equal(_unfolded(number)):
                self._is_wrong("lost", f"the ledger says that {number} is posted, and no such record is there")
        open_items = {case for _, case, *_ in self.open_items()}
        at_work = {run.case for run in self.waiting()}
        for case, state, message in self._rows("SELECT id, state, message FROM cases"):
            if state == CaseState.OPEN and case not in at_work:
                self._is_wrong("lost", f"{case} is open, and nobody works for it")
            if state in _ASKED and case not in at_work and case not in open_items:
                self._is_wrong("lost", f"{case} is {state}, and no person is asked")
            if any(defect in message for defect in _DEFECTS):
                self._is_wrong("breach", f"{case}: {message}")

    def _check_the_end(self) -> None:
        rows = self._rows("SELECT number, case_id FROM postings WHERE state = 'POSTED'")
        posted = {_unfolded(number): case for number, case in rows}
        for number in {record.number for record in self.books if record.ours} - set(posted):
            self._is_wrong("lost", f"{number} is in the books through us, and the ledger does not know it")
        states = dict(self._rows("SELECT id, state FROM cases"))
        if set(states) != set(self.numbers) or not set(states.values()) <= set(_ENDED):
            self._is_wrong("lost", f"not every document has ended: {states}")
        ended = {case for case, state in states.items() if state == CaseState.POSTED}
        if ended != set(posted.values()) or len(posted) != len(ended):
            self._is_wrong("lost", f"cases that are posted: {sorted(ended)}; postings: {posted}")

    def clicks(self, number: str) -> str:
        """A worker clicks now; gives what comes of it."""
        worker = self._worker()
        shown = worker.saw.get(number)
        if shown != 0:
            saw = "no search of its own" if shown is None else f"a search that showed {shown}"
            self._is_wrong("breach", f"clicked for {number} after {saw}")
        row = self._rows("SELECT state, epoch FROM postings WHERE number = ?", number.replace("-", ""))[0]
        if self._bench.armed and (row[0] not in _MAY_BE_CLICKED or (number, row[1]) in self._clicked):
            self._is_wrong("breach", f"clicked for {number} when it was {row[0]} in epoch {row[1]}")
        self._clicked.add((number, row[1]))
        fate = worker.script.fates[min(worker.clicks, len(worker.script.fates) - 1)]
        worker.clicks += 1
        self.counted["clicks"] += 1
        self.note(f"click: {fate}")
        return fate

    # -- the process that is at work

    def boundary(self, name: str) -> None:
        """A point at which the process may end, or sleep."""
        worker = self._worker()
        worker.passed[name] += 1
        here = name if worker.passed[name] == 1 else f"{name}:{worker.passed[name]}"
        if here == worker.script.sleeps_at:
            self._sleeps(worker, here)
        if here == worker.script.dies_at:
            self.counted["crashes"] += 1
            self.note(f"dies at {here}")
            raise Crash

    def _sleeps(self, worker: Worker, here: str) -> None:
        self.note(f"sleeps at {here}")
        for one in worker.script.meanwhile:
            getattr(self, one.what)(*one.arguments)
        self.counted["stale workers woken"] += 1
        self.note("wakes up")

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        worker = self._worker()
        run = worker.run
        worker.at += 1
        if worker.at > len(run.answers):
            try:
                answer = {"ok": function()}
            except Exception as error:
                self._record(worker, {"error": f"{type(error).__name__}: {error}"})
                raise
            self.boundary(f"step.{name}")
            self._record(worker, answer)
            self.boundary(f"after.{name}")
        told = json.loads(run.answers[worker.at - 1])
        if "error" in told:
            raise Replayed(told["error"])
        return told["ok"]

    def sleep(self, seconds: float) -> None:
        """The moment of waking is what the engine remembers, by the clock on the wall of who goes to sleep."""
        wall = self.now + self._worker().script.skew_s
        until = self.step("sleep", lambda: wall + seconds)
        self.now += max(0.0, until - wall)
        self.boundary("slept")

    def short_sleep(self, seconds: float) -> None:
        self.boundary("a short sleep")
        self.now += seconds

    def workflow_id(self) -> str:
        return self._worker().run.id

    def current(self) -> Run:
        return self._worker().run

    def call_fails(self) -> bool:
        worker = self._worker()
        worker.calls += 1
        return worker.calls <= worker.script.down

    def searched(self, number: str) -> tuple[list[Record], bool]:
        """What the target shows now; and whether that is all."""
        worker = self._worker()
        shown = [one for one in self.books if one.number == number and max(one.stored_at, one.shown_at) <= self.now]
        worker.saw[number] = len(shown)
        return shown, not worker.script.blind

    def late(self) -> float:
        self.counted["late records"] += 1
        return self.now + self._worker().script.late_s

    def enqueued(self, workflow_id: str, case: str) -> None:
        if workflow_id not in {run.id for run in self.runs}:
            self.runs.append(Run(workflow_id, case, self.numbers[case]))

    def note(self, what: str) -> None:
        who = f"{self.worker.run.id} by bot{self.worker.script.account}: " if self.worker else ""
        self.told.append(f"{self.now:7.1f} {who}{what}")

    def waiting(self) -> list[Run]:
        return [run for run in self.runs if not run.ended]

    # --

    def _worker(self) -> Worker:
        assert self.worker is not None
        return self.worker

    def _carry_out(self, run: Run, script: Script) -> None:
        if run.owner is not None and self.worker is not None:
            self.counted["taken over"] += 1
        worker = Worker(run, script)
        run.owner = worker
        before, self.worker = self.worker, worker
        sessions, mine = self._bench.desk.sessions, WorkerSessions(self._bench, script.account)
        if before is None:
            mine.begin_with(self._leases.get(script.account))
        self._bench.give(sessions=mine)
        self.note("begins")
        try:
            told = Procedures(self._bench.desk, Client(self._bench)).process(run.case)  # type: ignore[arg-type]
            self.note(f"ends: {told['message']}")
            run.ended = True
        except Crash:
            pass
        except Superseded:
            self.note("is not the owner any more")
        except Exception as error:  # noqa: BLE001 - as the engine does: the run has failed, and the sweep begins another
            self.note(f"fails: {type(error).__name__}: {error}")
            self.counted["begun again"] += 1
            if run.owner is worker:
                run.ended = True
                if self._rows("SELECT state FROM cases WHERE id = ?", run.case) == [(CaseState.OPEN,)]:
                    self.enqueued(f"again:{run.case}:{len(self.runs)}", run.case)
        finally:
            self.worker = before
            self._bench.give(sessions=sessions)
            lease = mine.held()
            known = self._leases.get(script.account)
            if lease is not None and (known is None or known.epoch < lease.epoch):
                self._leases[script.account] = lease

    def _record(self, worker: Worker, answer: dict[str, Any]) -> None:
        if worker.run.owner is not worker or worker.run.ended:
            raise Superseded
        worker.run.answers.append(json.dumps(answer))

    def _say_what_the_target_shows(self, item: int, case: str, seen: int) -> None:
        self.now += LOOKING_S
        self.counted["unknown"] += 1
        number = self._rows("SELECT number FROM postings WHERE case_id = ? AND state IN ('ARMED', 'UNKNOWN')", case)
        there = self._equal(_unfolded(number[0][0]))
        outcome = PostingState.POSTED if there else PostingState.NOT_POSTED
        self._decide(item, DecisionKind.ACCEPT, seen, outcome=outcome, record="R0" if there else "")

    def _correct(self, item: int, case: str, seen: int) -> None:
        before = self.numbers[case]
        self.numbers[case] = NUMBERS[1 - NUMBERS.index(before)]
        if not self._decide(item, DecisionKind.CORRECT, seen, corrections={"invoice_number": self.numbers[case]}):
            self.numbers[case] = before

    def _decide(self, item: int, kind: DecisionKind, seen: int, **what: Any) -> bool:
        self.counted["decisions"] += 1
        try:
            requests.decide(self._bench.desk, Client(self._bench), item, kind, "Eva", seen=seen, **what)  # type: ignore[arg-type]
        except UsageError as error:
            self.note(f"Eva can't {kind} item {item}: {error}")
            return False
        self.note(f"Eva: {kind} item {item} {what or ''}")
        return True

    def open_items(self) -> list[tuple[int, str, str, int]]:
        return self._rows(
            "SELECT id, case_id, reason, (SELECT count(*) FROM decisions WHERE item_id = review_items.id)"
            f" FROM review_items WHERE state != '{ReviewState.DECIDED}' ORDER BY id"
        )

    def _posting_state(self, case: str) -> str:
        """The state of what this case may have clicked, else of anything that it has."""
        states = [state for (state,) in self._rows("SELECT state FROM postings WHERE case_id = ?", case)]
        return min(states, key=["ARMED", "UNKNOWN", "POSTED", "INTENT", "NOT_POSTED"].index, default="")

    def _equal(self, number: str) -> bool:
        return any(record.number == number and record.gross == GROSS for record in self.books)

    def _rows(self, query: str, *values: str) -> list[Any]:
        return self._bench.look.execute(query, values).fetchall()

    def _is_wrong(self, kind: str, what: str) -> None:
        self.note(f"WRONG, {kind}: {what}")
        self.wrong.setdefault(kind, what)


class Target:
    """The session's verbs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        world = self._world
        world.now += 0.5
        if world.call_fails():
            raise SystemDown
        world.boundary("searching")
        shown, complete = world.searched(number)
        items = tuple(
            PostedInvoice(number=number, vendor=vendor, record=f"R{n}", gross=one.gross, currency="EUR")
            for n, one in enumerate(shown)
        )
        return Found(items=items, scope="everything", complete=complete)

    def post_invoice(self, wanted: InvoicePosting, arm: Arm) -> None:
        world = self._world
        world.now += 1.0
        if world.call_fails():
            raise SystemDown
        world.boundary("filled")
        permit = arm(wanted.shown())
        permit.spend()
        permit.check()  # right before the request leaves, as the browser does
        fate = world.clicks(wanted.number)
        if fate.startswith("stored"):
            stored_at = world.late() if fate.startswith("stored late") else world.now
            shown_at = world.late() if fate.endswith("shown late") else world.now
            world.books.append(Record(wanted.number, wanted.gross, stored_at, shown_at, ours=True))
            world.boundary("stored, not answered")
        if fate.endswith("refused"):
            raise Rejected("The period is closed.")
        if fate.endswith("error page"):
            raise SystemDown
        if fate.endswith("answer lost"):
            raise BrowserDied


class Browser:
    """In place of the session's thread: everything is carried out here and now."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def call(self, use: Callable[[Any], Any], *, timeout_s: float = 120) -> Any:
        assert self._bench.world is not None
        return use(Target(self._bench.world))

    def snapshot(self) -> None:
        return None

    def discard(self) -> None:
        pass


class WorkerSessions(Sessions):
    """The sessions of one process, under leases of its own."""

    def __init__(self, bench: Bench, account: int) -> None:
        self.__dict__.update(bench.own_sessions.__dict__)  # whatever the desk has given them
        self._held, self._threads = {}, {}
        self.work_under(Leases(bench.desk.database, Place(account, bench.alone)))
        self._bench = bench

    def begin_with(self, lease: Lease | None) -> None:
        """Nobody else is at work: whoever had the account is dead, and a new epoch of it would tell nothing more."""
        if lease is not None:
            self._held["simulated"] = lease

    def held(self) -> Lease | None:
        return self._held.get("simulated")

    def _new(self, system: str, headed: bool) -> SessionThread:
        return Browser(self._bench)  # type: ignore[return-value]


class Client:
    """In place of the engine's client."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def enqueue(self, _connection: Any, _workflow: str, _queue: str, workflow_id: str, *args: Any, **_: Any) -> None:
        assert self._bench.world is not None
        self._bench.world.enqueued(workflow_id, args[0])


class Bot:
    """Posts the invoice of the case, without reading anything."""

    name = "invoices"
    inputs = RunInputs

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        assert self._bench.world is not None
        return clerk.post_invoice(case, Document(type="invoice"), _invoice(self._bench.world.current().number))


@contextmanager
def bench(folder: Path, *, armed: bool = True) -> Iterator[Bench]:
    """A bench with the clock, engine and logs of this process taken over. armed: whether `Ledger.arm` does its work."""
    made = Bench(folder, armed)

    def of_world(name: str) -> Callable[..., Any]:
        return lambda *arguments: getattr(made.world, name)(*arguments)

    patches: list[Any] = [
        mock.patch.object(engine, "step", of_world("step")),
        mock.patch.object(engine, "sleep", of_world("sleep")),
        mock.patch.object(engine, "workflow_id", of_world("workflow_id")),
        mock.patch.object(ledger, "crash_point", of_world("boundary")),
        mock.patch.object(ledger, "_clock", made.now),
        mock.patch.object(posting, "_clock", made.now),
        mock.patch.object(turns, "_GRACE_S", 0.0),
        mock.patch.object(audit, "record", _nothing),  # a fifth of the time, and not what is looked for here
        mock.patch.object(attempts, "time", SimpleNamespace(sleep=of_world("short_sleep"))),
    ]
    if not armed:
        patches.append(mock.patch.object(Ledger, "arm", _nothing))
    logs = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    clock.set_source(lambda: _START + timedelta(seconds=made.now()))
    for patch in patches:
        patch.start()
    try:
        with closing(made.look), closing(made.desk):
            yield made
    finally:
        for patch in patches:
            patch.stop()
        clock.set_source(None)
        structlog.configure(**logs)


def _nothing(*_: Any) -> None:
    """A mock would remember each call of a hundred thousand."""


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _unfolded(number: str) -> str:
    return next(one for one in NUMBERS if one.replace("-", "") == number)


def _invoice(number: str) -> InvoicePosting:
    return InvoicePosting(
        reference="TM-1",
        vendor="V1",
        vendor_name="Bolt Ltd",
        number=number,
        issue_date=date(2026, 11, 2),
        currency="EUR",
        net=GROSS,
        tax=Decimal(0),
        gross=GROSS,
    )
