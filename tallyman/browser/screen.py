"""One screen of a system, driven by its element map."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import ElementHandle
from playwright.sync_api import Error as PlaywrightError

from tallyman.browser.element_map import Element, ElementMap
from tallyman.browser.failures import between_documents, translated
from tallyman.browser.locate import SCRIPT, locate, wanted
from tallyman.contracts.system import Permit
from tallyman.errors import PageChanged, SessionLost, SystemDown

if TYPE_CHECKING:  # a tab gives screens
    from tallyman.browser.tab import Tab

_MARK = "__tallyman_before"
_READ = (
    "el => el.tagName === 'SELECT' ? (el.selectedOptions[0]?.text ?? '')"
    " : 'value' in el && el.tagName !== 'BUTTON' ? el.value : el.innerText"
)


@dataclass(frozen=True)
class Row:
    """One row of a table: the cells' texts by our names, and where the links in them lead."""

    index: int
    cells: Mapping[str, str]
    links: Mapping[str, str | None]


class Screen:
    """One screen of a system, driven by its element map. Every verb raises PageChanged, SessionLost or SystemDown."""

    def __init__(self, tab: "Tab", element_map: ElementMap) -> None:
        self.tab = tab
        self._map = element_map

    def ready(self) -> None:
        """Wait until the document is complete and the elements that stand at its end are there."""
        asked = [wanted(self._element(name)) for name in self._map.ready]
        script = f"(all) => document.readyState === 'complete' && all.every((arg) => ({SCRIPT}).locate(arg).node)"

        def there() -> bool:
            return bool(self._ask(script, asked))

        if not self._wait(there):
            for name in self._map.ready:
                self._missing(name, None)
            raise SystemDown("The screen was not loaded in time.")

    def present(self, name: str, n: int | str | None = None) -> bool:
        """Whether the element is there now; does not wait."""
        with translated():
            return locate(self.tab.frame(self._map.frame), self._element(name), n)[0] is not None

    def fill(self, name: str, value: str, n: int | str | None = None) -> None:
        """Type over what a control holds. A script types as a keyboard does; where it can't, Playwright fills."""
        with translated():
            typed = self._ask(f"(arg) => ({SCRIPT}).type(arg)", wanted(self._element(name), n) | {"text": value})
            if not typed:
                self._find(name, n).fill(value, force=True, timeout=self.tab.timeout_ms)

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
        told = self._tell(name, n, "el => Object.fromEntries([...el.options].map(o => [o.value, o.text.trim()]))")
        return {str(value): str(text) for value, text in told.items()}

    def check(self, name: str, on: bool = True, n: int | str | None = None) -> None:
        # a click as the page sees one; a mouse's would wait for two frames to be painted, for every box
        click = f"el => {{ if (el.checked !== {str(on).lower()}) el.click(); return el.checked === {str(on).lower()} }}"
        if not self._tell(name, n, click):
            raise PageChanged(f"{self._map.screen}.{name} can't be {'ticked' if on else 'unticked'}.")

    def checked(self, name: str, n: int | str | None = None) -> bool:
        """Whether a box is ticked now."""
        return bool(self._tell(name, n, "el => el.checked"))

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
        return _plain(str(self._tell(name, n, _READ)))

    def values(self, *names: str) -> dict[str, str]:
        """The `value` of many elements at once, by name."""
        asked = [wanted(self._element(name)) for name in names]
        script = f"(all) => {{ const s = {SCRIPT}; return all.map(a => s.locate(a).node).map(n => n && ({_READ})(n)) }}"
        with translated():
            found = self._ask(script, asked) or [None] * len(names)
        # One that is not there yet is waited for.
        pairs = zip(names, found, strict=True)
        return {name: _plain(text) if text is not None else self.value(name) for name, text in pairs}

    def link(self, name: str, n: int | str | None = None) -> str:
        """Where a link leads."""
        return str(self._tell(name, n, "el => el.href"))

    def rows(self, table: str) -> list[Row]:
        """All rows of a table whose cells are as many as its headers. Raises PageChanged when a header is missing."""
        columns = self._map.tables[table].columns
        frame = self.tab.frame(self._map.frame)
        found: list[Any] = []

        def there() -> bool:
            complete = frame.evaluate("document.readyState") == "complete"
            data = frame.evaluate(
                f"(arg) => {{ const t = ({SCRIPT}).table(arg); return t && t.rows; }}", {"columns": columns}
            )
            if data is not None and complete:
                found[:] = [data]
            return bool(found)

        if not self._wait(there):
            self._fail(table, f"no table with the columns {', '.join(columns.values())}")
        return [Row(index=row["index"], cells=row["cells"], links=row["links"]) for row in found[0]]

    def press(self, name: str, n: int | str | None = None, *, into: str | None = None, redraws: bool = True) -> None:
        """Click an element that does not commit, and wait until the old document is gone and the new one complete.

        into: the frame that is redrawn, when it is not the screen's own; "" is the page itself.
        redraws: False when the click opens a window or changes the page in place.
        """
        if self._element(name).commits:
            raise PageChanged(f"{self._map.screen}.{name} commits; it is clicked with a permit only.")
        self._find(name, n)
        with translated(), self._redrawing(redraws, into):
            # A script's click is a tenth of the cost of a mouse's, which waits for two painted frames.
            frame = self.tab.frame(self._map.frame)
            if not frame.evaluate(f"(arg) => ({SCRIPT}).click(arg)", wanted(self._element(name), n)):
                self._find(name, n).click(no_wait_after=True, timeout=self.tab.timeout_ms)
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
        try:
            with translated():
                self.tab.send_once(lambda: element.click(no_wait_after=True, timeout=self.tab.timeout_ms), permit)
        finally:
            self.tab.check_dialogs()  # a message that nobody knows is why nothing was sent

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
        except PlaywrightError as error:
            if between_documents(error):
                return False
            raise

    def _ask(self, script: str, arg: object) -> Any:
        """The answer of the screen's document; None while it goes away."""
        try:
            return self.tab.frame(self._map.frame).evaluate(script, arg)
        except PlaywrightError as error:
            if between_documents(error):
                return None
            raise

    def _element(self, name: str) -> Element:
        if name not in self._map.elements:
            raise PageChanged(f"The map of {self._map.screen} has no element {name!r}.")
        return self._map.elements[name]

    def _tell(self, name: str, n: int | str | None, script: str) -> Any:
        """What a function of the element answers, in one round trip; the element is waited for."""
        asked = wanted(self._element(name), n)
        found: list[Any] = []

        def there() -> bool:
            answer = self._ask(
                f"(arg) => {{ const {{ node }} = ({SCRIPT}).locate(arg); return node && [({script})(node)] }}", asked
            )
            found[:] = answer or []
            return bool(found)

        if not self._wait(there):
            self._missing(name, n)
            raise SystemDown("The screen was redrawn all the time.")
        return found[0]

    def _find(self, name: str, n: int | str | None) -> ElementHandle:
        element = self._element(name)
        found: list[ElementHandle] = []
        why = ["not found"]

        def there() -> bool:
            node, why[0] = locate(self.tab.frame(self._map.frame), element, n)
            if node is not None:
                found.append(node)
            return node is not None

        if not self._wait(there):
            self._fail(name, why[0])
        return found[0]

    def _missing(self, name: str, n: int | str | None) -> None:
        """Raises PageChanged or SessionLost where the element is not there, without waiting for it once more."""
        node, why = locate(self.tab.frame(self._map.frame), self._element(name), n)
        if node is None:
            self._fail(name, why)

    def _wait(self, there: Callable[[], bool]) -> bool:
        if "password" in self._map.elements:  # a login form is no sign of a lost session while we log in
            return self.tab.wait(there)
        return self.tab.wait_in_session(there)

    def _fail(self, name: str, why: str) -> None:
        self.tab.check_dialogs()
        if self.tab.session_lost():
            raise SessionLost()
        raise PageChanged(f"{name!r} of screen {self._map.screen!r}: {why}.")


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").strip()
