"""Who of those that a worker has taken from a queue goes next.

A worker takes some cases more than it works on: the engine looks into a queue ten times a second only, and the next
case is at hand when one has ended.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_GRACE_S = 0.1
"""Two that are taken at once may arrive in any order; so after a rest the first one waits this long for the other."""
_REST_S = 1.0


class Turns:
    """As many at a time as were asked for; the lowest place first."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._at_work = 0
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._changed = threading.Condition()
        self._rested_since = -_REST_S

    @contextmanager
    def turn(self, place: int) -> Iterator[None]:
        with self._changed:
            ticket = (place, next(self._tickets))
            self._waiting.append(ticket)
            if not self._at_work and time.monotonic() - self._rested_since > _REST_S:
                self._rested_since = time.monotonic()
                self._changed.wait(_GRACE_S)
            self._changed.wait_for(lambda: self._at_work < self._at_a_time and min(self._waiting) == ticket)
            self._waiting.remove(ticket)
            self._at_work += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._rested_since = time.monotonic()
                self._changed.notify_all()
