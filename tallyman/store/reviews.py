"""Review items and the decisions of persons."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from tallyman.domain.case import Decision, DecisionKind, ReviewItem, ReviewState
from tallyman.domain.finding import Finding
from tallyman.errors import UsageError
from tallyman.platform.clock import now
from tallyman.store import audit
from tallyman.store.tables import cases, decisions, review_items


def open_item(connection: Connection, case_id: str | None, origin: str, findings: Sequence[Finding]) -> int:
    """The item for this origin: made once, however often it is asked for. `origin` names the run of the case."""
    known = of_origin(connection, origin)
    if known is not None:
        return known
    told = [finding.to_json() for finding in findings]
    inserted = connection.execute(
        review_items.insert().values(
            case_id=case_id,
            origin=origin,
            state=ReviewState.NEW,
            reason=findings[0].reason,
            findings=told,
            created_at=now(),
            updated_at=now(),
        )
    )
    item_id = int(inserted.inserted_primary_key[0])  # type: ignore[index]
    audit.record(connection, "bot", "review.opened", str(item_id), {"case": case_id, "reason": findings[0].reason})
    return item_id


def of_origin(connection: Connection, origin: str) -> int | None:
    known = connection.execute(select(review_items.c.id).where(review_items.c.origin == origin)).first()
    return None if known is None else int(known.id)


def is_decided(connection: Connection, item_id: int) -> bool:
    state = connection.execute(select(review_items.c.state).where(review_items.c.id == item_id)).scalar_one()
    return bool(state == ReviewState.DECIDED)


def get(connection: Connection, item_id: int) -> ReviewItem:
    """Raises UsageError when there is no such item."""
    row = connection.execute(select(review_items).where(review_items.c.id == item_id)).mappings().first()
    if row is None:
        raise UsageError(f"There is no review item {item_id}.", advice="See `tallyman review list`.")
    return _item(connection, row)


def _item(connection: Connection, row: RowMapping) -> ReviewItem:
    made = connection.execute(
        select(decisions).where(decisions.c.item_id == row["id"]).order_by(decisions.c.n)
    ).mappings()
    return ReviewItem(
        id=row["id"],
        case=row["case_id"] or "",
        state=row["state"],
        findings=tuple(Finding.from_json(finding) for finding in row["findings"]),
        created_at=row["created_at"],
        decisions=tuple(decision_of(one) for one in made),
    )


def decision_of(row: RowMapping) -> Decision:
    return Decision(
        kind=row["kind"],
        by=row["by"],
        at=row["at"],
        note=row["note"],
        corrections=row["corrections"],
        accepted=tuple(Finding.from_json(finding) for finding in row["accepted"]),
        pages=tuple(map(tuple, row["pages"])),
    )


def listed(
    connection: Connection, *, open_only: bool = True, reason: str | None = None, limit: int = 200, offset: int = 0
) -> Sequence[RowMapping]:
    """Items with what a list shows of their case, oldest first."""
    query = (
        select(
            review_items,
            cases.c.file,
            cases.c.bot,
            cases.c.number,
            cases.c.gross,
            cases.c.currency,
            cases.c.party,
            cases.c.message,
        )
        .join(cases, cases.c.id == review_items.c.case_id, isouter=True)
        .order_by(review_items.c.id)
        .limit(limit)
        .offset(offset)
    )
    if open_only:
        query = query.where(review_items.c.state != ReviewState.DECIDED)
    if reason:
        query = query.where(review_items.c.reason == reason)
    return connection.execute(query).mappings().all()


def count_open(connection: Connection) -> int:
    query = select(func.count()).select_from(review_items).where(review_items.c.state != ReviewState.DECIDED)
    return int(connection.execute(query).scalar_one())


def add_decision(connection: Connection, item: ReviewItem, decision: Decision, state: ReviewState) -> int:
    """Append the decision and set the item's state. Gives the decision's number in the item, from 1.

    Raises UsageError when the item was decided meanwhile.
    """
    n = len(item.decisions) + 1
    changed = connection.execute(
        review_items.update()
        .where(review_items.c.id == item.id, review_items.c.state != ReviewState.DECIDED)
        .values(state=state, updated_at=now())
    )
    if changed.rowcount != 1:
        raise UsageError(f"Review item {item.id} was decided already.")
    connection.execute(
        decisions.insert().values(
            item_id=item.id,
            n=n,
            kind=decision.kind,
            by=decision.by,
            at=decision.at,
            note=decision.note,
            corrections=decision.corrections,
            accepted=[finding.to_json() for finding in decision.accepted],
            pages=decision.pages,
        )
    )
    data: dict[str, Any] = {"kind": decision.kind, "corrections": decision.corrections, "note": decision.note}
    if decision.pages:
        data["pages"] = decision.pages
    audit.record(connection, decision.by, f"review.{state}", str(item.id), data)
    return n


def close_of_case(connection: Connection, case_id: str, reason: str, by: str, note: str) -> list[int]:
    """Decide the open items of a case that have this reason, without any work that follows: what was asked is known."""
    waiting = select(review_items.c.id).where(
        review_items.c.case_id == case_id, review_items.c.reason == reason, review_items.c.state != ReviewState.DECIDED
    )
    closed = list(connection.execute(waiting).scalars())
    for item_id in closed:
        decision = Decision(kind=DecisionKind.ACCEPT, by=by, at=now(), note=note)
        add_decision(connection, get(connection, item_id), decision, ReviewState.DECIDED)
    return closed


def of_case(connection: Connection, case_id: str) -> tuple[Decision, ...]:
    """All decisions on the case so far, oldest first; rejections leave nothing to apply."""
    rows = connection.execute(
        select(decisions)
        .join(review_items, review_items.c.id == decisions.c.item_id)
        .where(review_items.c.case_id == case_id, decisions.c.kind != DecisionKind.REJECT)
        .order_by(decisions.c.id)
    ).mappings()
    return tuple(decision_of(row) for row in rows)
