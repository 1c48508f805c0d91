"""One tab of a session: moving about, dialogs, frames, and the one request of a commit."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from playwright.sync_api import APIResponse, BrowserContext, Dialog, Frame, Page, Request, Response, Route
from playwright.sync_api import Error as PlaywrightError

from tallyman.browser.element_map import ElementMap
from tallyman.browser.failures import between_documents, translated
from tallyman.browser.locate import locate
from tallyman.browser.screen import Screen
from tallyman.contracts.system import Permit
from tallyman.errors import NotArmed, PageChanged, SessionLost, SystemDown

_POLL_MS = 15
_LOST_S = 1.0
"""How often a wait for an element looks whether the session has ended."""
_SENT = "<!doctype html><html id=sent></html>"
_CLOSE = {"connection": "close"}
"""For all that we ask by ourselves, since what kept its connection would lend it to a click."""
_STILL_S = 3.0
_AFTER_MESSAGE_S = 2.0
"""How long a page takes at most to send its form after a message that was dismissed."""


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
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        self._page = page
        self._maps = maps
        self._login = maps.get(login_screen)
        self.timeout_ms = timeout_s * 1000
        self._answered = answered
        """Called again and again while the browser answers; a watchdog ends one that does not."""
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

    def screen(self, name: str, *, wait: bool = True) -> Screen:
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
            response = self._page.context.request.get(url, headers=_CLOSE, timeout=self.timeout_ms)
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
        self._answered()
        end = time.monotonic() + (timeout_s if timeout_s is not None else self.timeout_ms / 1000)
        with translated():
            while not true():
                if time.monotonic() >= end:
                    return False
                self._answered()
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
        return any(all(locate(frame, element, None)[0] for element in wanted) for frame in self._page.frames)

    def send_once(self, click: Callable[[], None], permit: Permit) -> None:
        """Click, and let one navigation leave, that one once; then show its answer where the click was to lead.

        Left to itself, Chromium sends a POST again when a connection that was kept alive is cut before any answer,
        sends what an interceptor holds back as soon as that goes away, and lets a page's script submit twice: one
        click, two records. So the browser's own request ends here, answered by an empty page; we send it ourselves,
        without redirects and without retries, and nothing that happens to us or to the browser repeats it. Right before
        that the permit is asked once more: time may have passed since it was spent.
        Raises SystemDown when nothing left, or when no answer came: whether it was stored is for a search to say.
        Raises NotArmed when the permit has run out; then nothing was sent.
        """
        sent: list[Request] = []
        answers: list[APIResponse | None] = []
        shown: list[str] = []
        refused: list[NotArmed] = []

        def handle(route: Route) -> None:
            request = route.request
            if not request.is_navigation_request():
                route.fallback()
            elif shown and request.method == "GET" and answers[0] is not None:
                route.fulfill(response=answers[0])
            elif sent:
                route.abort()
            else:
                sent.append(request)
                with suppress(PlaywrightError):  # the page may have submitted again meanwhile
                    route.fulfill(content_type="text/html", body=_SENT)
                try:
                    permit.check()
                except NotArmed as error:
                    refused.append(error)
                answers.append(None if refused else self._ask_once(request))

        self._page.route("**/*", handle)
        try:
            click()
            self.wait(lambda: bool(sent or self._dialogs))
            if not self.wait(lambda: bool(sent), timeout_s=_AFTER_MESSAGE_S):
                raise SystemDown("The screen sent nothing after the click.")
            self.wait(lambda: bool(answers), timeout_s=2 * self.timeout_ms / 1000)
            if refused:
                raise refused[0]
            if not answers or answers[0] is None:
                raise SystemDown("The system gave no answer to the click.")
            frame = sent[0].frame
            self.wait(lambda: self._stands_still(frame), timeout_s=_STILL_S)
            self._statuses.pop(frame, None)
            shown.append(sent[0].url)
            frame.goto(sent[0].url, wait_until="load", timeout=self.timeout_ms)
            self._check_status(self.status(frame))
        finally:
            with suppress(PlaywrightError):  # the browser may have died meanwhile
                self._page.unroute("**/*", handle)

    def _stands_still(self, frame: Frame) -> bool:
        """Whether the empty page is there: a navigation that is under way would end the one that shows the answer."""
        try:
            return bool(frame.evaluate("document.readyState === 'complete' && !!document.getElementById('sent')"))
        except PlaywrightError as error:
            if between_documents(error):
                return False
            raise

    def _ask_once(self, request: Request) -> APIResponse | None:
        """The answer to a request that we send in the browser's place, with its cookies; None where none came.

        By a connection of its own: one that was kept alive may be closed by the server in the moment we use it again,
        and nobody could tell whether the request had arrived.
        """
        try:
            return self._page.context.request.fetch(
                request,
                headers=request.headers | _CLOSE,
                max_redirects=0,
                max_retries=0,
                fail_on_status_code=False,
                timeout=self.timeout_ms,
            )
        except PlaywrightError:
            return None

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
        return Tab(self._pages[0], self._maps, answered=opener._answered)


def new_tab(
    context: BrowserContext, maps: Mapping[str, ElementMap], *, timeout_s: float, answered: Callable[[], None]
) -> Tab:
    with translated():
        return Tab(context.new_page(), maps, timeout_s=timeout_s, answered=answered)
