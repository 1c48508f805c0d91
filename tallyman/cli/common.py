"""What the commands share."""

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tallyman.contracts.page_reader import Progress as PageProgress
from tallyman.errors import UsageError
from tallyman.platform import log
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk

out = Console(width=None if sys.stdout.isatty() else 100)
"""Where nobody sees a terminal (a file, a pipe), lines have 100 columns."""
err = Console(stderr=True)
_TELL_EVERY = 10
"""Pages, for a line of a log."""
_READING = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The desk over TALLYMAN_HOME, with the log going to its file; closed at the end."""
    home = Home()
    log.configure(home.log)
    desk = Desk.open(home)
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def shown_reading(files: Sequence[Path]) -> Iterator[Callable[[Path], PageProgress]]:
    """A function to call with each file before it is read: it shows which one, and how many of its pages are.

    Where nobody watches, as in a log, there are lines instead of a bar: for each of several files, for each ten pages.
    """
    with Progress(*_READING, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task("", total=len(files), completed=-1, told="")
        begun = 0

        def tell(line: str) -> None:
            if not err.is_terminal:
                err.print(line, markup=False, highlight=False, soft_wrap=True)

        def begin(file: Path) -> PageProgress:
            nonlocal begun
            begun += 1
            shown.update(task, description=escape(file.name), advance=1, told="")
            if len(files) > 1:
                tell(f"{file.name}: file {begun} of {len(files)}")

            def page(done: int, pages: int) -> None:
                shown.update(task, told=f"page {done} of {pages}")
                if done % _TELL_EVERY == 0:
                    tell(f"{file.name}: page {done} of {pages}")

            return page

        yield begin


def print_json(value: Any) -> None:
    """One JSON document for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def ask_secret(what: str, *, confirm: bool) -> str:
    """A secret, asked for without echo, or read from stdin when that is no terminal. Raises UsageError."""
    if sys.stdin.isatty():
        value = str(typer.prompt(what, hide_input=True, confirmation_prompt="Once more" if confirm else False))
    else:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not value:
        raise UsageError("An empty value is no secret.", advice="Type it, or pipe it in.")
    return value


def user_name() -> str:
    """Who runs this command, for the audit trail."""
    return getpass.getuser()
