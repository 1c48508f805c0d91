"""The children's side of the sandbox: the template, and what it forks. Limits first, then the one function."""

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from tallyman.platform.sandbox_walls import build

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_MIB = 1024 * 1024
_MOST_DESCRIPTORS = 4
_AGAIN_S = 0.05
"""After a child that ended before it had a call: the machine may lack what another one needs too."""
_MORE_THREADS = 512
"""The kernel counts all threads of our user, so what others may begin meanwhile must have room beside ours."""


def main() -> None:
    """Import what the calls need and try it; then keep a child ready, until our parent is gone.

    Arguments: the number of a socket, on which each call comes as file descriptors (request, answer, status, and
    perhaps a file to write to); the module that is called. The children take the calls from that socket themselves:
    one that is there already makes no call wait for a fork.
    """
    leave_the_network()
    line, module = socket.socket(fileno=int(sys.argv[1])), importlib.import_module(sys.argv[2])
    for name in getattr(module, "PRELOAD", ()):
        with suppress(ImportError):  # then the child that needs it says so, and others work
            importlib.import_module(name)
    with suppress(Exception):  # without it the first page only takes longer
        getattr(module, "warm_up", int)()
    gc.freeze()
    while True:
        taken, take = os.pipe()
        if os.fork() == 0:
            os.close(taken)
            _watch(line, take)
        os.close(take)
        if not os.read(taken, 1):
            if _is_closed(line):
                os._exit(0)
            time.sleep(_AGAIN_S)
        os.close(taken)
        _reap()


def _reap() -> None:
    """Those that have ended. So their computing time is in ours, where whoever measures us finds it."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _is_closed(line: socket.socket) -> bool:
    try:
        return not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def _watch(line: socket.socket, take: int) -> None:
    """Start the child; when it has a call, tell its number, wait for it and tell how it ended (two native integers)."""
    _die_with_parent()
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        os.close(take)
        _work(line, theirs)
    line.close()
    theirs.close()
    has_call, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    if not has_call:
        os._exit(0)
    os.write(take, b".")
    os.close(take)
    (status,) = descriptors
    os.write(status, struct.pack("i", child))
    ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    with suppress(OSError):
        os.write(status, struct.pack("i", code))
        os.read(status, 1)  # until the parent has killed what is left: so long the number is nobody else's
    os.waitpid(child, 0)
    os._exit(0)


def _work(line: socket.socket, watcher: socket.socket) -> None:
    """Wait for a call, shut ourselves in, answer with one JSON object."""
    os.setsid()
    _die_with_parent()
    has_call, descriptors, _, _ = socket.recv_fds(line, 1, _MOST_DESCRIPTORS)
    if not has_call:
        os._exit(0)
    request, answer, status, *into = descriptors
    socket.send_fds(watcher, [b"."], [status])
    os.close(status)
    for ours in (line, watcher):
        ours.close()
    with os.fdopen(request, "rb") as pipe:
        asked = json.loads(pipe.read())
    try:
        _settle(asked["scratch"])
        shut_in(asked["limits"])
        module, name = asked["target"].split(":")
        more = {"into": into[0]} if into else {}
        told = {"result": getattr(importlib.import_module(module), name)(**asked["arguments"], **more)}
    except Exception as error:  # noqa: BLE001 - whatever a parser raises must reach the parent as data
        told = {"error": tell(error)}
    try:
        data = json.dumps(told).encode()
    except MemoryError as error:
        data = json.dumps({"error": tell(error)}).encode()
    with suppress(BrokenPipeError), os.fdopen(answer, "wb") as out:
        out.write(data)
    # Leave at once: finalisers of native parsers run on a damaged document have crashed after a good answer.
    os._exit(0)


def _settle(scratch: str) -> None:
    os.chdir(scratch)
    os.environ |= {"TMPDIR": scratch, "HOME": scratch}
    tempfile.tempdir = None


def tell(error: Exception) -> dict[str, Any]:
    """For `sandbox.result_of`. "missing": a program's part that is not installed; "errno": what the kernel refused."""
    return {
        "type": type(error).__name__,
        "message": str(error),
        "advice": getattr(error, "advice", None),
        "missing": isinstance(error, ImportError),
        "errno": error.errno if isinstance(error, OSError) else None,
    }


def shut_in(limits: dict[str, Any]) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, limits["memory_mib"] * _MIB)
    # A second more before the kernel kills: so a child that computes too long ends by a signal of its own.
    _limit(resource.RLIMIT_CPU, limits["cpu_s"], limits["cpu_s"] + 1)
    _limit(resource.RLIMIT_FSIZE, limits["file_mib"] * _MIB)
    _limit(resource.RLIMIT_NOFILE, 256)
    _limit_threads()
    build(os.getcwd())


def _limit(which: int, value: int, most: int | None = None) -> None:
    hard = resource.getrlimit(which)[1]
    limits = [value, value if most is None else most]
    soft, most = limits if hard == resource.RLIM_INFINITY else [min(limit, hard) for limit in limits]
    resource.setrlimit(which, (soft, most))


def _limit_threads() -> None:
    """A child that multiplies stops at some hundreds. Root has no such limit; then only the parent's clock ends it."""
    if os.path.exists("/proc/loadavg"):
        with open("/proc/loadavg", encoding="ascii") as told:
            running = int(told.read().split()[3].split("/")[1])
        _limit(resource.RLIMIT_NPROC, running + _MORE_THREADS)


def _die_with_parent() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def leave_the_network() -> None:
    """A network namespace of our own where the kernel permits, beside the filter of `walls`.

    All that we fork is in it. To make one costs the kernel tens of milliseconds, so not each child makes its own.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


if __name__ == "__main__":
    main()
