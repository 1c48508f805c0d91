"""The logged-in session: how to get to a screen, and what the main window says."""

from contextlib import ExitStack
from urllib.parse import urlencode

from systems.practice_erp.notation import notation_of
from tallyman.browser.notation import Notation
from tallyman.browser.screen import Row, Screen
from tallyman.browser.tab import Tab
from tallyman.errors import LoginFailed, PageChanged

_LICENCE = r"licence expires in \d+ days"
"""An alert that any page may open; it means nothing for the work."""


class Desk:
    """What every verb works with. All calls raise PageChanged, SessionLost or SystemDown."""

    def __init__(self, tab: Tab, url: str, language: str) -> None:
        self.tab = tab
        self.notation = Notation()
        self.notation_seen = False
        """An amount was seen on a screen in the notation that we write."""
        self.known_ids: dict[str, tuple[str, str]] = {}
        """VAT id and IBAN by vendor number, as they were once: only where to look, never what is answered."""
        self._language = language
        self._base = url.rsplit("/login.do", 1)[0].rstrip("/")
        self._notices = ExitStack()

    def log_in(self, user: str, password: str) -> None:
        """Raises LoginFailed when user or password are refused."""
        self._notices.enter_context(self.tab.expecting_dialog(_LICENCE))
        self.tab.goto(f"{self._base}/login.do")
        form = self.tab.screen("login")
        form.fill("user", user)
        form.fill("password", password)
        form.press("log_in")
        if form.present("password"):
            told = [line.strip() for line in form.text().splitlines() if line.strip().endswith(".")]
            raise LoginFailed(f"The ERP said: {told[-1]}" if told else "")
        self.tab.screen("welcome")
        pattern = self.go("invoice_new.do", "invoice_new").value("date_pattern").strip("() ")
        self.notation = notation_of(self._language, pattern)

    def log_out(self) -> None:
        self.tab.goto(f"{self._base}/logout.do")
        self._notices.close()

    def go(self, path: str, screen: str, **parameters: str) -> Screen:
        """Open a screen by its address in the main window. Raises PageChanged when it answers with an error page."""
        told = self.ask(path, **parameters)
        if told:
            raise PageChanged(f"The ERP said: {told}")
        return self.tab.screen(screen)

    def ask(self, path: str, **parameters: str) -> str:
        """Open an address in the main window; the words of the error page that came, or empty."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        self.tab.screen("work").open(f"{self._base}/{path}{query}")
        return self.error()

    def error(self) -> str:
        """The sentence of the error page that stands in the main window; empty when it is none."""
        lines = [line.strip() for line in self.tab.screen("work").text().splitlines() if line.strip()]
        return " ".join(lines[lines.index("Error!") + 1 :][:1]) if "Error!" in lines else ""


def search(form: Screen, table: str, asked: dict[str, str]) -> list[Row]:
    """Press Continue and read the rows, after the answer has shown that the form arrived as it was keyed.

    A criterion that the server read otherwise (a charset, a date) would hide records.
    """
    for name, text in asked.items():
        form.fill(name, text)
    form.press("continue")
    form.ready()
    rows = form.rows(table)
    for name, text in form.values(*asked).items():
        if text != asked[name]:
            raise PageChanged(f"The search was made for {text!r} instead of {asked[name]!r} ({name}).")
    return rows


def counted(form: Screen, rows: list[Row], words: str) -> None:
    """Raises PageChanged when the screen says another number of rows than were read."""
    if f"{len(rows)} {words}" not in [line.strip() for line in form.text().splitlines()]:
        raise PageChanged(f"{len(rows)} {words} were read, but the screen counts otherwise.")
