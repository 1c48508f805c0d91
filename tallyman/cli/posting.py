"""`tallyman posting`: the ledger of what was keyed into target systems."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import RowMapping, select

from tallyman.cli.common import open_desk, out, print_json
from tallyman.cli.tables import new_table, print_table
from tallyman.domain.posting import PostingState
from tallyman.errors import UsageError
from tallyman.office.language import Language, of_terminal
from tallyman.runtime import ledger
from tallyman.runtime.desk import Desk
from tallyman.store.tables import postings

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
