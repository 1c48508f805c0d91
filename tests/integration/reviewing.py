"""A desk with cases in every state, made through the store: what the tests of queue and office work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import select

from tallyman.contracts.system import Capabilities
from tallyman.domain.case import Case, CaseState
from tallyman.domain.document import Document, Problem, Sheet
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.page import Box, WordSource
from tallyman.domain.posting import NaturalKey, PostingState
from tallyman.domain.reasons import Reason
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk
from tallyman.runtime.leases import Leases
from tallyman.runtime.places import HomePlace
from tallyman.store import cases, reviews
from tallyman.store.tables import postings

ERP = SimpleNamespace(name="practice_erp", capabilities=Capabilities(title="Practice ERP", posts=True))
SOURCE = SimpleNamespace(name="practice_supplier", capabilities=Capabilities(title="Supplier portal"))
SIZE = (1240, 1754)


@contextmanager
def desk_over(home: Path) -> Iterator[Desk]:
    """A desk whose target systems are stand-ins: nobody logs in here."""
    desk = Desk.open(Home(home))
    desk.registry.__dict__["systems"] = {"practice_erp": ERP, "practice_supplier": SOURCE}
    try:
        yield desk
    finally:
        desk.close()


PRINTED = {
    "seller_name": ("BUEROBEDARF KOEHLER GMBH", (90, 90)),
    "invoice_number": ("RE-2026-0815", (880, 300)),
    "issue_date": ("05.03.2026", (880, 350)),
    "iban": ("DE89 3704 0044 0532 0130 00", (90, 1600)),
    "net_total": ("1.079,41", (980, 1200)),
    "tax_total": ("205,09", (980, 1250)),
    "gross_total": ("1.284,50", (980, 1310)),
}
VALUES = {
    "invoice_number": "RE-2026-0815",
    "issue_date": "2026-03-05",
    "iban": "DE89370400440532013000",
    "net_total": "1079.41",
    "tax_total": "205.09",
    "gross_total": "1284.50",
}


def scan(mark: str = "") -> bytes:
    """A page that shows PRINTED; `mark` makes it another file."""
    page = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(page)
    for text, place in [*PRINTED.values(), (f"RECHNUNG {mark}", (90, 300)), ("EUR", (1120, 1310))]:
        draw.text(place, text, fill=0, font_size=30)
    for row in range(6):
        draw.text(
            (90, 560 + 60 * row), f"{row + 1}   Kopierpapier A4, 80 g     20   8,99   179,80", fill=0, font_size=28
        )
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def field(name: str, value: str, *, confidence: float = 0.97, source: Source = Source.RULE) -> Field:
    if name not in PRINTED:
        return Field(name=name, value=value, raw=value, confidence=confidence, source=source, evidence=Evidence(page=1))
    raw, (x, y) = PRINTED[name]
    box = Box(x0=x / SIZE[0], y0=y / SIZE[1], x1=(x + 17 * len(raw)) / SIZE[0], y1=(y + 36) / SIZE[1])
    evidence = Evidence(page=1, box=box, words=WordSource.OCR)
    return Field(name=name, value=value, raw=raw, confidence=confidence, source=source, evidence=evidence)


def invoice(**changed: str) -> Document:
    values = {"seller_name": "Bürobedarf Köhler GmbH", "currency": "EUR", **VALUES, **changed}
    fields = {name: field(name, value) for name, value in values.items()}
    fields["gross_total"] = field("gross_total", values["gross_total"], confidence=0.62, source=Source.MODEL)
    line = {"description": "Kopierpapier A4, 80 g", "quantity": "20", "unit_price": "8.99", "total": "179.80"}
    lines = ({name: field(f"{name}_", value) for name, value in line.items()},)
    return Document(type="invoice", fields=fields, lines=lines, sheets=(Sheet(number=1, width=595, height=842),))


UNREADABLE = Document(
    type="unknown", problems=(Problem(code=Reason.UNREADABLE, message="The file is damaged. Ask for a new copy."),)
)
PRICE = Finding(
    reason=Reason.PRICE_VARIANCE,
    message="Line 1 bills 8.99 EUR a piece; the order says 8.49 EUR, 0.50 EUR more than the tolerance allows.",
    line=1,
    field="unit_price",
    expected="8.49",
    actual="8.99",
)
UNSURE = Finding(
    reason=Reason.LOW_CONFIDENCE,
    message="The gross total was read with 62 %.",
    field="gross_total",
    severity=Severity.WARNING,
)
BANK = Finding(
    reason=Reason.BANK_CHANGED,
    message="The invoice names another bank account than the vendor's master data.",
    field="iban",
    expected="DE02120300000000202051",
    actual="DE89370400440532013000",
    persons=2,
)
MISSING = Finding(reason=Reason.FIELD_MISSING, message="The due date is missing.", field="due_date", acceptable=False)
DAMAGED = Finding(reason=Reason.UNREADABLE, message="The file is damaged. Ask for a new copy.", acceptable=False)
UNKNOWN = Finding(reason=Reason.OUTCOME_UNKNOWN, message="It was clicked and the record is not found.")
PORTAL_DOWN = Finding(reason=Reason.SYSTEM_DOWN, message="Nothing could be fetched from practice_supplier: it is down.")


def take(desk: Desk, content: bytes, name: str, document: Document | None = None) -> Case:
    """A case that was read."""
    sha256 = desk.blobs.put(content)
    with desk.database.transaction() as connection:
        cases.start_run(connection, "invoices:today", "invoices", "schedule", {})
        case = cases.take_in(
            connection,
            bot="invoices",
            source="practice_supplier",
            key=f"key-{name}",
            name=name,
            sha256=sha256,
            run="invoices:today",
            attended=False,
        )
        assert case is not None
        if document is not None:
            cases.remember_document(connection, case.id, document)
            cases.remember_party(connection, case.id, "V-1007", document.text("invoice_number"))
    return case


def ask(desk: Desk, case: Case | None, *findings: Finding, state: CaseState = CaseState.IN_REVIEW) -> int:
    """A review item, as the clerk opens it."""
    case_id = case.id if case else None
    with desk.database.transaction() as connection:
        item = reviews.open_item(connection, case_id, f"run-of-{case_id}-{findings[0].reason}", findings)
        if case_id:
            cases.move(connection, case_id, state, findings[0].message)
    return item


def post(desk: Desk, case: Case, number: str, state: PostingState, record: str = "") -> int:
    key = NaturalKey(system="practice_erp", company="", party="V-1007", number=number)
    entry = desk.ledger.intend(key, case, {"number": number, "vendor": "V-1007", "gross": "1284.50"})
    lease = Leases(desk.database, HomePlace()).take("practice_erp", ["-"])
    assert lease is not None
    desk.ledger.arm(entry, desk.blobs.put(scan("the filled form")), lease)
    with desk.database.transaction() as connection:
        desk.ledger.settle(connection, entry, state, "Found by a search, equal.", record=record)
        if state is PostingState.POSTED:
            cases.move(connection, case.id, CaseState.POSTED, "Posted and read back.", record=record)
    return entry.id


def fill(desk: Desk) -> dict[str, Any]:
    """One item of each sort. Gives the items' numbers and the cases by a short name."""
    made: dict[str, Any] = {}
    price = take(desk, scan("price"), "Rechnung Köhler März.png", invoice())
    made["price"] = ask(desk, price, PRICE, UNSURE)
    made["price_case"] = price
    made["bank"] = ask(desk, take(desk, scan("bank"), "bank.png", invoice(invoice_number="RE-2")), BANK)
    made["missing"] = ask(desk, take(desk, scan("missing"), "missing.png", invoice(invoice_number="RE-3")), MISSING)
    made["damaged"] = ask(desk, take(desk, b"%PDF-1.7 broken", "damaged.pdf", UNREADABLE), DAMAGED)
    unknown = take(desk, scan("unknown"), "unknown.png", invoice(invoice_number="RE-4"))
    made["unknown_posting"] = post(desk, unknown, "RE4", PostingState.UNKNOWN)
    made["unknown"] = ask(desk, unknown, UNKNOWN, state=CaseState.UNKNOWN)
    made["unknown_case"] = unknown
    made["source"] = ask(desk, None, PORTAL_DOWN)
    posted = take(desk, scan("posted"), "posted.png", invoice(invoice_number="RE-5"))
    made["posting"] = post(desk, posted, "RE5", PostingState.POSTED, "AP-118")
    made["posted_case"] = posted
    with desk.database.transaction() as connection:
        told = ["practice_supplier: The system can't be reached."]
        cases.end_run(connection, "invoices:today", offered=6, taken=6, repeated=0, problems=told)
    return made


def states(desk: Desk, posting: int) -> str:
    with desk.database.transaction() as connection:
        return str(connection.execute(select(postings.c.state).where(postings.c.id == posting)).scalar_one())
