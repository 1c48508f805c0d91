"""A target system in a file, which outlives the processes that post into it and accepts duplicates without a word.

Its faults follow from a seed and the invoice's number, so that they are the same whoever posts, and after any crash.
"""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.contracts.system import Access, Arm, Capabilities, Found, VendorQuery
from tallyman.domain.case import Case
from tallyman.domain.document import Document
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor
from tallyman.errors import BrowserDied, Rejected, SystemDown
from tallyman.platform.config import Home
from tallyman.registry import Registry
from tallyman.runtime.desk import Desk

LATE_S = 0.4
"""The longest time until a stored record is found; the system declares it."""
FATES = (
    "stored", "stored", "stored", "stored, then an error", "stored, then the browser died", "shown late",
    "not stored, an error", "not stored, the browser died", "refused", "shows another amount",
)  # fmt: skip
_TABLES = """
CREATE TABLE IF NOT EXISTS records(number TEXT, vendor TEXT, gross TEXT, shown_at REAL, pid INTEGER);
CREATE TABLE IF NOT EXISTS clicks(number TEXT, pid INTEGER);
CREATE TABLE IF NOT EXISTS logins(account TEXT PRIMARY KEY, pid INTEGER);
CREATE TABLE IF NOT EXISTS violations(told TEXT);
"""


_OPENED = threading.local()
"""A connection for each thread; a fork opens its own."""


@dataclass(frozen=True)
class Books:
    """The target's own books. `slow_s` is how long each verb takes."""

    file: Path
    seed: int = 0
    slow_s: float = 0.0
    faults: bool = True

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        key = (os.getpid(), str(self.file))
        connection = getattr(_OPENED, "connection", None)
        if connection is None or _OPENED.key != key:
            connection = _OPENED.connection = sqlite3.connect(self.file, timeout=60, isolation_level=None)
            _OPENED.key = key
            connection.execute("PRAGMA synchronous=OFF")  # its processes are killed, its machine is not
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def make(self) -> None:
        connection = sqlite3.connect(self.file)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_TABLES)
        connection.close()

    def fate(self, number: str, click: int) -> str:
        """What the target does with a click, the first for this number being 0; the third is always stored."""
        if not self.faults or click > 1:
            return "stored"
        return random.Random(f"{self.seed}/{number}/{click}").choice(FATES)

    def records(self) -> dict[str, int]:
        """How many records there are, by number."""
        with self.open() as books:
            return dict(books.execute("SELECT number, count(*) FROM records GROUP BY number").fetchall())

    def violations(self) -> list[str]:
        with self.open() as books:
            return [row[0] for row in books.execute("SELECT told FROM violations")]

    def clicks(self) -> int:
        with self.open() as books:
            return int(books.execute("SELECT count(*) FROM clicks").fetchone()[0])


class BooksSession:
    """One login; a second one with the same account while the first is alive breaks the licence."""

    def __init__(self, books: Books, account: str) -> None:
        self._books, self._account = books, account
        with books.open() as connection:
            row = connection.execute("SELECT pid FROM logins WHERE account = ?", [account]).fetchone()
            if row and row[0] != os.getpid() and _alive(row[0]):
                connection.execute("INSERT INTO violations VALUES (?)", [f"{account} was used twice at a time"])
            connection.execute("REPLACE INTO logins VALUES (?, ?)", [account, os.getpid()])

    def close(self) -> None:
        with self._books.open() as connection:
            connection.execute("DELETE FROM logins WHERE account = ? AND pid = ?", [self._account, os.getpid()])

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        self._take_time()
        return Found(items=(Vendor(number=query.number or "V1", name="Bolt Ltd"),), scope="all vendors", complete=True)

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:
        self._take_time()
        return Found(items=(), scope="all orders", complete=True)

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        self._take_time()
        with self._books.open() as connection:
            query = "SELECT rowid, gross FROM records WHERE vendor = ? AND number = ? AND shown_at <= ?"
            rows = connection.execute(query, [vendor, number, time.time()]).fetchall()
        items = tuple(
            PostedInvoice(number=number, vendor=vendor, record=f"R{row[0]}", currency="EUR", gross=Decimal(row[1]))
            for row in rows
        )
        return Found(items=items, scope="all invoices", complete=True)

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        return Found(items=(), scope="all receipts", complete=True)

    def list_invoices(self, *, since: date) -> Found[PostedInvoice]:
        raise NotImplementedError

    def post_invoice(self, posting: InvoicePosting, arm: Arm) -> None:
        self._take_time()
        with self._books.open() as connection:
            row = connection.execute("SELECT count(*) FROM clicks WHERE number = ?", [posting.number]).fetchone()
        fate = self._books.fate(posting.number, row[0])
        shown = posting.shown()
        if fate == "shows another amount":
            shown["gross"] = "1.23"
        permit = arm(shown)
        permit.spend()
        with self._books.open() as connection:
            connection.execute("INSERT INTO clicks VALUES (?, ?)", [posting.number, os.getpid()])
            if not fate.startswith(("not stored", "refused")):
                shown_at = time.time() + (LATE_S / 2 if fate == "shown late" else 0)
                record = [posting.number, posting.vendor, str(posting.gross), shown_at, os.getpid()]
                connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", record)
        if fate.endswith("an error"):
            raise SystemDown
        if fate.endswith("the browser died"):
            raise BrowserDied
        if fate == "refused":
            raise Rejected("The period is closed.")

    def confirm_delivery(self, posting: DeliveryPosting, arm: Arm) -> None:
        raise NotImplementedError

    def attach_document(self, *, invoice: PostedInvoice, name: str, content: bytes) -> bool:
        self._take_time()
        return True

    def _take_time(self) -> None:
        time.sleep(self._books.slow_s)
        with self._books.open() as connection:
            row = connection.execute("SELECT pid FROM logins WHERE account = ?", [self._account]).fetchone()
            if row is None or row[0] != os.getpid():
                told = f"{self._account} was at work in a session that another had ended"
                connection.execute("INSERT INTO violations VALUES (?)", [told])


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in open(f"/proc/{pid}/status").read()
    except OSError:
        return False


_DECLARED = Capabilities(
    title="Books",
    needs_browser=False,
    posts=True,
    attach_phase="after_post",
    settle_s=0.1,
    max_visibility_delay_s=LATE_S,
)


@dataclass
class BooksSystem:
    books: Books
    name: str = "books"
    capabilities: Capabilities = _DECLARED

    def open(self, access: Access) -> BooksSession:
        return BooksSession(self.books, access.settings.get("user", "-"))


class Keys:
    """A bot that asks all that a bot asks, and posts an invoice whose values follow from the file's name."""

    name = "invoices"
    inputs = RunInputs

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        document = Document(type="invoice")
        clerk.today()
        vendor = clerk.erp.find_vendor(VendorQuery(number=vendor_of(case.file))).items[0]
        clerk.reserve(vendor.number)
        clerk.sightings(case, document, vendor.number)
        clerk.confirmed_places(document)
        clerk.with_billings(clerk.erp.find_purchase_order(vendor=vendor.number).items)
        clerk.erp.find_invoice(vendor=vendor.number, number=number_of(case.file))
        if case.file.startswith("doubtful"):
            finding = Finding(reason=Reason.LOW_CONFIDENCE, message="It is doubtful.")
            return clerk.ask(case, document, Verdict.of([finding]))
        return clerk.post_invoice(case, document, posting_of(case.file))


def number_of(file: str) -> str:
    return f"INV-{file}"


def vendor_of(file: str) -> str:
    """`invoice-17-V3` is of vendor V3."""
    return file.rpartition("-")[2]


def posting_of(file: str) -> InvoicePosting:
    return InvoicePosting(
        reference=f"TM-{file}",
        vendor=vendor_of(file),
        vendor_name="Bolt Ltd",
        number=number_of(file),
        issue_date=date(2026, 11, 2),
        currency="EUR",
        net=Decimal(100),
        tax=Decimal(19),
        gross=Decimal(119),
    )


class BooksRegistry(Registry):
    def __init__(self, books: Books) -> None:
        self.__dict__["systems"] = {"books": BooksSystem(books), "folder": Registry().systems["folder"]}
        self.__dict__["bots"] = {"invoices": Keys()}


def settings(folder: Path, accounts: str = "clerk") -> str:
    """tallyman.toml for a desk over the books, whose documents come from a folder."""
    return (
        'retry_waits_s = [0.2]\n[bots.invoices]\nerp = "books"\nsources = ["folder"]\nconcurrency = 1\n'
        f'schedule = {{ cron = "0 2 * * *", enabled = false }}\n[systems.books]\naccounts = "{accounts}"\n'
        f'[systems.folder]\npath = "{folder}"\nquiet_s = "0"\n'
    )


def books_desk(home: Home, books: Books) -> Desk:
    """The real desk, but for the one bot and its target."""
    desk = Desk.open(home)
    registry = BooksRegistry(books)
    desk.sessions._registry = registry
    desk.readings._registry = registry
    object.__setattr__(desk, "registry", registry)
    return desk
