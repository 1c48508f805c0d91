"""`tallyman`: all commands, and how an error reaches the user."""

import os
import sys
import traceback
from importlib import import_module

import typer
from rich.console import Console

from tallyman import __version__
from tallyman.errors import TallymanError
from tallyman.platform.config import Home
from tallyman.platform.log import redact

COMMANDS = {
    "demo": "demo",
    "serve": "serve",
    "worker": "serve",
    "run": "run",
    "read": "read",
    "extract": "extract",
    "review": "review",
    "posting": "posting",
    "schedule": "schedule",
    "model": "model",
    "audit": "audit",
    "secret": "secret",
    "doctor": "doctor",
}
"""Each command and its module in tallyman.cli: `app` there is a group, else a function of the command's name."""


def build(wanted: str | None = None) -> typer.Typer:
    """The application with all commands, or with the wanted one alone: the others' libraries take seconds to load."""
    app = typer.Typer(
        help="Bots that fetch, read, match and post invoices and proofs of delivery in systems that have no API.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)
    for name in [wanted] if wanted in COMMANDS else COMMANDS:
        module = import_module(f"tallyman.cli.{COMMANDS[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


err = Console(stderr=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallyman {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    del version


def main() -> None:
    """The entry point. A user never sees a stack trace: it goes to TALLYMAN_HOME/tallyman.log."""
    try:
        build(sys.argv[1] if len(sys.argv) > 1 else None)()
    except TallymanError as error:
        _tell(str(error), error.advice)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `tallyman ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        err.print("Stopped. What was begun is kept and goes on with the next start.")
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last resort: a defect of ours, told without a stack trace
        _tell(f"{TallymanError.__doc__} ({type(error).__name__})", f"{TallymanError.advice} {_keep_trace()}")
        sys.exit(TallymanError.exit_code)


def _tell(message: str, advice: str) -> None:
    err.print("[bold red]Error:[/]", end=" ")
    err.print(message, markup=False, highlight=False)
    if advice:
        err.print(advice, markup=False, highlight=False)


def _keep_trace() -> str:
    try:
        with Home().log.open("a", encoding="utf-8") as log:
            log.write(redact(traceback.format_exc()))
        return "The details are in tallyman.log."
    except OSError:
        return ""
