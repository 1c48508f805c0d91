"""Named places at which a test may kill the process. One switch, off in production.

TALLYMAN_CRASH_AT=name or name:3 kills this process with SIGKILL when the point is reached (for the third time). Nothing
is cleaned up, exactly as when the power goes. Every durable step has its two points by itself (see runtime.engine);
those that are named in the code stand inside a step.
"""

import os
import signal
from collections import Counter

_reached: Counter[str] = Counter()


def crash_point(name: str) -> None:
    wanted = os.environ.get("TALLYMAN_CRASH_AT")
    if not wanted:
        return
    point, _, count = wanted.rpartition(":")
    point, count = (point, count) if count.isdigit() else (wanted, "1")  # a step's name may hold a colon
    if point != name:
        return
    _reached[name] += 1
    if _reached[name] == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
