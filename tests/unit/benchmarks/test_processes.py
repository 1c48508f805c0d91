import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.processes import cpu_s

NOTHING = resource.struct_rusage([0.0] * 16)
WORK = "import time\nwhile time.process_time() < 0.4: pass"
PARENT = f"""
import json, os, resource, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WORK!r}])
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
if sys.argv[1] == "waits for it":
    child.wait()
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps([one.ru_utime + one.ru_stime for one in used]), flush=True)
sys.stdin.read()
"""
"""Its child has worked and ended; then it says what both have used, as far as it knows, and lives on."""


@contextmanager
def parent(how: str = "waits for it") -> Iterator[tuple[float, float]]:
    command = [sys.executable, "-c", PARENT, how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        own, child = json.loads(process.stdout.readline())
        yield own, child


def test_what_children_of_children_used_counts_once_while_their_parent_lives_and_after_it() -> None:
    before = cpu_s()
    with parent() as (own, child):
        living = cpu_s() - before
    ended = cpu_s() - before
    assert child >= 0.4
    for used in (living, ended):
        assert own + child - 0.1 <= used <= own + child + 0.3, "the rest is this process's own"


def test_one_that_has_ended_counts_before_its_parent_waits_for_it() -> None:
    before = cpu_s()
    with parent("waits for nobody") as (own, told):
        assert told == 0
        assert cpu_s() - before >= own + 0.4 - 0.1


def test_a_process_that_lives_counts_with_its_children_by_what_the_kernel_tells_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrusage", lambda who: NOTHING)
    with parent() as (own, child):
        assert own + child - 0.1 <= cpu_s()
