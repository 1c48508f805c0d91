"""`tallyman serve`: office and worker; `tallyman worker`: a worker alone."""

import signal
import subprocess
import sys
import threading
import time
from typing import Annotated

import typer

from tallyman.cli.common import err, open_desk, out
from tallyman.office.serve import serve as serve_office
from tallyman.platform.config import OfficeSettings
from tallyman.platform.log import get_logger
from tallyman.runtime.places import place_of_worker
from tallyman.runtime.worker import Worker

_log = get_logger(__name__)
_RESTART_WAIT_S = 2.0


def worker() -> None:
    """Run bots: take up what was left, work off queues, fire schedules. On PostgreSQL, as many as you like."""
    stop = _stop_event()
    with open_desk() as desk, place_of_worker(desk.home, desk.database) as place:
        working = Worker(desk, place)
        working.start()
        out.print("The worker is at work. Ctrl-C stops it; nothing is lost by that.")
        while not stop.wait(0.5):
            pass
        working.stop()


def serve(
    port: Annotated[int | None, typer.Option(help="The office's port; tallyman.toml has the usual one.")] = None,
    office_only: Annotated[bool, typer.Option("--office-only", help="Without a worker.")] = False,
) -> None:
    """Run office and worker together, each a process of its own; a child that dies is started again."""
    with open_desk() as desk:
        settings = desk.settings.office
        if office_only:
            serve_office(desk, settings.host, port or settings.port)
            return
    supervise(settings, port or settings.port)


def supervise(settings: OfficeSettings, port: int) -> None:
    """Run both children over TALLYMAN_HOME until we are told to stop."""
    stop = _stop_event()
    base = [sys.executable, "-m", "tallyman.cli"]
    commands = {"office": [*base, "serve", "--office-only", "--port", str(port)], "worker": [*base, "worker"]}
    children = {name: subprocess.Popen(command, stdout=subprocess.DEVNULL) for name, command in commands.items()}
    out.print(f"Office: http://{settings.host}:{port}/    Ctrl-C stops office and worker.", highlight=False)
    try:
        while not stop.wait(0.3):
            for name, child in children.items():
                if child.poll() is not None:
                    err.print(f"The {name} ended ({child.returncode}); it is started again.", highlight=False)
                    _log.error("child ended", child=name, code=child.returncode)
                    time.sleep(_RESTART_WAIT_S)
                    children[name] = subprocess.Popen(commands[name], stdout=subprocess.DEVNULL)
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait(30)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
