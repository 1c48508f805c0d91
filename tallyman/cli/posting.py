"""`tallyman posting`: the ledger of what was keyed into target systems."""

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import RowMapping, select

from tallyman.cli.common import open_desk, out, print_json
from tallyman.cli.run import at_work
from tallyman.cli.tables import new_table, print_table
from tallyman.domain.posting import PostingState
from tallyman.errors import BusinessError, SystemDown, TechnicalError, UsageError
from tallyman.office.language import Language, of_terminal
from tallyman.runtime import ledger
from tallyman.runtime.attempts import Failure
from tallyman.runtime.desk import Desk
from tallyman.runtime.engine import EngineClient
from tallyman.runtime.places import is_worker_there
from tallyman.runtime.reconcile import agree, start, systems
from tallyman.store.tables import postings

_POLL_S = 0.2

app = typer.Typer(help="What was posted, was not, or is unknown.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_postings(
    state: Annotated[PostingState | None, typer.Option(help="Only postings in this state.", metavar="STATE")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 500,
    as_json: Json = False,
) -> None:
    """The ledger, oldest first."""
    with open_desk() as desk:
        with desk.database.transaction() as connection:
            rows = ledger.listed(connection, state=state, limit=limit)
        language = of_terminal(desk.settings.office.zone)
        if as_json:
            print_json([_json(desk, row) for row in rows])
            return
    if not rows:
        out.print("No postings." if state is None else f"No posting is {state}.")
        return
    print_table(_table(rows, language))
    out.print("Next: `tallyman posting show ID`.", highlight=False)


def _json(desk: Desk, row: RowMapping) -> dict[str, Any]:
    names = ("id", "state", "system", "company", "party", "number", "verb", "record", "note", "epoch", "payload")
    times = {name: row[name].isoformat() if row[name] else None for name in ("created_at", "armed_at", "updated_at")}
    return {name: row[name] for name in names} | times | {"case": row["case_id"], "screenshot": _picture(desk, row)}


def _picture(desk: Desk, row: RowMapping) -> str | None:
    return str(desk.blobs.path(row["screenshot"])) if row["screenshot"] else None


def _table(rows: Any, language: Language) -> Table:
    table = new_table()
    table.add_column("ID", justify="right", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("System", no_wrap=True)
    table.add_column("What", no_wrap=True)
    table.add_column("Party", no_wrap=True)
    table.add_column("Number", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("Record", no_wrap=True)
    table.add_column("Changed", no_wrap=True)
    for row in rows:
        cells = (row["system"], row["verb"], row["party"], row["number"], row["record"])
        texts = [escape(text) for text in cells]
        table.add_row(str(row["id"]), row["state"], *texts, language.minute(row["updated_at"]))
    return table


@app.command()
def show(
    posting: Annotated[int, typer.Argument(help="See `tallyman posting list`.", metavar="ID")], as_json: Json = False
) -> None:
    """One posting: its payload, its times and the picture of the filled form."""
    with open_desk() as desk:
        with desk.database.transaction() as connection:
            row = connection.execute(select(postings).where(postings.c.id == posting)).mappings().first()
        if row is None:
            raise UsageError(f"There is no posting {posting}.", advice="See `tallyman posting list`.")
        told = _json(desk, row)
        language = of_terminal(desk.settings.office.zone)
    if as_json:
        print_json(told)
        return
    payload = told.pop("payload")
    for name in ("created_at", "armed_at", "updated_at"):
        told[name] = language.minute(row[name]) if row[name] else None
    for name, value in told.items():
        out.print(f"{name:<12} {'-' if value in (None, '') else value}", markup=False, highlight=False, soft_wrap=True)
    out.print("\nkeyed:", highlight=False)
    for name, value in payload.items():
        out.print(f"  {name:<12} {value}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def reconcile(
    system: Annotated[
        str | None, typer.Argument(help="Only this system; without it all that bots post into.", metavar="SYSTEM")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Check what changed since this day.", metavar="DATE")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the ledger with each target's own report, settle what is sure, and tell a person of the rest."""
    with open_desk() as desk:
        told = _reconciled(desk, [system] if system else systems(desk), since.date() if since else None)
    if as_json:
        print_json(told)
    elif told:
        _show_books([one for one in told if not one["failed"]])
    else:
        out.print("Nothing is set up yet that bots post into.")
    for one in told:
        if one["failed"]:
            failure = Failure.from_json(one["failed"])
            raise (SystemDown if failure.technical else BusinessError)(failure.message, advice=failure.advice)
    if not all(agree(one) for one in told):
        raise BusinessError("The books do not agree.", advice="Next: `tallyman review list`.")


def _reconciled(desk: Desk, names: Sequence[str], since: date | None) -> list[dict[str, Any]]:
    """By the worker that is there, else by ourselves."""
    if not names:
        return []
    if not is_worker_there(desk.home, desk.database):
        with at_work(desk) as worker:
            told = _wait_for(desk, worker.client, names, since)
            while worker.client.unfinished():  # what else waits for a worker is not left half done
                time.sleep(_POLL_S)
            return told
    client = desk.client()
    try:
        return _wait_for(desk, client, names, since)
    finally:
        client.close()


def _wait_for(desk: Desk, client: EngineClient, names: Sequence[str], since: date | None) -> list[dict[str, Any]]:
    started = {name: f"reconcile:{name}:by-hand:{uuid.uuid4().hex[:12]}" for name in names}
    for name, workflow in started.items():
        start(desk, client, name, workflow, since=since, by_hand=True)
    told = []
    for workflow in started.values():
        while not (outcome := client.outcome(workflow)) or not outcome[0]:
            time.sleep(_POLL_S)
        if outcome[1] is None:
            raise TechnicalError("The comparison was ended.")
        told.append(outcome[1])
    return told


_COLUMNS = {
    "checked": "Checked",
    "equal": "Equal",
    "missing": "Missing",
    "differing": "Differing",
    "unexpected": "Extra",
    "duplicates": "Duplicates",
    "settled": "Settled",
    "unsettled": "Open",
    "foreign": "Not ours",
}


def _show_books(told: Sequence[Mapping[str, Any]]) -> None:
    if not told:  # nothing could be compared; the errors say why
        return
    table = new_table()
    table.add_column("System", ratio=1, no_wrap=True)
    for head in _COLUMNS.values():
        table.add_column(head, justify="right", no_wrap=True)
    for one in told:
        table.add_row(escape(one["system"]), *(str(one[name]) for name in _COLUMNS))
    print_table(table)
    for one in told:
        for problem in one["problems"]:
            item = f"Item {problem['item']}{', closed' if problem['decided'] else ''}: "
            out.print(f"{item}{problem['message']}", markup=False, highlight=False, soft_wrap=True)
    if all(agree(one) for one in told):
        out.print("The books agree.", highlight=False)
