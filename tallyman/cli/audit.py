"""`tallyman audit`: who did what and when, in a chain that shows every change."""

import json

import typer

from tallyman.cli.common import open_desk, out
from tallyman.errors import BusinessError
from tallyman.store import audit

app = typer.Typer(help="The audit trail: who did what and when.", no_args_is_help=True)


@app.command()
def verify() -> None:
    """Check the chain of hashes. Exit code 4 when a row was changed or is missing."""
    with open_desk() as desk, desk.database.transaction() as connection:
        broken = audit.verify(connection)
        count = sum(1 for _ in audit.rows(connection))
    if broken:
        raise BusinessError(
            f"The audit trail is broken: {broken}",
            advice="Find out who changed the database; restore it from a backup.",
        )
    out.print(f"The audit trail is whole: {count} rows.", highlight=False)


@app.command()
def export() -> None:
    """The whole trail as JSON lines, oldest first."""
    with open_desk() as desk, desk.database.transaction() as connection:
        for row in audit.rows(connection):
            typer.echo(json.dumps(row | {"data": json.loads(row["data"])}, ensure_ascii=False))
