"""Vendor invoices: found among all of the vendor's, keyed into the entry form, read back from it."""

import re
from collections.abc import Iterator
from decimal import Decimal

from systems.practice_erp.desk import Desk, search
from systems.practice_erp.vendors import name_of
from tallyman.browser.screen import Row, Screen
from tallyman.contracts.system import Arm, Found
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import InvoicePosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import PageChanged, ReadBackDiffers, Rejected

_COLUMNS = ("id", "number", "gross")
_REFUSALS = {
    "The record is locked": Reason.RECORD_LOCKED,
    "The record was changed by another user": Reason.RECORD_LOCKED,
    "The period is closed": Reason.PERIOD_CLOSED,
    "Invoice number already exists": Reason.DUPLICATE_SUSPECTED,
    "Invoice number and total are required": Reason.RECORD_LOCKED,
}
"""How the messages begin that come before anything is stored; any other may come after it."""
DIALOGS = r"^(Post this document\?|The document will be posted\.)$"
"""What Post may ask or tell before it sends the form."""


def find(desk: Desk, vendor: str, number: str) -> Found[PostedInvoice]:
    """Credit notes are invoices with negative amounts here."""
    alike = [row for row in _of_vendor(desk, vendor) if fold_number(row.cells["number"]) == fold_number(number)]
    found = [read_record(desk, row.cells["id"]) for row in alike]
    return Found(
        items=tuple(one for one in found if one.vendor == vendor),
        scope=f"all vendor invoices and drafts of vendor {vendor}, of all dates",
        complete=True,
    )


def _of_vendor(desk: Desk, vendor: str) -> list[Row]:
    """All rows of a vendor, perhaps with some of vendors whose name is alike.

    The screen's charset spoils some letters in a search, so only the longest plain part of the name is asked for; and
    as a server set to exact search finds nothing by a part, no row at all means that all vendors are searched.
    """
    name = name_of(desk, vendor)
    plain = max(re.findall(r"[\x20-\x7e]+", name), key=len, default="").strip()
    rows = _list(desk, plain)
    return rows if rows or not plain or plain == name else _list(desk, "")


def _list(desk: Desk, vendor_name: str) -> list[Row]:
    form = desk.go("invoice_search.do", "invoice_search")
    columns = [f"show_{column}" for column in _COLUMNS] if form.present("show_id") else []  # no boxes: all are shown
    for box in ("posted", "drafts", *columns):
        form.check(box)
    rows = search(form, "invoices", {"vendor": vendor_name, "since": "", "until": ""})
    if not (form.checked("posted") and form.checked("drafts")):
        raise PageChanged("The search left out drafts or posted invoices.")
    for row in rows:
        desk.notation.read_number(row.cells["gross"])
        desk.notation_seen = True
    return [row for row in rows if row.cells["id"]]  # the last row is a total


def open_record(desk: Desk, record: str) -> Screen:
    screen = desk.go("invoice.do", "invoice", id=record)
    if screen.value("record") != record:
        raise PageChanged(f"Another record than {record} was opened.")
    return screen


def read_record(desk: Desk, record: str) -> PostedInvoice:
    """The record as its own screen shows it."""
    screen = open_record(desk, record)
    names = ("number", "vendor", "date", "order", "reference", "currency", "net", "gross", "status")
    shown = screen.values(*names)
    return PostedInvoice(
        number=shown["number"],
        vendor=shown["vendor"],
        record=record,
        date=desk.notation.read_day(shown["date"]),
        currency=shown["currency"] or None,
        gross=desk.notation.read_number(shown["gross"]),
        net=desk.notation.read_number(shown["net"]),
        order=shown["order"] or None,
        reference=shown["reference"] or None,
        state="draft" if shown["status"] == "draft" else "posted",
    )


def post(desk: Desk, posting: InvoicePosting, arm: Arm) -> None:
    if not fold_number(posting.number) or posting.gross == 0:
        raise Rejected("An invoice without a number or without an amount is not posted; the ERP would take it.")
    if len(posting.orders) > 1:
        raise Rejected(f"The ERP keeps one order for each invoice, and this one names {', '.join(posting.orders)}.")
    if not desk.notation_seen:
        _list(desk, "")
    form = desk.go("invoice_new.do", "invoice_new")
    if form.value("number") or form.value("gross"):
        raise PageChanged("The form is not an empty one.")
    form = _choose_vendor(desk, form, posting.vendor)
    _fill_order(desk, form, posting.order or "")
    _fill_head(desk, form, posting)
    form = _fill_rows(desk, form, posting)
    form.press("update")
    form = desk.tab.screen("invoice_new")
    _check_rows(desk, form, posting)
    permit = arm(shown(desk, form, posting))
    with desk.tab.expecting_dialog(DIALOGS):
        form.commit("post", permit)
    refuse(desk.error(), _REFUSALS)


def refuse(told: str, refusals: dict[str, Reason]) -> None:
    """Raises Rejected when the target says clearly that it stored nothing."""
    for start, reason in refusals.items():
        if told.startswith(start):
            raise Rejected(f"The ERP said: {told}", reason=reason)


def _choose_vendor(desk: Desk, form: Screen, number: str) -> Screen:
    """Four ways to choose one: a select of names or of codes, a look-up window, a free text."""
    if form.present("vendor"):
        options = form.options("vendor")
        value = next((value for value in options if value == number or value.endswith(f"--{number}")), None)
        if value is None:
            raise Rejected(f"The ERP offers no vendor {number}.", reason=Reason.VENDOR_UNKNOWN)
        form.choose("vendor", value, redraws=True)
        return desk.tab.screen("invoice_new")
    if form.present("look_up"):
        with desk.tab.popup() as popup:
            form.press("look_up", redraws=False)
            window = popup.tab(desk.tab)
        window.screen("vendor_lookup").press("vendor", number, redraws=False)
        desk.tab.wait(lambda: window.closed)
        form.press("update")
        return desk.tab.screen("invoice_new")
    name = name_of(desk, number)
    if not name:
        raise Rejected(f"The ERP has no vendor {number}.", reason=Reason.VENDOR_UNKNOWN)
    form = desk.go("invoice_new.do", "invoice_new")
    form.fill("vendor_text", name)
    form.press("update")
    names = desk.tab.screen("vendor_names", wait=False)
    if names.present("choose", number):  # several names hold this one
        names.check("choose", n=number)
        names.press("continue")
    return desk.tab.screen("invoice_new")


def _fill_order(desk: Desk, form: Screen, order: str) -> None:
    """Before all rows: leaving the field replaces them by the order's lines, some time later."""
    form.fill("order", order)
    form.leave("order")
    if not desk.tab.wait(lambda: not form.present("busy")):
        raise PageChanged("The rows of the order did not arrive.")


def _fill_head(desk: Desk, form: Screen, posting: InvoicePosting) -> None:
    write, sign = desk.notation, _sign(posting)
    form.fill("number", posting.number)
    form.fill("issue_date", write.day(posting.issue_date))
    form.fill("due_date", write.day(posting.due_date) if posting.due_date else "")
    if form.value("currency") != posting.currency:
        if posting.currency not in form.options("currency"):
            raise Rejected(f"The ERP knows no currency {posting.currency}.", reason=Reason.CURRENCY_MISMATCH)
        form.choose("currency", posting.currency)
    for name, amount in (("net", posting.net), ("tax", posting.tax), ("gross", posting.gross)):
        form.fill(name, write.number(sign * amount))
    form.fill("reference", posting.reference)


def _rows(posting: InvoicePosting) -> Iterator[tuple[str, str, Decimal | None, Decimal]]:
    """(order line, description, quantity, amount) of each row; one row for the whole where the lines are not known."""
    sign = _sign(posting)
    if not posting.lines:
        yield "", posting.reference, None, sign * posting.net
    for line in posting.lines:
        order_line = str(line.order_line) if line.order_line is not None else ""
        yield order_line, line.description, sign * line.quantity, sign * line.net


def _fill_rows(desk: Desk, form: Screen, posting: InvoicePosting) -> Screen:
    for n, (order_line, description, quantity, amount) in enumerate(_rows(posting), start=1):
        if not form.present("amount", n):
            form.press("update")  # adds a row when the last one is used
            form = desk.tab.screen("invoice_new")
        form.fill("order_line", order_line, n)
        form.fill("description", description, n)
        form.fill("quantity", desk.notation.number(quantity) if quantity is not None else "", n)
        form.fill("amount", desk.notation.number(amount), n)
    return form


def _check_rows(desk: Desk, form: Screen, posting: InvoicePosting) -> None:
    """Every row shows what was keyed into it, and no other row holds a quantity or an amount."""
    read = desk.notation.read_number
    wanted = {
        n: (order_line, quantity or Decimal(0), amount)
        for n, (order_line, _, quantity, amount) in enumerate(_rows(posting), start=1)
    }
    shown: dict[int, tuple[str, Decimal, Decimal]] = {}
    for n, row in enumerate(form.rows("lines"), start=1):
        quantity, amount = read(row.cells["quantity"]), read(row.cells["amount"])
        if quantity or amount:
            shown[n] = (row.cells["order_line"], quantity, amount)
    wrong = {n for n in wanted.keys() | shown.keys() if wanted.get(n) != shown.get(n)}
    if wrong:
        told = {f"row {n}": (_words(wanted.get(n)), _words(shown.get(n))) for n in sorted(wrong)}
        raise ReadBackDiffers(told)


def _words(row: tuple[str, Decimal, Decimal] | None) -> str:
    return f"line {row[0] or '-'}, quantity {row[1]}, amount {row[2]}" if row else ""


def shown(desk: Desk, form: Screen, posting: InvoicePosting) -> dict[str, str]:
    """What the form shows after an update, by the names of `InvoicePosting.shown`."""
    told = form.values("number", "issue_date", "due_date", "currency", "order", "net", "tax", "gross")
    issued, due = (desk.notation.read_day(told[name]) for name in ("issue_date", "due_date"))
    values = {
        "vendor": _vendor_shown(form),
        "number": told["number"],
        "issue_date": issued.isoformat() if issued else "",
        "currency": told["currency"],
        "order": told["order"],
    }
    for name in ("net", "tax", "gross"):
        values[name] = str(_sign(posting) * desk.notation.read_number(told[name]))
    if due or posting.due_date:
        values["due_date"] = due.isoformat() if due else ""
    return values


def _vendor_shown(form: Screen) -> str:
    """The number that the form prints under the vendor; it must be the one that the form will send."""
    printed = form.value("vendor_line").split("   ")[0].strip() if form.present("vendor_line") else ""
    return printed if printed == form.value("vendor_sent") else ""


def _sign(posting: InvoicePosting) -> int:
    return -1 if posting.credit else 1
