"""Functions on strangers' files run in a child that can be killed."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tallyman.errors import PasswordNeeded, Quarantined, Unreadable
from tallyman.platform.sandbox import Limits, call, pack_bytes, unpack_bytes

HERE = "tests.integration.test_reading_sandbox"
FAST = Limits(wall_s=10)


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


def networks() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def call_home(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        return "connected"


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


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root is sure to get a network of its own")
def test_the_child_has_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Unreadable):
        call(f"{HERE}:call_home", {"port": server.getsockname()[1]}, FAST)
    assert call(f"{HERE}:networks", {}, FAST) == ["lo"]


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
