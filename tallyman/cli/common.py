"""What the commands share."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console

from tallyman.platform import log
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk

out = Console(width=None if sys.stdout.isatty() else 100)
"""Where nobody sees a terminal (a file, a pipe), lines have 100 columns."""
err = Console(stderr=True)


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


def print_json(value: Any) -> None:
    """One JSON document for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def user_name() -> str:
    """Who runs this command, for the audit trail."""
    return getpass.getuser()
