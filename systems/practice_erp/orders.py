"""Purchase orders: the list gives the head, the order's own screen its lines."""

from systems.practice_erp.desk import Desk, counted, search
from systems.practice_erp.vendors import name_of
from tallyman.browser.screen import Row
from tallyman.contracts.system import Found
from tallyman.domain.compare import fold_number
from tallyman.domain.roles import Order, OrderLine

_MOST = 50


def find(desk: Desk, number: str | None, vendor: str | None) -> Found[Order]:
    if number:
        rows = [row for row in _list(desk, "", closed=True) if _is(row, number)]
        scope = f"all purchase orders, open and closed, whose number or vendor's reference is {number}"
    elif vendor:
        rows = _list(desk, name_of(desk, vendor), closed=False)
        scope = f"all open purchase orders of vendor {vendor}"
    else:
        return Found(items=(), scope="neither an order number nor a vendor was given", complete=False)
    orders = [read(desk, row.cells["number"]) for row in rows[:_MOST]]
    if vendor:
        orders = [order for order in orders if order.vendor == vendor]
    return Found(items=tuple(orders), scope=scope, complete=len(rows) <= _MOST)


def _is(row: Row, number: str) -> bool:
    return fold_number(number) in {fold_number(row.cells["number"]), fold_number(row.cells["reference"])} - {""}


def _list(desk: Desk, vendor_name: str, *, closed: bool) -> list[Row]:
    form = desk.go("order_search.do", "order_search")
    form.check("open")
    form.check("closed", on=closed)
    rows = search(form, "orders", {"number": "", "vendor": vendor_name, "reference": "", "since": "", "until": ""})
    counted(form, rows, "orders")
    return rows


def read(desk: Desk, number: str) -> Order:
    """The order as its own screen shows it."""
    screen = desk.go("order.do", "order", number=number)
    shown = screen.values("number", "vendor", "reference", "date", "currency", "state")
    read_number = desk.notation.read_number
    return Order(
        number=shown["number"],
        vendor=shown["vendor"],
        currency=shown["currency"] or None,
        closed=shown["state"] == "Closed",
        date=desk.notation.read_day(shown["date"]),
        references=(shown["reference"],) if shown["reference"] else (),
        lines=tuple(
            OrderLine(
                line=int(row.cells["line"]),
                item=row.cells["item"],
                description=row.cells["description"],
                unit=row.cells["unit"],
                ordered=read_number(row.cells["ordered"]),
                received=read_number(row.cells["received"]),
                billed=read_number(row.cells["billed"]),
                unit_price=read_number(row.cells["unit_price"]),
            )
            for row in screen.rows("lines")
        ),
    )
