"""`tallyman secret`: passwords and keys that systems need. Values come from a prompt or stdin, never from argv."""

from typing import Annotated

import typer

from tallyman.cli.common import ask_secret, out, print_json
from tallyman.errors import UsageError
from tallyman.platform.config import Home
from tallyman.platform.vault import Vault

app = typer.Typer(help="Passwords and keys that systems need.", no_args_is_help=True)


@app.command("set")
def set_secret(
    name: Annotated[str, typer.Argument(help="Such as practice_erp.password.", metavar="NAME")],
) -> None:
    """Store a secret. The value is asked for without echo, or read from stdin when that is no terminal."""
    if not name or name != name.strip() or any(not char.isprintable() for char in name):
        raise UsageError("That is no name of a secret.", advice="Write SYSTEM.password.")
    value = ask_secret(f"Value of {name}", confirm=True)
    Vault(Home().vault).set(name, value)
    out.print(f"Stored {name}.", highlight=False, markup=False)


@app.command("list")
def list_secrets(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The names of the stored secrets; never their values."""
    names = Vault(Home().vault).names()
    if as_json:
        print_json(names)
    elif not names:
        out.print("No secrets are stored. Next: `tallyman secret set NAME`.", highlight=False)
    else:
        for name in names:
            out.print(name, highlight=False, markup=False)
