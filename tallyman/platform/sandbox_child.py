"""The child's side of the sandbox: limits first, then the one function. Imports as little as it can."""

import importlib
import json
import os
import resource
import sys
from typing import Any

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9
_MIB = 1024 * 1024


def main() -> None:
    """Read the request from stdin, answer with one JSON object on the pipe whose number is the first argument."""
    pipe = int(sys.argv[1])
    request = json.loads(sys.stdin.buffer.read())
    try:
        _shut_in(request["limits"])
        module, name = request["target"].split(":")
        answer = {"result": getattr(importlib.import_module(module), name)(**request["arguments"])}
    except Exception as error:  # noqa: BLE001 - whatever a parser raises must reach the parent as data
        answer = {"error": _tell(error)}
    try:
        data = json.dumps(answer).encode()
    except MemoryError as error:
        data = json.dumps({"error": _tell(error)}).encode()
    with os.fdopen(pipe, "wb") as out:
        out.write(data)
    # Leave at once: finalisers of native parsers run on a damaged document have crashed after a good answer.
    os._exit(0)


def _tell(error: Exception) -> dict[str, Any]:
    return {"type": type(error).__name__, "message": str(error), "advice": getattr(error, "advice", None)}


def _shut_in(limits: dict[str, Any]) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, limits["memory_mib"] * _MIB)
    _limit(resource.RLIMIT_CPU, limits["cpu_s"])
    _limit(resource.RLIMIT_FSIZE, limits["file_mib"] * _MIB)
    _limit(resource.RLIMIT_NOFILE, 256)
    _leave_the_network()


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _leave_the_network() -> None:
    """A network namespace of its own where the kernel permits; die with the parent; never gain rights."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


if __name__ == "__main__":
    main()
