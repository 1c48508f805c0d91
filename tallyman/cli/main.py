"""`tallyman`: all commands, and how an error reaches the user."""

import os
import sys
import traceback

import typer

from tallyman import __version__
from tallyman.cli import audit, demo, doctor, extract, posting, read, review, run, schedule, secret, serve
from tallyman.cli.common import err
from tallyman.errors import TallymanError
from tallyman.platform.config import Home

app = typer.Typer(
    help="Bots that fetch, read, match and post invoices and proofs of delivery in systems that have no API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(run.run)
app.command()(read.read)
app.command()(extract.extract)
app.command()(doctor.doctor)
app.add_typer(review.app, name="review")
app.add_typer(posting.app, name="posting")
app.add_typer(schedule.app, name="schedule")
app.add_typer(audit.app, name="audit")
app.add_typer(secret.app, name="secret")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallyman {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    del version


def main() -> None:
    """The entry point. A user never sees a stack trace: it goes to TALLYMAN_HOME/tallyman.log."""
    try:
        app()
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
    err.print(f"[bold red]Error:[/] {message}", markup=True, highlight=False)
    if advice:
        err.print(advice, markup=False, highlight=False)


def _keep_trace() -> str:
    try:
        with Home().log.open("a", encoding="utf-8") as log:
            log.write(traceback.format_exc())
        return "The details are in tallyman.log."
    except OSError:
        return ""
