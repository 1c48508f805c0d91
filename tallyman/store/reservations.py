"""Reservations: one case at a time works on the orders and invoices of a party.

A case that finds its party taken waits outside of every queue, so that it holds nothing up; whoever has the party wakes
the next one when its run has ended, and the sweep wakes those whom a crash has forgotten.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from tallyman.domain.case import CaseState
from tallyman.platform.clock import now
from tallyman.store.tables import cases, reservations, waiting


def reserve(connection: Connection, system: str, party: str, case_id: str, run: str) -> str | None:
    """None when this run of the case has the party now; else the open case that has it, which is waited for.

    Of two runs of one case (after a crash there may be) the later one has it.
    """
    key = {"system": system, "party": party}
    connection.execute(waiting.delete().where(waiting.c.case_id == case_id))
    holder = _holder(connection, system, party)
    if holder is not None and holder != case_id:
        connection.execute(waiting.insert().values(**key, case_id=case_id, since=now()))
        told = {"message": f"Waits for case {holder}.", "updated_at": now()}
        connection.execute(cases.update().where(cases.c.id == case_id).values(**told))
        return holder
    connection.execute(reservations.delete().filter_by(**key))
    connection.execute(reservations.insert().values(**key, case_id=case_id, run=run, taken_at=now()))
    return None


def release(connection: Connection, run: str) -> list[RowMapping]:
    """Give back all that the run has reserved. The cases that are to be woken by that: the first of each party."""
    held = connection.execute(select(reservations).where(reservations.c.run == run)).mappings().all()
    connection.execute(reservations.delete().where(reservations.c.run == run))
    woken: list[RowMapping] = []
    for row in held:
        woken += _first(connection, row["system"], row["party"])
    return woken


def forgotten(connection: Connection) -> list[RowMapping]:
    """The first of all who wait for a party that no open case has."""
    woken: list[RowMapping] = []
    parties = connection.execute(select(waiting.c.system, waiting.c.party).distinct()).all()
    for system, party in parties:
        if _holder(connection, system, party) is None:
            woken += _first(connection, system, party)
    return woken


def _holder(connection: Connection, system: str, party: str) -> str | None:
    return connection.execute(
        select(reservations.c.case_id)
        .join(cases, cases.c.id == reservations.c.case_id)
        .where(reservations.c.system == system, reservations.c.party == party, cases.c.state == CaseState.OPEN)
    ).scalar()


def _first(connection: Connection, system: str, party: str) -> Sequence[RowMapping]:
    """The open case that came first of those that wait, as a row of `cases`. It waits no longer."""
    found = (
        connection.execute(
            select(cases)
            .join(waiting, waiting.c.case_id == cases.c.id)
            .where(waiting.c.system == system, waiting.c.party == party, cases.c.state == CaseState.OPEN)
            .order_by(cases.c.seq)
            .limit(1)
        )
        .mappings()
        .all()
    )
    for row in found:
        connection.execute(waiting.delete().where(waiting.c.case_id == row["id"]))
    return found
