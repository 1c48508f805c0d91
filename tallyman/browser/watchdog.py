"""Runs Chromium in a process group of its own, and kills the whole group when told, when late, or when orphaned.

Started by tallyman.browser.host as a bare script, so it imports the standard library only. Protocol, one line each:
stdin   `deadline SECONDS`  kill unless another line comes within SECONDS
        `clear`             no deadline
        end of file         our parent is gone or done: kill
stdout  the process group of Chromium and the DevTools URL, once Chromium has it; then nothing.

Why outside the worker: a Playwright call can hang for ever after a crash of Chromium, and a worker that was killed with
-9 kills nothing. This process does both: whoever waits on the browser gets an error, and no orphan keeps a session.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time


def main() -> int:
    chromium = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        _watch(chromium)
    finally:
        _kill(chromium.pid)
        chromium.wait()
    return 0


def _watch(chromium: "subprocess.Popen[bytes]") -> None:
    stdin, stderr = sys.stdin.fileno(), chromium.stderr.fileno()  # type: ignore[union-attr]
    deadline: float | None = None
    told, commands, errors = False, b"", b""
    waiting = [stdin, stderr]
    while chromium.poll() is None:
        wait = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
        if deadline is not None and wait <= 0:
            return
        ready, _, _ = select.select(waiting, [], [], wait)
        if stdin in ready:
            part = os.read(stdin, 4096)
            if not part:
                return
            *lines, commands = (commands + part).split(b"\n")
            for line in lines:
                deadline = time.monotonic() + float(line.split()[1]) if line.startswith(b"deadline") else None
        if stderr in ready:
            part = os.read(stderr, 65536)
            if not part:
                waiting.remove(stderr)
            if not told:
                errors += part
                for line in errors.split(b"\n")[:-1]:
                    if b"DevTools listening on " in line:
                        print(chromium.pid, line.split(b"listening on ")[1].decode().strip(), flush=True)
                        told = True


def _die_with_parent() -> None:
    """Let the kernel kill Chromium when this watchdog itself is killed (Linux; elsewhere the group stays behind)."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends our parent; its end of file then ends us
    sys.exit(main())
