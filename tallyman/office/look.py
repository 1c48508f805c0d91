"""What the pages show, read from the tables. Nothing here changes anything."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select

from tallyman.domain.case import CaseState, ReviewState
from tallyman.store.tables import audit, cases, offers, postings, review_items, runs

PAGE = 100
"""Rows a page of a list."""

_CASE = (
    cases.c.file,
    cases.c.bot,
    cases.c.number,
    cases.c.gross,
    cases.c.currency,
    cases.c.party,
    cases.c.document["fields"]["seller_name"]["value"].as_string().label("seller"),
    cases.c.document["fields"]["carrier_name"]["value"].as_string().label("carrier"),
)


def waiting(connection: Connection) -> int:
    query = select(func.count()).select_from(review_items).where(review_items.c.state != ReviewState.DECIDED)
    return int(connection.execute(query).scalar_one())


def case_counts(connection: Connection) -> dict[str, int]:
    """How many cases are in each state; states that nobody is in count 0."""
    query = select(cases.c.state, func.count().label("n")).group_by(cases.c.state)
    found = {row.state: row.n for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in CaseState}


def reason_counts(connection: Connection) -> list[tuple[str, int]]:
    """The reasons of the items that wait, the most frequent first."""
    query = (
        select(review_items.c.reason, func.count().label("n"))
        .where(review_items.c.state != ReviewState.DECIDED)
        .group_by(review_items.c.reason)
        .order_by(func.count().desc(), review_items.c.reason)
    )
    return [(row.reason, row.n) for row in connection.execute(query)]


def queue(
    connection: Connection, *, reason: str = "", text: str = "", newest: bool = False, page: int = 1
) -> Sequence[RowMapping]:
    """Items that wait, with what the list shows of their case; one row more than PAGE tells that more follow."""
    query = select(review_items, *_CASE).join(cases, cases.c.id == review_items.c.case_id, isouter=True)
    query = query.where(review_items.c.state != ReviewState.DECIDED)
    if reason:
        query = query.where(review_items.c.reason == reason)
    query = _searched(query, text, (cases.c.id,))
    order = review_items.c.id.desc() if newest else review_items.c.id
    return _page(connection, query.order_by(order), page)


def next_item(connection: Connection, after: int) -> int | None:
    """The oldest item that waits after this one, else the oldest of all."""
    open_items = select(review_items.c.id).where(
        review_items.c.state != ReviewState.DECIDED, review_items.c.id != after
    )
    later = open_items.where(review_items.c.id > after).order_by(review_items.c.id).limit(1)
    found = (
        connection.execute(later).first() or connection.execute(open_items.order_by(review_items.c.id).limit(1)).first()
    )
    return int(found.id) if found else None


def case_list(connection: Connection, *, state: str = "", text: str = "", page: int = 1) -> Sequence[RowMapping]:
    """Cases, the newest first."""
    query = select(cases.c.id, cases.c.state, cases.c.received_at, cases.c.message, cases.c.record, *_CASE)
    if state:
        query = query.where(cases.c.state == state)
    return _page(connection, _searched(query, text, (cases.c.id, cases.c.record)).order_by(cases.c.seq.desc()), page)


def case_row(connection: Connection, case_id: str) -> RowMapping | None:
    return connection.execute(select(cases).where(cases.c.id == case_id)).mappings().first()


def other_names(connection: Connection, case_id: str) -> Sequence[RowMapping]:
    """Every offer of this file: where it came from, under which name, when."""
    return (
        connection.execute(select(offers).where(offers.c.case_id == case_id).order_by(offers.c.taken_at))
        .mappings()
        .all()
    )


def items_of(connection: Connection, case_id: str) -> Sequence[RowMapping]:
    query = select(review_items).where(review_items.c.case_id == case_id).order_by(review_items.c.id)
    return connection.execute(query).mappings().all()


def postings_of(connection: Connection, case_id: str) -> Sequence[RowMapping]:
    query = select(postings).where(postings.c.case_id == case_id).order_by(postings.c.id)
    return connection.execute(query).mappings().all()


def posting_list(connection: Connection, *, state: str = "", page: int = 1) -> Sequence[RowMapping]:
    query = select(postings, cases.c.file).join(cases, cases.c.id == postings.c.case_id)
    if state:
        query = query.where(postings.c.state == state)
    return _page(connection, query.order_by(postings.c.id.desc()), page)


def run_list(connection: Connection, *, limit: int = PAGE, page: int = 1) -> list[dict[str, Any]]:
    """Runs, the latest first, with how their cases stand."""
    query = select(runs).order_by(runs.c.requested_at.desc(), runs.c.id).limit(limit + 1).offset((page - 1) * limit)
    found = [dict(row) for row in connection.execute(query).mappings()]
    stand = select(cases.c.run, cases.c.state, func.count().label("n")).group_by(cases.c.run, cases.c.state)
    counts: dict[str, dict[str, int]] = {}
    for row in connection.execute(stand.where(cases.c.run.in_([run["id"] for run in found]))):
        counts.setdefault(row.run, {})[row.state] = row.n
    return [run | {"states": counts.get(run["id"], {})} for run in found]


def timeline(connection: Connection, case_id: str) -> list[dict[str, Any]]:
    """What the audit trail tells of a case and of its review items, in order."""
    items = [str(row["id"]) for row in items_of(connection, case_id)]
    of_items = and_(audit.c.action.like("review.%"), audit.c.subject.in_(items))
    query = select(audit).where(or_(audit.c.subject == case_id, of_items)).order_by(audit.c.seq)
    return [dict(row) | {"data": json.loads(row["data"])} for row in connection.execute(query).mappings()]


def _searched(query: Select[Any], text: str, also: Sequence[ColumnElement[Any]]) -> Select[Any]:
    for word in text.split()[:8]:
        like = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        columns = (cases.c.file, cases.c.number, cases.c.party, _CASE[6].element, _CASE[7].element, *also)
        query = query.where(or_(*(column.ilike(like, escape="!") for column in columns)))
    return query


def _page(connection: Connection, query: Select[Any], page: int) -> Sequence[RowMapping]:
    return connection.execute(query.limit(PAGE + 1).offset((page - 1) * PAGE)).mappings().all()
