"""TransNord Track&Trace: proofs of delivery, one for each waybill, as soon as the carrier has scanned it.

Settings (tallyman.toml, [systems.practice_carrier]):
  url   address of the portal
  user  the login
Secret: password.
"""

from urllib.parse import urlencode

from tallyman.browser.screen import Row, Screen
from tallyman.browser.tab import Tab
from tallyman.contracts.system import Access, Capabilities, Offer
from tallyman.errors import LoginFailed, PageChanged, SessionLost, SystemDown

_MOST_PAGES = 10_000


class PracticeCarrierSession:
    """One login."""

    def __init__(self, tab: Tab, url: str) -> None:
        self._tab = tab
        self._base = url.rstrip("/")
        self._scanned: set[str] = set()
        """Waybills that have a proof of delivery; once there it stays."""

    def log_in(self, user: str, password: str) -> None:
        self._tab.goto(f"{self._base}/login.asp")
        form = self._tab.screen("login")
        form.fill("user", user)
        form.fill("password", password)
        form.press("log_in")
        if form.present("password"):
            told = [line.strip() for line in form.text().splitlines() if line.strip().endswith(".")]
            raise LoginFailed(f"The portal said: {told[0]}" if told else "")

    def close(self) -> None:
        self._tab.goto(f"{self._base}/logout.asp")

    def list_documents(self) -> list[Offer]:
        """The waybills that were delivered and whose proof is there, by number; all pages of the list."""
        waybills = sorted({row.cells["waybill"] for row in self._rows() if row.cells["delivered"]})
        for waybill in waybills:
            if waybill not in self._scanned and self._delivery(waybill).present("document"):
                self._scanned.add(waybill)
        return [Offer(key=waybill, name=f"POD {waybill}") for waybill in waybills if waybill in self._scanned]

    def fetch(self, offer: Offer) -> bytes:
        content = self._tab.fetch(self._delivery(offer.key).link("document"))
        if content.lstrip()[:9].lower().startswith((b"<html", b"<!doctype")):
            if self._delivery(offer.key).present("document"):
                raise SystemDown(f"The portal answered with a page instead of {offer.name}.")
            raise SessionLost()
        return content

    def _rows(self) -> list[Row]:
        """The rows of all pages; each page comes some time after its button was pressed."""
        self._tab.goto(f"{self._base}/deliveries.asp")
        screen = self._tab.screen("deliveries")
        rows: list[Row] = []
        for _ in range(_MOST_PAGES):
            if not self._tab.wait(lambda: not screen.present("busy")):
                raise SystemDown("The portal's list did not load.")
            rows += screen.rows("deliveries")
            if not screen.present("next"):
                return rows
            screen.press("next", redraws=False)
        raise PageChanged("The portal's list has no last page.")

    def _delivery(self, waybill: str) -> Screen:
        self._tab.goto(f"{self._base}/delivery.asp?{urlencode({'waybill': waybill})}")
        screen = self._tab.screen("delivery")
        if screen.value("waybill") != waybill:
            raise PageChanged(f"Another waybill than {waybill} was opened.")
        return screen


class PracticeCarrier:
    name = "practice_carrier"
    capabilities = Capabilities(title="TransNord Track&Trace (practice)")

    def open(self, access: Access) -> PracticeCarrierSession:
        """Log in. Raises LoginFailed, ConfigurationError."""
        access.check_settings("url", "user")
        settings = access.settings
        session = PracticeCarrierSession(access.tab(), settings["url"])
        session.log_in(settings["user"], access.secret("password"))
        return session
