"""One tab of a session, and the screens that stand in it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, ElementHandle, Frame, Page, Response, Route
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tallyman.browser.element_map import Contract, Element, ElementMap
from tallyman.contracts.system import Permit
from tallyman.errors import BrowserDied, PageChanged, SessionLost, SystemDown

_SCRIPT = Path(__file__).with_name("locate.js").read_text("utf-8")
_MARK = "__tallyman_before"
_READ = (
    "el => el.tagName === 'SELECT' ? (el.selectedOptions[0]?.text ?? '')"
    " : 'value' in el && el.tagName !== 'BUTTON' ? el.value : el.innerText"
)
_POLL_MS = 15
_LOST_S = 1.0
"""How often a wait for an element looks whether the session has ended."""


@contextmanager
def translated() -> Iterator[None]:
    """Playwright's errors as ours: a dead browser, else a system that does not answer."""
    try:
        yield
    except PlaywrightTimeout as error:
        raise SystemDown("The system did not answer in time.") from error
    except PlaywrightError as error:
        if "closed" in error.message or "crash" in error.message.lower() or "disconnected" in error.message:
            raise BrowserDied() from error
        if "net::ERR" in error.message or "ERR_" in error.message:
            code = re.search(r"ERR_\w+", error.message)
            raise SystemDown(f"The system can't be reached ({code.group() if code else 'network error'}).") from error
        raise SystemDown("The screen went away while we worked on it.") from error


@dataclass(frozen=True)
class Row:
    """One row of a table: the cells' texts by our names, and where the links in them lead."""

    index: int
    cells: Mapping[str, str]
    links: Mapping[str, str | None]


class Tab:
    """A browser tab of one system.

    `maps` are the system's element maps by screen. `login_screen` names the one that tells a lost session: when an
    element is not found and that screen's elements are there instead, SessionLost is raised, else PageChanged.
    """

    def __init__(
        self,
        page: Page,
        maps: Mapping[str, ElementMap],
        *,
        login_screen: str = "login",
        timeout_s: float = 15.0,
    ) -> None:
        self._page = page
        self._maps = maps
        self._login = maps.get(login_screen)
        self.timeout_ms = timeout_s * 1000
        self._statuses: dict[Frame, int] = {}
        self._expected: list[re.Pattern[str]] = []
        self._dialogs: list[str] = []
        page.on("dialog", self._on_dialog)
        page.on("response", self._on_response)

    # -- moving about

    def goto(self, url: str) -> None:
        """Open a URL. Raises SystemDown when it can't be reached or answers with a server error."""
        with translated():
            response = self._page.goto(url, wait_until="load", timeout=self.timeout_ms)
        self._check_status(response.status if response else 200)

    def screen(self, name: str, *, wait: bool = True) -> "Screen":
        """The screen of this name, once its `ready` elements are there. Raises PageChanged or SessionLost."""
        screen = Screen(self, self._maps[name])
        if wait:
            screen.ready()
        return screen

    @property
    def url(self) -> str:
        return self._page.url

    def fetch(self, url: str) -> bytes:
        """Download a URL with the session's cookies, without leaving the page. Raises SystemDown."""
        with translated():
            response = self._page.context.request.get(url, timeout=self.timeout_ms)
            self._check_status(response.status)
            return response.body()

    @contextmanager
    def popup(self, *, timeout_s: float = 15.0) -> Iterator["PopUp"]:
        """`with tab.popup() as popup: screen.press("look_up", redraws=False)`; then popup.tab is the new window."""
        found = PopUp(self._maps, timeout_s)
        self._page.on("popup", found.take)
        try:
            yield found
        finally:
            self._page.remove_listener("popup", found.take)

    def wait(self, true: Callable[[], bool], *, timeout_s: float | None = None) -> bool:
        """Poll a condition, letting the page's events run. False when the time is over."""
        end = time.monotonic() + (timeout_s if timeout_s is not None else self.timeout_ms / 1000)
        with translated():
            while not true():
                if time.monotonic() >= end:
                    return False
                self._page.wait_for_timeout(_POLL_MS)
        return True

    def wait_in_session(self, true: Callable[[], bool]) -> bool:
        """As `wait`, but raises SessionLost as soon as a login form stands in the page instead."""
        looked = time.monotonic()

        def look() -> bool:
            nonlocal looked
            if true():
                return True
            if time.monotonic() - looked >= _LOST_S:
                looked = time.monotonic()
                if self.session_lost():
                    raise SessionLost()
            return False

        return self.wait(look)

    def close(self) -> None:
        with translated():
            self._page.close()

    @property
    def closed(self) -> bool:
        return self._page.is_closed()

    # -- dialogs

    @contextmanager
    def expecting_dialog(self, pattern: str) -> Iterator[None]:
        """Accept a dialog whose text matches; any other is dismissed and stops the work."""
        compiled = re.compile(pattern, re.IGNORECASE)
        self._expected.append(compiled)
        try:
            yield
        finally:
            self._expected.remove(compiled)

    def _on_dialog(self, dialog: Dialog) -> None:
        if any(pattern.search(dialog.message) for pattern in self._expected):
            dialog.accept()
            return
        self._dialogs.append(dialog.message)
        dialog.dismiss()

    def check_dialogs(self) -> None:
        """Raises PageChanged if the page asked or told something that nobody expected; it was dismissed."""
        if self._dialogs:
            message, self._dialogs = self._dialogs[0], []
            raise PageChanged(f"The page opened a message that is not known: {message[:200]!r}. It was dismissed.")

    # -- evidence

    def screenshot(self) -> bytes:
        """PNG of the page; passwords are masked."""
        with translated():
            secret = self._page.locator("input[type=password]")
            return self._page.screenshot(mask=[secret], timeout=self.timeout_ms)

    # -- frames

    def frame(self, name: str | None) -> Frame:
        """The frame of this name, waited for, since framesets attach late. Raises PageChanged or SessionLost."""
        if name is None:
            return self._page.main_frame
        found: list[Frame] = []

        def there() -> bool:
            found[:] = [frame for frame in self._page.frames if frame.name == name and not frame.is_detached()]
            return bool(found)

        if not self.wait_in_session(there):
            raise PageChanged(f"There is no frame {name!r}.")
        return found[-1]

    def session_lost(self) -> bool:
        """Whether a login form stands in any frame: some systems answer so, with status 200 and no redirect."""
        if self._login is None:
            return False
        wanted = list(self._login.elements.values())
        return any(all(_locate(frame, element, None)[0] for element in wanted) for frame in self._page.frames)

    @contextmanager
    def one_request(self) -> Iterator[None]:
        """Let one navigation leave the browser, and that one once.

        Chromium sends a POST again by itself when a connection that was kept alive is cut before any answer, and a
        page's script may submit twice: one click, two records. So we send it ourselves, without redirects and without
        retries; a second one is aborted.
        """
        sent: list[str] = []

        def handle(route: Route) -> None:
            if not route.request.is_navigation_request():
                route.fallback()
                return
            sent.append(route.request.method)
            if len(sent) > 1:
                route.abort()
                return
            try:
                route.fulfill(response=route.fetch(max_redirects=0, max_retries=0, timeout=self.timeout_ms))
            except PlaywrightError:
                route.abort()  # no answer: whether the target stored it is for the search to say

        self._page.route("**/*", handle)
        try:
            yield
        finally:
            with suppress(PlaywrightError):  # the browser may have died meanwhile
                self._page.unroute("**/*", handle)

    def _on_response(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request():
            self._statuses[request.frame] = response.status

    def status(self, frame: Frame) -> int:
        return self._statuses.get(frame, 200)

    def _check_status(self, status: int) -> None:
        if status >= 500:
            raise SystemDown(f"The system answered with the error {status}.")
        if status >= 400:
            raise PageChanged(f"The page is not there any more (status {status}).")


class PopUp:
    """A window that a press opened."""

    def __init__(self, maps: Mapping[str, ElementMap], timeout_s: float) -> None:
        self._maps = maps
        self._timeout_s = timeout_s
        self._pages: list[Page] = []

    def take(self, page: Page) -> None:
        self._pages.append(page)

    def tab(self, opener: Tab) -> Tab:
        """The window as a tab. Raises PageChanged when none opened."""
        if not opener.wait(lambda: bool(self._pages), timeout_s=self._timeout_s):
            raise PageChanged("The window that was expected did not open.")
        return Tab(self._pages[0], self._maps)


class Screen:
    """One screen of a system, driven by its element map. Every verb raises PageChanged, SessionLost or SystemDown."""

    def __init__(self, tab: Tab, element_map: ElementMap) -> None:
        self.tab = tab
        self._map = element_map

    def ready(self) -> None:
        """Wait until the document is complete and the elements that stand at its end are there."""
        for name in self._map.ready:
            self._find(name, None)
        frame = self.tab.frame(self._map.frame)
        self.tab.wait(lambda: frame.evaluate("document.readyState") == "complete")

    def present(self, name: str, n: int | str | None = None) -> bool:
        """Whether the element is there now; does not wait."""
        with translated():
            return _locate(self.tab.frame(self._map.frame), self._element(name), n)[0] is not None

    def fill(self, name: str, value: str, n: int | str | None = None) -> None:
        element = self._find(name, n)
        with translated():
            element.fill(value, force=True, timeout=self.tab.timeout_ms)

    def choose(self, name: str, option: str, n: int | str | None = None, *, redraws: bool = False) -> None:
        """Pick the option of a select by its text or its value. Raises PageChanged when there is no such option."""
        element = self._find(name, n)
        with translated():
            options = self.options(name, n)
            value = next((value for value, text in options.items() if option in (text, value)), None)
            if value is None:
                raise PageChanged(f"{self._map.screen}.{name} has no option {option!r}.")
            with self._redrawing(redraws, None):
                element.select_option(value=value, force=True, timeout=self.tab.timeout_ms)

    def options(self, name: str, n: int | str | None = None) -> dict[str, str]:
        """The options of a select: value -> text."""
        element = self._find(name, n)
        with translated():
            found: dict[str, str] = element.evaluate(
                "el => Object.fromEntries([...el.options].map(o => [o.value, o.text.trim()]))"
            )
        return found

    def check(self, name: str, on: bool = True, n: int | str | None = None) -> None:
        element = self._find(name, n)
        with translated():
            # a click as the page sees one; a real one would wait for two frames to be painted, for every box
            done = element.evaluate("(el, on) => { if (el.checked !== on) el.click(); return el.checked === on }", on)
        if not done:
            raise PageChanged(f"{self._map.screen}.{name} can't be {'ticked' if on else 'unticked'}.")

    def checked(self, name: str, n: int | str | None = None) -> bool:
        """Whether a box is ticked now."""
        element = self._find(name, n)
        with translated():
            return element.is_checked()

    def leave(self, name: str, n: int | str | None = None) -> None:
        """Go on to the next field, as Tab does: only then do many screens notice what was typed."""
        element = self._find(name, n)
        with translated():
            element.press("Tab", no_wait_after=True, timeout=self.tab.timeout_ms)

    def upload(self, name: str, file_name: str, content: bytes, media_type: str = "application/octet-stream") -> None:
        element = self._find(name, None)
        with translated():
            element.set_input_files({"name": file_name, "mimeType": media_type, "buffer": content})

    def value(self, name: str, n: int | str | None = None) -> str:
        """What the control holds now; of a select the text of the chosen option; of other elements their text."""
        element = self._find(name, n)
        with translated():
            found: str = element.evaluate(_READ)
        return _plain(found)

    def values(self, *names: str) -> dict[str, str]:
        """The `value` of many elements at once, by name."""
        wanted = [
            {"by": [_numbered(contract, None) for contract in element.by], "hidden": element.hidden}
            for element in map(self._element, names)
        ]
        script = (
            f"(all) => {{ const s = {_SCRIPT}; return all.map(a => s.locate(a).node).map(n => n && ({_READ})(n)) }}"
        )
        with translated():
            found = self.tab.frame(self._map.frame).evaluate(script, wanted)
        # One that is not there yet is waited for.
        pairs = zip(names, found, strict=True)
        return {name: _plain(text) if text is not None else self.value(name) for name, text in pairs}

    def link(self, name: str, n: int | str | None = None) -> str:
        """Where a link leads."""
        element = self._find(name, n)
        with translated():
            return str(element.evaluate("el => el.href"))

    def rows(self, table: str) -> list[Row]:
        """All rows of a table whose cells are as many as its headers. Raises PageChanged when a header is missing."""
        columns = self._map.tables[table].columns
        frame = self.tab.frame(self._map.frame)
        found: list[Any] = []

        def there() -> bool:
            complete = frame.evaluate("document.readyState") == "complete"
            data = frame.evaluate(
                f"(arg) => {{ const t = ({_SCRIPT}).table(arg); return t && t.rows; }}", {"columns": columns}
            )
            if data is not None and complete:
                found[:] = [data]
            return bool(found)

        if not self._wait(there):
            self._fail(table, f"no table with the columns {', '.join(columns.values())}")
        return [Row(index=row["index"], cells=row["cells"], links=row["links"]) for row in found[0]]

    def table_present(self, table: str) -> bool:
        """Whether the table is there now; does not wait."""
        columns = self._map.tables[table].columns
        with translated():
            frame = self.tab.frame(self._map.frame)
            return bool(frame.evaluate(f"(arg) => !!({_SCRIPT}).table(arg)", {"columns": columns}))

    def press(self, name: str, n: int | str | None = None, *, into: str | None = None, redraws: bool = True) -> None:
        """Click an element that does not commit, and wait until the old document is gone and the new one complete.

        into: the frame that is redrawn, when it is not the screen's own; "" is the page itself.
        redraws: False when the click opens a window or changes the page in place.
        """
        if self._element(name).commits:
            raise PageChanged(f"{self._map.screen}.{name} commits; it is clicked with a permit only.")
        element = self._find(name, n)
        with translated(), self._redrawing(redraws, into):
            element.click(no_wait_after=True, timeout=self.tab.timeout_ms)
        self.tab.check_dialogs()

    def open(self, url: str) -> None:
        """Follow a link of a row within the screen's frame, and wait for the new document."""
        with translated(), self._redrawing(True, None):
            self.tab.frame(self._map.frame).evaluate("url => { location.href = url }", url)

    def text(self) -> str:
        """All visible words of the screen's frame, for messages of the target."""
        with translated():
            return str(self.tab.frame(self._map.frame).evaluate("document.body ? document.body.innerText : ''"))

    def commit(self, name: str, permit: Permit) -> None:
        """The one click. The permit is spent before it; whatever happens afterwards, it can't be clicked again."""
        if not self._element(name).commits:
            raise PageChanged(f"{self._map.screen}.{name} is not marked as committing.")
        self.tab.check_dialogs()
        element = self._find(name, None)
        permit.spend()
        with translated(), self.tab.one_request(), self._redrawing(True, None):
            element.click(no_wait_after=True, timeout=self.tab.timeout_ms)
        self.tab.check_dialogs()

    # -- inside

    @contextmanager
    def _redrawing(self, redraws: bool, into: str | None) -> Iterator[None]:
        name = self._map.frame if into is None else (into or None)
        if redraws:
            old = self.tab.frame(name)
            old.evaluate(f"() => {{ window.{_MARK} = true; }}")
            self.tab._statuses.pop(old, None)
        yield
        if not redraws:
            return
        if not self.tab.wait(lambda: self._redrawn(name)):
            raise SystemDown("The screen did not change after the click.")
        frame = self.tab.frame(name)
        if str(frame.evaluate("location.href")).startswith("chrome-error:"):
            raise SystemDown("The system cut the connection without an answer.")
        self.tab._check_status(self.tab.status(frame))

    def _redrawn(self, name: str | None) -> bool:
        try:
            frame = self.tab.frame(name)
            return bool(
                frame.evaluate(
                    f"() => !window.{_MARK} && document.readyState === 'complete' && location.href !== 'about:blank'"
                )
            )
        except PlaywrightTimeout:
            raise
        except PlaywrightError as error:
            if "context was destroyed" in error.message or "navigat" in error.message or "detached" in error.message:
                return False  # between the two documents
            raise

    def _element(self, name: str) -> Element:
        if name not in self._map.elements:
            raise PageChanged(f"The map of {self._map.screen} has no element {name!r}.")
        return self._map.elements[name]

    def _find(self, name: str, n: int | str | None) -> ElementHandle:
        element = self._element(name)
        found: list[ElementHandle] = []
        why = ["not found"]

        def there() -> bool:
            node, why[0] = _locate(self.tab.frame(self._map.frame), element, n)
            if node is not None:
                found.append(node)
            return node is not None

        if not self._wait(there):
            self._fail(name, why[0])
        return found[0]

    def _wait(self, there: Callable[[], bool]) -> bool:
        if "password" in self._map.elements:  # a login form is no sign of a lost session while we log in
            return self.tab.wait(there)
        return self.tab.wait_in_session(there)

    def _fail(self, name: str, why: str) -> None:
        self.tab.check_dialogs()
        if self.tab.session_lost():
            raise SessionLost()
        raise PageChanged(f"{name!r} of screen {self._map.screen!r}: {why}.")


def _locate(frame: Frame, element: Element, n: int | str | None) -> tuple[ElementHandle | None, str]:
    by = [_numbered(contract, n) for contract in element.by]
    try:
        wanted = {"by": by, "hidden": element.hidden}
        node = frame.evaluate_handle(f"(arg) => ({_SCRIPT}).locate(arg).node", wanted).as_element()
        return node, "" if node else str(frame.evaluate(f"(arg) => ({_SCRIPT}).locate(arg).why", wanted))
    except PlaywrightTimeout:
        raise
    except PlaywrightError as error:
        if any(
            word in error.message for word in ("context was destroyed", "navigat", "detached", "Cannot find context")
        ):
            return None, "the screen was being redrawn"
        raise


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").strip()


def _numbered(contract: Contract, n: int | str | None) -> dict[str, str]:
    parts = contract.model_dump(exclude_none=True)
    return {key: value.replace("{n}", str(n)) if n is not None else value for key, value in parts.items()}


def new_tab(context: BrowserContext, maps: Mapping[str, ElementMap], *, timeout_s: float) -> Tab:
    with translated():
        return Tab(context.new_page(), maps, timeout_s=timeout_s)
