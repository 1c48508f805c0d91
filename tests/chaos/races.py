"""Real threads over a real database that all want one thing: the right to click, or the decision on a review item."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import event, select, text

from tallyman.contracts.system import Capabilities
from tallyman.domain.case import Case, CaseState, DecisionKind, ReviewItem, ReviewState
from tallyman.domain.finding import Finding
from tallyman.domain.posting import NaturalKey, PostingState
from tallyman.domain.reasons import Reason
from tallyman.errors import NotArmed, UsageError
from tallyman.platform.clock import now
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk
from tallyman.runtime.leases import Lease, Leases
from tallyman.runtime.ledger import Entry, Ledger, OneClick
from tallyman.runtime.places import HomePlace
from tallyman.runtime.requests import decide
from tallyman.store import cases as case_store
from tallyman.store.database import Database
from tallyman.store.tables import audit, cases, decisions, postings, review_items
from tests.chaos.tally import Tally, store
from tests.fake_target import FakeSystem, FakeTarget, fake_desk

RACERS = 4
ROUNDS = 3
"""How often one key is raced for: after a round it is proven that nothing was posted, and its epoch begins anew."""
BATCH = 100

_PRICE = Finding(reason=Reason.PRICE_VARIANCE, message="Line 1 bills 8.99 EUR; the order says 8.49 EUR.")
_BANK = Finding(reason=Reason.BANK_CHANGED, message="The invoice names another bank account.", persons=2)


class Racers:
    """Threads that start at the same moment."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(RACERS)
        self._start = threading.Barrier(RACERS)

    def race(self, runs: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each gives, or the exception that it raises."""
        return list(self._pool.map(self._run, runs))

    def close(self) -> None:
        self._pool.shutdown()

    def _run(self, run: Callable[[], Any]) -> Any:
        self._start.wait()
        try:
            return run()
        except Exception as error:  # noqa: BLE001 - what a loser meets is judged by who started the race
            return error


# -- two bots on one document, a double submit, the back button


def ledger_races(count: int, seed: int, folder: Path, url: str | None = None) -> Tally:
    """So many times four bots want to post one record; some are the same bot twice. One may arm in each epoch."""
    began, dice = time.perf_counter(), random.Random(seed)
    tally = Tally(row="6", fault=f"double submit, back button, two bots on one document, {store(url)}", seed=seed)
    database = _database(url or f"sqlite:///{folder / 'ledger-races.db'}")
    book = Ledger(database)
    leases = [Leases(database, HomePlace()).take("practice", [f"bot{seed}-{n}"]) for n in range(RACERS)]
    counted: Counter[str] = Counter()
    with closing(Racers()) as racers:
        for number in range(0, count, ROUNDS):
            known = [_case(database, f"{seed}-{number}-{n}") for n in range(dice.randint(1, RACERS))]
            key = NaturalKey(system="practice", company="", party="V1", number=f"R{seed}-{number}")
            for _ in range(min(ROUNDS, count - number)):
                runs = [partial(_post, book, key, dice.choice(known), lease, counted) for lease in leases]
                _judge_posting(database, book, key, racers.race(runs), tally)
                tally.n += 1
    tally.extra |= {name: float(value) for name, value in sorted(counted.items())}
    tally.seconds = time.perf_counter() - began
    database.dispose()
    return tally


def _post(
    book: Ledger, key: NaturalKey, case: Case, lease: Lease | None, counted: Counter[str]
) -> tuple[Case, Entry] | None:
    """As a bot does; gives what it armed. Then somebody goes back and submits the same form once more."""
    assert lease is not None
    entry = book.intend(key, case, {"number": key.number, "case": case.id})
    if not entry.mine or entry.state is not PostingState.INTENT:
        counted["met another's"] += 1
        return None
    try:
        permit = OneClick()
        book.arm(entry, None, lease)
    except NotArmed:
        counted["lost the epoch"] += 1
        return None
    permit.spend()
    for again in (permit.spend, partial(book.arm, entry, None, lease)):
        try:
            again()
        except NotArmed:
            counted["second submits refused"] += 1
        else:
            raise AssertionError("the same form was submitted twice")
    return case, entry


def _judge_posting(database: Database, book: Ledger, key: NaturalKey, came: list[Any], tally: Tally) -> None:
    armed = [one for one in came if isinstance(one, tuple)]
    tally.problems += [f"{key.number}: {type(one).__name__}: {one}" for one in came if isinstance(one, Exception)]
    tally.duplicates += max(len(armed) - 1, 0)
    tally.lost += not armed
    with database.transaction() as connection:
        rows = connection.execute(select(postings).where(postings.c.number == key.number)).all()
    if len(rows) != 1:
        tally.problems.append(f"{key.number}: {len(rows)} rows")
    elif armed:
        case, entry = armed[0]
        row = rows[0]
        if (row.state, row.epoch, row.case_id) != (PostingState.ARMED, entry.epoch, case.id):
            tally.problems.append(f"{key.number}: {row.state}, epoch {row.epoch} of {row.case_id}; armed was {entry}")
            return
        with database.transaction() as connection:
            book.settle(connection, entry, PostingState.NOT_POSTED, "The target refused it.")


# -- two reviewers, a stale tab


def review_races(count: int, seed: int, folder: Path, url: str | None = None) -> Tally:
    """So many times four persons decide on what they see of one item: one decision stands, of the others nothing.

    Some items need two persons: they are raced for twice, the second time by some who still see the item undecided.
    """
    began, dice = time.perf_counter(), random.Random(seed)
    tally = Tally(row="11", fault="two reviewers, a stale tab", seed=seed)
    counted: Counter[str] = Counter()
    with _desk(folder, url) as desk, closing(desk.client()) as client, closing(Racers()) as racers:
        while tally.n < count:
            wins: dict[int, list[ReviewItem]] = {}
            for _ in range(BATCH):
                if tally.n == count:
                    break
                two = dice.random() < 0.3
                item = _item(desk, f"{seed}-{tally.n}", _BANK if two else _PRICE)
                wins[item] = []
                open_still = True
                for seen in (0, 1) if two else (0,):
                    if not open_still or tally.n == count:
                        break
                    stale = [seen > 0 and dice.random() < 0.4 for _ in range(RACERS - 1)] + [False]
                    runs = [partial(_decide, desk, client, item, seen - one, dice.random(), n + 10 * seen)
                            for n, one in enumerate(stale)]  # fmt: skip
                    won = _judge_decisions(item, racers.race(runs), stale, tally, counted)
                    tally.n += 1
                    wins[item] += won
                    open_still = bool(won) and won[0].state is not ReviewState.DECIDED
            _judge_what_is_stored(desk, wins, tally)
    tally.extra |= {name: float(value) for name, value in sorted(counted.items())}
    tally.seconds = time.perf_counter() - began
    return tally


def _decide(desk: Desk, client: Any, item: int, seen: int, chance: float, person: int) -> ReviewItem:
    kinds = (DecisionKind.ACCEPT, DecisionKind.ACCEPT, DecisionKind.CORRECT, DecisionKind.REJECT)
    kind = kinds[int(chance * len(kinds))]
    values = {"gross_total": f"{person}.00"} if kind is DecisionKind.CORRECT else {}
    return decide(desk, client, item, kind, f"Person {person}", note=f"by {person}", corrections=values, seen=seen)


def _judge_decisions(
    item: int, came: list[Any], stale: list[bool], tally: Tally, counted: Counter[str]
) -> list[ReviewItem]:
    won = [one for one in came if isinstance(one, ReviewItem)]
    tally.duplicates += max(len(won) - 1, 0)
    tally.lost += not won
    if any(isinstance(one, ReviewItem) and old for one, old in zip(came, stale, strict=True)):
        tally.problems.append(f"item {item}: a stale tab has decided")
    losers = [one for one in came if isinstance(one, Exception)]
    tally.problems += [f"item {item}: {type(one).__name__}: {one}" for one in losers if not isinstance(one, UsageError)]
    counted["refused"] += sum(isinstance(one, UsageError) for one in losers)
    counted["stale tabs"] += sum(stale)
    return won


def _judge_what_is_stored(desk: Desk, wins: dict[int, list[ReviewItem]], tally: Tally) -> None:
    """Decisions, item, case, workflow and trail are those of who won, and nobody else's."""
    with desk.database.transaction() as connection:
        stored = connection.execute(
            select(decisions).where(decisions.c.item_id.in_(wins)).order_by(decisions.c.n)
        ).all()
        query = select(review_items.c.id, review_items.c.state, cases.c.state.label("of_case")).join(cases)
        rows = connection.execute(query).all()
        of_persons = audit.c.action.like("review.%"), audit.c.action != "review.opened"
        trail = connection.execute(select(audit.c.subject).where(*of_persons)).scalars().all()
        schema = "dbos." if not desk.database.sqlite else ""
        ids = connection.execute(text(f"SELECT workflow_uuid FROM {schema}workflow_status")).scalars().all()
    traces = Counter(trail)
    states, of_case = {row.id: row.state for row in rows}, {row.id: row.of_case for row in rows}
    started = Counter(int(one.split(":")[1]) for one in ids if one.startswith("resolve:"))
    for item, won in wins.items():
        told = [(one.by, one.kind, one.note, one.corrections) for one in stored if one.item_id == item]
        last = won[-1] if won else None
        meant = [(one.by, one.kind, one.note, one.corrections) for one in last.decisions] if last else []
        if told != meant or len(told) != len(won):
            tally.problems.append(f"item {item}: stored {told}, decided {meant}")
        if last and last.state != states[item]:
            tally.problems.append(f"item {item} is {states[item]}, not {last.state}")
        if traces[str(item)] != len(won):
            tally.problems.append(f"item {item}: {traces[str(item)]} traces of {len(won)} decisions")
        carried_on = last is not None and last.state is ReviewState.DECIDED and told[-1][1] != DecisionKind.REJECT
        if started[item] != carried_on:
            tally.problems.append(f"item {item}: {started[item]} runs follow {told}")
        if last and last.state is ReviewState.DECIDED:
            state = CaseState.OPEN if carried_on else CaseState.REJECTED
            if of_case[item] != state:
                tally.problems.append(f"item {item}: its case is {of_case[item]} after {told}")


# -- what they work on


def _database(url: str) -> Database:
    database = Database(url)
    database.upgrade()
    _do_not_wait_for_the_disk(database)
    return database


def _do_not_wait_for_the_disk(database: Database) -> None:
    """Who comes first is raced for, not whether a machine that stops at once would keep it."""
    setting = "PRAGMA synchronous=OFF" if database.sqlite else "SET synchronous_commit = off"

    def set_it(made: Any, _record: object) -> None:
        made.execute(setting)
        made.commit()

    event.listen(database.engine, "connect", set_it)
    database.dispose()


@contextmanager
def _desk(folder: Path, url: str | None) -> Iterator[Desk]:
    home = folder / "review-races"
    home.mkdir(parents=True)
    system = FakeSystem(FakeTarget(), capabilities=Capabilities(title="Fake", posts=True))
    with mock.patch.dict(os.environ, {"TALLYMAN_DATABASE_URL": url} if url else {}):
        desk = fake_desk(Home(home), system)
    desk.registry.__dict__["document_types"] = {}
    _do_not_wait_for_the_disk(desk.database)
    try:
        yield desk
    finally:
        desk.close()


def _case(database: Database, name: str) -> Case:
    with database.transaction() as connection:
        connection.execute(
            cases.insert().values(
                id=name, bot="invoices", sha256=name, file=name, source="s", run="r", received_at=now(),
                updated_at=now(), state=CaseState.IN_REVIEW, attended=False, message="", record="",
            )
        )  # fmt: skip
        return case_store.get(connection, name)


def _item(desk: Desk, name: str, finding: Finding) -> int:
    case = _case(desk.database, name)
    with desk.database.transaction() as connection:
        made = connection.execute(
            review_items.insert().values(
                case_id=case.id, origin=name, state=ReviewState.NEW, reason=finding.reason,
                findings=[finding.to_json()], created_at=now(), updated_at=now(),
            )
        )  # fmt: skip
        return int(made.inserted_primary_key[0])  # type: ignore[index]
