"""Functions on strangers' files run in a child that can be killed."""

import contextlib
import ctypes
import errno
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyman.errors import PasswordNeeded, Quarantined, StorageFull, TechnicalError, Unreadable
from tallyman.platform.sandbox import Limits, _decode, call, pack_bytes, result_of, unpack_bytes
from tallyman.platform.sandbox_walls import missing
from tallyman.registry import ROOT

HERE = "tests.integration.test_reading_sandbox"
FAST = Limits(wall_s=10)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a process that a test starts find the tests' own functions."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def landlock() -> int:
    """The version of the kernel's Landlock; 0 or less where it has none."""
    return ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) if sys.platform.startswith("linux") else 0


def give_back(value: object) -> object:
    return value


def eat_memory() -> int:
    return len(bytearray(4 * 1024**3))


def sleep_with_a_child(mark: str) -> None:
    if os.fork() == 0:
        time.sleep(3)
        Path(mark).write_text("still alive")
    time.sleep(60)


def burn() -> None:
    while True:
        pass


def abort() -> None:
    os.abort()


def talk_much() -> str:
    return "x" * (3 * 1024 * 1024)


def refuse() -> None:
    raise PasswordNeeded("It is locked.", advice="Ask for the key.")


def stumble() -> None:
    raise KeyError("secret of the parser")


def lack(number: int) -> None:
    raise OSError(number, os.strerror(number))


def import_what_is_missing() -> None:
    import tallyman_has_no_such_module  # type: ignore[import-not-found] # noqa: F401


def die(by: int) -> None:
    os.kill(os.getpid(), by)


def open_sockets() -> list[str]:
    """The kinds of sockets that could be made."""
    made = []
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
        with contextlib.suppress(PermissionError), socket.socket(family, socket.SOCK_DGRAM):
            made.append(family.name)
    with contextlib.suppress(PermissionError):
        for one in socket.socketpair():
            one.close()
        made.append("a pair")
    return made


def write_to(path: str) -> str:
    Path("here").write_text("scratch", "utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        nowhere.write("nothing")
    try:
        Path(path).write_text("from a stranger", "utf-8")
    except PermissionError:
        return "refused"
    return "written"


def shorten(path: str) -> str:
    try:
        os.truncate(path, 0)
    except PermissionError:
        return "refused"
    return "cut"


def leave_the_group() -> list[str]:
    left = []
    for way in (os.setsid, lambda: os.setpgid(0, 0)):
        if os.fork() == 0:
            try:
                way()
            except PermissionError:
                os._exit(7)
            os._exit(0)
        left.append(os.waitstatus_to_exitcode(os.wait()[1]))
    return ["refused" if code == 7 else "left" for code in left]


def limits_of_a_program() -> dict[str, str]:
    """What a program that the child starts may use, as the kernel tells it."""
    told = subprocess.run(["cat", "/proc/self/limits"], capture_output=True, text=True, check=True).stdout
    wanted = ("Max address space", "Max cpu time", "Max file size", "Max open files", "Max core file size")
    return {
        name: line[len(name) :].split()[0] for name in wanted for line in told.splitlines() if line.startswith(name)
    }


def test_a_value_goes_in_and_comes_back() -> None:
    assert call(f"{HERE}:give_back", {"value": {"ä": [1, None]}}, FAST) == {"ä": [1, None]}
    assert unpack_bytes(pack_bytes(b"\x00\xff")) == b"\x00\xff"


def test_a_file_that_eats_memory_is_set_aside() -> None:
    with pytest.raises(Quarantined, match="memory"):
        call(f"{HERE}:eat_memory", {}, FAST)


def test_a_parser_that_aborts_takes_only_the_child_with_it() -> None:
    with pytest.raises(Quarantined):
        call(f"{HERE}:abort", {}, FAST)


def test_a_child_that_sleeps_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    started = time.monotonic()
    with pytest.raises(Quarantined, match="time"):
        call(f"{HERE}:sleep_with_a_child", {"mark": str(mark)}, Limits(wall_s=1.0))
    assert time.monotonic() - started < 2.9
    time.sleep(max(0.0, started + 4.2 - time.monotonic()))
    assert not mark.exists()


def test_endless_computing_is_stopped() -> None:
    with pytest.raises(Quarantined, match="computing time"):
        call(f"{HERE}:burn", {}, Limits(cpu_s=1, wall_s=20))


def test_an_endless_answer_is_cut_off() -> None:
    with pytest.raises(Quarantined, match="room"):
        call(f"{HERE}:talk_much", {}, Limits(result_mib=1))


def test_what_the_child_refuses_is_refused_here_with_its_advice() -> None:
    with pytest.raises(PasswordNeeded, match="locked") as refused:
        call(f"{HERE}:refuse", {}, FAST)
    assert refused.value.advice == "Ask for the key."


def test_a_fault_of_a_parser_is_an_unreadable_file_and_tells_no_details() -> None:
    with pytest.raises(Unreadable, match="KeyError") as unreadable:
        call(f"{HERE}:stumble", {}, FAST)
    assert "secret of the parser" not in str(unreadable.value)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.ENFILE, TechnicalError),
        (errno.EIO, TechnicalError),
        (errno.EMFILE, Quarantined),
        (errno.ENOMEM, Quarantined),
        (errno.EFBIG, Quarantined),
    ],
)
def test_what_the_machine_lacks_is_tried_again_and_a_limit_of_the_child_is_the_file_s_fault(
    number: int, told: type[Exception]
) -> None:
    with pytest.raises(told):
        call(f"{HERE}:lack", {"number": number}, FAST)


def test_a_part_that_is_not_installed_is_the_machine_s_trouble() -> None:
    with pytest.raises(TechnicalError, match="tallyman_has_no_such_module"):
        call(f"{HERE}:import_what_is_missing", {}, FAST)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_that_somebody_ends_says_nothing_about_its_file(by: signal.Signals) -> None:
    with pytest.raises(TechnicalError, match=by.name):
        call(f"{HERE}:die", {"by": by}, FAST)


def test_a_machine_where_no_scratch_folder_can_be_made_says_nothing_about_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(TechnicalError, match="gone"):
        call(f"{HERE}:give_back", {"value": 1}, FAST)


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are Linux's")


@linux
def test_the_child_has_no_sockets_of_any_kind() -> None:
    assert call(f"{HERE}:open_sockets", {}, FAST) == []
    assert len(open_sockets()) > 2


@linux
@pytest.mark.skipif(landlock() < 3, reason="this kernel has no Landlock, or an old one that lets files be cut")
def test_the_child_writes_into_its_scratch_folder_only(tmp_path: Path) -> None:
    assert call(f"{HERE}:write_to", {"path": str(tmp_path / "there")}, FAST) == "refused"
    assert not (tmp_path / "there").exists()
    (tmp_path / "books").write_text("full", "utf-8")
    assert call(f"{HERE}:shorten", {"path": str(tmp_path / "books")}, FAST) == "refused"
    assert (tmp_path / "books").read_text("utf-8") == "full"


@linux
def test_what_the_child_starts_can_not_leave_its_group() -> None:
    assert call(f"{HERE}:leave_the_group", {}, FAST) == ["refused", "refused"]


NEW_USER, NEW_FILES, NEW_NUMBERS = 0x10000000, 0x00020000, 0x20000000


def enter_new_spaces() -> list[str]:
    """What came of processes in namespaces of their own, of a mount by its newer calls, and of an honest process."""
    libc = ctypes.CDLL(None, use_errno=True)
    clone, open_tree = (56, 428) if platform.machine() == "x86_64" else (220, 428)
    told = []
    for flags in (NEW_USER | NEW_FILES, NEW_USER | NEW_NUMBERS, 0):
        child = libc.syscall(clone, flags | signal.SIGCHLD, None, None, None, None)
        if child == 0:
            os._exit(0)
        told.append("refused" if child < 0 and ctypes.get_errno() == errno.EPERM else "made")
    told.append("made" if libc.syscall(open_tree, -100, b"/", 1) >= 0 else "refused")
    return told


@linux
def test_the_child_enters_no_new_namespace_and_starts_processes_all_the_same() -> None:
    assert call(f"{HERE}:enter_new_spaces", {}, FAST) == ["refused", "refused", "made", "refused"]


@linux
@pytest.mark.skipif(landlock() < 1, reason="this kernel has no Landlock")
def test_the_walls_that_stand_are_told_and_those_that_do_not() -> None:
    assert call("tallyman.platform.sandbox_walls:missing", {}, FAST) == []
    assert len(missing()) == 2, "in a process that is not walled in"


@linux
def test_the_limits_hold_for_each_program_that_the_child_starts() -> None:
    assert call(f"{HERE}:limits_of_a_program", {}, Limits(memory_mib=300, cpu_s=9, file_mib=7)) == {
        "Max address space": str(300 * 1024**2),
        "Max cpu time": "9",
        "Max file size": str(7 * 1024**2),
        "Max open files": "256",
        "Max core file size": "0",
    }


def children() -> set[str]:
    """Our child processes now, also those that ended and that nobody has waited for."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.add(folder.name)
    return found


def test_no_child_is_left_behind() -> None:
    before = children()
    call(f"{HERE}:give_back", {"value": 1}, FAST)
    assert children() <= before
    assert signal.getsignal(signal.SIGCHLD) in (signal.SIG_DFL, None)


@pytest.mark.parametrize(
    "answer", [b"[" * 100_000, b"5", b"{}", b"[]", b'{"error": 5}', b'{"error": {}}', b'{"error": null}', b'"x"']
)
def test_what_a_child_that_was_taken_over_answers_is_no_error_of_ours(answer: bytes) -> None:
    with pytest.raises(Quarantined, match="never says"):
        result_of(_decode(answer, lambda: 0, FAST))


@pytest.mark.parametrize("by", [signal.SIGSEGV, signal.SIGRTMIN + 1])
def test_a_child_that_any_signal_ends_is_the_file_s_fault(by: int) -> None:
    with pytest.raises(Quarantined, match="broke"):
        call(f"{HERE}:die", {"by": int(by)}, FAST)


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """The first core computes for others most of the time."""
    program = "import os\nos.sched_setaffinity(0, {0})\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", program], start_new_session=True) for _ in range(9)]
    time.sleep(0.5)
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def burn_on_the_first_core() -> None:
    os.sched_setaffinity(0, {0})
    burn()


def sleep_on_the_first_core() -> None:
    os.sched_setaffinity(0, {0})
    time.sleep(60)


@linux
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not tell who waits for a core")
def test_a_machine_that_gives_a_child_no_time_says_nothing_about_its_file() -> None:
    hurried = Limits(wall_s=3)
    with busy_core():
        with pytest.raises(TechnicalError, match="so much to do"):
            call(f"{HERE}:burn_on_the_first_core", {}, hurried)
        with pytest.raises(Quarantined, match="time"):
            call(f"{HERE}:sleep_on_the_first_core", {}, hurried)


def test_a_template_that_hangs_is_replaced() -> None:
    program = f"import tests.integration.test_reading_sandbox as it; it.stop_the_template({HERE!r})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def stop_the_template(module: str) -> None:
    assert call(f"{module}:give_back", {"value": 1}, FAST) == 1
    os.kill(min(family(os.getpid())), signal.SIGSTOP)
    soon = Limits(wall_s=4)
    told: list[object] = []
    for value in range(4):  # a child that waited already takes the first one
        with contextlib.suppress(TechnicalError):
            told.append(call(f"{module}:give_back", {"value": value}, soon))
    assert told == [0, 2, 3]


def family(number: int) -> list[int]:
    """The children of a process, theirs, and so on, as far as they run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if parent == str(number) and state != "Z":
                found += [int(folder.name), *family(int(folder.name))]
    return found


def test_a_child_that_is_killed_while_it_waits_for_a_call_is_replaced() -> None:
    program = f"import tests.integration.test_reading_sandbox as it; it.kill_the_waiting_child({HERE!r})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def kill_the_waiting_child(module: str) -> None:
    """In a process of its own: what others call at the same time must not be killed."""
    assert call(f"{module}:give_back", {"value": 1}, FAST) == 1
    template, *_ = mine = sorted(family(os.getpid()))
    deadline = time.monotonic() + 5
    while len(mine) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
        template, *_ = mine = sorted(family(os.getpid()))
    for number in mine:
        if number != template:
            os.kill(number, signal.SIGKILL)
    assert call(f"{module}:give_back", {"value": 2}, FAST) == 2


def test_nothing_waits_any_longer_when_the_parent_is_killed() -> None:
    program = f"""
import os, signal, time
import tests.integration.test_reading_sandbox as it
it.call("{HERE}:give_back", {{"value": 1}}, it.FAST)
time.sleep(0.5)
print(*it.family(os.getpid()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=30, check=False).stdout
    left = told.decode().split()
    assert len(left) == 3  # the template, the child that waits, and who watches it
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(map(runs, left)):
        time.sleep(0.01)
    assert not any(map(runs, left))


def runs(number: str) -> bool:
    with contextlib.suppress(OSError):
        return Path("/proc", number, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_the_process_that_is_forked_for_each_file_has_one_thread(tmp_path: Path) -> None:
    """A fork of one with several could hang: it has the locks of the others, and not the others."""
    file = tmp_path / "a.xml"
    file.write_text("<Invoice/>")
    program = f"""
import os
from pathlib import Path
import tests.integration.test_reading_sandbox as it
from ocr.reader import READER
READER.read(Path({str(file)!r}))
for number in it.family(os.getpid()):
    try:
        print(len(os.listdir(f"/proc/{{number}}/task")))
    except FileNotFoundError:  # a child that has answered is put away meanwhile
        pass
"""
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=30, check=True).stdout
    assert set(told.decode().split()) == {"1"}
