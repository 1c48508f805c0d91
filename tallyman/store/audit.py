"""The audit trail: append-only rows, each carrying the hash of the one before it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from tallyman.platform.clock import now
from tallyman.store.tables import audit

_FIRST = "0" * 64


def record(
    connection: Connection, actor: str, action: str, subject: str, data: Mapping[str, Any] | None = None
) -> None:
    """Append a row in the caller's transaction: what happened and its trace are one commit."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    row = {
        "seq": (last.seq if last else 0) + 1,
        "at": now().isoformat(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "data": json.dumps(data or {}, sort_keys=True, ensure_ascii=False),
        "previous": last.hash if last else _FIRST,
    }
    connection.execute(audit.insert().values(**row, hash=_hash(row)))


def verify(connection: Connection) -> str | None:
    """None when the chain holds, else a sentence that names the first row at which it breaks."""
    previous, expected = _FIRST, 1
    for row in rows(connection):
        if row["seq"] != expected:
            return f"Row {expected} is missing."
        if row["previous"] != previous:
            return f"Row {expected} does not follow the row before it."
        if row["hash"] != _hash(row):
            return f"Row {expected} was changed."
        previous, expected = row["hash"], expected + 1
    return None


def rows(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
        yield dict(row)


def _hash(row: Mapping[str, Any]) -> str:
    told = json.dumps([row[key] for key in ("seq", "at", "actor", "action", "subject", "data", "previous")])
    return hashlib.sha256(told.encode()).hexdigest()
