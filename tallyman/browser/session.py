"""One thread, one browser, one logged-in session of one system: whoever needs the system calls into it.

Playwright's sync API belongs to the thread that started it, and a legacy system allows one session per user; so one
thread per (system, user) holds both, and calls are worked off in order. A call that hangs is ended from outside.
"""

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Playwright, sync_playwright

from tallyman.browser.element_map import load
from tallyman.browser.failures import translated
from tallyman.browser.host import BrowserHost, starting_driver
from tallyman.browser.tab import Tab, new_tab
from tallyman.contracts.system import Access, Session, System
from tallyman.errors import BrowserDied, LoginFailed, SystemDown, TechnicalError

T = TypeVar("T")


LOGIN_PAUSE_S = 600.0
"""How long a refused password is not tried again unless it was changed."""
_OPENING_S = 60.0
_SILENCE_S = 30.0
"""A browser that answers nothing for so long hangs, however much time its call has left. No single wait of ours for it
is longer: see `screen_timeout_s`."""
_GRACE_S = 15.0
"""Beyond a call's own time: the watchdog should have ended it by then, so what hangs is no browser but its driver."""

Guard = Callable[[threading.Event], contextlib.AbstractContextManager[None]]
"""Stands around each call, opening the session included: it may raise before the call, and learns how it ended. While
it waits it obeys the event, which says that the session is to end."""


def unguarded(_stopping: threading.Event) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


class SessionThread:
    """The session of one system. `call` runs a function with the open session in its thread."""

    def __init__(
        self,
        system: System,
        maps: Path,
        settings: Mapping[str, str],
        secret: Callable[[str], str],
        *,
        headed: bool = False,
        screen_timeout_s: float = 15.0,
        guard: Guard = unguarded,
    ) -> None:
        self._system = system
        self._maps = load(maps) if system.capabilities.needs_browser else {}
        self._settings = settings
        self._secret = secret
        self._headed = headed
        self._screen_timeout_s = screen_timeout_s
        self._guard = guard
        self._stopping = threading.Event()
        self._host: BrowserHost | None = None
        self._playwright: Playwright | None = None
        self._driver: frozenset[int] = frozenset()
        self._session: Session | None = None
        self._tab: Tab | None = None
        self._hung = False
        self._until = 0.0
        self._closed = False
        self._refused: tuple[LoginFailed, dict[str, str], float] | None = None
        self._read: dict[str, str] = {}
        self._calls: queue.SimpleQueue[
            tuple[Future[Any], Callable[[Any], Any] | None, float, threading.Event] | None
        ] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"session-{system.name}", daemon=True)
        self._thread.start()

    def call(self, use: Callable[[Any], T], *, timeout_s: float = 120.0) -> T:
        """Run `use(session)`; opens the session when there is none. Raises what `use` raises, or BrowserDied."""
        if self._closed:
            raise BrowserDied("The session was ended.")
        if self._hung:
            raise SystemDown(f"{self._system.name} hangs; restart the worker.")
        future: Future[T] = Future()
        began = threading.Event()
        self._calls.put((future, use, timeout_s, began))
        self._refuse_what_is_left()
        began.wait()  # those before us end by their own time-outs; our clock starts when our turn comes
        try:
            return future.result(timeout_s + _GRACE_S)
        except FutureTimeout as error:
            self._hung = self._host is None  # no browser to kill: nothing can end this thread's call
            self.kill()
            raise BrowserDied("The browser hung and was stopped.") from error

    def open_soon(self) -> None:
        """Begin to log in, if nobody has; what goes wrong is told to the next call."""
        if self._session is None and self._calls.empty():
            self._calls.put((Future(), lambda _session: None, _OPENING_S, threading.Event()))

    def snapshot(self) -> bytes | None:
        """PNG of what the session shows now; None without a browser. Only within `call`, in the session's thread."""
        return self._tab.screenshot() if self._tab is not None else None

    def discard(self) -> None:
        """End the session and its browser; the next call opens a new one. Returns when the browser is dead."""
        done: Future[None] = Future()
        self._calls.put((done, None, 0.0, threading.Event()))
        self._refuse_what_is_left()
        done.result()

    def kill(self) -> None:
        """End the browser from outside. After this nothing of it can reach the target."""
        if self._host is not None:
            self._host.kill()
        for pid in self._driver:  # one that hangs would keep its caller waiting although the browser is gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self, *, patience_s: float = 30.0) -> None:
        """Log out, close the browser and end the thread; a call that is under way is waited for, then ended."""
        self._stopping.set()
        self._calls.put(None)
        self._thread.join(patience_s)
        self.kill()

    def _refuse_what_is_left(self) -> None:
        """What was put in after the end is answered by nobody else."""
        if not self._closed:
            return
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._calls.get_nowait()
                if item is not None:
                    item[3].set()
                    item[0].set_exception(BrowserDied("The session was ended."))

    # -- in the thread

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, use, timeout_s, began = item
            try:
                if use is None:
                    self._end()
                    future.set_result(None)
                    continue
                with self._guard(self._stopping):
                    began.set()
                    result = self._carry_out(use, timeout_s)
                future.set_result(result)
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who decides
                future.set_exception(error)
            finally:
                began.set()
        self._closed = True
        self._refuse_what_is_left()
        self._end()

    def _carry_out(self, use: Callable[[Any], T], timeout_s: float) -> T:
        try:
            session = self._open()
            self._until = time.monotonic() + timeout_s
            self._answered()
            with translated():
                return use(session)
        except TechnicalError:
            self._end()  # a new one is opened by the next call: nothing that is half done is carried on
            raise
        finally:
            if self._host is not None and self._host.alive:
                self._host.clear()

    def _open(self) -> Session:
        if self._session is None:
            self._refuse_again()
            access = Access(
                system=self._system.name, settings=self._settings, secret=self._remembering, tab=self._open_tab
            )
            try:
                self._session = self._system.open(access)
            except LoginFailed as error:
                self._refused = (error, self._read, time.monotonic())
                self._end()
                raise
        return self._session

    def _answered(self) -> None:
        """The browser is alive: it may be silent for a while again, within the time of the call."""
        left = self._until - time.monotonic()
        if self._host is not None and left > 0:
            self._host.deadline(min(_SILENCE_S, left))

    def _remembering(self, name: str) -> str:
        self._read[name] = value = self._secret(name)
        return value

    def _refuse_again(self) -> None:
        """After a refusal the same password is not tried again soon: a third try would lock the account."""
        if self._refused is not None:
            error, read, at = self._refused
            unchanged = all(self._secret(name) == value for name, value in read.items())
            if unchanged and time.monotonic() - at < LOGIN_PAUSE_S:
                raise LoginFailed(str(error))
        self._refused = None
        self._read = {}

    def _open_tab(self) -> Tab:
        if self._tab is None:
            self._host = BrowserHost(headed=self._headed)
            self._host.deadline(60)
            playwright, self._driver = starting_driver(sync_playwright().start)
            self._playwright = playwright
            with translated():
                browser: Browser = playwright.chromium.connect_over_cdp(self._host.url)
                context = browser.new_context(accept_downloads=True, locale="en-GB")
            self._tab = new_tab(context, self._maps, timeout_s=self._screen_timeout_s, answered=self._answered)
        return self._tab

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None and (self._host is None or self._host.alive):
            try:
                if self._host is not None:
                    self._host.deadline(10)
                session.close()
            except Exception:  # noqa: BLE001, S110 - logging out is a courtesy; the browser is killed below in any case
                pass
        self._tab = None
        if self._host is not None:
            self._host.kill()
            self._host = None
        if self._playwright is not None:
            with contextlib.suppress(Exception):  # its driver may be dead already
                self._playwright.stop()
            self._playwright = None
            self._driver = frozenset()
