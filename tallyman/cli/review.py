"""`tallyman review`: the exceptions that wait for a person, and the decision on one."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import RowMapping, select

from tallyman.cli.common import ask_secret, open_desk, out, print_json
from tallyman.cli.tables import new_table, print_table
from tallyman.domain.case import DecisionKind, ReviewItem, ReviewState
from tallyman.domain.document import Document
from tallyman.domain.posting import PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import written
from tallyman.errors import UsageError
from tallyman.office.language import Language, of_terminal
from tallyman.platform.clock import now
from tallyman.runtime.desk import Desk
from tallyman.runtime.entry import spec_of, specs
from tallyman.runtime.requests import decide as request_decision
from tallyman.runtime.requests import give_password, sheets_to_split
from tallyman.store import reviews
from tallyman.store.tables import cases

app = typer.Typer(help="Exceptions that wait for a person.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Item = Annotated[int, typer.Argument(help="The number of the item, see `tallyman review list`.", metavar="ITEM")]


class Seen(StrEnum):
    """What a person saw in the target."""

    POSTED = "posted"
    NOT_POSTED = "not-posted"


@app.command("list")
def list_items(
    all_items: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    reason: Annotated[Reason | None, typer.Option(help="Only items with this reason.", metavar="REASON")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 200,
    as_json: Json = False,
) -> None:
    """The queue, oldest first."""
    with open_desk() as desk:
        with desk.database.transaction() as connection:
            rows = reviews.listed(connection, open_only=not all_items, reason=reason, limit=limit)
            waiting = reviews.count_open(connection)
        language = of_terminal(desk.settings.office.zone)
    if as_json:
        print_json([_row_json(row) for row in rows])
    elif not rows:
        out.print("Nothing waits for a person." if not waiting else "No item has this reason.")
    else:
        print_table(_table(rows, language))
        out.print(f"{waiting} wait for a person. Next: `tallyman review show {rows[0]['id']}`.", highlight=False)


def _row_json(row: RowMapping) -> dict[str, Any]:
    names = ("id", "state", "reason", "bot", "file", "number", "party", "currency", "message", "created_at")
    return {name: row[name] for name in names} | {
        "case": row["case_id"],
        "gross": None if row["gross"] is None else f"{row['gross'].normalize():f}",
        "created_at": row["created_at"].isoformat(),
        "findings": row["findings"],
    }


def _table(rows: Any, language: Language) -> Table:
    table = new_table()
    table.add_column("Item", justify="right", no_wrap=True)
    table.add_column("Age", no_wrap=True)
    table.add_column("Reason", no_wrap=True)
    table.add_column("Document", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("Amount", justify="right", no_wrap=True)
    table.add_column("Why", ratio=3, no_wrap=True, overflow="ellipsis")
    for row in rows:
        state = "" if row["state"] == ReviewState.NEW else f" ({row['state']})"
        table.add_row(
            str(row["id"]),
            language.age(row["created_at"], now()),
            row["reason"] + state,
            escape(row["number"] or row["file"] or "-"),
            language.amount(row["gross"], row["currency"]),
            escape(row["findings"][0]["message"]),
        )
    return table


@app.command()
def show(item: Item, as_json: Json = False) -> None:
    """One item: why it is here, what was read, what was decided before."""
    with open_desk() as desk:
        found, row = _load(desk, item)
        if as_json:
            print_json(_item_json(found, row))
        else:
            _tell(desk, found, row)


def _load(desk: Desk, item: int) -> tuple[ReviewItem, RowMapping | None]:
    with desk.database.transaction() as connection:
        found = reviews.get(connection, item)
        row = connection.execute(select(cases).where(cases.c.id == found.case)).mappings().first()
    return found, row


def _item_json(item: ReviewItem, row: RowMapping | None) -> dict[str, Any]:
    names = ("id", "bot", "file", "state", "message", "record", "sha256", "document")
    case = {name: row[name] for name in names} if row is not None else None
    return item.to_json() | {"case": case}


def _tell(desk: Desk, item: ReviewItem, row: RowMapping | None) -> None:
    language = of_terminal(desk.settings.office.zone)
    file = escape(row["file"]) if row is not None else "no document"
    out.print(f"[bold]Item {item.id}[/], {item.state}, {file}", highlight=False)
    for finding in item.findings:
        out.print(f"\n{finding.severity}: {finding.reason}", style="bold", highlight=False, markup=False)
        out.print(finding.message, markup=False, highlight=False)
        if finding.expected is not None or finding.actual is not None:
            out.print(f"expected {finding.expected}, is {finding.actual}", markup=False, highlight=False)
        if finding.persons > 1:
            out.print(f"{finding.persons} different persons must accept this.", highlight=False)
    if row is not None and row["document"]:
        out.print()
        print_table(_fields(desk, Document.from_json(row["document"]), language))
    for made in item.decisions:
        note = f": {made.note}" if made.note else ""
        told = f"{language.minute(made.at)} {made.by} decided {made.kind}{note}"
        out.print(f"\n{told}", markup=False, highlight=False)
    if item.state is not ReviewState.DECIDED:
        document = Document.from_json(row["document"]) if row is not None and row["document"] else None
        if document is not None and document.stack is not None and sheets_to_split(item, document):
            pages = written(document.stack.documents)
            out.print(f'\nSplit it: `tallyman review split {item.id} --pages "{pages}" --by NAME`.', highlight=False)
        out.print(f"\nNext: `tallyman review decide {item.id} accept|correct|reject --by NAME`.", highlight=False)


def _fields(desk: Desk, document: Document, language: Language) -> Table:
    known = specs(desk.registry.document_types.get(document.type))
    table = new_table()
    table.add_column("Field (for --set)", no_wrap=True)
    table.add_column("Value", ratio=1)
    table.add_column("Sure", justify="right", no_wrap=True)
    table.add_column("Source", no_wrap=True)
    named = [*document.fields.items()]
    named += [(f"line.{n}.{name}", one) for n, line in enumerate(document.lines, 1) for name, one in line.items()]
    for name, field in named:
        spec = spec_of(known, name)
        value = language.value(spec.kind, field.value) if spec else field.value
        table.add_row(name, escape(value), language.percent(field.confidence), field.source)
    return table


@app.command()
def decide(
    item: Item,
    kind: Annotated[DecisionKind, typer.Argument(help="What you decide.", metavar="accept|correct|reject")],
    by: Annotated[str, typer.Option(help="Your name.")],
    note: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    set_values: Annotated[
        list[str] | None, typer.Option("--set", help="A right value; lines as line.2.quantity.", metavar="NAME=VALUE")
    ] = None,
    outcome: Annotated[Seen | None, typer.Option(help="What the target shows, for an unknown outcome.")] = None,
    record: Annotated[str, typer.Option(help="The record's number in the target, with --outcome posted.")] = "",
    as_json: Json = False,
) -> None:
    """Decide on an item. The work goes on by itself; a rejected document is never posted."""
    if kind is DecisionKind.SPLIT:
        advice = f'Write `tallyman review split {item} --pages "1-2; 3" --by NAME`.'
        raise UsageError("A split names the pages of each document.", advice=advice)
    values = _values(set_values or [])
    _check_outcome(kind, outcome, record)
    with open_desk() as desk:
        client = desk.client()
        try:
            state = PostingState(outcome.name) if outcome else None
            after = request_decision(
                desk,
                client,
                item,
                kind,
                by,
                note=note,
                corrections=values,
                outcome=state,
                record=record,
            )
        finally:
            client.close()
    if as_json:
        print_json(after.to_json())
    elif after.state is ReviewState.DECIDED:
        out.print(f"Item {item} is decided. Next: `tallyman review list`.", highlight=False)
    else:
        out.print(f"Item {item} waits for a second, different person; nothing is posted before.", highlight=False)


@app.command("split")
def split(
    item: Item,
    pages: Annotated[str, typer.Option(help="The pages of each document.", metavar='"1-2; 3; 4-5"')],
    by: Annotated[str, typer.Option(help="Your name.")],
    note: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "",
    as_json: Json = False,
) -> None:
    """Split a file of several documents: each becomes a case of its own. Leave out pages that belong to none."""
    with open_desk() as desk:
        client = desk.client()
        try:
            after = request_decision(desk, client, item, DecisionKind.SPLIT, by, note=note, pages=pages)
        finally:
            client.close()
    if as_json:
        print_json(after.to_json())
    else:
        out.print(f"Item {item} is decided. Its documents become cases. Next: `tallyman review list`.", highlight=False)


@app.command("password")
def give(item: Item, by: Annotated[str, typer.Option(help="Your name.")], as_json: Json = False) -> None:
    """Give the password of a protected document: asked for without echo, or read from stdin, never an argument."""
    value = ask_secret("Password of the document", confirm=False)
    with open_desk() as desk:
        client = desk.client()
        try:
            after = give_password(desk, client, item, value, by)
        finally:
            client.close()
    if as_json:
        print_json(after.to_json())
    else:
        out.print("The document is read again with it. Next: `tallyman review list`.", highlight=False)


def _values(given: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign:
            raise UsageError(f"{one!r} has no value.", advice="Write --set NAME=VALUE; NAME= takes the value away.")
        if name.strip() in values:
            raise UsageError(f"{name.strip()!r} is set twice.", advice="Give each field once.")
        values[name.strip()] = value.strip()
    return values


def _check_outcome(kind: DecisionKind, outcome: Seen | None, record: str) -> None:
    if outcome is not None and kind is not DecisionKind.ACCEPT:
        raise UsageError("--outcome goes with `accept`.", advice="To stop this document for good: `reject` alone.")
    if outcome is Seen.POSTED and not record.strip():
        raise UsageError("What is posted has a number in the target.", advice="Give it with --record.")
    if outcome is not Seen.POSTED and record:
        raise UsageError("--record goes with `--outcome posted`.", advice="See --help.")
