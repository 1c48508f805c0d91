"""What our ledger says of an order's billed quantities, and when it says nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallyman.domain.case import Case
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import ALLOWANCES, InvoicePosting, NaturalKey, PostingLine, PostingState
from tallyman.domain.roles import Order, OrderLine
from tallyman.platform.config import Home
from tallyman.runtime.billings import with_billings
from tallyman.runtime.desk import Desk
from tallyman.runtime.leases import Leases
from tallyman.runtime.ledger import Entry
from tallyman.runtime.places import HomePlace
from tallyman.store import cases
from tests.fake_target import FakeSystem, FakeTarget, fake_desk

BOLTS = PostingLine(
    order="PO-1", order_line=1, description="Bolts", quantity=Decimal(4), unit_price=Decimal(5), net=Decimal(20)
)


def order(billed_net: str) -> Order:
    line = OrderLine(line=1, item="B", ordered=Decimal(10), received=Decimal(10), unit_price=Decimal(5))
    return Order(number="PO-1", vendor="V1", currency="EUR", billed_net=Decimal(billed_net), lines=(line,))


def posted(desk: Desk, **changes: Any) -> None:
    values: dict[str, Any] = {
        "reference": "TM-1", "vendor": "V1", "vendor_name": "Bolt Ltd", "number": "INV-7", "currency": "EUR",
        "issue_date": date(2026, 11, 2), "order": "PO-1", "net": Decimal(20), "tax": Decimal(0), "gross": Decimal(20),
        "lines": (BOLTS,),
    }  # fmt: skip
    posting = InvoicePosting(**values | changes)
    with desk.database.transaction() as connection:
        case = cases.take_in(
            connection, bot="invoices", source="s", key="a", name="a", sha256="a" * 64, run="r", attended=False
        )
    assert isinstance(case, Case)
    key = NaturalKey(system="fake", company="", party="V1", number=fold_number(posting.number))
    entry: Entry = desk.ledger.intend(key, case, posting.to_json())
    lease = Leases(desk.database, HomePlace()).take("fake", ["-"])
    assert lease is not None
    desk.ledger.arm(entry, None, lease)
    with desk.database.transaction() as connection:
        desk.ledger.settle(connection, entry, PostingState.POSTED, "", record="R1")


def billed(desk: Desk, billed_net: str) -> Decimal | None:
    with desk.database.transaction() as connection:
        return with_billings(connection, "fake", order(billed_net)).lines[0].billed


@pytest.fixture
def desk(home: Any) -> Any:
    found = fake_desk(Home(home), FakeSystem(FakeTarget()))
    yield found
    found.close()


def test_what_we_posted_under_the_order_is_what_was_billed(desk: Desk) -> None:
    posted(desk)
    assert billed(desk, "20") == 4


def test_an_allowance_on_the_whole_belongs_to_no_line(desk: Desk) -> None:
    rest = PostingLine(description=ALLOWANCES, quantity=Decimal(1), unit_price=Decimal(-2), net=Decimal(-2))
    posted(desk, lines=(BOLTS, rest), net=Decimal(18), gross=Decimal(18))
    assert billed(desk, "18") == 4


def test_what_somebody_else_keyed_makes_the_quantities_unknown(desk: Desk) -> None:
    posted(desk)
    assert billed(desk, "25") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"order": None},  # keyed without an order: the target's sums of the order do not know it
        {"lines": ()},
        {"lines": (BOLTS.model_copy(update={"order": None, "order_line": None}),)},
    ],
)
def test_a_posting_that_does_not_say_what_it_bills_makes_the_quantities_unknown(
    desk: Desk, changes: dict[str, Any]
) -> None:
    posted(desk, **changes)
    assert billed(desk, "20" if changes.get("order", "PO-1") else "0") is None
