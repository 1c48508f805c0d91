"""Files at a posted record, through the upload window that writes into the record's form."""

from systems.practice_erp.desk import Desk
from systems.practice_erp.invoices import open_record
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import PageChanged


class _SameRecord:
    """The permit to save a record that is there already: it makes no new one, and may be repeated."""

    def spend(self) -> None: ...

    def check(self) -> None:
        pass


def attach(desk: Desk, invoice: PostedInvoice, name: str, content: bytes) -> bool:
    """False where the ERP takes files on entry only, and for a record that has another file: there is room for one."""
    screen = open_record(desk, invoice.record)
    if (screen.value("vendor"), screen.value("number")) != (invoice.vendor, invoice.number):
        raise PageChanged(f"Record {invoice.record} is another invoice than {invoice.number}.")
    if screen.present("file"):
        return screen.value("file") == name
    if not screen.present("attach"):
        return False
    with desk.tab.popup() as popup:
        screen.press("attach", redraws=False)
        window = popup.tab(desk.tab)
    upload = window.screen("upload")
    upload.upload("file", name, content)
    upload.press("upload", redraws=False)
    if not desk.tab.wait(lambda: window.closed) or screen.value("new_file") != name:
        return False
    screen.commit("save", _SameRecord())
    screen = open_record(desk, invoice.record)
    return screen.present("file") and screen.value("file") == name
