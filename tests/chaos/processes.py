"""The browsers that this process runs, found in /proc from outside: to kill them, and to see that none is left."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

_PROFILE = b"--user-data-dir="
_OURS = "tallyman-browser-"


def below(pid: int) -> list[int]:
    """All processes that descend from `pid`, parents first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        some = children.get(todo.pop(), [])
        found += some
        todo += some
    return found


def command(pid: int) -> bytes:
    """The command line; empty for what is gone or a zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _ours(true: Callable[[bytes], bool]) -> list[int]:
    return [pid for pid in below(os.getpid()) if true(command(pid))]


def watchdogs() -> list[int]:
    return _ours(lambda line: b"watchdog.py" in line)


def drivers() -> list[int]:
    """Playwright's drivers."""
    return _ours(lambda line: b"playwright" in line and b"run-driver" in line)


def browsers() -> list[int]:
    """The main processes of Chromium; each leads its process group."""
    return _ours(lambda line: _PROFILE in line and b"--type=" not in line and b"watchdog.py" not in line)


def renderers() -> list[int]:
    return _ours(lambda line: b"--type=renderer" in line)


def profiles() -> set[str]:
    """The profile folders of our browsers; by these they are known even when their parent is gone."""
    words = [word for pid in browsers() for word in command(pid).split(b"\0") if word.startswith(_PROFILE)]
    return {word.removeprefix(_PROFILE).decode() for word in words}


def with_profile(folders: set[str]) -> list[int]:
    """All processes on this machine that use one of these profile folders."""
    names = [folder.encode() for folder in folders]
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if any(name in command(pid) for name in names)]


def kill(pids: list[int], with_signal: int = signal.SIGKILL) -> int:
    """How many of them were still there."""
    hit = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, with_signal)
            hit += 1
    return hit


def kill_groups(pids: list[int], with_signal: int = signal.SIGKILL) -> int:
    """The same for whole process groups, by their leaders."""
    hit = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, with_signal)
            hit += 1
    return hit
