"""Children that stay: a machine's trouble is no document's, and none of them outlives its parent."""

import errno
import fcntl
import mmap
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallyman.errors import Quarantined, StorageFull, TechnicalError, Unreadable
from tallyman.platform import kept, sandbox
from tallyman.platform.kept import Budget, KeptChildren, Turns
from tallyman.platform.sandbox import Limits
from tallyman.platform.scratch import Scratch, sweep, sweep_parts
from tallyman.registry import ROOT

HERE = "tests.integration.test_reading_kept"
_left: list[object] = []
"""What a page leaves behind in a child."""


def number() -> int:
    _left.append("something")
    return os.getpid()


def size(value: str) -> int:
    return len(value)


def grow(mib: int) -> None:
    _left.append(mmap.mmap(-1, mib * 1024 * 1024))


def fail_where_something_is_left(by: int) -> int:
    if not _left:
        return os.getpid()
    if by:
        os.kill(os.getpid(), by)
    raise MemoryError


def give_what_is_no_json() -> bytes:
    return b""


def say(told: str) -> None:
    """An answer of whoever took the child over; the real one comes after it."""
    os.write(int(sys.argv[1]), told.encode())


def say_more_later(told: str) -> None:
    threading.Timer(0.2, say, [told]).start()


def die(by: int) -> None:
    os.kill(os.getpid(), by)


def lack(number: int) -> None:
    raise OSError(number, os.strerror(number))


def import_what_is_missing() -> None:
    import tallyman_has_no_such_module  # type: ignore[import-not-found] # noqa: F401


def work(seconds: float) -> None:
    time.sleep(seconds)


def work_for_long(mark: str) -> None:
    Path(mark).write_text(f"{os.getpid()} {os.getcwd()}", "utf-8")
    subprocess.run(["sleep", "60"], check=False)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a process that a test starts find the tests' own functions."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def children() -> Iterator[KeptChildren]:
    kept = KeptChildren(Turns(1), Limits(memory_mib=2048, cpu_s=100, wall_s=30.0))
    yield kept
    kept.close()


def is_gone(process: int) -> bool:
    try:
        told = Path(f"/proc/{process}/stat").read_text("utf-8")
    except FileNotFoundError:
        return True
    return told.rpartition(")")[2].split()[0] in "ZX"


def wait_until_gone(process: int, within_s: float) -> None:
    until = time.monotonic() + within_s
    while not is_gone(process):
        assert time.monotonic() < until, f"{process} still lives"
        time.sleep(0.02)


def test_a_child_that_was_killed_while_it_was_idle_is_replaced_and_no_page_hears_of_it(children: KeptChildren) -> None:
    first = children.call(f"{HERE}:number", {})
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)  # all its threads are gone, and it can be waited for again
    assert children.call(f"{HERE}:number", {}) != first


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_that_somebody_ends_in_the_midst_of_a_page_says_nothing_about_the_page(
    children: KeptChildren, by: signal.Signals
) -> None:
    with pytest.raises(TechnicalError, match=by.name):
        children.call(f"{HERE}:die", {"by": by})


def test_a_page_that_breaks_the_program_is_still_the_page_s_fault(children: KeptChildren) -> None:
    with pytest.raises(Unreadable, match="broke"):
        children.call(f"{HERE}:die", {"by": signal.SIGSEGV})


def test_a_page_that_takes_too_long_is_the_page_s_fault_and_it_is_not_read_again() -> None:
    children = KeptChildren(Turns(1), Limits(memory_mib=2048, cpu_s=100, wall_s=2.0))
    children.call(f"{HERE}:number", {})
    started = time.monotonic()
    with pytest.raises(Unreadable, match="longer"):
        children.call(f"{HERE}:work", {"seconds": 60})
    assert time.monotonic() - started < 3.5
    children.close()


def test_a_child_that_has_grown_is_replaced_before_it_finds_no_room_for_a_page(children: KeptChildren) -> None:
    first = children.call(f"{HERE}:number", {})
    assert children.call(f"{HERE}:number", {}) == first
    children.call(f"{HERE}:grow", {"mib": 1700})
    assert children.call(f"{HERE}:number", {}) != first


@pytest.mark.parametrize("by", [0, signal.SIGSEGV, signal.SIGABRT])
def test_a_page_that_fails_in_a_child_that_has_read_others_is_read_by_a_new_one(
    children: KeptChildren, by: int
) -> None:
    first = children.call(f"{HERE}:number", {})
    assert children.call(f"{HERE}:fail_where_something_is_left", {"by": by}) != first


def test_an_answer_that_can_not_be_written_down_is_told_as_any_other_failure(children: KeptChildren) -> None:
    with pytest.raises(Unreadable, match="TypeError"):
        children.call(f"{HERE}:give_what_is_no_json", {})


@pytest.mark.parametrize(
    "told",
    [
        "5\n",
        "[]\n",
        '"x"\n',
        "{\n",
        "[" * 100_000 + "\n",
        '{"error": "x"}\n',
        '{"error": []}\n',
        '{"result": 1}\n{"result": 2}\n',
    ],
)
def test_what_a_child_that_was_taken_over_answers_is_no_error_of_ours_and_it_reads_nothing_more(
    children: KeptChildren, told: str
) -> None:
    with pytest.raises(Quarantined, match="never says"):
        children.call(f"{HERE}:say", {"told": told})
    assert children.call(f"{HERE}:number", {}) > 2


def test_what_a_child_says_unasked_is_no_answer_to_the_next_page(children: KeptChildren) -> None:
    children.call(f"{HERE}:say_more_later", {"told": '{"result": 2}\n'})
    time.sleep(0.6)
    assert children.call(f"{HERE}:number", {}) > 2


def test_a_child_that_does_not_take_what_it_is_asked_holds_nobody_up() -> None:
    children = KeptChildren(Turns(1), Limits(memory_mib=2048, cpu_s=100, wall_s=6.0))
    os.kill(children.call(f"{HERE}:number", {}), signal.SIGSTOP)
    much = "x" * (1024 * 1024)
    with pytest.raises(Unreadable, match="longer"):
        children.call(f"{HERE}:size", {"value": much})
    assert children.call(f"{HERE}:size", {"value": much}) == len(much)
    children.close()


def refuse(*_args: object, **_options: object) -> None:
    raise OSError(errno.EMFILE, "too many open files")


def nothing_is_left(folder: Path) -> Callable[[], bool]:
    open_before = set(os.listdir("/proc/self/fd"))
    return lambda: not os.listdir(folder) and set(os.listdir("/proc/self/fd")) == open_before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not tell what is open")
@pytest.mark.parametrize("missing", ["subprocess.Popen", "os.pipe"])
def test_a_child_that_can_not_be_started_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: KeptChildren, missing: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nothing_left = nothing_is_left(tmp_path)
    monkeypatch.setattr(missing, refuse)
    with pytest.raises(TechnicalError, match="too many open files") as lacking:
        children.call(f"{HERE}:number", {})
    assert nothing_left(), lacking


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not tell what is open")
def test_a_scratch_folder_that_can_not_be_locked_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(fcntl, "flock", refuse)
    nothing_left = nothing_is_left(tmp_path)
    with pytest.raises(OSError, match="too many open files") as lacking:
        Scratch()
    assert nothing_left(), lacking


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.EIO])
def test_what_the_machine_lacks_is_tried_again_by_a_new_child(children: KeptChildren, number: int) -> None:
    first = children.call(f"{HERE}:number", {})
    with pytest.raises(TechnicalError) as lacking:
        children.call(f"{HERE}:lack", {"number": number})
    assert isinstance(lacking.value, StorageFull) is (number in (errno.ENOSPC, errno.EDQUOT))
    assert children.call(f"{HERE}:number", {}) != first


def test_a_part_that_is_not_installed_is_the_machine_s_trouble(children: KeptChildren) -> None:
    with pytest.raises(TechnicalError, match="tallyman_has_no_such_module"):
        children.call(f"{HERE}:import_what_is_missing", {})


def test_a_file_whose_pages_take_too_long_together_is_set_aside(children: KeptChildren) -> None:
    roomy, tight = Budget(600), Budget(0.2)
    for budget in (roomy, roomy, tight):
        children.call(f"{HERE}:work", {"seconds": 0.3}, budget)
    with pytest.raises(Quarantined, match="longer"):
        children.call(f"{HERE}:work", {"seconds": 0.0}, tight)
    children.call(f"{HERE}:work", {"seconds": 0.0}, roomy)


@pytest.fixture
def long_work(monkeypatch: pytest.MonkeyPatch) -> Budget:
    monkeypatch.setattr(kept, "_LONG_S", 0.05)
    budget = Budget(60.0)
    with budget.spent():
        time.sleep(0.1)
    return budget


def test_work_that_is_long_leaves_a_turn_to_others_as_long_as_there_are_some(
    monkeypatch: pytest.MonkeyPatch, long_work: Budget
) -> None:
    monkeypatch.setattr(kept, "_OTHERS_S", 3.0)
    turns = Turns(2)
    began = threading.Event()

    def work_on() -> None:
        with turns.turn(long_work):
            began.set()

    with turns.turn(long_work):
        with turns.turn(Budget(60.0)):
            pass
        more = threading.Thread(target=work_on)
        more.start()
        assert not began.wait(1.0)
        with turns.turn(Budget(60.0)):  # at once, though the other one waited first
            assert not began.is_set()
        assert began.wait(10.0)  # others asked for nothing more
    more.join()


def test_who_came_first_gets_the_next_turn_and_long_work_comes_last(long_work: Budget) -> None:
    turns = Turns(1)
    had: list[str] = []

    def wait(name: str) -> None:
        with turns.turn(long_work if name.startswith("long") else Budget(60.0)):
            had.append(name)

    waiting = [threading.Thread(target=wait, args=(name,)) for name in ("long 1", "short 1", "long 2", "short 2")]
    with turns.turn(None):
        for number, one in enumerate(waiting, 1):
            one.start()
            while len(turns._long) + len(turns._short) < number:
                time.sleep(0.01)
    for one in waiting:
        one.join(20)
    assert had == ["short 1", "short 2", "long 1", "long 2"]


def test_long_work_gets_a_turn_though_others_never_cease_to_come(
    monkeypatch: pytest.MonkeyPatch, long_work: Budget
) -> None:
    monkeypatch.setattr(kept, "_PATIENCE_S", 1.0)
    turns = Turns(2)
    began, ended = threading.Event(), threading.Event()

    def work_on() -> None:
        with turns.turn(long_work):
            began.set()

    def come_again_and_again() -> None:
        while not ended.is_set():
            with turns.turn(Budget(60.0)):
                ended.wait(0.05)

    threads = [threading.Thread(target=come_again_and_again) for _ in range(4)]
    threads.append(threading.Thread(target=work_on))
    for one in threads:
        one.start()
    try:
        assert not began.wait(0.5)
        assert began.wait(10.0)
    finally:
        ended.set()
        for one in threads:
            one.join(20)


def test_who_is_interrupted_while_waiting_leaves_the_turn_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(1)
    with turns.turn(None), monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "wait", refuse)
        with pytest.raises(OSError, match="too many open files"), turns.turn(None):
            pass
    with turns.turn(None):
        pass


def test_a_file_is_long_when_its_pages_took_long_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_LONG_S", 0.05)
    budget = Budget(60.0)
    assert not budget.is_long
    for _ in range(2):
        with budget.spent():
            time.sleep(0.03)
    assert budget.is_long


def test_a_process_with_thousands_of_open_files_reads_all_the_same() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[1] != resource.RLIM_INFINITY and limit[1] < 2048:
        pytest.skip("This machine allows no process so many open files.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, limit[1]))
    kept_open = []
    children = KeptChildren(Turns(1), Limits(memory_mib=2048, cpu_s=100, wall_s=30.0))
    try:
        kept_open = [os.dup(0) for _ in range(1100)]
        assert children.call(f"{HERE}:size", {"value": "four"}) == 4
        assert children.call(f"{HERE}:size", {"value": "four"}) == 4
        assert sandbox.call(f"{HERE}:size", {"value": "four"}) == 4
    finally:
        for one in kept_open:
            os.close(one)
        children.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_a_child_dies_with_its_parent_in_the_midst_of_a_page_and_its_folder_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "from tallyman.platform.kept import KeptChildren, Turns; from tallyman.platform.sandbox import Limits\n"
        "kept = KeptChildren(Turns(1), Limits(memory_mib=2048, cpu_s=100, wall_s=60))\n"
        f"kept.call('{HERE}:work_for_long', dict(mark='working'))"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    until = time.monotonic() + 20
    while not (marks := [mark for mark in tmp_path.glob("*/working") if mark.read_text("utf-8")]):
        assert time.monotonic() < until
        time.sleep(0.05)
    child, folder = marks[0].read_text("utf-8").split(" ", 1)
    os.utime(folder, (0, 0))
    sweep()
    assert Path(folder).exists(), "its parent lives"
    parent.kill()
    parent.wait()
    wait_until_gone(int(child), 5)
    sweep()
    assert not Path(folder).exists()


def test_parts_of_files_that_a_killed_process_has_left_are_swept_when_they_are_old(tmp_path: Path) -> None:
    folder = tmp_path / "ab"
    folder.mkdir()
    old, young, whole = folder / "abc.12-ff.part", folder / "abd.12-ff.part", folder / "abc"
    for file in (old, young, whole):
        file.write_text("a part", "utf-8")
    for file in (old, whole):
        os.utime(file, (0, 0))
    sweep_parts(tmp_path)
    assert sorted(folder.iterdir()) == [whole, young]
    sweep_parts(tmp_path / "not there yet")


def test_a_sweep_leaves_what_is_young_and_what_is_another_program_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Scratch() as name:
        kept = [Path(name), tmp_path / "tallyman-scratch-young", tmp_path / "another"]
        kept[1].mkdir()
        kept[2].mkdir()
        for folder in (kept[0], kept[2]):
            os.utime(folder, (0, 0))
        sweep()
        assert all(folder.exists() for folder in kept)
    assert not Path(name).exists()
