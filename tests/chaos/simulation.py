"""Thousands of schedules of the posting protocol in simulated time: crashes, lost answers, late records, persons.

Real: `Poster`, `Ledger`, its database. Simulated: the clock, the engine's memory of steps, the browser and the target,
which accepts duplicates without a word. A schedule follows from its seed; a seed that fails stays a test for ever.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallyman.contracts.system import Arm, Capabilities, Found
from tallyman.domain.case import Case
from tallyman.domain.posting import InvoicePosting, PostingState
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import BrowserDied, Rejected, SystemDown, TallymanError
from tallyman.runtime import ledger, posting
from tallyman.runtime.jobs import InvoiceJob
from tallyman.runtime.ledger import Ledger
from tallyman.runtime.posting import Poster
from tallyman.store import cases
from tallyman.store.database import Database
from tallyman.store.tables import postings

DELAY_S = 20.0
"""The longest time that the simulated target takes to show what it stored; some targets declare it, some do not."""
FATES = (
    *("stored",) * 6, "stored, then an error", "stored, then the browser died", "shown late", "stored late",
    "not stored, an error", "not stored, the browser died", "refused",
)  # fmt: skip


class Crash(BaseException):
    """The process is gone; nothing that stands behind this is carried out."""


@dataclass
class Record:
    stored_at: float
    shown_at: float
    by: str


@dataclass
class World:
    """One schedule: its dice, its clock and the target's books for one invoice number."""

    seed: int
    dice: random.Random = field(init=False)
    now: float = 0.0
    crashes: int = 0
    books: list[Record] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.chance = self.dice.choice((0.02, 0.1, 0.3))

    def note(self, what: str) -> None:
        self.told.append(f"{self.now:7.1f} {what}")

    def crash_point(self, name: str) -> None:
        if self.crashes < 6 and self.dice.random() < self.chance:
            self.crashes += 1
            self.note(f"crash at {name}")
            raise Crash

    def sleep(self, seconds: float) -> None:
        self.crash_point("a sleep")
        self.now += seconds


class Memory:
    """What a durable engine remembers of one workflow: each step's answer, as JSON, in order."""

    def __init__(self, world: World) -> None:
        self._world, self._answers, self._at = world, list[str](), 0

    def replay(self) -> None:
        self._at = 0

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        if self._at == len(self._answers):
            answer = json.dumps(function())
            self._world.crash_point(f"{name}, not recorded")
            self._answers.append(answer)
            self._world.crash_point(f"after {name}")
        self._at += 1
        return json.loads(self._answers[self._at - 1])

    def sleep(self, seconds: float) -> None:
        self.step("sleep", lambda: self._world.sleep(seconds))


class Target:
    """The session's verbs. Every call takes time, and may fail."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        world = self._world
        world.now += world.dice.random()
        if world.dice.random() < 0.05:
            raise SystemDown
        shown = [one for one in world.books if max(one.stored_at, one.shown_at) <= world.now]
        items = tuple(
            PostedInvoice(number=number, vendor=vendor, record=f"R{n}", gross=Decimal(20), currency="EUR")
            for n, _ in enumerate(shown)
        )
        return Found(items=items, scope="everything", complete=world.dice.random() > 0.01)

    def post_invoice(self, wanted: InvoicePosting, arm: Arm) -> None:
        world = self._world
        world.now += 2 * world.dice.random()
        if world.dice.random() < 0.05:
            raise SystemDown
        world.crash_point("filling")
        permit = arm(wanted.shown())
        permit.spend()
        fate = world.dice.choice(FATES)
        world.note(f"click: {fate}")
        if fate.startswith("not stored"):
            raise SystemDown if fate.endswith("error") else BrowserDied
        if fate == "refused":
            raise Rejected("The period is closed.")
        late = world.dice.uniform(0, DELAY_S)
        stored_at = world.now + (late if fate == "stored late" else 0)
        shown_at = world.now + (late if fate == "shown late" else 0)
        world.books.append(Record(stored_at, shown_at, "us"))
        world.crash_point("stored")
        if fate == "stored, then an error":
            raise SystemDown
        if fate in ("stored, then the browser died", "stored late"):
            raise BrowserDied


class Session:
    def __init__(self, world: World) -> None:
        self._target = Target(world)

    def of(self, _system: str, *, attended: bool = False) -> "Session":
        return self

    def call(self, use: Callable[[Any], Any], *, timeout_s: float = 120) -> Any:
        return use(self._target)

    def snapshot(self) -> None:
        return None

    def discard(self) -> None:
        pass


@dataclass
class Outcome:
    seed: int
    records: int
    ours: int
    state: str
    told: list[str]

    @property
    def duplicate(self) -> bool:
        return self.records > 1

    @property
    def lost(self) -> bool:
        """The ledger says what the books do not: POSTED and nothing is there, or ours is there and it denies it."""
        return (self.state == PostingState.POSTED and not self.records) or (
            self.ours > 0 and self.state != PostingState.POSTED
        )


class Simulation:
    """Runs schedules over one database; each has a case and a number of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.database = Database(f"sqlite:///{folder / 'simulation.db'}")
        self.database.upgrade()
        self._ledger = Ledger(self.database)
        self._patch = patch

    def run(self, seed: int) -> Outcome:
        """One schedule to its end: as often as it crashes it is taken up again, and a person decides what is asked."""
        world = World(seed)
        case = self._case(seed)
        declared = DELAY_S if world.dice.random() < 0.7 else None
        capabilities = Capabilities(title="Simulated", posts=True, settle_s=2.0, max_visibility_delay_s=declared)
        job = InvoiceJob("simulated", "", _invoice(seed))
        with self._in(world):
            for _ in range(6):
                told = self._workflow(world, case, capabilities, job)
                state = self._state(case)
                world.note(f"{state}: {told}")
                if state == PostingState.POSTED or not self._decided(world, case, state):
                    break
        ours = sum(one.by == "us" for one in world.books)
        return Outcome(seed, len(world.books), ours, self._state(case), world.told)

    def _workflow(self, world: World, case: Case, capabilities: Capabilities, job: InvoiceJob) -> str:
        memory, sessions = Memory(world), Session(world)
        while True:
            memory.replay()
            self._patch.setattr(posting, "engine", memory)
            poster = Poster(self._ledger, sessions, None, "simulated", capabilities, case)  # type: ignore[arg-type]
            try:
                return poster.post(job).message
            except TallymanError as error:
                self._ledger.give_up(case)
                return str(error)
            except Crash:
                world.now += world.dice.choice((0.5, 5.0, 60.0))
                if not world.books and world.dice.random() < 0.2:
                    world.note("a person keys it by hand")
                    world.books.append(Record(world.now, world.now, "a person"))

    def _decided(self, world: World, case: Case, state: str) -> bool:
        """A person looks when all must be visible, and says what is there; else lets it be tried again, or not."""
        world.now += 1000
        if state == PostingState.UNKNOWN:
            there = bool(world.books)
            world.note(f"a person sees that it is {'' if there else 'not '}there")
            self._settle(case, PostingState.POSTED if there else PostingState.NOT_POSTED)
            return not there
        return world.dice.random() < 0.5

    @contextmanager
    def _in(self, world: World) -> Iterator[None]:
        with self._patch.context() as patch:
            patch.setattr(ledger, "crash_point", world.crash_point)
            patch.setattr("tallyman.runtime.attempts.time.sleep", world.sleep)
            yield

    def _case(self, seed: int) -> Case:
        with self.database.transaction() as connection:
            name = f"{seed:064x}"
            found = cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=name[::-1], run="r", attended=False
            )
        assert found is not None
        return found

    def _state(self, case: Case) -> str:
        with self.database.transaction() as connection:
            row = connection.execute(postings.select().where(postings.c.case_id == case.id)).mappings().first()
        return str(row["state"]) if row else "NONE"

    def _settle(self, case: Case, state: PostingState) -> None:
        with self.database.transaction() as connection:
            connection.execute(postings.update().where(postings.c.case_id == case.id).values(state=state))


def _invoice(seed: int) -> InvoicePosting:
    return InvoicePosting(
        reference=f"TM-{seed}",
        vendor="V1",
        vendor_name="Bolt Ltd",
        number=f"INV-{seed}",
        issue_date=date(2026, 11, 2),
        currency="EUR",
        net=Decimal(20),
        tax=Decimal(0),
        gross=Decimal(20),
    )
