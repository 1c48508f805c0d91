"""Reconciliation: every row of the ledger that was ever armed, held against the target's own report, both directions.

Nothing is clicked. What is sure is settled, everything else is told to a person once. An incomplete report proves
nothing and changes nothing. Deliveries are searched one by one, since a report of receipts is rare.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select

from tallyman.contracts.system import Erp, Found
from tallyman.domain.case import CaseState, ReviewState
from tallyman.domain.finding import Finding
from tallyman.domain.posting import DeliveryPosting, PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import UsageError
from tallyman.platform.clock import now
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import Failure, GaveUp, attempt, unwrap
from tallyman.runtime.comparison import Comparison, Problem, Row, Sure, compare, judge
from tallyman.runtime.desk import Desk
from tallyman.runtime.jobs import DeliveryJob
from tallyman.runtime.posting import Hits
from tallyman.runtime.pressure import patient_step
from tallyman.store import audit, cases, reviews
from tallyman.store.tables import postings, review_items

DAYS = 35
"""How far back rows are checked, by their last change, where nobody says otherwise."""
AT = time(3, 40)
"""When it begins at night, in the office's time zone."""

_SETTLED_AFTER = timedelta(minutes=5)
"""A row that was armed later than this may still be in work, whatever the engine says."""
_REPORT_S = 600.0
_LOOKED_FOR = 20
"""So many invoices that the report lacks are searched by their number: one may stand there under an older date."""
_AT_A_TIME = 20
_MOST_NAMES = 500
_NOTE = "Found in the target's own report."
_BY = "reconcile"

_log = get_logger(__name__)


# -- who starts it


def systems(desk: Desk) -> list[str]:
    """The systems that bots post into, as far as tallyman.toml or the ledger knows them."""
    with desk.database.transaction() as connection:
        known = set(connection.execute(select(postings.c.system).distinct()).scalars())
    return sorted({bot.erp for bot in desk.bots().values()} & (known | set(desk.settings.systems)))


def start(
    desk: Desk, client: engine.EngineClient, system: str, name: str, *, since: date | None = None, by_hand: bool = False
) -> None:
    """Start it under a workflow id, which makes it once. By hand it does not wait for a system that is down.

    It waits in the line of a bot that posts there, before all cases: only a worker with an account takes from it.
    Raises UsageError for a system that no bot posts into.
    """
    bot = next((bot for bot, settings in desk.bots().items() if settings.erp == system), None)
    if bot is None:
        raise UsageError(f"No bot posts into {system}.", advice="Name a system that a bot posts into.")
    with desk.database.transaction() as connection:
        told = since.isoformat() if since else ""
        client.enqueue(connection, engine.RECONCILE, engine.case_queue(bot), name, system, told, by_hand)


def start_due(desk: Desk, client: engine.EngineClient) -> list[str]:
    """Start what is due tonight and was not started: for each system into which something was posted before AT.

    Called as often as one likes: the id holds the day, so each night has one. A machine that slept then makes it good
    in the same day. Gives the ids that were started.
    """
    here = now().astimezone(desk.settings.office.zone)
    due = datetime.combine(here.date(), AT, tzinfo=desk.settings.office.zone)
    if here < due:
        return []
    with desk.database.transaction() as connection:
        clicked = or_(postings.c.armed_at.is_not(None), postings.c.state == PostingState.POSTED)
        lately = and_(postings.c.updated_at >= due - timedelta(days=DAYS), postings.c.updated_at < due)
        found = connection.execute(select(postings.c.system).where(clicked, lately).distinct()).scalars().all()
    names = {f"reconcile:{system}:{here.date()}": system for system in systems(desk) if system in found}
    started = [name for name in names if client.outcome(name) is None]
    for name in started:
        start(desk, client, names[name], name)
        _log.info("reconcile begins", workflow=name)
    return started


# -- the procedure


class Reconciliation:
    """One reconciliation of one system, inside a workflow."""

    def __init__(self, desk: Desk, client: engine.EngineClient, system: str, *, by_hand: bool) -> None:
        self._desk = desk
        self._client = client
        self._system = system
        self._by_hand = by_hand

    def work(self, since: str) -> dict[str, Any]:
        """Compare, settle what is sure, tell the rest. `since` is a day, or empty for the last DAYS."""
        day: str = engine.step("reconcile.since", lambda: since or self._some_weeks_ago())
        told: dict[str, Any] = {"system": self._system, "since": day, "failed": None}
        try:
            compared = self._ask("reconcile.report", partial(self._report, date.fromisoformat(day)))
            if compared["incomplete"]:
                return {**told, **self._fail(_incomplete(self._system, compared["incomplete"]))}
            result = Comparison.from_json(compared["comparison"])
            for ids in compared["deliveries"]:
                found = self._ask("reconcile.deliveries", partial(self._deliveries, ids))
                result += Comparison.from_json(found)
        except GaveUp as error:
            return {**told, **self._fail(error.failure)}
        settled: list[int] = engine.step("reconcile.settle", lambda: self._settle_all(result.settle))
        told |= _counts(result, len(settled))
        told["problems"] = engine.step("reconcile.tell", lambda: self._tell_all(result.problems))
        engine.step("reconcile.end", lambda: self._end(told))
        return told

    def fail(self, message: str) -> dict[str, Any]:
        """End with what nobody foresaw."""
        failure = Failure(reason=Reason.SYSTEM_DOWN, message=message, advice="See tallyman.log.", technical=True)
        return {"system": self._system, "since": "", **self._fail(failure)}

    def _some_weeks_ago(self) -> str:
        today = now().astimezone(self._desk.settings.office.zone).date()
        return (today - timedelta(days=DAYS)).isoformat()

    def _ask(self, name: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """One step that asks the target and changes nothing. At night a system that is down is waited for."""
        waits = () if self._by_hand else self._desk.settings.retry_waits_s
        step = engine.step if self._by_hand else patient_step
        for wait in (*waits, None):
            told = step(name, lambda: attempt(name, ask))
            if wait is None or "failed" not in told or not Failure.from_json(told["failed"]).technical:
                break
            engine.sleep(wait)
        found: dict[str, Any] = unwrap(told)
        return found

    # -- what is asked

    def _report(self, since: date) -> dict[str, Any]:
        """The comparison of all invoices, and the deliveries that are to be searched, some at a time."""
        rows = self._rows("invoice", since)
        days = [date.fromisoformat(row.payload["issue_date"]) for row in rows]
        session = self._desk.sessions.of(self._system)
        oldest = min([since, *days])
        found: Found[PostedInvoice] = session.call(lambda erp: erp.list_invoices(since=oldest), timeout_s=_REPORT_S)
        if not found.complete:
            return {"incomplete": found.scope}
        everything = [*rows, *self._others(rows, found.items)]
        result = compare(everything, found.items)
        elsewhere: list[PostedInvoice] = []
        for problem in [one for one in result.problems if one.what == "missing"][:_LOOKED_FOR]:
            again: Found[PostedInvoice] = session.call(partial(_search, problem))
            if not again.complete:
                return {"incomplete": again.scope}
            elsewhere += again.items
        if elsewhere:
            result = compare(everything, [*found.items, *elsewhere])
        deliveries = [row.id for row in self._rows("delivery", since)]
        parts = [deliveries[at : at + _AT_A_TIME] for at in range(0, len(deliveries), _AT_A_TIME)]
        return {"incomplete": "", "comparison": result.to_json(), "deliveries": parts}

    def _deliveries(self, ids: Sequence[int]) -> dict[str, Any]:
        """The comparison of some receipts. A search that could not see everything leaves its row as it is."""
        result = Comparison()
        for row in self._select(postings.c.id.in_(ids)):
            if not row.at_work:
                job = DeliveryJob(self._system, "", DeliveryPosting.from_json(row.payload))
                found: Hits = self._desk.sessions.of(self._system).call(job.search)
                result += judge(row, found.items) if found.complete else Comparison(checked=1, unsettled=1)
        return result.to_json()

    # -- our rows

    def _rows(self, verb: str, since: date) -> list[Row]:
        """The rows that are to be checked: ever armed, or posted, and changed since then."""
        begin = datetime.combine(since, time(), tzinfo=self._desk.settings.office.zone)
        clicked = postings.c.armed_at.is_not(None) | _posted()
        return self._select(postings.c.verb == verb, clicked, postings.c.updated_at >= begin)

    def _select(self, *where: ColumnElement[bool], checked: bool = True) -> list[Row]:
        in_work = self._client.in_work()
        with self._desk.database.transaction() as connection:
            query = select(postings).where(postings.c.system == self._system, *where).order_by(postings.c.id)
            return [_row(row, in_work, checked=checked) for row in connection.execute(query).mappings()]

    def _others(self, checked: Sequence[Row], records: Iterable[PostedInvoice]) -> list[Row]:
        """All other rows of these vendors, so that a record which one of them accounts for is known as ours."""
        known, found = {row.id for row in checked}, list[Row]()
        names = sorted({row.party for row in checked} | {record.vendor for record in records})
        for at in range(0, len(names), _MOST_NAMES):
            some = postings.c.party.in_(names[at : at + _MOST_NAMES])
            rows = self._select(postings.c.verb == "invoice", some, checked=False)
            found += [row for row in rows if row.id not in known]
        return found

    # -- what follows

    def _settle_all(self, settle: Iterable[Sure]) -> list[int]:
        return [one.row.id for one in settle if self._settle(one)]

    def _tell_all(self, problems: Iterable[Problem]) -> list[dict[str, Any]]:
        return [item for one in problems if (item := self._tell(one)) is not None]

    def _settle(self, sure: Sure) -> bool:
        """UNKNOWN or ARMED -> POSTED, with its case and what was asked about it. True if it was done before, too."""
        row = sure.row
        with self._desk.database.transaction() as connection:
            changed = connection.execute(
                postings.update()
                .where(
                    postings.c.id == row.id,
                    postings.c.epoch == row.epoch,
                    postings.c.state.in_((PostingState.ARMED, PostingState.UNKNOWN)),
                )
                .values(state=PostingState.POSTED, record=sure.record, note=_NOTE, updated_at=now())
            )
            if changed.rowcount != 1:
                now_there = _now(connection, row.id)
                return (now_there["state"], now_there["note"]) == (PostingState.POSTED, _NOTE)
            audit.record(connection, _BY, "posting.posted", row.case, {"record": sure.record, "note": _NOTE})
            reviews.close_of_case(connection, row.case, Reason.OUTCOME_UNKNOWN, _BY, _NOTE)
            cases.move(connection, row.case, CaseState.POSTED, _NOTE, record=sure.record)
        return True

    def _tell(self, problem: Problem) -> dict[str, Any] | None:
        """The item of a problem, made once. None when our row has changed since: then the next night looks again."""
        row = problem.row
        origin = f"reconcile:{self._system}:{row.id if row else 'none'}:{problem.what}:{problem.mark}"
        reason = Reason.DUPLICATE_SUSPECTED if problem.what == "twice" else Reason.BOOKS_DIFFER
        message = problem.message
        if row is not None:
            message += f" Posting {row.id}, case {row.case}."
        with self._desk.database.transaction() as connection:
            if not self._as_it_was(connection, problem):
                return None
            finding = Finding(reason=reason, message=message, actual=problem.record or None)
            item = reviews.open_item(connection, None, origin, [finding])
            decided = reviews.is_decided(connection, item)
        posting = row.id if row else None
        return {"what": problem.what, "message": message, "posting": posting, "item": item, "decided": decided}

    def _as_it_was(self, connection: Connection, problem: Problem) -> bool:
        row = problem.row
        if row is not None:
            there = _now(connection, row.id)
            return (there["state"], there["epoch"]) == (row.state, row.epoch)
        key = {"system": self._system, "party": problem.party, "number": problem.number, "verb": "invoice"}
        return connection.execute(select(postings.c.id).filter_by(**key)).first() is None

    def _fail(self, failure: Failure) -> dict[str, Any]:
        """At night a person is told, unless an item about it still waits; by hand the person who waits is told."""
        if not self._by_hand:
            engine.step("reconcile.failed", lambda: self._tell_failure(failure))
        _log.warning("reconcile failed", system=self._system, error=failure.message)
        return {"failed": failure.to_json(), **_counts(Comparison(), 0), "problems": []}

    def _tell_failure(self, failure: Failure) -> bool:
        origin = f"reconcile:{self._system}:failed:"
        message = f"The books of {self._system} could not be compared with ours. {failure.message} {failure.advice}"
        with self._desk.database.transaction() as connection:
            waiting = select(review_items.c.id).where(
                review_items.c.origin.startswith(origin, autoescape=True), review_items.c.state != ReviewState.DECIDED
            )
            if connection.execute(waiting).first() is None:
                finding = Finding(reason=failure.reason, message=message.strip())
                reviews.open_item(connection, None, f"{origin}{engine.workflow_id()[-40:]}", [finding])
        return True

    def _end(self, told: dict[str, Any]) -> dict[str, Any]:
        data = {name: value for name, value in told.items() if isinstance(value, int | str)}
        with self._desk.database.transaction() as connection:
            audit.record(connection, _BY, "reconcile.ended", self._system, data | {"problems": len(told["problems"])})
        return told


def _posted() -> ColumnElement[bool]:
    return postings.c.state == PostingState.POSTED


def _search(problem: Problem, erp: Erp) -> Found[PostedInvoice]:
    number = problem.row.payload["number"] if problem.row else problem.number
    return erp.find_invoice(vendor=problem.party, number=number)


def _row(row: RowMapping, in_work: set[str], *, checked: bool) -> Row:
    posted = row["state"] == PostingState.POSTED
    fresh = row["updated_at"] > now() - _SETTLED_AFTER and row["state"] != PostingState.UNKNOWN
    return Row(
        id=row["id"],
        party=row["party"],
        number=row["number"],
        verb=row["verb"],
        state=row["state"],
        epoch=row["epoch"],
        case=row["case_id"],
        record=row["record"],
        clicked=row["armed_at"] is not None or posted,
        checked=checked,
        at_work=not posted and (fresh or row["case_id"] in in_work),
        payload=row["payload"] if checked else {},
    )


def _now(connection: Connection, posting: int) -> RowMapping:
    return connection.execute(select(postings).where(postings.c.id == posting)).mappings().one()


def _counts(result: Comparison, settled: int) -> dict[str, int]:
    def count(*wanted: str) -> int:
        return sum(problem.what in wanted for problem in result.problems)

    return {
        "checked": result.checked,
        "equal": result.equal,
        "missing": count("missing"),
        "differing": count("differs"),
        "unexpected": count("denied", "stray"),
        "duplicates": count("twice"),
        "settled": settled,
        "unsettled": result.unsettled,
        "foreign": result.foreign,
    }


def _incomplete(system: str, scope: str) -> Failure:
    return Failure(
        reason=Reason.BOOKS_DIFFER,
        message=f"The report of {system} is not complete ({scope}), so it proves nothing.",
        advice="Nothing was changed. See why the report is not complete, then run `tallyman posting reconcile`.",
        technical=False,
    )


def agree(told: Mapping[str, Any]) -> bool:
    """Whether the books agree: no problem that a person has not accepted yet."""
    return not told["failed"] and all(problem["decided"] for problem in told["problems"])
