"""Cases, the offers that they came from, and the runs that took them in."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from tallyman.domain.case import Case, CaseState
from tallyman.domain.compare import alike_number
from tallyman.domain.document import Document
from tallyman.domain.facts import Sighting
from tallyman.platform.clock import now
from tallyman.store import audit
from tallyman.store.tables import cases, offers, runs


def taken_keys(connection: Connection, bot: str, source: str) -> set[str]:
    """The keys of this source's offers that were taken in before."""
    rows = connection.execute(select(offers.c.key).where(offers.c.bot == bot, offers.c.source == source))
    return {row.key for row in rows}


def take_in(
    connection: Connection,
    *,
    bot: str,
    source: str,
    key: str,
    name: str,
    sha256: str,
    run: str,
    attended: bool,
    part_of: str | None = None,
) -> Case | None:
    """Remember an offer. The new case, or None when the same file is a case already: it is counted, never run again.

    part_of: the case whose file this one was cut out of.
    """
    known = connection.execute(select(cases.c.id).where(cases.c.bot == bot, cases.c.sha256 == sha256)).first()
    case_id = known.id if known else f"{bot}-{sha256[:16]}"
    if not known:
        values = {"id": case_id, "bot": bot, "sha256": sha256, "file": name, "source": source, "received_at": now()}
        connection.execute(
            cases.insert().values(
                **values,
                run=run,
                updated_at=now(),
                state=CaseState.OPEN,
                attended=attended,
                message="",
                record="",
                part_of=part_of,
            )
        )
        audit.record(connection, f"bot:{bot}", "case.taken_in", case_id, {"file": name, "sha256": sha256})
    connection.execute(
        offers.insert().values(
            bot=bot, source=source, key=key, name=name, case_id=case_id, repeated=bool(known), taken_at=now()
        )
    )
    return None if known else get(connection, case_id)


def note_container(
    connection: Connection, *, bot: str, source: str, key: str, name: str, sha256: str, first: str
) -> None:
    """Remember an offer whose documents were taken in each; `sha256` is its own file, `first` its first document's.

    The case of that document shows it, with all that `name` says of it.
    """
    case_id = connection.execute(select(cases.c.id).where(cases.c.bot == bot, cases.c.sha256 == first)).scalar_one()
    connection.execute(
        offers.insert().values(
            bot=bot, source=source, key=key, name=name, case_id=case_id, repeated=False, taken_at=now()
        )
    )
    audit.record(connection, f"bot:{bot}", "container.opened", case_id, {"file": name, "sha256": sha256})


def origin(connection: Connection, case_id: str) -> RowMapping:
    """The case's own offer, and the run that took it in: {"source", "key", "name", "run"}.

    A container lies with the case of its first document too, under another name.
    """
    query = (
        select(offers.c.source, offers.c.key, offers.c.name, cases.c.run)
        .join(cases, cases.c.id == offers.c.case_id)
        .where(cases.c.id == case_id, offers.c.name == cases.c.file, ~offers.c.repeated)
        .order_by(offers.c.taken_at)
        .limit(1)
    )
    return connection.execute(query).mappings().one()


def parts_of(connection: Connection, case_id: str) -> Sequence[RowMapping]:
    """The cases whose files were cut out of this one's, in the order of their pages."""
    return connection.execute(select(cases).where(cases.c.part_of == case_id).order_by(cases.c.seq)).mappings().all()


def place(connection: Connection, case_id: str) -> int:
    """Its place in the order in which cases came; it keeps it, however often it is begun again."""
    return int(connection.execute(select(cases.c.seq).where(cases.c.id == case_id)).scalar_one())


def count_open(connection: Connection, bot: str) -> int:
    """How many cases of this bot are on their way."""
    query = select(func.count()).select_from(cases).where(cases.c.bot == bot, cases.c.state == CaseState.OPEN)
    return int(connection.execute(query).scalar_one())


def get(connection: Connection, case_id: str) -> Case:
    return case_of(connection.execute(select(cases).where(cases.c.id == case_id)).mappings().one())


def document(connection: Connection, case_id: str) -> Document | None:
    """The case's document as it was last understood."""
    row = connection.execute(select(cases.c.document).where(cases.c.id == case_id)).first()
    return Document.from_json(row.document) if row is not None and row.document else None


def message(connection: Connection, case_id: str) -> str:
    """What became of the case last, in words."""
    return str(connection.execute(select(cases.c.message).where(cases.c.id == case_id)).scalar_one())


def case_of(row: RowMapping) -> Case:
    names = ("id", "bot", "sha256", "file", "source", "received_at", "state", "attended", "part_of")
    return Case(**{name: row[name] for name in names})


def move(connection: Connection, case_id: str, state: CaseState, message: str, *, record: str = "") -> None:
    """Set the state in which the case is now, with its trace."""
    values: dict[str, Any] = {"state": state, "message": message, "updated_at": now()}
    if record:
        values["record"] = record
    connection.execute(cases.update().where(cases.c.id == case_id).values(**values))
    audit.record(connection, "bot", f"case.{state.lower()}", case_id, {"message": message, "record": record})


def remember_document(connection: Connection, case_id: str, document: Document) -> None:
    connection.execute(
        cases.update()
        .where(cases.c.id == case_id)
        .values(
            document=document.to_json(),
            number=document.text("invoice_number") or document.text("pod_number"),
            gross=document.amount("gross_total"),
            currency=(document.text("currency") or "")[:3] or None,
            issue_date=document.text("issue_date") or document.text("delivered_date"),
            updated_at=now(),
        )
    )


def remember_party(connection: Connection, case_id: str, party: str | None, number: str | None) -> None:
    """Note whose document it is, so that later cases can see it."""
    alike = alike_number(number) if number else None
    connection.execute(cases.update().where(cases.c.id == case_id).values(party=party, number_alike=alike))


def sightings(
    connection: Connection,
    case: Case,
    party: str | None,
    number: str | None,
    gross: Decimal | None,
    issue_date: str | None,
) -> tuple[Sighting, ...]:
    """Earlier cases, and later ones that are posted, which may be the same document of the same party: number alike,
    or same amount and date. What a rejected one means is for the checks to say."""
    if not party:
        return ()
    alike = alike_number(number) if number else None
    named = select(cases.c.seq).where(cases.c.party == party, cases.c.number_alike == alike)
    seqs = {row.seq for row in connection.execute(named)}
    if gross is not None and issue_date:
        same_amount = (cases.c.party == party, cases.c.gross == gross, cases.c.issue_date == issue_date)
        seqs |= {row.seq for row in connection.execute(select(cases.c.seq).where(*same_amount))}
    own = place(connection, case.id)
    rows = connection.execute(select(cases).where(cases.c.seq.in_(sorted(seqs))).order_by(cases.c.seq)).mappings()
    found = [
        row
        for row in rows
        if row["bot"] == case.bot
        and row["seq"] != own
        and (row["seq"] < own or row["state"] in (CaseState.POSTED, CaseState.UNKNOWN))
    ][:20]
    return tuple(
        Sighting(
            case=row["id"],
            file=row["file"],
            number=row["number"] or "",
            vendor=row["party"],
            gross=row["gross"],
            issue_date=row["issue_date"],
            state=row["state"],
        )
        for row in found
    )


def of_run(connection: Connection, run: str) -> Sequence[RowMapping]:
    return connection.execute(select(cases).where(cases.c.run == run).order_by(cases.c.seq)).mappings().all()


def states_of_run(connection: Connection, run: str) -> dict[str, int]:
    """How many cases of the run are in which state."""
    counted = select(cases.c.state, func.count()).where(cases.c.run == run).group_by(cases.c.state)
    return {row[0]: int(row[1]) for row in connection.execute(counted)}


def start_run(
    connection: Connection, run: str, bot: str, requested_by: str, inputs: dict[str, Any], *, attended: bool = False
) -> bool:
    """Note a run. False when it is known already: the same fire time, or the same request sent twice."""
    if connection.execute(select(runs.c.id).where(runs.c.id == run)).first():
        return False
    connection.execute(
        runs.insert().values(
            id=run,
            bot=bot,
            requested_by=requested_by,
            requested_at=now(),
            problems=[],
            inputs=inputs,
            attended=attended,
        )
    )
    audit.record(connection, requested_by, "run.requested", run, {"bot": bot})
    return True


def note_problems(connection: Connection, run: str, problems: list[str]) -> None:
    """What a run that has not ended waits for."""
    connection.execute(runs.update().where(runs.c.id == run, runs.c.ended_at.is_(None)).values(problems=problems))


def end_run(connection: Connection, run: str, *, offered: int, taken: int, repeated: int, problems: list[str]) -> None:
    connection.execute(
        runs.update()
        .where(runs.c.id == run)
        .values(ended_at=now(), offered=offered, taken=taken, repeated=repeated, problems=problems)
    )
