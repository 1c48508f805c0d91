"""A target system in memory whose faults can be chosen: for what no real system can be made to do on demand."""

import threading
import time
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.contracts.system import Access, Arm, Capabilities, Found, VendorQuery
from tallyman.domain.case import Case
from tallyman.domain.document import Document
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor
from tallyman.errors import BrowserDied, Rejected, SystemDown
from tallyman.platform.config import Home
from tallyman.registry import Registry
from tallyman.runtime.desk import Desk

POSTING = InvoicePosting(
    reference="TM-1",
    vendor="V1",
    vendor_name="Bolt Ltd",
    number="INV-7",
    issue_date=date(2026, 11, 2),
    currency="EUR",
    net=Decimal("100.00"),
    tax=Decimal("19.00"),
    gross=Decimal("119.00"),
)


@dataclass
class FakeTarget:
    """The target's own books, and what goes wrong. Each fault in `faults` is used up by one click."""

    books: list[PostedInvoice] = field(default_factory=list)
    hidden: list[PostedInvoice] = field(default_factory=list)
    """Stored, yet not found until `show` is called."""
    faults: list[str] = field(default_factory=list)
    filling: threading.Event = field(default_factory=threading.Event)
    """Set when the fault "waits" has begun to fill."""
    clicks: int = 0
    searches: int = 0
    shown_gross: str | None = None
    complete: bool = True

    def store(self, posting: InvoicePosting, *, visible: bool = True) -> None:
        record = PostedInvoice(
            number=posting.number,
            vendor=posting.vendor,
            record=f"R{len(self.books) + len(self.hidden) + 1}",
            date=posting.issue_date,
            currency=posting.currency,
            gross=posting.gross,
        )
        (self.books if visible else self.hidden).append(record)

    def show(self) -> None:
        self.books += self.hidden
        self.hidden = []


class FakeErpSession:
    def __init__(self, target: FakeTarget) -> None:
        self._target = target

    def close(self) -> None:
        pass

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        return Found(items=(Vendor(number="V1", name="Bolt Ltd"),), scope="all vendors", complete=True)

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:
        return Found(items=(), scope="all orders", complete=True)

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        self._target.searches += 1
        if self._target.searches > 3:
            self._target.show()  # late visibility ends with the fourth look
        hits = tuple(one for one in self._target.books if one.vendor == vendor and one.number == number)
        return Found(items=hits, scope="all invoices", complete=self._target.complete)

    def list_invoices(self, *, since: date) -> Found[PostedInvoice]:
        shown = tuple(one for one in self._target.books if one.date is None or one.date >= since)
        return Found(items=shown, scope="all invoices", complete=self._target.complete)

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        return Found(items=(), scope="all receipts", complete=True)

    def post_invoice(self, posting: InvoicePosting, arm: Arm) -> None:
        shown = posting.shown()
        if self._target.shown_gross is not None:
            shown["gross"] = self._target.shown_gross
        fault = self._target.faults.pop(0) if self._target.faults else ""
        if fault == "down before":
            raise SystemDown
        if fault == "waits":
            self._target.filling.set()
            time.sleep(1.0)
            raise BrowserDied
        arm(shown).spend()
        self._target.clicks += 1
        if fault == "lost before storing":
            raise BrowserDied
        if fault == "defect after the click":
            raise KeyError("a defect of the connector")
        if fault == "refused":
            raise Rejected("The period is closed.")
        self._target.store(posting, visible=fault != "late")
        if fault == "stored, then an error page":
            raise SystemDown("The system answered with the error 500.")

    def confirm_delivery(self, posting: DeliveryPosting, arm: Arm) -> None:
        raise NotImplementedError

    def attach_document(self, *, invoice: PostedInvoice, name: str, content: bytes) -> bool:
        return False


@dataclass
class FakeSystem:
    target: FakeTarget
    name: str = "fake"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            title="Fake", needs_browser=False, posts=True, settle_s=0.05, max_visibility_delay_s=0.2
        )
    )

    def open(self, access: Access) -> FakeErpSession:
        return FakeErpSession(self.target)


class PostsOne:
    """A bot that posts POSTING for each case, without reading anything."""

    name = "invoices"
    inputs = RunInputs

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        return clerk.post_invoice(case, Document(type="invoice"), POSTING)


class FakeRegistry(Registry):
    def __init__(self, system: FakeSystem) -> None:
        self.__dict__["systems"] = {"fake": system}
        self.__dict__["bots"] = {"invoices": PostsOne()}


def fake_desk(home: Home, system: FakeSystem) -> Desk:
    """A desk whose one bot posts into the fake target; database, engine and ledger are the real ones."""
    (home.path / "tallyman.toml").write_text('retry_waits_s = []\n[bots.invoices]\nerp = "fake"\nsources = []\n')
    desk = Desk.open(home)
    registry = FakeRegistry(system)
    desk.sessions._registry = registry
    desk.readings._registry = registry
    object.__setattr__(desk, "registry", registry)
    return desk
