"""Run a function on a stranger's file in a throw-away child process with limits.

No parser of a stranger's file runs in a worker: under a memory limit pdfium aborts the whole process, which no
`except` catches. The child is a fresh interpreter (never a fork of a threaded parent), in a session of its own, and
is killed with everything it started when its time is up.
"""

import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from tallyman.domain.base import Value
from tallyman.errors import PasswordNeeded, Quarantined, TallymanError, TechnicalError, Unreadable

_MIB = 1024 * 1024
_ERRORS: dict[str, type[TallymanError]] = {
    kind.__name__: kind for kind in (Unreadable, PasswordNeeded, Quarantined, TechnicalError)
}
_TOO_MUCH = "Reading this file took more {what} than any honest document needs ({limit}); it was stopped."


class Limits(Value):
    """What a child may use. `memory_mib` is address space, which is always more than what is really touched."""

    memory_mib: int = 1024
    cpu_s: int = 20
    wall_s: float = 20.0
    file_mib: int = 256
    result_mib: int = 64


DEFAULT = Limits()


def call(target: str, arguments: Mapping[str, Any], limits: Limits = DEFAULT) -> Any:
    """The result of `target` ("package.module:function") called with `arguments` by name, both JSON values.

    The function may raise Unreadable, PasswordNeeded, Quarantined or TechnicalError, and they are raised here again;
    anything else that it raises is Unreadable. Bytes come back as `unpack_bytes` reads them.
    Raises Quarantined when the child dies, takes too long or gives too much.
    """
    request = {"target": target, "arguments": dict(arguments), "limits": limits.to_json()}
    with tempfile.TemporaryDirectory(prefix="tallyman-", ignore_cleanup_errors=True) as scratch:
        answer = _exchange(json.dumps(request).encode(), limits, scratch)
    return _result(answer)


def pack_bytes(content: bytes) -> str:
    """Bytes as a JSON value, for a function that runs in the child."""
    return base64.b64encode(content).decode("ascii")


def unpack_bytes(packed: str) -> bytes:
    return base64.b64decode(packed)


def _exchange(request: bytes, limits: Limits, scratch: str) -> Any:
    read_end, write_end = os.pipe()
    try:
        child = _start(write_end, scratch)
    except OSError as error:
        os.close(read_end)
        raise TechnicalError(f"No child process could be started: {error}") from error
    finally:
        os.close(write_end)
    try:
        answer = _talk(child, request, read_end, limits)
    finally:
        os.close(read_end)
        _kill_group(child)
    return _decode(answer, child.returncode, limits)


def _start(write_end: int, scratch: str) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "TMPDIR": scratch,
        "HOME": scratch,
        "LC_ALL": "C.UTF-8",
        "OMP_THREAD_LIMIT": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **{name: os.environ[name] for name in ("TESSDATA_PREFIX", "LD_LIBRARY_PATH") if name in os.environ},
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tallyman.platform.sandbox_child", str(write_end)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=scratch,
        env=environment,
        pass_fds=(write_end,),
        start_new_session=True,
    )


def _talk(child: "subprocess.Popen[bytes]", request: bytes, read_end: int, limits: Limits) -> bytes:
    """Hand over the request and take the answer, up to the deadline and the size cap."""
    deadline = time.monotonic() + limits.wall_s
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(request)
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([read_end], [], [], left)[0]:
            raise Quarantined(_TOO_MUCH.format(what="time", limit=f"{limits.wall_s:g} s"))
        part = os.read(read_end, _MIB)
        if not part:
            break
        size += len(part)
        if size > limits.result_mib * _MIB:
            raise Quarantined(_TOO_MUCH.format(what="room", limit=f"{limits.result_mib} MiB of text"))
        parts.append(part)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=max(0.1, min(2.0, deadline - time.monotonic())))
    return b"".join(parts)


def _kill_group(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _decode(answer: bytes, returncode: int | None, limits: Limits) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        pass
    if returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Quarantined(_TOO_MUCH.format(what="computing time", limit=f"{limits.cpu_s} s"))
    if returncode == -signal.SIGABRT:
        raise Quarantined(_TOO_MUCH.format(what="memory", limit=f"{limits.memory_mib} MiB"))
    if returncode is not None and returncode < 0:
        raise Quarantined(f"The file broke the program that reads it ({signal.Signals(-returncode).name}).")
    raise TechnicalError(f"The child process that reads files ended without an answer (exit code {returncode}).")


def _result(answer: Any) -> Any:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    if error["type"] == "MemoryError":
        raise Quarantined(_TOO_MUCH.format(what="memory", limit="the limit of the reader"))
    kind = _ERRORS.get(error["type"])
    if kind is None:
        raise Unreadable(f"The file can't be read: it is damaged or not what it says it is ({error['type']}).")
    raise kind(error["message"], advice=error["advice"])
