"""What was billed of an order before, where the target's screens do not say it by line."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import Connection, select

from tallyman.domain.compare import fold_number
from tallyman.domain.posting import ALLOWANCES, CHARGES, InvoicePosting, PostingState
from tallyman.domain.roles import Order
from tallyman.store.tables import posting_orders, postings

_STANDS = (PostingState.ARMED, PostingState.POSTED, PostingState.UNKNOWN)


def with_billings(connection: Connection, system: str, order: Order) -> Order:
    """The order with the billed quantities of our ledger, if what we posted for it is all that the target holds.

    Otherwise (somebody keyed an invoice by hand) the quantities stay unknown, and a person looks.
    """
    if order.billed_net is None or all(line.billed is not None for line in order.lines):
        return order
    quantities: dict[int, Decimal] = defaultdict(Decimal)
    net = Decimal(0)
    for posting in _ours(connection, system, order):
        if not _is_clear(posting, order):
            return order
        sign = -1 if posting.credit else 1
        for line in posting.lines:
            if line.order_line is not None:
                quantities[line.order_line] += sign * line.quantity
        net += sign * posting.net
    if net != order.billed_net:
        return order
    lines = tuple(line.model_copy(update={"billed": quantities[line.line]}) for line in order.lines)
    return order.model_copy(update={"lines": lines})


def _ours(connection: Connection, system: str, order: Order) -> list[InvoicePosting]:
    """By the one index that is exact, then by id: a planner without statistics would begin with all of the system's."""
    named = select(posting_orders.c.posting_id).where(posting_orders.c.order_number == fold_number(order.number))
    ids = [row.posting_id for row in connection.execute(named)]
    rows = connection.execute(select(postings).where(postings.c.id.in_(ids)).order_by(postings.c.id)).mappings()
    wanted = (system, "invoice", order.vendor)
    return [
        InvoicePosting.from_json(row["payload"])
        for row in rows
        if (row["system"], row["verb"], row["party"]) == wanted and row["state"] in _STANDS
    ]


def _is(number: str | None, order: Order) -> bool:
    return fold_number(number or "") == fold_number(order.number)


def _is_clear(posting: InvoicePosting, order: Order) -> bool:
    """Whether it says what of this order it bills: it is keyed under it, and each of its lines belongs to one of it."""
    return (
        bool(posting.lines)
        and _is(posting.order, order)
        and all(
            _is(line.order or posting.order, order)
            if line.order_line is not None
            else line.description in (CHARGES, ALLOWANCES) and not line.item
            for line in posting.lines
        )
    )
