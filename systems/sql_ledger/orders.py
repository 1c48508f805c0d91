"""Purchase orders: the list gives the head, the order's own screen its lines."""

from decimal import Decimal

from systems.sql_ledger.billings import billed_net
from systems.sql_ledger.desk import Desk, number_pattern, tick
from systems.sql_ledger.vendors import record_id
from tallyman.browser.screen import Row, Screen
from tallyman.contracts.system import Found
from tallyman.domain.compare import fold_number
from tallyman.domain.roles import Order, OrderLine

_MOST = 50
_COLUMNS = ("id", "number", "other_number", "date", "vendor", "currency", "waybill")


def find(desk: Desk, number: str | None, vendor: str | None) -> Found[Order]:
    if number:
        rows = by_number(desk, number)
        scope = f"all purchase orders, open and closed, whose number or PO number is {number}"
        if vendor:
            rows = [row for row in rows if row.cells["vendor"] == vendor]
            scope += f", of vendor {vendor}"
    elif vendor:
        rows, scope = _open_of(desk, vendor), f"all open purchase orders of vendor {vendor}"
    else:
        return Found(items=(), scope="neither an order number nor a vendor was given", complete=False)
    orders = tuple(
        _order(desk, row, billed_net(desk, row.cells["number"], row.cells["vendor"])) for row in rows[:_MOST]
    )
    return Found(items=orders, scope=scope, complete=len(rows) <= _MOST)


def by_number(desk: Desk, number: str) -> list[Row]:
    """Rows of the list whose number or PO number equals `number` up to separators and case; any state."""
    found: dict[str, Row] = {}
    for field in ("number", "other_number"):
        form = _form(desk)
        form.fill(field, number_pattern(number))
        tick(form, ("open", "closed"))
        for row in _list(desk, form):
            if fold_number(number) == fold_number(row.cells[field]):
                found[row.cells["id"]] = row
    return list(found.values())


def choose_vendor(form: Screen, vendor_id: str) -> bool:
    """Choose by record id in a search form. False: this vendor is not among the options any more."""
    value = next((value for value in form.options("vendor") if value.endswith(f"--{vendor_id}")), None)
    if value is None:
        return False
    form.choose("vendor", value)
    return True


def _open_of(desk: Desk, vendor: str) -> list[Row]:
    vendor_id = record_id(desk, vendor)
    form = _form(desk)
    if form.present("vendor_number"):  # more vendors than the select takes: the form asks for the number
        form.fill("vendor_number", f'"{vendor.lower()}"')
    elif vendor_id is None or not choose_vendor(form, vendor_id):
        return []
    tick(form, ("open", "closed"))
    return [row for row in _list(desk, form) if row.cells["vendor"] == vendor and not row.cells["closed"]]


def _form(desk: Desk) -> Screen:
    form = desk.go("oe.pl?action=search&type=purchase_order", "order_search")
    tick(form, [f"show_{column}" for column in _COLUMNS])
    return form


def _list(desk: Desk, form: Screen) -> list[Row]:
    """Without the row of totals; an order whose vendor has two addresses comes twice."""
    rows = desk.submit(form, "order_list").rows("orders")
    return list({row.cells["id"]: row for row in rows if row.cells["id"]}.values())


def _order(desk: Desk, row: Row, billed: Decimal) -> Order:
    cells = row.cells
    return Order(
        number=cells["number"],
        vendor=cells["vendor"],
        currency=cells["currency"] or None,
        closed=bool(cells["closed"]),
        date=desk.notation.read_day(cells["date"]),
        references=tuple(text for text in (cells["other_number"],) if text),
        billed_net=billed,
        lines=tuple(_lines(desk, desk.follow(row.links["number"], "order"))),
    )


def _lines(desk: Desk, screen: Screen) -> list[OrderLine]:
    read = desk.notation.read_number
    lines = []
    for at, row in enumerate(screen.rows("lines"), start=1):
        cells = row.cells
        if not cells["ordered"]:
            continue  # the empty row for a further line
        discount = 1 - read(cells["discount"]) / 100
        lines.append(
            OrderLine(
                line=at,
                item=cells["item"],
                description=" ".join(cells["description"].split()),
                unit=cells["unit"],
                ordered=read(cells["ordered"]),
                received=read(cells["received"]),
                unit_price=Decimal(read(cells["price"]) * discount),
            )
        )
    return lines


def line_keys(screen: Screen, count: int) -> dict[int, str]:
    """The stable key of each line of an order, or of a receive screen, by its row number."""
    return {n: screen.value("line_key", n) for n in range(1, count + 1)}
