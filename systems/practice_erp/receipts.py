"""Goods receipts: found by order and delivery reference, keyed against the order's lines."""

from decimal import Decimal

from systems.practice_erp.desk import Desk, counted, search
from systems.practice_erp.invoices import DIALOGS, refuse
from tallyman.browser.screen import Screen
from tallyman.contracts.system import Arm, Found
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import DeliveryPosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Receipt
from tallyman.errors import PageChanged, ReadBackDiffers, Rejected

_REFUSALS = {
    "The record is locked": Reason.RECORD_LOCKED,
    "The record was changed by another user": Reason.RECORD_LOCKED,
    "The period is closed": Reason.PERIOD_CLOSED,
    "Order not on file": Reason.NO_ORDER,
    "Order is closed": Reason.ORDER_CLOSED,
    "Nothing to receive": Reason.RECORD_LOCKED,
    "Line ": Reason.RECEIVED_NOT_ORDERED,
}


def find(desk: Desk, order: str, reference: str) -> Found[Receipt]:
    form = desk.go("receipt_search.do", "receipt_search")
    rows = search(form, "receipts", {"order": order, "reference": "", "since": "", "until": ""})
    counted(form, rows, "receipts")
    records = [
        row.cells["record"]
        for row in rows
        if fold_number(row.cells["order"]) == fold_number(order)
        and fold_number(row.cells["reference"]) == fold_number(reference)
    ]
    return Found(
        items=tuple(_read(desk, record) for record in records),
        scope=f"all goods receipts of order {order}, of all dates",
        complete=True,
    )


def _read(desk: Desk, record: str) -> Receipt:
    screen = desk.go("receipt.do", "receipt", id=record)
    shown = screen.values("record", "order", "reference", "date")
    if shown["record"] != record:
        raise PageChanged(f"Another receipt than {record} was opened.")
    return Receipt(
        order=shown["order"],
        reference=shown["reference"],
        record=record,
        date=desk.notation.read_day(shown["date"]),
        lines={
            int(row.cells["line"]): desk.notation.read_number(row.cells["quantity"]) for row in screen.rows("lines")
        },
    )


def confirm(desk: Desk, posting: DeliveryPosting, arm: Arm) -> None:
    wanted = {line: quantity for line, quantity in posting.lines.items() if quantity}
    if not wanted or not fold_number(posting.delivery_number):
        raise Rejected("A receipt without quantities or without the delivery's number is not posted.")
    form = _the_order(desk, posting)
    at = _rows_for(desk, form, wanted)
    form.fill("delivered", desk.notation.day(posting.delivered))
    form.fill("reference", posting.delivery_number)
    form.fill("note", posting.reference)
    for line, n in at.items():
        form.fill("quantity", desk.notation.number(wanted[line]) if line in wanted else "", n)
    form.press("update")
    form = desk.tab.screen("receipt_new")
    shown = _shown(desk, form, posting)
    if more := {name: ("", text) for name, text in shown.items() if name not in posting.shown()}:
        raise ReadBackDiffers(more)
    permit = arm(shown)
    with desk.tab.expecting_dialog(DIALOGS):
        form.commit("post", permit)
    refuse(desk.error(), _REFUSALS)


def _the_order(desk: Desk, posting: DeliveryPosting) -> Screen:
    form = desk.go("receipt_new.do", "receipt_new")
    form.fill("order", posting.order)
    form.press("update")
    form = desk.tab.screen("receipt_new")
    if not form.present("state"):
        raise Rejected(f"The ERP has no order {posting.order}.", reason=Reason.NO_ORDER)
    if form.value("state") != "Open":
        raise Rejected(f"Order {posting.order} is closed.", reason=Reason.ORDER_CLOSED)
    return form


def _rows_for(desk: Desk, form: Screen, wanted: dict[int, Decimal]) -> dict[int, int]:
    """The row of the form for each line of the order. Raises Rejected when a line takes less than has arrived."""
    at, left = {}, {}
    for n, row in enumerate(form.rows("lines"), start=1):
        line = int(form.value("line_number", n))
        if line != int(row.cells["line"]):
            raise PageChanged(f"Row {n} shows line {row.cells['line']} and means line {line}.")
        at[line], left[line] = n, desk.notation.read_number(row.cells["open"])
    for line, quantity in wanted.items():
        if quantity < 0 or quantity > left.get(line, Decimal(0)):
            raise Rejected(
                f"Line {line}: {quantity} arrived, but {left.get(line, 'none')} are still to come.",
                reason=Reason.RECEIVED_NOT_ORDERED,
            )
    return at


def _shown(desk: Desk, form: Screen, posting: DeliveryPosting) -> dict[str, str]:
    """What the form shows after an update; lines of the order that were not keyed are in it when they are not zero."""
    day = desk.notation.read_day(form.value("delivered"))
    values = {
        "order": form.value("order"),
        "delivery_number": form.value("reference"),
        "delivered": day.isoformat() if day else "",
    }
    for row in form.rows("lines"):
        quantity = desk.notation.read_number(row.cells["quantity"])
        if quantity or int(row.cells["line"]) in posting.lines:
            values[f"line_{row.cells['line']}"] = str(quantity)
    return values
