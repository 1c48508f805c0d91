"""`tallyman posting reconcile` against the practice ERP: a real command, a real browser, tampered books."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures.office.database import books
from tallyman.domain.case import CaseState
from tallyman.domain.compare import fold_number
from tallyman.domain.finding import Finding
from tallyman.domain.posting import DeliveryPosting, InvoicePosting, PostingState
from tallyman.domain.reasons import Reason
from tallyman.platform.clock import now
from tallyman.platform.config import Home
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT
from tallyman.runtime.desk import Desk
from tallyman.store import cases, reviews
from tallyman.store.tables import postings
from tests.office import PASSWORD, CountedPermit, RunningOffice, arming, office

__all__ = ["office"]  # the fixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _key(posting: InvoicePosting | DeliveryPosting, erp: Any) -> None:
    arm = arming(posting, CountedPermit())
    if isinstance(posting, InvoicePosting):
        erp.post_invoice(posting, arm)
    else:
        erp.confirm_delivery(posting, arm)


class Books:
    """A home whose ledger says what the test wants, beside an ERP whose books say what the test wants."""

    def __init__(self, home: Path, office: RunningOffice) -> None:
        self.office = office
        self.home = Home(home)
        url = office.urls["erp"]
        settings = f'retry_waits_s = []\n[systems.practice_erp]\nurl = "{url}"\nuser = "clerk"\n'
        (home / "tallyman.toml").write_text(settings, "utf-8")
        Vault(self.home.vault).set("practice_erp.password", PASSWORD)
        self.desk = Desk.open(self.home)
        self._erp = office.session("practice_erp")

    def post(self, *wanted: InvoicePosting | DeliveryPosting) -> None:
        for posting in wanted:
            self._erp.call(partial(_key, posting))

    def row(self, posting: InvoicePosting | DeliveryPosting, state: PostingState) -> str:
        """A row of the ledger as a case leaves it, with the item that asks a person."""
        invoice = isinstance(posting, InvoicePosting)
        party = posting.vendor if isinstance(posting, InvoicePosting) else posting.order
        number = posting.number if isinstance(posting, InvoicePosting) else posting.delivery_number
        with self.desk.database.transaction() as connection:
            case = cases.take_in(
                connection, bot="invoices", source="s", key=number, name=number,
                sha256=f"{fold_number(number):z<64}", run="r", attended=False,
            )  # fmt: skip
            assert case is not None
            earlier = now() - timedelta(minutes=10)
            connection.execute(
                postings.insert().values(
                    system="practice_erp", company="", party=party, number=fold_number(number),
                    verb="invoice" if invoice else "delivery", case_id=case.id, payload=posting.to_json(),
                    payload_hash="", state=state, epoch=1, armed_at=earlier, created_at=earlier, updated_at=earlier,
                )
            )  # fmt: skip
            if state is PostingState.UNKNOWN:
                finding = Finding(reason=Reason.OUTCOME_UNKNOWN, message="It was clicked.")
                reviews.open_item(connection, case.id, f"case:{case.id}", [finding])
                cases.move(connection, case.id, CaseState.UNKNOWN, "It was clicked.")
        return case.id

    def sql(self, statement: str, *values: Any) -> None:
        with books(self.office.home, "erp") as erp:
            assert erp.execute(statement, values).rowcount

    def command(self, *words: str) -> tuple[int, str, str]:
        self._erp.discard()
        done = subprocess.run(
            [sys.executable, "-m", "tallyman.cli", "posting", "reconcile", *words],
            env=os.environ | {"TALLYMAN_HOME": str(self.home.path)},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def close(self) -> None:
        self._erp.close()
        self.desk.close()


@pytest.fixture
def ledger(home: Path, office: RunningOffice) -> Iterator[Books]:
    found = Books(home, office)
    yield found
    found.close()
    office.reset()


def invoice(number: str, **changes: Any) -> InvoicePosting:
    values: dict[str, Any] = {
        "reference": f"TM-{number}", "vendor": "10073", "vendor_name": "", "number": number, "order": "PO-1001",
        "issue_date": date(2026, 3, 4), "currency": "EUR", "net": Decimal("100"), "tax": Decimal("19"),
        "gross": Decimal("119"),
    }  # fmt: skip
    return InvoicePosting.model_validate(values | changes)


def test_books_that_agree_end_the_command_with_success(ledger: Books) -> None:
    one = invoice("OK-1")
    ledger.post(one)
    ledger.row(one, PostingState.POSTED)
    code, told, error = ledger.command("--since", "2026-01-01")
    assert (code, error) == (0, ""), error
    assert "practice_erp" in told
    assert told.endswith("The books agree.\n")
    ledger.sql("DELETE FROM invoices WHERE number = ?", one.number)


def test_each_way_in_which_the_books_may_differ_is_found_by_one_comparison(ledger: Books) -> None:
    equal, hidden, changed, doubled, late, lost = (invoice(f"K-{n}") for n in range(6))
    stray, by_hand, denied = invoice("K-6"), invoice("K-7", reference=""), invoice("K-8")
    received = DeliveryPosting(
        reference="TM-D", order="PO-1001", vendor="10073", delivery_number="LS 1", delivered=date(2026, 3, 19),
        lines={10: Decimal(2)},
    )  # fmt: skip
    gone = received.model_copy(update={"delivery_number": "LS 2"})
    ledger.post(equal, hidden, changed, doubled, doubled.model_copy(update={"reference": ""}), late)
    ledger.post(stray, by_hand, denied, received)
    for one in (equal, hidden, changed, doubled, received, gone):
        ledger.row(one, PostingState.POSTED)
    settled = ledger.row(late, PostingState.UNKNOWN)
    ledger.row(lost, PostingState.UNKNOWN)
    ledger.row(denied, PostingState.NOT_POSTED)
    ledger.sql("UPDATE invoices SET visible_at = 9e12 WHERE number = ?", hidden.number)
    ledger.sql("UPDATE invoices SET gross = '911' WHERE number = ?", changed.number)

    code, told, error = ledger.command("practice_erp", "--json")
    assert (code, "The books do not agree" in error) == (4, True)
    (result,) = json.loads(told)
    assert {problem["message"].split(" of ")[0]: problem["what"] for problem in result["problems"]} == {
        "The invoice K-1": "missing",
        "The invoice K-2": "differs",
        "The invoice K-3": "twice",
        "The invoice K-6": "stray",
        "The invoice K-8": "denied",
        "The receipt LS 2": "missing",
    }
    counts = {name: result[name] for name in ("checked", "equal", "settled", "unsettled", "foreign")}
    assert counts == {"checked": 9, "equal": 2, "settled": 1, "unsettled": 1, "foreign": 1}
    with ledger.desk.database.transaction() as connection:
        assert cases.get(connection, settled).state is CaseState.POSTED
        waiting = [row["reason"] for row in reviews.listed(connection)]
        states = [row["state"] for row in connection.execute(postings.select().order_by(postings.c.id)).mappings()]
    assert waiting.count(Reason.BOOKS_DIFFER) == 5
    assert waiting.count(Reason.DUPLICATE_SUSPECTED) == waiting.count(Reason.OUTCOME_UNKNOWN) == 1
    assert states == [*["POSTED"] * 7, "UNKNOWN", "NOT_POSTED"]

    code, told, _ = ledger.command()  # all systems, as a table; nothing new is asked
    assert code == 4
    assert "The invoice K-1 of vendor 10073 was posted and is not there any more." in told
    assert all(len(line) <= 100 for line in told.splitlines() if not line.startswith("Item "))
    with ledger.desk.database.transaction() as connection:
        assert [row["reason"] for row in reviews.listed(connection)] == waiting


def test_a_refused_password_is_told_and_changes_nothing(ledger: Books) -> None:
    ledger.row(invoice("PW-1"), PostingState.UNKNOWN)
    ledger.office.change("erp", drop_password=True)
    code, _, error = ledger.command("practice_erp")
    assert (code, "Invalid user name or password" in error) == (4, True)
    ledger.office.expire("erp")


def test_a_system_that_nothing_is_posted_into_is_no_question(ledger: Books) -> None:
    code, _, error = ledger.command("practice_carrier")
    assert (code, "No bot posts into practice_carrier" in error) == (2, True)
