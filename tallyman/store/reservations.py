"""Reservations: one case at a time works on the orders and invoices of a party.

A reservation needs no release: it holds as long as the case that has it is open.
"""

from sqlalchemy import Connection, select

from tallyman.domain.case import CaseState
from tallyman.platform.clock import now
from tallyman.store.database import one_at_a_time
from tallyman.store.tables import cases, reservations


def reserve(connection: Connection, system: str, party: str, case_id: str) -> str | None:
    """None when the case has the party now; else the open case that has it."""
    one_at_a_time(connection, f"reserve:{system}")
    key = {"system": system, "party": party}
    found = connection.execute(
        select(reservations.c.case_id, cases.c.state)
        .join(cases, cases.c.id == reservations.c.case_id)
        .where(reservations.c.system == system, reservations.c.party == party)
    ).first()
    if found is not None and found.case_id != case_id and found.state == CaseState.OPEN:
        return str(found.case_id)
    if found is None:
        connection.execute(reservations.insert().values(**key, case_id=case_id, taken_at=now()))
    elif found.case_id != case_id:
        connection.execute(reservations.update().filter_by(**key).values(case_id=case_id, taken_at=now()))
    return None
