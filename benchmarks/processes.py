"""What this process and all that it started use, while they run: children of children too, which nobody waits for."""

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY_S = 0.02


def descendants() -> Iterator[Path]:
    """The folders in /proc of all below this process."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (cells := _stat(Path(entry.path))):
            children.setdefault(int(cells[1]), []).append(int(entry.name))
    below = children.get(os.getpid(), []).copy()
    while below:
        one = below.pop()
        yield Path("/proc", str(one))
        below += children.get(one, [])


def cpu_s() -> float:
    """Seconds of processor time of this process and of all below it, of which some have ended.

    One that has ended counts once its parent has waited for it: with its parent, who tells his children's time beside
    his own. Until then it is a process like any other. A parent who ignores his children's end (SIGCHLD) loses theirs.
    """
    own = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    below = sum(sum(map(int, cells[11:15])) for process in descendants() if (cells := _stat(process)))
    return sum(used.ru_utime + used.ru_stime for used in own) + below / os.sysconf("SC_CLK_TCK")


@contextmanager
def peak_mib() -> Iterator[list[int]]:
    """A list that holds, at the end, the most memory in MiB that one of those below this process had at a time."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_S):
            for process in descendants():
                peak[0] = max(peak[0], _peak_kib(process) // 1024)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        ended.set()
        watching.join()


def _stat(process: Path) -> list[str]:
    """The cells of its line from the state on; [] when it has ended."""
    try:
        return (process / "stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _peak_kib(process: Path) -> int:
    try:
        lines = (process / "status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
