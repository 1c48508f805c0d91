"""One Chromium in a process group of its own, with a watchdog outside the worker."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Self, TypeVar

from tallyman.errors import BrowserDied, ConfigurationError

T = TypeVar("T")

_FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-extensions",
    "--disable-back-forward-cache",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-default-apps",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-renderer-backgrounding",
    "--allow-pre-commit-input",
    "--metrics-recording-only",
    "--disable-features=Translate,OptimizationHints,MediaRouter,HttpsUpgrades,PaintHolding,AcceptCHFrame",
    "--password-store=basic",
    "--mute-audio",
)


def find_chromium(*, headed: bool = False) -> Path:
    """TALLYMAN_CHROMIUM, else Playwright's own build, else the system's. Raises ConfigurationError.

    Nobody sees a window of an unattended bot, so Chromium's shell without windows is taken where it is there: it loads
    the same pages with a quarter less work.
    """
    if named := os.environ.get("TALLYMAN_CHROMIUM"):
        return Path(named)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    shells = [] if headed else sorted(cache.glob("chromium_headless_shell-*/*/*headless[-_]shell"))
    if own := shells or sorted(cache.glob("chromium-*/chrome-linux*/chrome")):
        return own[-1]
    for name in (*([] if headed else ["chromium-headless-shell"]), "chromium", "google-chrome", "chromium-browser"):
        if found := which(name):
            return Path(found)
    raise ConfigurationError(
        "No Chromium was found.", advice="Install it: `playwright install chromium`, or Debian's package `chromium`."
    )


_STARTING = threading.Lock()


def starting_driver(start: Callable[[], T]) -> tuple[T, frozenset[int]]:
    """What `start` gives, and the process of Playwright's driver that it began (Linux; elsewhere none is known)."""
    with _STARTING:
        before = _drivers()
        return start(), _drivers() - before


def _drivers() -> frozenset[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and b"\0run-driver" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return frozenset(found)


class BrowserHost:
    """Starts Chromium and its watchdog. `url` is the DevTools address; `kill` ends the whole process group."""

    def __init__(self, *, headed: bool = False) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="tallyman-browser-", ignore_cleanup_errors=True)
        flags = [flag for flag in _FLAGS if not (headed and flag.startswith("--headless"))]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's own sandbox refuses to run as root
        command = [str(find_chromium(headed=headed)), *flags, f"--user-data-dir={self._profile.name}", "about:blank"]
        script = str(Path(__file__).with_name("watchdog.py"))
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", script, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.deadline(60)
        assert self._watchdog.stdout is not None
        self._group, _, self.url = self._watchdog.stdout.readline().strip().partition(" ")
        self.clear()
        if not self.url:
            self.kill()
            raise BrowserDied(f"{command[0]} did not start.", advice="Run `tallyman doctor`.")

    def deadline(self, seconds: float) -> None:
        """Kill the browser unless `clear` comes within `seconds`."""
        self._tell(f"deadline {seconds:.1f}")

    def clear(self) -> None:
        self._tell("clear")

    @property
    def alive(self) -> bool:
        return self._watchdog.poll() is None

    def kill(self) -> None:
        """End the process group, and return when it is gone: after this nothing of it can reach a target any more."""
        if self._watchdog.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the watchdog may be gone already
                self._watchdog.stdin.close()
        if self._watchdog.wait(timeout=30) < 0 and self._group:
            # The watchdog was killed itself; of a Chromium that a script had started, only the script died with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(self._group), signal.SIGKILL)
        if self._watchdog.stdout is not None:
            self._watchdog.stdout.close()
        self._profile.cleanup()

    def _tell(self, line: str) -> None:
        try:
            assert self._watchdog.stdin is not None
            self._watchdog.stdin.write(line + "\n")
            self._watchdog.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise BrowserDied() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
