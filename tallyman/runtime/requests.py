"""What people and schedules ask for: a run of a bot, a decision on a review item. Each is one transaction."""

import re
import uuid
from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, select

from tallyman.contracts.bot import RunInputs
from tallyman.domain.case import CaseState, Decision, DecisionKind, ReviewItem, ReviewState
from tallyman.domain.document import Document
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.posting import PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import Documents
from tallyman.errors import UsageError
from tallyman.platform.clock import now
from tallyman.runtime import engine
from tallyman.runtime.corrections import missing_persons
from tallyman.runtime.desk import Desk
from tallyman.runtime.entry import check_corrections, signature, split_pages
from tallyman.runtime.ledger import never_post
from tallyman.store import audit, cases, reviews
from tallyman.store.tables import postings

_CORRECTION = re.compile(r"type|[a-z][a-z0-9_]*|line\.[1-9][0-9]{0,3}\.[a-z][a-z0-9_]*")

_LONGEST_PASSWORD = 500


def start_run(
    connection: Connection,
    client: engine.EngineClient,
    bot: str,
    run: str,
    requested_by: str,
    *,
    inputs: RunInputs | None = None,
    attended: bool = False,
) -> bool:
    """Note the run and start it with the caller's transaction. False when this run is known already."""
    told = (inputs or RunInputs()).to_json()
    if not cases.start_run(connection, run, bot, requested_by, told, attended=attended):
        return False
    client.enqueue(connection, engine.TAKE_IN, engine.intake_queue(bot), f"run:{run}", bot, run, told, attended)
    return True


def wake(connection: Connection, client: engine.EngineClient, row: RowMapping) -> None:
    """Begin a run of a case that has waited, at the place that it always had."""
    run = f"woken:{row['id']}:{uuid.uuid4().hex[:12]}"
    client.enqueue(connection, engine.PROCESS, engine.case_queue(row["bot"]), run, row["id"], place=row["seq"])


def decide(
    desk: Desk,
    client: engine.EngineClient,
    item_id: int,
    kind: DecisionKind,
    by: str,
    *,
    note: str = "",
    corrections: Mapping[str, str] | None = None,
    outcome: PostingState | None = None,
    record: str = "",
    pages: str = "",
    seen: int | None = None,
) -> ReviewItem:
    """A person's decision and the work that follows from it, in one transaction: both or neither.

    seen: how many decisions the person saw on the item; another one that came meanwhile refuses this one.
    outcome: what a person saw in the target for an item whose outcome is unknown: POSTED or NOT_POSTED.
    pages: those of each document in the file, as `1-2; 3`, for a file that is to be split.
    A finding that needs two persons stays open (escalated) until a second, different one accepts it.
    Raises UsageError when the item is decided already or the decision does not fit.
    """
    corrections = dict(corrections or {})
    _check_corrections(kind, corrections)
    if outcome is not None and kind is not DecisionKind.ACCEPT:
        raise UsageError("What the target shows is said with `accept`.")
    with desk.database.transaction() as connection:
        item = _undecided(connection, item_id, seen)
        by = signature(by, item.decisions)
        if corrections:
            document = cases.document(connection, item.case) if item.case else None
            check_corrections(desk.registry.document_types, document, corrections)
        decision = Decision(
            kind=kind,
            by=by,
            at=now(),
            note=note,
            corrections=corrections,
            accepted=_accepted(item) if kind is DecisionKind.ACCEPT else (),
            pages=_split(connection, item, pages) if kind is DecisionKind.SPLIT else (),
        )
        _check_clicked(connection, item, kind, outcome)
        n = reviews.add_decision(connection, item, decision, _next_state(item, decision))
        after = reviews.get(connection, item_id)
        if outcome is not None:
            _settle_by_person(connection, item, by, outcome, record)
        if after.state is ReviewState.DECIDED and item.case and outcome is not PostingState.POSTED:
            _carry_on(connection, client, item, decision, n)
    return after


def give_password(
    desk: Desk, client: engine.EngineClient, item_id: int, password: str, by: str, *, seen: int | None = None
) -> ReviewItem:
    """Store the password of a protected document and read it again; the decision says that one was given, never which.

    Raises UsageError when the item does not ask for one, or was decided already.
    """
    with desk.database.transaction() as connection:
        item = _undecided(connection, item_id, seen)
        if not item.case or not asks_for_password(item):
            raise UsageError("This review item does not ask for a password.")
        sha256 = cases.get(connection, item.case).sha256
    if not password or len(password) > _LONGEST_PASSWORD:
        raise UsageError("Type the password of the document.")
    signature(by, item.decisions)
    desk.vault.set_document_password(sha256, password)  # first: what is not decided then, can be given again
    return decide(desk, client, item_id, DecisionKind.ACCEPT, by, note="The password was given.", seen=seen)


def _undecided(connection: Connection, item_id: int, seen: int | None) -> ReviewItem:
    item = reviews.get(connection, item_id)
    if item.state is ReviewState.DECIDED or (seen is not None and seen != len(item.decisions)):
        raise UsageError("This review item was decided already.", advice="Look at it again.")
    return item


def sheets_to_split(item: ReviewItem, document: Document | None) -> int:
    """How many pages a person may share out among documents; 0 where nobody is asked to."""
    asked = any(finding.reason is Reason.SPLIT_SUGGESTED for finding in item.findings)
    count = len(document.sheets) if document is not None and asked else 0
    return count if count > 1 else 0


def _split(connection: Connection, item: ReviewItem, pages: str) -> Documents:
    count = sheets_to_split(item, cases.document(connection, item.case) if item.case else None)
    if not count:
        raise UsageError("This item has no file that could be split.")
    return split_pages(pages, count)


def asks_for_password(item: ReviewItem) -> bool:
    return any(finding.reason is Reason.PASSWORD_NEEDED for finding in item.findings)


def _check_clicked(connection: Connection, item: ReviewItem, kind: DecisionKind, outcome: PostingState | None) -> None:
    """What may have been clicked is neither changed nor rejected before a person has said what the target shows."""
    if not item.case or kind is DecisionKind.ACCEPT or outcome is not None:
        return
    unknown = (PostingState.ARMED, PostingState.UNKNOWN, PostingState.POSTED)
    if connection.execute(
        select(postings.c.id).where(postings.c.case_id == item.case, postings.c.state.in_(unknown))
    ).first():
        raise UsageError(
            "It may be in the target already, so it can't be changed, split or rejected.",
            advice="Look there, then accept with --outcome posted or --outcome not-posted.",
        )
    if kind is DecisionKind.REJECT:
        never_post(connection, item.case, "Rejected by a person.")


def _check_corrections(kind: DecisionKind, corrections: Mapping[str, str]) -> None:
    if kind is DecisionKind.CORRECT and not corrections:
        raise UsageError("A correction names at least one field and its value.", advice="Write --set NAME=VALUE.")
    if kind is not DecisionKind.CORRECT and corrections:
        raise UsageError("Values are given with `correct` only.")
    for name in corrections:
        if not _CORRECTION.fullmatch(name):
            raise UsageError(f"{name!r} is no field.", advice="Write NAME, line.2.NAME (from 1), or type.")


def _accepted(item: ReviewItem) -> tuple[Finding, ...]:
    return tuple(one for one in item.findings if one.acceptable and one.severity is Severity.ERROR)


def _next_state(item: ReviewItem, decision: Decision) -> ReviewState:
    if decision.kind is DecisionKind.REJECT:
        return ReviewState.DECIDED
    lacking = missing_persons(decision.accepted, [*item.decisions, decision])
    return ReviewState.DECIDED if lacking <= 0 else ReviewState.ESCALATED


def _carry_on(
    connection: Connection, client: engine.EngineClient, item: ReviewItem, decision: Decision, n: int
) -> None:
    case = cases.get(connection, item.case)
    if decision.kind is DecisionKind.REJECT:
        cases.move(connection, case.id, CaseState.REJECTED, f"Rejected by {decision.by}: {decision.note}".strip(": "))
        return
    cases.move(connection, case.id, CaseState.OPEN, f"Decided by {decision.by}.")
    client.enqueue(connection, engine.PROCESS, engine.case_queue(case.bot), f"resolve:{item.id}:{n}", case.id)


def _settle_by_person(connection: Connection, item: ReviewItem, by: str, outcome: PostingState, record: str) -> None:
    """Write what a person saw in the target. Only for items that ask for it."""
    if not any(finding.reason is Reason.OUTCOME_UNKNOWN for finding in item.findings):
        raise UsageError("This item does not ask what the target shows.")
    if outcome not in (PostingState.POSTED, PostingState.NOT_POSTED):
        raise UsageError("A person says that it is posted, or that it is not.")
    values = {"state": outcome, "record": record, "note": f"Seen in the target by {by}.", "updated_at": now()}
    changed = connection.execute(
        postings.update()
        .where(postings.c.case_id == item.case, postings.c.state.in_((PostingState.UNKNOWN, PostingState.ARMED)))
        .values(**values)
    )
    if changed.rowcount != 1:
        raise UsageError("No posting of this case is unknown any more.")
    audit.record(connection, by, f"posting.{outcome.lower()}", item.case, {"record": record, "seen_by_person": True})
    if outcome is PostingState.POSTED:
        cases.move(connection, item.case, CaseState.POSTED, f"Seen in the target by {by}.", record=record)
