"""Who of those that a worker has taken from a queue goes next.

A worker takes one case more than it works on: the engine looks into a queue ten times a second only, and the next case
is at hand when one has ended.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_GRACE_S = 0.1
"""Two that are taken at once may arrive in any order; so the first one waits this long where nobody was at work."""


class Turns:
    """As many at a time as were asked for; the lowest place first."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._at_work = 0
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, place: int) -> Iterator[None]:
        with self._changed:
            ticket = (place, next(self._tickets))
            self._waiting.append(ticket)
            if self._at_work == 0 and len(self._waiting) == 1:
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
                self._changed.notify_all()
