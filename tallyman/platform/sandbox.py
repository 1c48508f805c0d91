"""Run a function on a stranger's file in a throw-away child process with limits.

No parser of a stranger's file runs in a worker: under a memory limit pdfium aborts the whole process, which no
`except` catches. The child is a fork of a template: a process with one thread that has imported what the function
needs and never sees a stranger's byte. (An interpreter of its own for each child would cost a fifth of a second, and a
fork of a worker with its threads could hang.) One child waits for the next call already. It has a session of its own
and is killed with everything it started when its time is up.

What it may use is limited for the child and for each program that it starts (tesseract): address space, computing
time, size of a file, open files. What it may do is walled in by `sandbox_walls`; its docstring says what holds where.
"""

import atexit
import base64
import contextlib
import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, BinaryIO

from tallyman.domain.base import Value
from tallyman.errors import PasswordNeeded, Quarantined, StorageFull, TallymanError, TechnicalError, Unreadable
from tallyman.platform.scratch import Scratch

_MIB = 1024 * 1024
_ENDS_WITHIN_S = 5.0
"""A killed child is gone within that, and so is one that ended by itself."""
_STARVED = 0.75
"""Of its time. What is left is more than an honest file needs."""
_ERRORS: dict[str, type[TallymanError]] = {
    kind.__name__: kind for kind in (Unreadable, PasswordNeeded, Quarantined, TechnicalError)
}
_TOO_MUCH = "Reading this file took more {what} than any honest document needs ({limit}); it was stopped."
_STRANGE = "The file made the program that reads it answer what it never says."
_FULL = (errno.ENOSPC, errno.EDQUOT)
_MACHINE = (*_FULL, errno.EIO, errno.ENFILE)
"""What the machine lacks, whatever the file is. The child's own limits tell other numbers."""
_OVER_LIMIT = {errno.ENOMEM: "memory", errno.EMFILE: "open files", errno.EFBIG: "room on the disk"}
STOPPED = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)
"""How a child ends that somebody else ended: an administrator, a shutdown, a kernel without memory. No file does it."""


class Limits(Value):
    """What a child may use. `memory_mib` is address space, which is always more than what is really touched."""

    memory_mib: int = 1024
    cpu_s: int = 18
    wall_s: float = 18.0
    file_mib: int = 256
    result_mib: int = 64


DEFAULT = Limits()


def call(target: str, arguments: Mapping[str, Any], limits: Limits = DEFAULT, *, into: IO[bytes] | None = None) -> Any:
    """The result of `target` ("package.module:function") called with `arguments` by name, both JSON values.

    The function may raise Unreadable, PasswordNeeded, Quarantined or TechnicalError, and they are raised here again;
    anything else that it raises is Unreadable. Bytes come back as `unpack_bytes` reads them, or, when there are many,
    by `into`, an open file whose descriptor the function gets as an argument of that name.
    Raises Quarantined when the child dies, takes too long or gives too much; TechnicalError when the machine lacks
    something, had no time for the child, or somebody else ended it.
    """
    with troubles_of_the_machine(), Scratch() as scratch:
        asked = {"target": target, "arguments": dict(arguments), "limits": limits.to_json(), "scratch": scratch}
        answer = _exchange(target.split(":")[0], json.dumps(asked).encode(), limits, into)
    return result_of(answer)


def pack_bytes(content: bytes) -> str:
    """Bytes as a JSON value, for a function that runs in the child."""
    return base64.b64encode(content).decode("ascii")


def unpack_bytes(packed: str) -> bytes:
    return base64.b64decode(packed)


def _exchange(module: str, request: bytes, limits: Limits, into: IO[bytes] | None) -> Any:
    deadline = time.monotonic() + limits.wall_s
    with ExitStack() as ours:
        asked, ask = _pipe(ours)
        answer, answered = _pipe(ours)
        status, ended = socket.socketpair()
        ours.enter_context(status)
        with ExitStack() as theirs:
            for end in (asked, answered, ended):
                theirs.callback(end.close)
            numbers = [asked.fileno(), answered.fileno(), ended.fileno()]
            _fork(module, numbers if into is None else [*numbers, into.fileno()])
        try:
            child = _number(status, deadline)
        except TechnicalError:  # whatever keeps it from answering: the next call has a new one
            _forget(module)
            raise
        deadline = time.monotonic() + limits.wall_s  # a template that had to start first took nothing of its time
        try:
            with contextlib.suppress(BrokenPipeError):
                ask.write(request)
                ask.close()
            told = _listen(answer, limits, deadline)
            if told is None:
                raise _too_late(child, limits)
        finally:
            _kill_group(child)
        return _decode(told, lambda: _number(status, time.monotonic() + _ENDS_WITHIN_S), limits)


def _pipe(stack: ExitStack) -> tuple[BinaryIO, BinaryIO]:
    ends = os.pipe()
    return (
        stack.enter_context(os.fdopen(ends[0], "rb", buffering=0)),
        stack.enter_context(os.fdopen(ends[1], "wb", buffering=0)),
    )


class _Template:
    """The process that forks the children which call functions of one module."""

    def __init__(self, module: str) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tallyman.platform.sandbox_child", str(theirs.fileno()), module],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._line.close()

    def fork(self, descriptors: list[int]) -> None:
        socket.send_fds(self._line, [b"."], descriptors)


_templates: dict[str, _Template] = {}
_templates_lock = threading.Lock()


def _fork(module: str, descriptors: list[int]) -> None:
    with _templates_lock:
        if module not in _templates or not _templates[module].alive:
            _templates[module] = _Template(module)
        try:
            _templates[module].fork(descriptors)
        except OSError:
            _templates.pop(module).end()
            raise


def _forget(module: str) -> None:
    """End the template of a module, with the children that it has forked."""
    with _templates_lock:
        if module in _templates:
            _templates.pop(module).end()


@atexit.register
def _forget_all() -> None:
    for template in _templates.values():
        if template.alive:
            template.end()


def environment() -> dict[str, str]:
    """What a child may know of ours: no secret lies in it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "LC_ALL": "C.UTF-8",
        "OMP_THREAD_LIMIT": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **{name: os.environ[name] for name in ("TESSDATA_PREFIX", "LD_LIBRARY_PATH") if name in os.environ},
    }


def _number(status: socket.socket, deadline: float) -> int:
    """The next integer that the watcher tells. Raises TechnicalError when it tells none."""
    left = max(0.0, deadline - time.monotonic())
    told = status.recv(4) if is_ready(status.fileno(), select.POLLIN, left) else b""
    if len(told) < 4:
        raise TechnicalError("The child process that reads files could not be started.")
    return int(struct.unpack("i", told)[0])


def _listen(answer: BinaryIO, limits: Limits, deadline: float) -> bytes | None:
    """The answer, up to the size cap; None when it has not ended at the deadline."""
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not is_ready(answer.fileno(), select.POLLIN, left):
            return None
        part = answer.read(_MIB)
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > limits.result_mib * _MIB:
            raise Quarantined(_TOO_MUCH.format(what="room", limit=f"{limits.result_mib} MiB of text"))
        parts.append(part)


def is_ready(descriptor: int, event: int, within_s: float) -> bool:
    """Whether it can be read or written without waiting, or never again. (`select` knows only the first 1,024.)"""
    asked = select.poll()
    asked.register(descriptor, event)
    return bool(asked.poll(within_s * 1000))


def _too_late(child: int, limits: Limits) -> Quarantined | TechnicalError:
    """Whose fault it is. One that others kept from computing says nothing about its file; one that sleeps does."""
    if _stood_in_line_s(child) > _STARVED * limits.wall_s:
        return TechnicalError("The machine has so much to do that a file could not be read in time.")
    return Quarantined(_TOO_MUCH.format(what="time", limit=f"{limits.wall_s:g} s"))


def _stood_in_line_s(child: int) -> float:
    """How long it could have computed while others had the cores; 0 where the kernel does not tell."""
    with contextlib.suppress(OSError, ValueError):
        _, waited_ns, _ = Path(f"/proc/{child}/schedstat").read_text("ascii").split()
        return int(waited_ns) / 1e9
    return 0.0


def _kill_group(child: int) -> None:
    """The child and all that it started. Its number is its group's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _decode(answer: bytes, ended: Callable[[], int], limits: Limits) -> Any:
    """ended: how the child ended, which is waited for only without an answer: to put a process away takes a while."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(answer)
    returncode = ended()
    if returncode == -signal.SIGXCPU:
        raise Quarantined(_TOO_MUCH.format(what="computing time", limit=f"{limits.cpu_s} s"))
    if returncode == -signal.SIGABRT:
        raise Quarantined(_TOO_MUCH.format(what="memory", limit=f"{limits.memory_mib} MiB"))
    if answer and returncode == 0:
        raise Quarantined(_STRANGE)
    if returncode >= 0 or returncode in STOPPED:
        raise stopped(returncode)
    raise Quarantined(f"The file broke the program that reads it ({signal.strsignal(-returncode)}).")


def stopped(returncode: int) -> TechnicalError:
    """The error for a child that ended without an answer, and not by what it read."""
    how = signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"
    return TechnicalError(f"The child process that reads files ended without an answer ({how}).")


@contextlib.contextmanager
def troubles_of_the_machine() -> Iterator[None]:
    """An OSError on our side says nothing about a file. Raises TechnicalError instead, StorageFull where it is that."""
    try:
        yield
    except OSError as error:
        raise _trouble(error.errno, str(error)) from error


def _trouble(number: int | None, told: str) -> TechnicalError:
    return StorageFull() if number in _FULL else TechnicalError(f"The machine lacks something to read files: {told}")


@contextlib.contextmanager
def what_a_child_said() -> Iterator[None]:
    """Around what takes an answer apart: whoever took over a child says anything. Raises Quarantined for it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise Quarantined(_STRANGE) from error


def result_of(answer: Any) -> Any:
    with what_a_child_said():
        return _told(answer)


def _told(answer: Any) -> Any:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    if error["missing"] or error["errno"] in _MACHINE:
        raise _trouble(error["errno"], error["message"])
    if error["errno"] in _OVER_LIMIT:
        raise Quarantined(_TOO_MUCH.format(what=_OVER_LIMIT[error["errno"]], limit="the limit of the reader"))
    if error["type"] == "MemoryError":
        raise Quarantined(_TOO_MUCH.format(what="memory", limit="the limit of the reader"))
    kind = _ERRORS.get(error["type"])
    if kind is None:
        raise Unreadable(f"The file can't be read: it is damaged or not what it says it is ({error['type']}).")
    raise kind(error["message"], advice=error["advice"])
