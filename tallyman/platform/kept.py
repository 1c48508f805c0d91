"""Child processes that stay: they answer one call after the other, and load their models once.

For what is no stranger's file any more, such as pixels: the limits are the sandbox's, but a child serves many calls.
One that fails, has grown or has served long enough is replaced.
"""

import errno
import json
import os
import resource
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tallyman.errors import Quarantined, TechnicalError, Unreadable
from tallyman.platform.sandbox import (
    STOPPED,
    Limits,
    environment,
    is_ready,
    result_of,
    stopped,
    troubles_of_the_machine,
    what_a_child_said,
)
from tallyman.platform.scratch import Scratch

_MOST_CALLS = 500
"""Then a child is replaced: native libraries lose a little memory with each page."""
_GROWN = 0.75
"""Of its address space. Then it is replaced too: an honest page must never be the one that finds no room."""
_MIB = 1024 * 1024
_ENDS_WITHIN_S = 5.0
"""A child whose answers have ended has ended itself within that."""
_LONG_S = 10.0
"""Work on one thing that took so long already is long work: it can wait for others' better than they for it."""
_OTHERS_S = 5.0
"""Whoever asked within that asks again: a queue has its next file at hand, and between two pages are a few moments."""
_PATIENCE_S = 30.0
"""So long anything may wait for others' better."""
_LOOKS_EVERY_S = 0.5
"""Nobody tells those who wait that there are no others any more, or that they waited long enough."""


class Budget:
    """How long children may work on one thing in all, such as a file; to wait for a turn costs nothing."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._spent_s: list[float] = []

    @property
    def is_long(self) -> bool:
        return sum(self._spent_s) > _LONG_S

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Around the work of a child. Raises Quarantined when nothing is left."""
        if sum(self._spent_s) >= self._most_s:
            raise Quarantined(f"This file took longer to read than any honest file does ({self._most_s / 60:g} min).")
        started = time.monotonic()
        try:
            yield
        finally:
            self._spent_s.append(time.monotonic() - started)


class Turns:
    """`most` work at a time. Who came first works first, but for long work, which leaves a turn free to any other.

    A file of hundreds of pages asks for all turns at once: without this each other page would wait for one of them.
    Long work that has waited for half a minute has every second turn: others may never cease to come.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._left_to_others = min(1, most - 1)
        self._others_until = 0.0
        self._last_was_short = False
        self._long: dict[int, _Waiter] = {}
        self._short: dict[int, _Waiter] = {}
        self._numbers = count()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, budget: Budget | None) -> Iterator[None]:
        """Around the work of a child; its time is spent from the budget, which raises Quarantined with nothing left."""
        is_long = budget is not None and budget.is_long
        self._wait(is_long)
        try:
            with nullcontext() if budget is None else budget.spent():
                yield
        finally:
            with self._lock:
                self._give_back(is_long)

    def _wait(self, is_long: bool) -> None:
        waiter = _Waiter(is_long, threading.Condition(self._lock))
        queue = self._long if is_long else self._short
        with self._lock:
            number = next(self._numbers)
            queue[number] = waiter
            self._grant()
            try:
                while not waiter.has_turn:
                    waiter.told.wait(_LOOKS_EVERY_S)
                    self._grant()
            except BaseException:
                if waiter.has_turn:
                    self._give_back(is_long)
                else:
                    del queue[number]
                raise

    def _give_back(self, is_long: bool) -> None:
        self._free += 1
        if not is_long:
            self._others_until = time.monotonic() + _OTHERS_S
        self._grant()

    def _grant(self) -> None:
        while self._free and (queue := self._next_queue()):
            waiter = queue.pop(next(iter(queue)))
            waiter.has_turn = True
            waiter.told.notify()
            self._free -= 1
            self._last_was_short = not waiter.is_long
            if self._last_was_short:
                self._others_until = time.monotonic() + _OTHERS_S

    def _next_queue(self) -> "dict[int, _Waiter] | None":
        """The one whose first waiter is to work next; None when those that wait have to."""
        now = time.monotonic()
        if self._short and not (self._last_was_short and self._has_waited_long(now)):
            return self._short
        kept = self._left_to_others if now < self._others_until and not self._has_waited_long(now) else 0
        return self._long if self._long and self._free > kept else None

    def _has_waited_long(self, now: float) -> bool:
        return bool(self._long) and next(iter(self._long.values())).since < now - _PATIENCE_S


@dataclass
class _Waiter:
    is_long: bool
    told: threading.Condition
    has_turn: bool = False
    since: float = field(default_factory=time.monotonic)


class KeptChildren:
    """Each works on a turn, and is started when it is needed first. Calls may come from any thread."""

    def __init__(self, turns: Turns, limits: Limits) -> None:
        self._limits = limits
        self._turns = turns
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def call(self, target: str, arguments: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """As `sandbox.call`, but what kills a child or takes it too long is Unreadable.

        Raises TechnicalError when the machine lacks something or somebody else ended the child, Quarantined when
        nothing of the budget is left.
        """
        asked = json.dumps({"target": target, "arguments": dict(arguments)}).encode() + b"\n"
        with self._turns.turn(budget):
            deadline = time.monotonic() + self._limits.wall_s
            if child := self._idle_one():
                try:
                    return self._ask(child, asked, deadline)
                except Unreadable:  # that may come of what earlier pages left in it: only a new child tells of this one
                    if time.monotonic() >= deadline:
                        raise
            with troubles_of_the_machine():
                child = _Child(self._limits)
            return self._ask(child, asked, deadline)

    def _ask(self, child: "_Child", asked: bytes, deadline: float) -> Any:
        """A child that fails, for whatever reason, is asked nothing more."""
        try:
            result = _result_of(child.ask(asked, deadline))
        except BaseException:  # also an interrupt: an answer that comes later would be taken for the next call's
            child.end()
            raise
        if child.calls < _MOST_CALLS and not child.has_grown:
            with self._lock:
                self._idle.append(child)
        else:
            child.end()
        return result

    def _idle_one(self) -> "_Child | None":
        """One that lives: somebody may have ended those that had nothing to do."""
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_ready:
                    return child
                child.end()
        return None

    def close(self) -> None:
        """End those that are idle. A process that ends need not: a child ends when nobody can ask it any more."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()


class _Child:
    def __init__(self, limits: Limits) -> None:
        self.calls = 0
        self._limits = limits
        self._ended = False
        with ExitStack() as left:
            folder = left.enter_context(Scratch())
            self._answers, theirs = os.pipe()
            left.callback(os.close, self._answers)
            told = [str(theirs), json.dumps(limits.to_json()), str(os.getpid())]
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tallyman.platform.kept_child", *told],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    bufsize=0,
                    cwd=folder,
                    env=environment() | {"TMPDIR": folder, "HOME": folder},
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
            finally:
                os.close(theirs)
            assert self._process.stdin is not None
            left.callback(self._process.stdin.close)
            self._questions = self._process.stdin.fileno()
            os.set_blocking(self._questions, False)
            self._left = left.pop_all()

    @property
    def is_ready(self) -> bool:
        """It lives, and said nothing since its last answer: that would be taken for the next one."""
        if self._ended or self._process.poll() is not None:
            return False
        return not is_ready(self._answers, select.POLLIN, 0)

    @property
    def has_grown(self) -> bool:
        most = _GROWN * self._limits.memory_mib * _MIB
        with suppress(OSError):  # it died just now, or the system has no /proc
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[0])
            return pages * resource.getpagesize() > most
        return False

    def ask(self, asked: bytes, deadline: float) -> Any:
        """The answer to a line, as the child gives it.

        Raises Unreadable when what it reads kills it or it has not answered in time, Quarantined when it answers what
        it never says, TechnicalError when somebody else ended it.
        """
        self.calls += 1
        with suppress(BrokenPipeError):  # then there is no answer, which says why
            self._tell(asked, deadline)
        answer = self._answer(deadline)
        with what_a_child_said():
            return json.loads(answer)

    def _tell(self, asked: bytes, deadline: float) -> None:
        """A pipe holds less than a page's words may have: a child that does not take them must hold nobody up."""
        left = memoryview(asked)
        while left:
            self._wait(self._questions, select.POLLOUT, deadline)
            left = left[os.write(self._questions, left) :]

    def _answer(self, deadline: float) -> bytes:
        """All that it says up to the end of a line."""
        told, part = bytearray(), b""
        while b"\n" not in part:
            self._wait(self._answers, select.POLLIN, deadline)
            part = os.read(self._answers, _MIB)
            if not part:
                raise self._broken()
            told += part
            if len(told) > self._limits.result_mib * _MIB:
                raise Unreadable("This page made the program that reads it answer more than any honest page does.")
        return bytes(told)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not is_ready(descriptor, event, left):
            raise Unreadable(f"This page took longer to read than any honest page does ({self._limits.wall_s:g} s).")

    def _broken(self) -> Unreadable | TechnicalError:
        """Why there is no answer."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_ENDS_WITHIN_S)
            if code >= 0 or code in STOPPED:
                return stopped(code)
        return Unreadable("This page broke the program that reads it.")

    def end(self) -> None:
        """Kill it with all that it started; a second time does nothing."""
        if self._ended:
            return
        self._ended = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._left.close()


def _result_of(answer: Any) -> Any:
    """A child that stays sees only pixels: that it can open or start nothing more is the machine's fault."""
    with what_a_child_said():
        if "error" in answer and answer["error"]["errno"] in (errno.EMFILE, errno.ENOMEM):
            raise TechnicalError(f"The machine lacks something to read pages: {answer['error']['message']}")
    return result_of(answer)
