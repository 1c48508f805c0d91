"""Goods receipts. No screen of SQL-Ledger shows past ones, so each is written into the order's waybill as well.

The waybill is one text for the whole order, which each receipt overwrites; ours appends to it:
`NUMBER (REFERENCE DATE: LINE=QUANTITY ...)`. It is stored in the same transaction as the quantities.
"""

import re
from datetime import date
from decimal import Decimal

from systems.sql_ledger.desk import Desk, number_pattern, tick
from systems.sql_ledger.orders import by_number, line_keys
from tallyman.browser.screen import Row, Screen
from tallyman.contracts.system import Arm, Found
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import DeliveryPosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Receipt
from tallyman.errors import Rejected

_ENTRY = re.compile(r"(?P<number>[^;()]*) \((?P<reference>\S+) (?P<day>\d{4}-\d\d-\d\d):(?P<lines>[^)]*)\)")


def find(desk: Desk, order: str, reference: str) -> Found[Receipt]:
    found = [
        Receipt(
            order=row.cells["number"],
            reference=reference,
            record=f"{row.cells['id']}/{entry['reference']}",
            date=date.fromisoformat(entry["day"]),
            lines=_lines(entry["lines"]),
        )
        for row in by_number(desk, order)
        for entry in _ENTRY.finditer(row.cells["waybill"])
        if fold_number(entry["number"]) == fold_number(reference)
    ]
    scope = f"the waybill of order {order}, open or closed; receipts that were keyed without a reference are not in it"
    return Found(items=tuple(found), scope=scope, complete=True)


def confirm(desk: Desk, posting: DeliveryPosting, arm: Arm) -> None:
    wanted = {line: quantity for line, quantity in posting.lines.items() if quantity}
    if not wanted:
        raise Rejected("A receipt without quantities is not posted.")
    row = _the_order(desk, posting)
    keys = _keys_of_lines(desk, row)
    form = _receive(desk, row)
    at = _rows_for(desk, form, wanted, keys)
    for line, quantity in wanted.items():
        form.fill("quantity", desk.notation.number(quantity), at[line])
    form.fill("delivered", desk.notation.day(posting.delivered))
    form.fill("waybill", _with_entry(form.value("waybill"), posting, wanted))
    form.press("update")
    form = desk.tab.screen("receive")
    permit = arm(_shown(desk, form, at, posting))
    form.commit("done", permit)
    told = desk.alert()
    if told.rstrip().endswith(("missing!", "Nothing entered!")):
        raise Rejected(f"SQL-Ledger said: {told}")


def _the_order(desk: Desk, posting: DeliveryPosting) -> Row:
    rows = [row for row in by_number(desk, posting.order) if row.cells["vendor"] == posting.vendor]
    if len(rows) != 1:
        raise Rejected(f"{len(rows)} orders {posting.order} of vendor {posting.vendor}.", reason=Reason.NO_ORDER)
    if rows[0].cells["closed"]:
        raise Rejected(f"Order {posting.order} is closed.", reason=Reason.ORDER_CLOSED)
    return rows[0]


def _keys_of_lines(desk: Desk, row: Row) -> dict[int, str]:
    screen = desk.follow(row.links["number"], "order")
    return line_keys(screen, sum(1 for line in screen.rows("lines") if line.cells["ordered"]))


def _receive(desk: Desk, row: Row) -> Screen:
    form = desk.go("oe.pl?action=search&type=receive_order", "order_search")
    form.fill("number", number_pattern(row.cells["number"]))
    tick(form, ("show_id", "show_number", "show_vendor"))
    for found in desk.submit(form, "order_list").rows("to_receive"):
        if found.cells["id"] == row.cells["id"]:
            return desk.follow(found.links["number"], "receive")
    raise Rejected(f"Order {row.cells['number']} has nothing left to receive.", reason=Reason.RECEIVED_NOT_ORDERED)


def _rows_for(desk: Desk, form: Screen, wanted: dict[int, Decimal], keys: dict[int, str]) -> dict[int, int]:
    """The row of the receive screen for each line of the order. It shows only lines with a remainder, numbered anew."""
    rows = form.rows("lines")
    places = {key: n for n, key in line_keys(form, len(rows)).items()}
    at = {}
    for line, quantity in wanted.items():
        n = places.get(keys.get(line, ""))
        left = desk.notation.read_number(rows[n - 1].cells["remaining"]) if n else Decimal(0)
        if n is None or quantity > left:
            raise Rejected(
                f"Line {line}: {quantity} arrived, but only {left} are still to come.",
                reason=Reason.RECEIVED_NOT_ORDERED,
            )
        at[line] = n
    return at


def _with_entry(before: str, posting: DeliveryPosting, wanted: dict[int, Decimal]) -> str:
    lines = " ".join(f"{line}={format(quantity, 'f')}" for line, quantity in sorted(wanted.items()))
    number = re.sub(r"[;()]", " ", posting.delivery_number).strip()
    entry = f"{number} ({posting.reference} {posting.delivered.isoformat()}: {lines})"
    return f"{before}; {entry}" if before else entry


def _shown(desk: Desk, form: Screen, at: dict[int, int], posting: DeliveryPosting) -> dict[str, str]:
    day = desk.notation.read_day(form.value("delivered"))
    entries = [entry for entry in _ENTRY.finditer(form.value("waybill")) if entry["reference"] == posting.reference]
    values = {
        "order": form.value("order"),
        "delivery_number": entries[0]["number"].strip() if len(entries) == 1 else "",
        "delivered": day.isoformat() if day else "",
    }
    zero = {f"line_{line}": "0" for line, quantity in posting.lines.items() if not quantity}
    keyed = {f"line_{line}": str(desk.notation.read_number(form.value("quantity", n))) for line, n in at.items()}
    return values | zero | keyed


def _lines(text: str) -> dict[int, Decimal]:
    pairs = (pair.split("=") for pair in text.split())
    return {int(line): Decimal(quantity) for line, quantity in pairs}
