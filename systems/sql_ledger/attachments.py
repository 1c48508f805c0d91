"""Files at a posted record. SQL-Ledger takes one only while it stores the record, so the record is stored again."""

from systems.sql_ledger import invoices
from systems.sql_ledger.desk import Desk
from tallyman.browser.screen import Screen
from tallyman.domain.roles import PostedInvoice


class _SameRecord:
    """The permit to store a record again under its own id, with the values that it has. It makes no new record."""

    def spend(self) -> None: ...

    def check(self) -> None:
        pass


def attach(desk: Desk, invoice: PostedInvoice, name: str, content: bytes) -> bool:
    """False for a record with payments: storing it again would touch those as well."""
    form = invoices.open_record(desk, invoice)
    if name in _files(form):
        return True
    before = _values(form)
    if any(form.value("payment", n) for n in _payments(form)):
        return False
    _upload(desk, form, name, content)
    if _values(form) != before:
        return False
    form.commit("post", _SameRecord())
    desk.tab.screen("repost").commit("continue", _SameRecord())
    form = invoices.open_record(desk, invoice)
    return name in _files(form) and _values(form) == before


def _upload(desk: Desk, form: Screen, name: str, content: bytes) -> None:
    n = int(form.value("file_count"))
    with desk.tab.popup() as popup:
        form.press("file_window", n, redraws=False)
        window = popup.tab(desk.tab)
    upload = window.screen("upload")
    upload.fill("label", name)
    upload.fill("file_name", name)
    upload.upload("file", name, content)
    upload.press("continue", redraws=False)
    desk.tab.wait(lambda: window.closed)


def _files(form: Screen) -> list[str]:
    return [form.value("file_name", n) for n in range(1, int(form.value("file_count")) + 1)]


def _payments(form: Screen) -> list[int]:
    return [n for n in range(1, 3) if form.present("payment", n)]


def _values(form: Screen) -> dict[str, str]:
    names = ("record", "kind", "number", "order", "reference", "issue_date", "currency", "total")
    values = {name: form.value(name) for name in names} | {"vendor": invoices.vendor_number(form)}
    rows = range(1, int(form.value("row_count")) + 1)
    accounts = form.value("tax_accounts").split()
    values |= {f"amount {n}": f"{form.value('amount', n)} {form.value('account', n)}" for n in rows}
    return values | {f"tax {account}": form.value("tax", int(account)) for account in accounts}
