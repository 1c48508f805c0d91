"""The logged-in session: where each screen lives, and how this user's screens write values."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from systems.sql_ledger.notation import notation_of
from tallyman.browser.notation import Notation
from tallyman.browser.screen import Screen
from tallyman.browser.tab import Tab
from tallyman.domain.compare import fold_number
from tallyman.errors import LoginFailed, PageChanged, SessionLost, SystemDown

_SCRIPTS = "path=bin/mozilla&js=1"


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Account numbers of the chart. Empty: the one that the form proposes, or the one whose rate fits."""

    expense: str = ""
    tax: str = ""


class Desk:
    """What every verb works with. All calls raise PageChanged, SessionLost or SystemDown."""

    def __init__(self, tab: Tab, url: str, user: str, accounts: Accounts) -> None:
        self.tab = tab
        self.accounts = accounts
        self.notation = Notation()
        self.vendor_ids: dict[str, str] = {}
        """Record ids by vendor number, as far as they were looked up; every use checks the number that is shown."""
        self._base = url.rsplit("/login.pl", 1)[0].rstrip("/")
        self._user = quote(user, safe="@")

    def log_in(self, user: str, password: str) -> None:
        """Raises LoginFailed when user or password are refused; the formats of the user are known afterwards."""
        self.tab.goto(f"{self._base}/login.pl")
        form = self.tab.screen("sign_in")
        form.fill("user", user)
        form.fill("password", password)
        form.press("log_in", into="")
        told = form.text().strip()
        if "ncorrect" in told:
            raise LoginFailed(f"SQL-Ledger said: {told.splitlines()[-1].strip()}")
        if told:  # an upgrade, a locked dataset: a page of words in place of the frames
            raise SystemDown(f"SQL-Ledger did not open: {told[:200]}")
        preferences = self.go("am.pl?action=config", "preferences")
        self.notation = notation_of(preferences.value("number_format"), preferences.value("date_format"))

    def log_out(self) -> None:
        self.tab.goto(f"{self._base}/login.pl?action=logout&{_SCRIPTS}&login={self._user}")

    def go(self, address: str, screen: str) -> Screen:
        """Open a screen by its address in the frame that all of them stand in."""
        self.tab.screen("work").open(f"{self._base}/{address}&{_SCRIPTS}&login={self._user}")
        return self.tab.screen(screen)

    def follow(self, link: str | None, screen: str) -> Screen:
        """Open the screen that a row of a list leads to."""
        if not link:
            raise PageChanged(f"A row of the list has no link to {screen!r}.")
        self.tab.screen("work").open(link)
        return self.tab.screen(screen)

    def submit(self, form: Screen, result: str) -> Screen:
        """Press Continue on a search form."""
        form.press("continue")
        return self.tab.screen(result)

    def alert(self) -> str:
        """The words of an error page or of the form of a session that ended; else empty."""
        if self.tab.session_lost():
            raise SessionLost()
        told = self.tab.screen("work").text().strip()
        return told if told.startswith("Error!") or "\nError!" in told[:2000] else ""


def tick(form: Screen, names: Iterable[str]) -> None:
    for name in names:
        form.check(name)


def number_pattern(number: str) -> str:
    """A search text that finds a number whatever separators it was written with: its screens take % as SQL does."""
    plain = [char for char in fold_number(number) if char.isascii()]
    return "%" + "%".join(plain) + "%"
