"""The posting ledger: one row for each record that may exist in a target system, and the right to click once.

States and who may change them:

    INTENT ──arm (fsync)──> ARMED ──found──────────────> POSTED
      │                       │ └──proven not there────> NOT_POSTED
      │                       └──nobody can tell───────> UNKNOWN ──found / a person looked──> POSTED | NOT_POSTED
      └──not clicked────────────────────────────────────> NOT_POSTED ──again──> INTENT (epoch + 1)

The key is natural (system, company, party, number, verb) and unique, so two documents, two bots or two machines can't
both own a record. Arming is a compare-and-set on state and epoch: whoever held an older epoch can't click any more.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select

from tallyman.contracts.system import Permit
from tallyman.domain.base import Value
from tallyman.domain.case import Case
from tallyman.domain.compare import same
from tallyman.domain.posting import NaturalKey, PostingState, orders_of, shown_kind
from tallyman.errors import NotArmed, ReadBackDiffers
from tallyman.platform.clock import now
from tallyman.platform.crashpoints import crash_point
from tallyman.runtime import leases
from tallyman.store import audit
from tallyman.store.database import Database
from tallyman.store.tables import posting_orders, postings

_CLICKED = (PostingState.ARMED, PostingState.UNKNOWN, PostingState.POSTED)


class Entry(Value):
    """A row of the ledger, as far as a procedure needs it. `mine` is False when another case owns the record."""

    id: int
    state: PostingState
    epoch: int
    mine: bool
    case: str
    record: str = ""
    armed_at: str | None = None
    unsettled: str = ""
    """The number under which this case has clicked before: with other values it may not click again."""


class Ledger:
    """The ledger of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intend(self, key: NaturalKey, case: Case, payload: Mapping[str, Any]) -> Entry:
        """The row for this key. A new one is INTENT; one that was NOT_POSTED by this case becomes INTENT again."""
        text = json.dumps(payload, sort_keys=True)
        values = {"payload": payload, "payload_hash": hashlib.sha256(text.encode()).hexdigest(), "updated_at": now()}
        with self._database.transaction() as connection:
            row = self._row(connection, key)
            clicked = self._clicked(connection, case, key)
            if clicked is not None:
                return _entry(clicked, case).model_copy(update={"unsettled": clicked["number"]})
            self._leave_others(connection, case, key)
            if row is None:
                created = {"state": PostingState.INTENT, "epoch": 1, "created_at": now(), "case_id": case.id}
                connection.execute(postings.insert().values(**key.to_json(), **values, **created, record="", note=""))
                audit.record(connection, f"bot:{case.bot}", "posting.intent", case.id, key.to_json())
            elif row["state"] in (PostingState.NOT_POSTED, PostingState.INTENT) and (
                row["case_id"] == case.id or row["state"] == PostingState.NOT_POSTED
            ):
                again = {"state": PostingState.INTENT, "epoch": row["epoch"] + 1, "case_id": case.id}
                connection.execute(postings.update().where(postings.c.id == row["id"]).values(**values, **again))
                audit.record(connection, f"bot:{case.bot}", "posting.intent", case.id, {"epoch": row["epoch"] + 1})
            found = self._row(connection, key)
            assert found is not None
            if found["payload"] == payload:
                _remember_orders(connection, found["id"], payload)
            return _entry(found, case)

    def read(self, entry_id: int, case: Case) -> Entry:
        with self._database.transaction() as connection:
            row = connection.execute(select(postings).where(postings.c.id == entry_id)).mappings().one()
            return _entry(row, case)

    def arm(self, entry: Entry, screenshot: str | None, lease: leases.Lease) -> None:
        """INTENT -> ARMED, on the disk when this returns.

        Raises NotArmed when state or epoch are not as they were, or when the lease is another worker's by now.
        """
        with self._database.transaction() as connection:
            leases.check(connection, lease)
            changed = connection.execute(
                postings.update()
                .where(
                    postings.c.id == entry.id,
                    postings.c.state == PostingState.INTENT,
                    postings.c.epoch == entry.epoch,
                )
                .values(state=PostingState.ARMED, armed_at=now(), updated_at=now(), screenshot=screenshot)
            )
            if changed.rowcount != 1:
                raise NotArmed()
            audit.record(connection, "bot", "posting.armed", entry.case, {"epoch": entry.epoch})
        crash_point("posting.armed")

    def settle(
        self,
        connection: Connection,
        entry: Entry,
        state: PostingState,
        note: str,
        *,
        record: str = "",
        after_click: bool = True,
    ) -> None:
        """Write how it ended, in the caller's transaction. POSTED stays POSTED.

        Raises NotArmed when the row is not as it was any more: another epoch, or armed although nothing was clicked.
        """
        open_states = (
            (PostingState.INTENT, PostingState.ARMED, PostingState.UNKNOWN)
            if after_click
            else (PostingState.INTENT, PostingState.NOT_POSTED)
        )
        changed = connection.execute(
            postings.update()
            .where(
                postings.c.id == entry.id,
                postings.c.epoch == entry.epoch,
                postings.c.state.in_((*open_states, state)),
            )
            .values(state=state, note=note, record=record, updated_at=now())
        )
        if changed.rowcount != 1:
            raise NotArmed("The posting was taken over meanwhile; nothing was changed.")
        audit.record(connection, "bot", f"posting.{state.lower()}", entry.case, {"record": record, "note": note})

    def back_to_intent(self, entry: Entry) -> Entry:
        """After the proof that the click stored nothing: ARMED -> INTENT with a new epoch. Raises NotArmed.

        May be done again after a crash: the row that it made is then as it should be.
        """
        again = entry.model_copy(update={"state": PostingState.INTENT, "epoch": entry.epoch + 1})
        with self._database.transaction() as connection:
            changed = connection.execute(
                postings.update()
                .where(
                    postings.c.id == entry.id,
                    postings.c.state == PostingState.ARMED,
                    postings.c.epoch == entry.epoch,
                )
                .values(state=PostingState.INTENT, epoch=entry.epoch + 1, updated_at=now())
            )
            if changed.rowcount != 1:
                row = connection.execute(select(postings).where(postings.c.id == entry.id)).mappings().one()
                if (row["state"], row["epoch"]) != (PostingState.INTENT, again.epoch):
                    raise NotArmed()
            else:
                audit.record(connection, "bot", "posting.again", entry.case, {"epoch": again.epoch})
        return again

    def of_case(self, case: Case) -> tuple[str, dict[str, Any]] | None:
        """(verb, payload) of what this case has clicked or posted, so that it is only verified; None: nothing yet."""
        with self._database.transaction() as connection:
            found = connection.execute(
                select(postings.c.verb, postings.c.payload).where(
                    postings.c.case_id == case.id, postings.c.state.in_(_CLICKED)
                )
            ).first()
        return (found.verb, found.payload) if found is not None else None

    def record_of(self, case: Case) -> str | None:
        """The target's record of what this case has posted; None: it has not."""
        with self._database.transaction() as connection:
            found = connection.execute(
                select(postings.c.record).where(postings.c.case_id == case.id, postings.c.state == PostingState.POSTED)
            ).first()
        return str(found.record) if found is not None else None

    def give_up(self, case: Case) -> bool:
        """After a failure that nobody foresaw: what was armed is UNKNOWN from now on. True if something is unknown."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                postings.update()
                .where(postings.c.case_id == case.id, postings.c.state == PostingState.ARMED)
                .values(state=PostingState.UNKNOWN, note="The machine failed after the click.", updated_at=now())
            )
            if changed.rowcount:
                audit.record(connection, "bot", "posting.unknown", case.id, {"note": "failed after the click"})
            return is_unknown(connection, case.id)

    def _clicked(self, connection: Connection, case: Case, key: NaturalKey) -> RowMapping | None:
        """A row under another key that this case may have clicked: a corrected number must not become a second one."""
        rows = connection.execute(
            select(postings).where(postings.c.case_id == case.id, postings.c.state.in_(_CLICKED))
        ).mappings()
        wanted = key.to_json()
        return next((row for row in rows if any(row[name] != value for name, value in wanted.items())), None)

    def _leave_others(self, connection: Connection, case: Case, key: NaturalKey) -> None:
        """A number that this case gave up (a person has corrected it) is free for the document that really has it."""
        others = [postings.c[name] != value for name, value in key.to_json().items()]
        connection.execute(
            postings.update()
            .where(postings.c.case_id == case.id, postings.c.state == PostingState.INTENT, or_(*others))
            .values(state=PostingState.NOT_POSTED, note="Given up for another number.", updated_at=now())
        )

    def _row(self, connection: Connection, key: NaturalKey) -> RowMapping | None:
        wanted = [postings.c[name] == value for name, value in key.to_json().items()]
        return connection.execute(select(postings).where(*wanted)).mappings().first()


def never_post(connection: Connection, case_id: str, why: str) -> None:
    """What this case meant to post, and has not clicked, is free for the document that it really is."""
    connection.execute(
        postings.update()
        .where(postings.c.case_id == case_id, postings.c.state == PostingState.INTENT)
        .values(state=PostingState.NOT_POSTED, note=why, updated_at=now())
    )


def is_unknown(connection: Connection, case_id: str) -> bool:
    """Whether this case may have clicked, and nobody knows what came of it."""
    unknown = postings.c.state.in_((PostingState.ARMED, PostingState.UNKNOWN))
    return connection.execute(select(postings.c.id).where(postings.c.case_id == case_id, unknown)).first() is not None


CLICK_WITHIN_S = 20.0
"""A permit is good for this long, looked at again right before the request leaves: a slow page has time to send its
form, and a worker that was paused sends nothing any more."""


def _clock() -> float:
    """Goes on while the machine sleeps, as `time.monotonic` does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class OneClick(Permit):
    """A permit that can be spent once, and soon. Made before the row is armed: its time begins then."""

    def __init__(self) -> None:
        self._spent = False
        self._until = _clock() + CLICK_WITHIN_S

    def spend(self) -> None:
        if self._spent:
            raise NotArmed("The one click was made already.")
        self.check()
        self._spent = True
        crash_point("posting.click")

    def check(self) -> None:
        if _clock() > self._until:
            raise NotArmed("It was too late for the click after it was armed, so nothing was sent.")


def compare_read_back(keyed: Mapping[str, str], shown: Mapping[str, str]) -> None:
    """Compare what the screen shows with what was to be keyed, as values; all must be there. Raises ReadBackDiffers."""
    differences = {
        name: (keyed[name], shown[name])
        for name in keyed
        if name in shown and not same(shown_kind(name), keyed[name], shown[name])
    }
    differences |= {name: (keyed[name], "not shown") for name in keyed if name not in shown}
    if differences:
        raise ReadBackDiffers(differences)


def _remember_orders(connection: Connection, posting: int, payload: Mapping[str, Any]) -> None:
    connection.execute(posting_orders.delete().where(posting_orders.c.posting_id == posting))
    for number in orders_of(payload):
        connection.execute(posting_orders.insert().values(posting_id=posting, order_number=number))


def listed(connection: Connection, *, state: str | None = None, limit: int = 500) -> Sequence[RowMapping]:
    query = select(postings).order_by(postings.c.id).limit(limit)
    if state:
        query = query.where(postings.c.state == state)
    return connection.execute(query).mappings().all()


def _entry(row: RowMapping, case: Case) -> Entry:
    return Entry(
        id=row["id"],
        state=row["state"],
        epoch=row["epoch"],
        mine=row["case_id"] == case.id,
        case=row["case_id"],
        record=row["record"],
        armed_at=row["armed_at"].isoformat() if row["armed_at"] else None,
    )
