"""Given invoices, posted into the practice ERP by the real engine, ledger and browser; judged by the ERP's books."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from sqlalchemy import select

from fixtures.office import sample
from fixtures.office.database import reading
from tallyman.browser import session
from tallyman.browser.host import BrowserHost
from tallyman.browser.session import SessionThread
from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.domain.case import Case, CaseState
from tallyman.domain.document import Document
from tallyman.domain.posting import InvoicePosting, PostingLine, PostingState
from tallyman.platform.config import Home
from tallyman.runtime import engine, sessions
from tallyman.runtime.desk import Desk
from tallyman.runtime.places import place_of_worker
from tallyman.runtime.worker import Worker
from tallyman.store import audit, cases
from tallyman.store.tables import audit as trail
from tallyman.store.tables import cases as case_rows
from tallyman.store.tables import postings, review_items
from tests.chaos import processes
from tests.chaos.tally import Tally
from tests.chaos.wire import Wire
from tests.office import PASSWORD, start

VISIBLE_S = 1.5
"""What this installation declares: whatever the office stores is found after so long."""
SCREEN_S = 6.0
"""How long a screen is waited for; shorter than in real life, so that what is not there is told soon."""
PATIENCE_S = 45.0
"""How long one call of a session may take before its browser is ended; shorter than in real life too."""
LIMIT_S = 240.0
"""A case that has not ended after this long hangs."""
TRAITS = {"ajax_delay_s": 0.05, "frames_late_ms": 50, "today": sample.TODAY}
VENDORS = 6


def world() -> dict[str, Any]:
    vendors = [
        {
            "number": f"20{n:03}",
            "name": f"{name} {n}",
            "vat_id": f"DE1366959{n:02}",
            "city": "Hamburg",
            "country": "DE",
            "currency": ("EUR", "USD", "CHF")[n % 3],
        }
        for n, name in enumerate(("Bolt Ltd", "Müller & Söhne", "Delta Bearings", "Nord-Stahl", "Ost Kabel", "Zeta"))
    ]
    lines = [{"line": 10 * (k + 1), "description": f"Part {k}", "ordered": "9000", "unit_price": "2"} for k in range(3)]
    orders = [
        {"number": f"PO-{n}{m}", "vendor": f"20{n:03}", "date": "2026-02-02", "lines": lines}
        for n in range(VENDORS)
        for m in range(2)
    ]
    return {"vendors": vendors, "orders": orders}


def invoice(dice: random.Random, number: str) -> InvoicePosting:
    vendor = dice.randrange(VENDORS)
    lines = tuple(
        PostingLine(
            order_line=10 * (k + 1) if dice.random() < 0.7 else None,
            description=dice.choice(("Bolt M8, größer", "Nut", "Fracht", 'Rohr 1/2"')),
            quantity=Decimal(dice.randint(1, 4000)) / 8,
            unit_price=Decimal(1),
            net=Decimal(dice.randint(1, 10**7)) / 100,
        )
        for k in range(dice.choice((0, 1, 2, 4)))
    )
    net = sum((line.net for line in lines), Decimal(0)) or Decimal(dice.randint(1, 10**9)) / 100
    tax = (net * Decimal("0.19")).quantize(Decimal("0.01"))
    day = date(2026, 3, 1) + timedelta(days=dice.randrange(19))
    return InvoicePosting(
        reference=f"TM-{number}",
        vendor=f"20{vendor:03}",
        vendor_name="as the document says",
        number=number,
        issue_date=day,
        due_date=day + timedelta(days=30) if dice.random() < 0.7 else None,
        order=f"PO-{vendor}{dice.randrange(2)}" if dice.random() < 0.5 else None,
        currency=dice.choice(("EUR", "USD", "CHF", "GBP")),
        net=net,
        tax=tax,
        gross=net + tax,
        credit=dice.random() < 0.15,
        lines=lines,
    )


class PostsGiven:
    """A bot that posts what it was given under the name of the case's file, without reading or looking up anything."""

    name = "invoices"
    inputs = RunInputs

    def __init__(self) -> None:
        self.given: dict[str, InvoicePosting] = {}

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        return clerk.post_invoice(case, Document(type="invoice"), self.given[case.file])


class _Session(SessionThread):
    """A session that hangs for seconds where the real one would for minutes."""

    def __init__(self, *given: Any, patience_s: float, **named: Any) -> None:
        self._patience_s = patience_s
        super().__init__(*given, **named)

    def call(self, use: Callable[[Any], Any], *, timeout_s: float = 120.0) -> Any:
        return super().call(use, timeout_s=min(timeout_s, self._patience_s))


@dataclass
class Ending:
    """How one case ended. `clicks` are its armed epochs, `logins` the log-ins that the ERP was sent meanwhile."""

    name: str
    state: str
    ledger: str
    clicks: int
    logins: int
    requests: int
    commits: int
    seconds: float
    message: str
    pictures: int = 0
    """Screenshots that its posting or its review items carry."""


@dataclass
class Bench:
    """An office, a wire to it, a desk and a worker; `with Bench(folder) as bench`. All their processes end with it."""

    folder: Path
    endings: list[Ending] = field(default_factory=list)
    patience_s: float = PATIENCE_S

    def __enter__(self) -> "Bench":
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        process, self.office = start(self.folder / "office", world(), TRAITS)
        stack.callback(process.stdout.close)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        self.wire = Wire(int(self.office.urls["erp"].rpartition(":")[2]))
        stack.callback(self.wire.close)
        quick = partial(_Session, patience_s=self.patience_s, screen_timeout_s=SCREEN_S)
        stack.enter_context(mock.patch.object(sessions, "SessionThread", quick))
        stack.enter_context(mock.patch.object(session, "_GRACE_S", 3.0))
        tell, most = BrowserHost.deadline, self.patience_s
        stack.enter_context(mock.patch.object(BrowserHost, "deadline", lambda host, s: tell(host, min(s, most))))
        home = Home(self.folder / "home")
        (home.path / "tallyman.toml").write_text(
            'retry_waits_s = []\n[bots.invoices]\nerp = "practice_erp"\nsources = []\n[systems.practice_erp]\n'
            f'url = "http://127.0.0.1:{self.wire.port}"\nuser = "clerk"\nmax_visibility_delay_s = "{VISIBLE_S}"\n'
        )
        self.desk = Desk.open(home)
        stack.callback(self.desk.close)
        self.desk.vault.set("practice_erp.password", PASSWORD)
        self.bot = PostsGiven()
        self.desk.registry.__dict__["bots"] = {"invoices": self.bot}
        place = stack.enter_context(place_of_worker(home, self.desk.database))
        self.worker = Worker(self.desk, place, schedules=False)
        self.worker.start()
        stack.callback(self.worker.stop)
        self.profiles: set[str] = set()
        self._looked = 0.0

    def calm(self) -> None:
        """Every switch and the wire as at the start."""
        self.office.reset()
        self.wire.calm()

    def commits(self) -> int:
        """How many postings have reached the point of being stored in the office, whatever became of them."""
        told = httpx.get(f"{self.office.urls['erp']}/_control/traits").json()
        return int(told["counted"]["commits"])

    def carry(self, given: InvoicePosting) -> Ending | None:
        """Post one invoice and wait for the case's ending; None when it hangs."""
        name, before = given.number, (self.wire.logins, self.wire.requests, self.commits())
        self.bot.given[name] = given
        began = time.monotonic()
        with self.desk.database.transaction() as connection:
            sha = self.desk.blobs.put(name.encode())
            case = cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=sha, run="r", attended=False
            )
            assert case is not None
            queue = engine.case_queue("invoices")
            self.worker.client.enqueue(connection, engine.PROCESS, queue, f"case:{name}", case.id)
        while self.worker.client.unfinished():
            self._look_at_browsers()
            if time.monotonic() - began > LIMIT_S:
                return None
            time.sleep(0.03)
        after = (self.wire.logins, self.wire.requests, self.commits())
        logins, requests, commits = (b - a for a, b in zip(before, after, strict=True))
        self.endings.append(self._ending(name, case.id, logins, requests, commits, time.monotonic() - began))
        return self.endings[-1]

    def _look_at_browsers(self) -> None:
        if time.monotonic() - self._looked > 0.5:  # looking through all processes is no light work
            self.profiles |= processes.profiles()
            self._looked = time.monotonic()

    def _ending(self, name: str, case: str, logins: int, requests: int, commits: int, seconds: float) -> Ending:
        with self.desk.database.transaction() as connection:
            row = connection.execute(select(case_rows).where(case_rows.c.id == case)).mappings().one()
            posting = connection.execute(select(postings).where(postings.c.case_id == case)).mappings().first()
            clicks = connection.execute(
                select(trail.c.seq).where(trail.c.action == "posting.armed", trail.c.subject == case)
            ).all()
        return Ending(
            name=name,
            state=row["state"],
            ledger=posting["state"] if posting else "",
            clicks=len(clicks),
            logins=logins,
            requests=requests,
            commits=commits,
            seconds=seconds,
            message=row["message"],
            pictures=int(bool(posting and posting["screenshot"])),
        )

    def review(self, name: str) -> list[str]:
        """The reasons of the review items of the case with this name."""
        with self.desk.database.transaction() as connection:
            found = connection.execute(
                select(review_items.c.reason)
                .join(case_rows, case_rows.c.id == review_items.c.case_id)
                .where(case_rows.c.file == name)
            )
            return [str(row.reason) for row in found]

    # -- judging

    def judge(self, tally: Tally) -> None:
        """Compare the cases' endings with the office's books; adds to the figures of `tally`."""
        books = _books(self.office.home)
        by_name = {ending.name: ending for ending in self.endings}
        keys = Counter((one["vendor"], one["number"]) for one in books)
        tally.duplicates += sum(many - 1 for many in keys.values())
        for name in self.bot.given:
            there = [one for one in books if one["number"] == name]
            problem = _lost(by_name.get(name), bool(there))
            if problem:
                tally.lost += 1
                tally.problems.append(f"{name}: {problem}")
        for one in books:
            wanted = _wanted(self.bot.given[one["number"]]) if one["number"] in self.bot.given else None
            if wanted != one:
                tally.wrong_values += 1
                tally.problems.append(f"{one['number']}: the books hold {one}, not {wanted}")
        tally.unknown += sum(ending.state == CaseState.UNKNOWN for ending in self.endings)
        with self.desk.database.transaction() as connection:
            broken = audit.verify(connection)
        if broken:
            tally.problems.append(f"The audit chain is broken: {broken}")


def orphans(profiles: set[str]) -> list[str]:
    """Sentences about browsers, drivers and their folders that outlive a bench; given 5 s to go."""
    until = time.monotonic() + 5
    while True:
        left = [f"process {pid} lives on" for pid in processes.with_profile(profiles)]
        left += [f"driver {pid} lives on" for pid in processes.drivers()]
        left += [f"{folder} was left behind" for folder in profiles if os.path.exists(folder)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


_FINAL = frozenset(CaseState) - {CaseState.OPEN}


def _lost(ending: Ending | None, there: bool) -> str:
    """What is wrong between the ending of a case and the books; empty when nothing is."""
    if ending is None or ending.state not in _FINAL:
        return "it has no ending"
    if (ending.state == CaseState.POSTED) != (ending.ledger == PostingState.POSTED):
        return f"the case is {ending.state}, the ledger says {ending.ledger}"
    if ending.ledger == PostingState.POSTED and not there:
        return "posted, and not in the books"
    if ending.ledger in (PostingState.NOT_POSTED, PostingState.INTENT, "") and there:
        return f"in the books, and the ledger says {ending.ledger or 'nothing'}"
    return ""


def _books(home: Path) -> list[dict[str, Any]]:
    """Every invoice as the office holds it, with its rows."""
    with reading(home, "erp") as erp:
        rows = erp.execute("SELECT * FROM invoice_lines ORDER BY invoice_id, row").fetchall()
        heads = erp.execute("SELECT * FROM invoices WHERE NOT seeded ORDER BY id").fetchall()
    texts = ("vendor", "number", "date", "due", "currency", "po", "reference", "status")
    return [
        {name: head[name] for name in texts}
        | {name: Decimal(head[name]) for name in ("net", "tax", "gross")}
        | {
            "lines": [
                (row["po_line"], row["description"], Decimal(row["quantity"]), Decimal(row["amount"]))
                for row in rows
                if row["invoice_id"] == head["id"]
            ]
        }
        for head in heads
    ]


def _wanted(given: InvoicePosting) -> dict[str, Any]:
    """What the books must hold for a payload; a date of payment that is not keyed is the day of the invoice there."""
    sign = -1 if given.credit else 1
    lines = [
        (str(line.order_line) if line.order_line else "", line.description, sign * line.quantity, sign * line.net)
        for line in given.lines
    ]
    return {
        "vendor": given.vendor,
        "number": given.number,
        "date": given.issue_date.isoformat(),
        "due": (given.due_date or given.issue_date).isoformat(),
        "currency": given.currency,
        "po": given.order or "",
        "reference": given.reference,
        "status": "posted",
        "net": sign * given.net,
        "tax": sign * given.tax,
        "gross": sign * given.gross,
        "lines": lines or [("", given.reference, Decimal(0), sign * given.net)],
    }
