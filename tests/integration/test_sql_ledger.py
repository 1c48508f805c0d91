"""A real ERP, brought up for this test alone and driven through its screens. Needs root and Debian's sql-ledger."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from fixtures.demo_sqlledger.practice import VISIBLE_AFTER_S
from fixtures.sqlledger.seed import seed
from systems.sql_ledger import SYSTEM
from tallyman.browser.session import SessionThread
from tallyman.contracts.system import VendorQuery
from tallyman.domain.compare import same
from tallyman.domain.posting import DeliveryPosting, InvoicePosting, shown_kind
from tallyman.errors import LoginFailed, ReadBackDiffers, Rejected, SessionLost, TechnicalError

pytestmark = [pytest.mark.erp, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MAPS = ROOT / "selectors" / "sql_ledger"
WEB, DATABASE = "8192", "5552"
DSN = f"postgresql://postgres@127.0.0.1:{DATABASE}/office"
SETTINGS = {"url": f"http://127.0.0.1:{WEB}/sql-ledger/login.pl", "user": "admin@office", "expense_account": "5020"}


def _truth() -> list[dict[str, object]]:
    def seller(name: str, vat_id: str, iban: str) -> dict[str, str]:
        street = {"seller_street": "Hauptstraße 1", "seller_postcode": "50667", "seller_city": "Köln"}
        return {
            "kind": "invoice",
            "seller_name": name,
            "seller_vat_id": vat_id,
            "iban": iban,
            "currency": "EUR",
        } | street

    line = {"description": "Schraube M6", "quantity": "100", "unit_price": "0.25", "total": "25.00"}
    other = {
        "description": "Mutter M6",
        "quantity": "10.5",
        "unit_price": "2",
        "total": "21.00",
        "seller_item_id": "M-6",
    }
    return [
        {
            "file": "a.pdf",
            "fields": seller("Müller Präzision GmbH", "DE136695976", "DE89370400440532013000")
            | {"invoice_number": "R-1", "order_ref": "PO-77/1", "issue_date": "2026-03-01", "net_total": "46.00"},
            "lines": [line, other],
        },
        {
            "file": "b.pdf",
            "fields": seller("O'Brien & Sons", "IE6388047V", "")
            | {"invoice_number": "7", "issue_date": "2026-03-02", "net_total": "10.00"},
            "lines": [],
        },
    ]


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    if os.geteuid() != 0 or not shutil.which("dpkg") or not Path("/usr/share/sql-ledger/login.pl").exists():
        pytest.skip("needs root and the package sql-ledger: sudo fixtures/sqlledger/up.sh installs it")
    folder = Path(tempfile.mkdtemp(prefix="tallyman erp "))
    folder.chmod(0o755)
    env = os.environ | {"TALLYMAN_SQLLEDGER_WEB_PORT": WEB, "TALLYMAN_SQLLEDGER_PG_PORT": DATABASE}
    scripts = ROOT / "fixtures" / "sqlledger"
    try:
        subprocess.run([scripts / "up.sh", folder], env=env, check=True, stdout=subprocess.DEVNULL)
        yield folder
    finally:
        subprocess.run([scripts / "down.sh", "--purge", folder], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def seeded(work: Path) -> Path:
    truth = work / "truth.jsonl"
    truth.write_text("\n".join(json.dumps(row) for row in _truth()), "utf-8")
    assert seed(truth, DSN, []) == (2, 2)
    return work


@pytest.fixture(scope="module")
def erp(seeded: Path) -> Iterator[SessionThread]:
    thread = SessionThread(SYSTEM, MAPS, SETTINGS, lambda _name: "admin-secret")
    yield thread
    thread.close()


class Permit:
    def __init__(self) -> None:
        self.spent = 0

    def spend(self) -> None:
        self.spent += 1

    def check(self) -> None:
        pass


def arming(posting: InvoicePosting | DeliveryPosting, permit: Permit) -> Callable[[Mapping[str, str]], Permit]:
    """As the ledger's: every value must be shown, equal as a value."""

    def arm(shown: Mapping[str, str]) -> Permit:
        wanted = posting.shown()
        wrong = {
            name: (value, shown.get(name, ""))
            for name, value in wanted.items()
            if not same(shown_kind(name), value, shown.get(name, ""))
        }
        if wrong:
            raise ReadBackDiffers(wrong)
        return permit

    return arm


def invoice(number: str, **changes: object) -> InvoicePosting:
    values: dict[str, object] = {
        "reference": f"TM-{number}",
        "vendor": "V101",
        "vendor_name": "Müller Präzision GmbH",
        "number": number,
        "issue_date": date(2026, 3, 1),
        "due_date": date(2026, 3, 31),
        "order": "PO-77/1",
        "currency": "EUR",
        "net": Decimal("1234.56"),
        "tax": Decimal("234.57"),
        "gross": Decimal("1469.13"),
    }
    return InvoicePosting.model_validate(values | changes)


def post(erp: SessionThread, posting: InvoicePosting) -> Permit:
    permit = Permit()
    erp.call(lambda session: session.post_invoice(posting, arming(posting, permit)))
    return permit


def receive(erp: SessionThread, posting: DeliveryPosting) -> None:
    erp.call(lambda session: session.confirm_delivery(posting, arming(posting, Permit())))


def received(erp: SessionThread, reference: str) -> list[dict[int, Decimal]]:
    found = erp.call(lambda session: session.find_receipt(order="PO-77/1", reference=reference))
    return [receipt.lines for receipt in found.items]


def test_a_vendor_is_found_by_its_vat_id_which_no_screen_can_search(erp: SessionThread) -> None:
    found = erp.call(lambda session: session.find_vendor(VendorQuery(vat_id="DE 136695976", name="unknown")))
    assert found.complete
    assert [vendor.name for vendor in found.items] == ["Müller Präzision GmbH"]
    assert found.items[0].ibans == ("DE89370400440532013000",)
    assert found.items[0].currency == "EUR"


def test_an_unknown_vendor_is_not_found_and_the_search_was_complete(erp: SessionThread) -> None:
    found = erp.call(lambda session: session.find_vendor(VendorQuery(name="Muller Präzision")))
    assert found.items == ()
    assert found.complete


def test_an_order_is_found_whatever_separators_its_number_is_written_with(erp: SessionThread) -> None:
    found = erp.call(lambda session: session.find_purchase_order(number="po 77-1"))
    (order,) = found.items
    assert (order.number, order.vendor, order.currency, order.closed) == ("PO-77/1", "V101", "EUR", False)
    assert [(line.ordered, line.received, line.unit_price) for line in order.lines] == [
        (Decimal(100), Decimal(100), Decimal("0.25")),
        (Decimal("10.5"), Decimal("10.5"), Decimal(2)),
    ]
    assert order.lines[1].item == "M-6"


def test_a_part_of_an_order_number_finds_nothing(erp: SessionThread) -> None:
    assert erp.call(lambda session: session.find_purchase_order(number="77")).items == ()


def test_the_open_orders_of_a_vendor_are_found(erp: SessionThread) -> None:
    found = erp.call(lambda session: session.find_purchase_order(vendor="V102"))
    assert [order.net() for order in found.items] == [Decimal("10.00")]


def test_a_posted_invoice_is_read_back_equal(erp: SessionThread) -> None:
    assert post(erp, invoice("RE-2026/1")).spent == 1
    (found,) = erp.call(lambda session: session.find_invoice(vendor="V101", number="re 2026 1")).items
    assert (found.number, found.gross, found.net) == ("RE-2026/1", Decimal("1469.13"), Decimal("1234.56"))
    assert (found.reference, found.order, found.date) == ("TM-RE-2026/1", "PO-77/1", date(2026, 3, 1))


def test_the_due_date_of_the_paper_is_kept_for_a_second_invoice_of_the_same_vendor(erp: SessionThread) -> None:
    post(erp, invoice("DUE-1"))
    post(erp, invoice("DUE-2", due_date=date(2026, 3, 15)))
    with psycopg.connect(DSN) as database:
        assert database.execute("SELECT duedate FROM ap WHERE invnumber = 'DUE-2'").fetchone() == (date(2026, 3, 15),)


def test_a_credit_note_is_found_with_negative_amounts(erp: SessionThread) -> None:
    post(erp, invoice("C-1", credit=True, order=None))
    (found,) = erp.call(lambda session: session.find_invoice(vendor="V101", number="C-1")).items
    assert found.gross == Decimal("-1469.13")


def test_the_list_of_a_period_shows_each_record_as_a_search_does(erp: SessionThread) -> None:
    """Of every vendor, credit notes too; what is dated earlier is left out."""
    post(erp, invoice("LIST-1", issue_date=date(2026, 4, 2), due_date=None))
    post(erp, invoice("LIST-2", issue_date=date(2026, 4, 3), due_date=None, credit=True, order=None))
    post(erp, invoice("LIST-3", vendor="V102", issue_date=date(2026, 4, 4), due_date=None, order=None))
    post(erp, invoice("LIST-0", issue_date=date(2026, 4, 1), due_date=None))
    answer = erp.call(lambda session: session.list_invoices(since=date(2026, 4, 2)))
    assert answer.complete
    searched = [
        *erp.call(lambda session: session.find_invoice(vendor="V101", number="LIST-1")).items,
        *erp.call(lambda session: session.find_invoice(vendor="V101", number="LIST-2")).items,
        *erp.call(lambda session: session.find_invoice(vendor="V102", number="LIST-3")).items,
    ]
    assert sorted(answer.items, key=lambda one: one.number) == searched
    assert [one.gross for one in searched] == [Decimal("1469.13"), Decimal("-1469.13"), Decimal("1469.13")]


def test_nothing_is_clicked_when_the_screen_shows_another_sum(erp: SessionThread) -> None:
    permit = Permit()
    wrong = invoice("W-1", gross=Decimal("1469.14"))
    with pytest.raises(ReadBackDiffers, match="gross"):
        erp.call(lambda session: session.post_invoice(wrong, arming(wrong, permit)))
    assert permit.spent == 0
    assert erp.call(lambda session: session.find_invoice(vendor="V101", number="W-1")).items == ()


def test_a_currency_without_a_rate_is_refused_before_the_click(erp: SessionThread) -> None:
    with pytest.raises(Rejected, match="exchange rate"):
        post(erp, invoice("F-1", currency="GBP"))


def test_an_invoice_without_a_number_is_refused(erp: SessionThread) -> None:
    with pytest.raises(Rejected):
        post(erp, invoice(" - "))


def test_a_post_that_hangs_is_ended_by_the_server_before_the_delay_that_the_demo_declares(erp: SessionThread) -> None:
    """Apache ends a silent request after 15 s and its transaction with it; so after 20 s "not found" is a proof."""
    posting = invoice("HANGS-1")
    with psycopg.connect(DSN) as database, ThreadPoolExecutor(1) as pool:

        def arm(_shown: Mapping[str, str]) -> Permit:
            database.execute("LOCK TABLE ap IN EXCLUSIVE MODE")  # others can read it, nobody can write
            return Permit()

        arrived = pool.submit(when_somebody_waits)
        with pytest.raises(TechnicalError):
            erp.call(lambda session: session.post_invoice(posting, arm))
        time.sleep(max(0.0, arrived.result() + VISIBLE_AFTER_S - time.monotonic()))
        database.rollback()
        time.sleep(1)
        held = database.execute("SELECT count(*) FROM ap WHERE invnumber = 'HANGS-1'").fetchone()
    assert held == (0,)


def when_somebody_waits() -> float:
    """The moment at which the request stands before the lock: it has left the browser."""
    with psycopg.connect(DSN, autocommit=True) as database:
        for _ in range(1200):
            if database.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return time.monotonic()
            time.sleep(0.05)
    raise AssertionError("nothing ever waited")


def test_a_file_is_attached_once_and_the_record_stays_the_same(erp: SessionThread) -> None:
    post(erp, invoice("A-1"))
    before = erp.call(lambda session: session.find_invoice(vendor="V101", number="A-1")).items
    for _ in range(2):
        assert erp.call(
            lambda session: session.attach_document(invoice=before[0], name="Rechnung Ü 1.pdf", content=b"%PDF-1.4")
        )
    assert erp.call(lambda session: session.find_invoice(vendor="V101", number="A-1")).items == before


def test_what_another_vendor_billed_for_an_order_of_the_same_number_does_not_count(erp: SessionThread) -> None:
    def billed() -> Decimal:
        (order,) = erp.call(lambda session: session.find_purchase_order(number="PO-77/1")).items
        return Decimal(order.billed_net)

    before = billed()
    post(erp, invoice("B-1", vendor="V102", net=Decimal(10), tax=Decimal(0), gross=Decimal(10)))
    assert billed() == before
    post(erp, invoice("B-2", net=Decimal(10), tax=Decimal(0), gross=Decimal(10)))
    assert billed() == before + 10


def test_goods_are_received_in_parts_and_never_more_than_ordered(erp: SessionThread) -> None:
    with psycopg.connect(DSN) as database:
        database.execute("UPDATE orderitems SET ship = 0")
    first = DeliveryPosting(
        reference="TM-D1",
        order="PO-77/1",
        vendor="V101",
        delivery_number="LS 4711",
        delivered=date(2026, 3, 5),
        lines={1: Decimal(100), 2: Decimal("4.5")},
    )
    second = first.model_copy(update={"reference": "TM-D2", "delivery_number": "LS 4712", "lines": {2: Decimal(6)}})
    for posting in (first, second):
        receive(erp, posting)
    for posting in (first, second):
        assert received(erp, posting.delivery_number) == [posting.lines]
    (order,) = erp.call(lambda session: session.find_purchase_order(number="PO-77/1")).items
    assert [line.received for line in order.lines] == [Decimal(100), Decimal("10.5")]
    with pytest.raises(Rejected):
        receive(erp, second)


def test_a_second_login_ends_the_first_and_its_posting_is_not_stored(erp: SessionThread) -> None:
    posting = invoice("L-1")
    other = SessionThread(SYSTEM, MAPS, SETTINGS, lambda _name: "admin-secret")

    def arm(shown: Mapping[str, str]) -> Permit:
        other.call(lambda session: session.find_vendor(VendorQuery(name="x")))
        return Permit()

    try:
        with pytest.raises(SessionLost):
            erp.call(lambda session: session.post_invoice(posting, arm))
    finally:
        other.close()
    assert erp.call(lambda session: session.find_invoice(vendor="V101", number="L-1")).items == ()


def test_a_wrong_password_is_tried_once(seeded: Path) -> None:
    asked: list[str] = []

    def secret(name: str) -> str:
        asked.append(name)
        return "wrong"

    thread = SessionThread(SYSTEM, MAPS, SETTINGS, secret)
    try:
        with pytest.raises(LoginFailed, match="Incorrect Password"):
            thread.call(lambda session: session.find_vendor(VendorQuery(name="x")))
    finally:
        thread.close()
    assert asked == ["password"]


@pytest.mark.parametrize(
    "preferences",
    [{"numberformat": "1.000,00", "dateformat": "dd.mm.yy"}, {"vclimit": "1"}],
    ids=["a user with German formats", "more vendors than a select takes"],
)
def test_other_preferences_of_the_user_store_the_same_values(seeded: Path, preferences: dict[str, str]) -> None:
    files = [seeded / "app/users/members", seeded / "app/users/admin@office.conf"]
    before = [file.read_text("utf-8") for file in files]
    for file, text in zip(files, before, strict=True):
        file.write_text(_with(text, preferences), "utf-8")
    number = f"G-{len(preferences)}"
    thread = SessionThread(SYSTEM, MAPS, SETTINGS, lambda _name: "admin-secret")
    try:
        post(thread, invoice(number))
        post(thread, invoice("10", vendor="V102", order=None))
        (found,) = thread.call(lambda session: session.find_invoice(vendor="V101", number=number)).items
        (order,) = thread.call(lambda session: session.find_purchase_order(vendor="V101")).items
    finally:
        thread.close()
        for file, text in zip(files, before, strict=True):
            file.write_text(text, "utf-8")
    assert (found.gross, found.date) == (Decimal("1469.13"), date(2026, 3, 1))
    assert order.lines[1].ordered == Decimal("10.5")


def _with(text: str, preferences: dict[str, str]) -> str:
    for key, value in preferences.items():
        text = re.sub(rf"^{key}=.*$", f"{key}={value}", text, flags=re.MULTILINE)
        text = re.sub(rf"^(  {key} => ').*(',)$", rf"\g<1>{value}\g<2>", text, flags=re.MULTILINE)
    if "dateformat" in preferences:
        text = text.replace("'ISO'", "'GERMAN'").replace(r"\'ISO\'", r"\'GERMAN\'")
    return text
