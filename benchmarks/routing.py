"""How long a decision takes when the store is full: look up, check, match, decide; reading and the ERP's screens apart.

`python -m benchmarks.routing [--stored 100000] [--decisions 400]`. Suppliers are as uneven as in life: the largest of
2,000 has about an eighth of all invoices.
"""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from unittest import mock

import typer
from rich.console import Console

from tallyman.contracts.bot import Ending, Outcome
from tallyman.contracts.system import Found, VendorQuery
from tallyman.domain.case import Case, CaseState
from tallyman.domain.compare import alike_number, fold_number
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Verdict
from tallyman.domain.posting import InvoicePosting, PostingLine, PostingState
from tallyman.domain.roles import Order, OrderLine, PostedInvoice, Vendor
from tallyman.platform.clock import now
from tallyman.platform.config import Home
from tallyman.runtime import engine
from tallyman.runtime.clerk import DurableClerk
from tallyman.runtime.desk import Desk
from tallyman.store.tables import cases, posting_orders, postings

VENDORS = 2000
IBAN = "DE89370400440532013000"


def vendor_of(dice: random.Random) -> int:
    """By Zipf's law."""
    return min(int(VENDORS ** dice.random()), VENDORS - 1)


class Memory:
    """The ERP's answers, at once: 100,000 orders by number."""

    name = "practice_erp"

    def __init__(self, orders: dict[str, Order], posted: dict[tuple[str, str], PostedInvoice]) -> None:
        self._orders, self._posted = orders, posted

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        number = (query.name or "").rpartition(" ")[2]
        vendor = Vendor(number=number, name=query.name or "", vat_id=query.vat_id or "", ibans=(IBAN,), currency="EUR")
        return Found(items=(vendor,), scope="all", complete=True)

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:  # noqa: ARG002
        order = self._orders.get(number or "")
        return Found(items=(order,) if order else (), scope="all", complete=True)

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        found = self._posted.get((vendor, fold_number(number)))
        return Found(items=(found,) if found else (), scope="all", complete=True)


class Deciding(DurableClerk):
    """The clerk of the runtime, whose document is given and who only says what it would do."""

    given: Document

    def read(self, case: Case) -> Document:  # noqa: ARG002
        return self.given

    def ask(self, case: Case, document: Document, verdict: Verdict) -> Outcome:  # noqa: ARG002
        return Outcome(ending=Ending.IN_REVIEW, message="; ".join(finding.message for finding in verdict.errors))

    def post_invoice(self, case: Case, document: Document, posting: InvoicePosting) -> Outcome:  # noqa: ARG002
        return Outcome(ending=Ending.POSTED, message=posting.number)


def document(vendor: int, number: str, order: str, net: Decimal) -> Document:
    def field(name: str, value: str) -> Field:
        evidence = Evidence(path="/x")
        return Field(name=name, value=value, raw=value, confidence=1, source=Source.E_INVOICE, evidence=evidence)

    tax = (net * 19 / 100).quantize(Decimal("0.01"))
    values = {
        "invoice_number": number, "issue_date": "2026-11-02", "seller_name": f"Supplier {vendor}",
        "seller_vat_id": "DE136695976", "iban": IBAN, "currency": "EUR", "purchase_order_reference": order,
        "net_total": str(net), "tax_total": str(tax), "gross_total": str(net + tax),
    }  # fmt: skip
    line = {"description": "Bolts", "item": "B-1", "quantity": str(net / 2), "unit_price": "2.00", "total": str(net)}
    return Document(
        type="invoice",
        fields={name: field(name, value) for name, value in values.items()},
        lines=({name: field(name, value) for name, value in line.items()},),
    )


def fill(desk: Desk, stored: int, seed: int) -> Memory:
    """`stored` posted invoices, each for half of an order of its own, and as many orders in the ERP."""
    dice = random.Random(seed)
    orders: dict[str, Order] = {}
    posted: dict[tuple[str, str], PostedInvoice] = {}
    rows: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    named: list[dict[str, Any]] = []
    for n in range(stored):
        vendor, net, order = vendor_of(dice), Decimal(dice.randrange(10, 5000) * 2), f"PO-{n}"
        number, day = f"R-{n}", date(2026, 1, 1) + timedelta(days=n % 300)
        case_id = f"invoices-{n:016x}"
        line = OrderLine(
            line=1, item="B-1", description="Bolts", ordered=net, received=net, unit_price=Decimal("2.00"),
        )  # fmt: skip
        orders[order] = Order(
            number=order,
            vendor=str(vendor),
            currency="EUR",
            billed_net=Decimal(0) if n % 10 == 1 else net,
            lines=(line,),
        )
        billed = PostingLine(
            order=order, order_line=1, description="Bolts", quantity=net / 2, unit_price=Decimal(2), net=net
        )
        posting = InvoicePosting(
            reference=f"TM-{n}", vendor=str(vendor), vendor_name=f"Supplier {vendor}", number=number, issue_date=day,
            order=order, currency="EUR", net=net, tax=Decimal(0), gross=net, lines=(billed,),
        )  # fmt: skip
        posted[str(vendor), fold_number(number)] = PostedInvoice(number=number, vendor=str(vendor), gross=net)
        rows.append({
            "id": case_id, "bot": "invoices", "sha256": f"{n:064x}", "file": f"{n}.pdf", "source": "folder",
            "run": "r", "received_at": now(), "updated_at": now(), "state": CaseState.POSTED, "attended": False,
            "message": "", "record": "", "party": str(vendor), "number": number, "number_alike": alike_number(number),
            "gross": net, "currency": "EUR", "issue_date": day.isoformat(),
        })  # fmt: skip
        ledger.append({
            "id": n + 1, "system": "practice_erp", "company": "", "party": str(vendor), "number": fold_number(number),
            "verb": "invoice", "case_id": case_id, "payload": posting.to_json(), "payload_hash": "",
            "state": PostingState.POSTED, "epoch": 1, "record": "", "note": "", "created_at": now(),
            "updated_at": now(),
        })  # fmt: skip
        named.append({"posting_id": n + 1, "order_number": fold_number(order)})
    with desk.database.transaction() as connection:
        for table, values in ((cases, rows), (postings, ledger), (posting_orders, named)):
            connection.execute(table.insert(), values)
    return Memory(orders, posted)


def measure(
    stored: int, decisions: int, folder: Path, seed: int = 1, progress: Callable[[], None] | None = None
) -> dict[str, float]:
    """Milliseconds of `decisions` decisions over `stored` orders and invoices: median, p95, greatest."""
    home = Home(folder / "routing")
    (home.path / "tallyman.toml").write_text('[bots.invoices]\nerp = "practice_erp"\n')
    desk = Desk.open(home)
    memory = fill(desk, stored, seed)
    client = desk.client()
    bot, settings = desk.registry.bot("invoices"), desk.bot("invoices")
    dice, took, endings = random.Random(seed + 1), list[float](), set[str]()
    with desk.database.transaction() as connection:
        row = {"run": "r", "received_at": now(), "updated_at": now(), "state": CaseState.OPEN, "attended": False}
        known = {"id": "invoices-new", "bot": "invoices", "sha256": "f" * 64, "file": "new.pdf", "source": "folder"}
        connection.execute(cases.insert().values(**row, **known, message="", record=""))
    case = Case(**known, received_at=now(), state=CaseState.OPEN, attended=False)
    with mock.patch.object(engine, "step", lambda _name, function: function()):
        for n in range(decisions):
            order = memory._orders[f"PO-{dice.randrange(stored)}"]
            number = f"R-{dice.randrange(stored)}" if n % 10 == 0 else f"N-{n}"  # each tenth is one that is there
            told: dict[str, Any] = {"today": "2026-11-20", "clicked": None, "decisions": []}
            clerk = Deciding(desk, client, settings, case, "run", told)
            clerk.erp = memory  # type: ignore[assignment]
            clerk.given = document(int(order.vendor), number, order.number, order.lines[0].ordered)
            began = time.perf_counter()
            endings.add(str(bot.run(clerk, case).ending))
            took.append((time.perf_counter() - began) * 1000)
            if progress is not None:
                progress()
    client.close()
    desk.close()
    assert endings == {Ending.POSTED, Ending.IN_REVIEW}, endings
    took.sort()
    return {"median_ms": took[len(took) // 2], "p95_ms": took[int(len(took) * 0.95)], "greatest_ms": took[-1]}


def main(
    stored: Annotated[int, typer.Option(help="Orders and invoices.")] = 100_000,
    decisions: Annotated[int, typer.Option(help="How many are measured.")] = 400,
) -> None:
    """Print the times."""
    with tempfile.TemporaryDirectory(prefix="tallyman-routing-") as folder:
        told = measure(stored, decisions, Path(folder))
    Console().print(
        f"{decisions} decisions over {stored:,} stored: " + ", ".join(f"{k} {v:.1f}" for k, v in told.items())
    )


if __name__ == "__main__":
    typer.run(main)
