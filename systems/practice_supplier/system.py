"""InvoiceBox: the invoices of several suppliers.

Settings (tallyman.toml, [systems.practice_supplier]):
  url   address of the portal
  user  the login
Secret: password.
"""

from urllib.parse import parse_qs, urlsplit

from tallyman.browser.screen import Screen
from tallyman.browser.tab import Tab
from tallyman.contracts.system import Access, Capabilities, Offer
from tallyman.errors import LoginFailed, PageChanged, SystemDown


class PracticeSupplierSession:
    """One login."""

    def __init__(self, tab: Tab, url: str) -> None:
        self._tab = tab
        self._base = url.rstrip("/")
        self._links: dict[str, str] = {}

    def log_in(self, user: str, password: str) -> None:
        self._tab.goto(f"{self._base}/login.pl")
        form = self._tab.screen("login")
        form.fill("user", user)
        form.fill("password", password)
        form.press("log_in")
        if form.present("password"):
            told = [line.strip() for line in form.text().splitlines() if line.strip().endswith(".")]
            raise LoginFailed(f"The portal said: {told[0]}" if told else "")

    def close(self) -> None:
        self._tab.goto(f"{self._base}/logout.pl")

    def list_documents(self) -> list[Offer]:
        """The invoices of all dates, oldest first. The portal's own id tells documents of one number apart."""
        screen = self._list()
        rows = screen.rows("invoices")
        if f"{len(rows)} documents" not in [line.strip() for line in screen.text().splitlines()]:
            raise PageChanged(f"{len(rows)} documents were read, but the portal counts otherwise.")
        self._links, offers = {}, []
        for row in reversed(rows):
            link = row.links["document"] or ""
            (key,) = parse_qs(urlsplit(link).query).get("id") or [""]
            if not key or key in self._links:
                raise PageChanged(f"The link of {row.cells['number']} has no id of its own.")
            self._links[key] = link
            offers.append(Offer(key=key, name=f"{row.cells['number']}.pdf"))
        return offers

    def fetch(self, offer: Offer) -> bytes:
        if offer.key not in self._links:
            self.list_documents()
        if not self._links.get(offer.key):
            raise SystemDown(f"The portal offers {offer.name} no more.")
        content = self._tab.fetch(self._links[offer.key])
        if content.lstrip()[:9].lower().startswith((b"<html", b"<!doctype")):
            self._list()  # raises SessionLost when it is that
            raise SystemDown(f"The portal answered with a page instead of {offer.name}.")
        return content

    def _list(self) -> Screen:
        """The list, opened by its own address: whether the portal puts it into an inner frame does not matter."""
        self._tab.goto(f"{self._base}/invoices.pl")
        screen = self._tab.screen("invoices")
        if screen.value("period") != "All":
            screen.choose("period", "all", redraws=True)
            screen.ready()
        if screen.value("period") != "All" or screen.value("vendor"):
            raise PageChanged("The portal's list does not show all documents.")
        return screen


class PracticeSupplier:
    name = "practice_supplier"
    capabilities = Capabilities(title="InvoiceBox (practice)")

    def open(self, access: Access) -> PracticeSupplierSession:
        """Log in. Raises LoginFailed, ConfigurationError."""
        access.check_settings("url", "user")
        settings = access.settings
        session = PracticeSupplierSession(access.tab(), settings["url"])
        session.log_in(settings["user"], access.secret("password"))
        return session
