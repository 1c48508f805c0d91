"""Vendor invoices as AP transactions: found in the list, keyed into the form, read back from it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from systems.sql_ledger.desk import Desk, number_pattern, tick
from systems.sql_ledger.orders import choose_vendor
from systems.sql_ledger.vendors import record_id
from tallyman.browser.screen import Row, Screen
from tallyman.contracts.system import Arm, Found
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import InvoicePosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import PageChanged, Rejected

_COLUMNS = ("id", "number", "order", "description", "date", "vendor", "net", "tax", "gross", "currency")
_REFUSALS = ("missing!", "closed period!")
"""How the messages end that come before anything is stored. A database error may come after it."""
_CENT = Decimal("0.01")


def find(desk: Desk, vendor: str, number: str) -> Found[PostedInvoice]:
    """Posted transactions, vendor invoices and debit notes; debit notes have negative amounts."""
    rows = {row.cells["id"]: row for row in _search(desk, vendor, number)}
    open_batches = _open_batches(desk)
    scope = f"all posted AP transactions and vendor invoices of vendor {vendor}, open and closed, of all dates"
    if open_batches:
        scope += f"; not the vouchers in {open_batches} batches that await approval"
    return Found(
        items=tuple(_posted(desk, row) for row in rows.values()),
        scope=scope,
        complete=open_batches == 0,
    )


def listed(desk: Desk, since: date) -> Found[PostedInvoice]:
    """As `find`, for all vendors: the list of AP transactions from this day on."""
    form = desk.go("ap.pl?action=search&nextsub=transactions", "invoice_search")
    form.fill("since", desk.notation.day(since))
    tick(form, ("open", "closed", *(f"show_{column}" for column in _COLUMNS)))
    rows = {row.cells["id"]: row for row in desk.submit(form, "invoice_list").rows("invoices") if row.cells["id"]}
    own = desk.go("ap.pl?action=add&type=transaction", "invoice").value("company_currency")
    open_batches = _open_batches(desk)
    scope = f"all posted AP transactions and vendor invoices dated since {since}, open and closed"
    if open_batches:
        scope += f"; not the vouchers in {open_batches} batches that await approval"
    items = tuple(_posted(desk, row, own) for row in rows.values())
    return Found(items=items, scope=scope, complete=open_batches == 0)


def _search(desk: Desk, vendor: str, number: str) -> list[Row]:
    vendor_id = record_id(desk, vendor)
    form = desk.go("ap.pl?action=search&nextsub=transactions", "invoice_search")
    if form.present("vendor_number"):  # more vendors than the select takes: the form asks for the number
        form.fill("vendor_number", f'"{vendor.lower()}"')
    elif vendor_id is not None:
        choose_vendor(form, vendor_id)  # one that ended is in no select; then all vendors are searched
    form.fill("number", number_pattern(number))
    tick(form, ("open", "closed", *(f"show_{column}" for column in _COLUMNS)))
    rows = desk.submit(form, "invoice_list").rows("invoices")
    return [
        row
        for row in rows
        if row.cells["id"] and row.cells["vendor"] == vendor and fold_number(row.cells["number"]) == fold_number(number)
    ]


def _open_batches(desk: Desk) -> int:
    form = desk.go("vr.pl?action=search&batch=ap", "voucher_search")
    tick(form, ("show_approved",))
    rows = desk.submit(form, "voucher_list").rows("batches")
    return sum(1 for row in rows if row.cells["number"] and not row.cells["approved"])


def _posted(desk: Desk, row: Row, own_currency: str = "") -> PostedInvoice:
    """A record of the list; its own screen is asked for the amounts, unless the list has them in its own currency."""
    cells, read = row.cells, desk.notation.read_number
    net, gross = read(cells["net"]), read(cells["gross"])
    link = row.links["number"] or ""
    if "/ap.pl?" in link and cells["currency"] != own_currency:
        # The list shows the company's currency, and works a foreign total back from the rate: off by a cent at times.
        screen = desk.follow(link, "invoice")
        sign = -1 if screen.value("kind") == "debit_note" else 1
        net, tax = _amounts(desk, screen)
        net, gross = sign * net, sign * (net + tax)
    return PostedInvoice(
        number=cells["number"],
        vendor=cells["vendor"],
        record=cells["id"],
        date=desk.notation.read_day(cells["date"]),
        currency=cells["currency"] or None,
        gross=gross,
        net=net,
        order=cells["order"] or None,
        reference=cells["reference"] or None,
    )


def open_record(desk: Desk, invoice: PostedInvoice) -> Screen:
    """The posted record on its own screen, found by its number and checked by its id. Raises PageChanged."""
    for row in _search(desk, invoice.vendor, invoice.number):
        if row.cells["id"] == invoice.record and "/ap.pl?" in (row.links["number"] or ""):
            screen = desk.follow(row.links["number"], "invoice")
            if screen.value("record") == invoice.record:
                return screen
    raise PageChanged(f"Record {invoice.record} of vendor {invoice.vendor} is not there as an AP transaction.")


def post(desk: Desk, posting: InvoicePosting, arm: Arm) -> None:
    if not fold_number(posting.number) or posting.gross == 0:
        raise Rejected("An invoice without a number or without an amount is not posted; SQL-Ledger would take it.")
    if len(posting.orders) > 1:
        raise Rejected(f"SQL-Ledger keeps one order for each invoice, and this one names {', '.join(posting.orders)}.")
    form = _form(desk, posting)
    _choose_currency(desk, form, posting)
    _fill(desk, form, posting)
    form.press("update")
    form = _keep_due_date(desk, desk.tab.screen("invoice"), posting)
    permit = arm(shown(desk, form, posting))
    form.commit("post", permit)
    told = desk.alert()
    if told and told.rstrip().endswith(_REFUSALS):
        raise Rejected(f"SQL-Ledger said: {told}", reason=_reason(told))


def _form(desk: Desk, posting: InvoicePosting) -> Screen:
    kind = "debit_note" if posting.credit else "transaction"
    vendor_id = record_id(desk, posting.vendor)
    if vendor_id is None:
        raise Rejected(f"SQL-Ledger has no vendor {posting.vendor}.", reason=Reason.VENDOR_UNKNOWN)
    form = desk.go(f"ap.pl?action=add&type={kind}", "invoice")
    if vendor_number(form) != posting.vendor:
        _choose_vendor(form, posting.vendor, vendor_id)
    form = desk.tab.screen("invoice")
    if form.value("record") not in ("", "0") or form.value("kind") != kind:
        raise PageChanged("The form is not an empty one.")
    return form


def _choose_vendor(form: Screen, number: str, vendor_id: str) -> None:
    if form.present("vendor_number_box"):  # more vendors than the select takes: quotes ask for exactly this number
        form.fill("vendor_number_box", f'"{number}"')
        form.press("update")
        return
    value = next((value for value in form.options("vendor") if value.endswith(f"--{vendor_id}")), None)
    if value is None:
        raise Rejected(f"Vendor {number} can't be chosen any more.", reason=Reason.VENDOR_BLOCKED)
    form.choose("vendor", value, redraws=True)


def vendor_number(form: Screen) -> str:
    """The number of the vendor that the form is for."""
    return form.value("vendor_number_box" if form.present("vendor_number_box") else "vendor_number")


def _choose_currency(desk: Desk, form: Screen, posting: InvoicePosting) -> None:
    """Another currency needs the day's exchange rate, which an update fetches; it overwrites what was keyed before."""
    if form.value("currency") != posting.currency:
        if posting.currency not in form.options("currency"):
            raise Rejected(f"SQL-Ledger knows no currency {posting.currency}.", reason=Reason.CURRENCY_MISMATCH)
        form.choose("currency", posting.currency, redraws=True)
    if posting.currency == form.value("company_currency"):
        return
    form.fill("issue_date", desk.notation.day(posting.issue_date))
    form.press("update")
    if not form.value("exchange_rate"):
        raise Rejected(
            f"SQL-Ledger has no exchange rate of {posting.currency} for {posting.issue_date}: enter it there first.",
            reason=Reason.CURRENCY_MISMATCH,
        )


def _fill(desk: Desk, form: Screen, posting: InvoicePosting) -> None:
    write = desk.notation
    form.fill("number", posting.number)
    form.fill("order", posting.order or "")
    form.fill("reference", posting.reference)
    form.fill("issue_date", write.day(posting.issue_date))
    if posting.due_date:
        form.fill("due_date", write.day(posting.due_date))
    form.check("tax_included", on=False)
    form.fill("amount", write.number(posting.net), 1)
    if desk.accounts.expense:
        form.choose("account", _option(form, "account", desk.accounts.expense, 1), 1)
    accounts = form.value("tax_accounts").split()
    taxed = _tax_account(desk, form, accounts, posting) if posting.tax else ""
    for account in accounts:
        # Ticked, it would be computed from the net amount by the next update, for every account of the vendor.
        form.check("compute_tax", on=False, n=int(account))
        form.fill("tax", write.number(posting.tax if account == taxed else Decimal(0)), int(account))


def _keep_due_date(desk: Desk, form: Screen, posting: InvoicePosting) -> Screen:
    """The form opens with the vendor of the last posting, and then its first update computes the due date anew."""
    if posting.due_date is None or desk.notation.read_day(form.value("due_date")) == posting.due_date:
        return form
    form.fill("due_date", desk.notation.day(posting.due_date))
    form.press("update")
    return desk.tab.screen("invoice")


def _option(form: Screen, name: str, account: str, n: int) -> str:
    value = next((value for value in form.options(name, n) if value.startswith(f"{account}--")), None)
    if value is None:
        raise Rejected(f"SQL-Ledger offers no account {account} here.")
    return value


def _tax_account(desk: Desk, form: Screen, accounts: list[str], posting: InvoicePosting) -> str:
    """The account whose rate gives this tax; else the configured one; else the one without a rate of its own."""
    rates = {account: Decimal(form.value("tax_rate", int(account)) or 0) for account in accounts}
    for account, rate in rates.items():
        if rate and abs((posting.net * rate).quantize(_CENT) - posting.tax) <= _CENT:
            return account
    if desk.accounts.tax in rates:
        return desk.accounts.tax
    for account, rate in rates.items():
        if not rate:
            return account
    raise Rejected(
        f"Vendor {posting.vendor} has no tax account for {posting.tax} on {posting.net}.", reason=Reason.TAX_MISMATCH
    )


def shown(desk: Desk, form: Screen, posting: InvoicePosting) -> dict[str, str]:
    """What the form shows after an update, by the names of `InvoicePosting.shown`. Gross is the server's own sum."""
    net, tax = _amounts(desk, form)
    issued, due = (desk.notation.read_day(form.value(name)) for name in ("issue_date", "due_date"))
    values = {
        "vendor": vendor_number(form),
        "number": form.value("number"),
        "issue_date": issued.isoformat() if issued else "",
        "currency": form.value("currency"),
        "net": str(net),
        "tax": str(tax),
        "gross": form.value("total"),
    }
    if posting.due_date:
        values["due_date"] = due.isoformat() if due else ""
    if posting.order:
        values["order"] = form.value("order")
    return values


def _amounts(desk: Desk, form: Screen) -> tuple[Decimal, Decimal]:
    read: Callable[[str], Decimal] = desk.notation.read_number
    rows = range(1, int(form.value("row_count")) + 1)
    net = sum((read(form.value("amount", n)) for n in rows), Decimal(0))
    accounts = form.value("tax_accounts").split()
    tax = sum((read(form.value("tax", int(account))) for account in accounts), Decimal(0))
    return net, tax


def _reason(told: str) -> Reason:
    return Reason.PERIOD_CLOSED if "closed period" in told else Reason.RECORD_LOCKED
