"""The ERP's own report of vendor invoices: of all vendors, drafts too, with its count in the last row."""

from datetime import date

from systems.practice_erp.desk import Desk
from tallyman.browser.screen import Row
from tallyman.contracts.system import Found
from tallyman.domain.roles import PostedInvoice


def invoices(desk: Desk, since: date) -> Found[PostedInvoice]:
    """The rows stream in; a report that breaks off lacks its last row, or counts more than were read."""
    screen = desk.go("report_invoices.do", "report_invoices", datefrom=desk.notation.day(since))
    rows = screen.rows("invoices")
    complete = f"*** End of report: {len(rows)} records ***" in screen.text()
    scope = f"all vendor invoices and drafts dated since {since}"
    return Found(items=tuple(_record(desk, row) for row in rows), scope=scope, complete=complete)


def _record(desk: Desk, row: Row) -> PostedInvoice:
    cells = row.cells
    return PostedInvoice(
        number=cells["number"],
        vendor=cells["vendor"],
        record=cells["record"],
        date=desk.notation.read_day(cells["date"]),
        currency=cells["currency"] or None,
        gross=desk.notation.read_number(cells["gross"]),
        net=desk.notation.read_number(cells["net"]),
        order=cells["order"] or None,
        reference=cells["reference"] or None,
        state="draft" if cells["status"] == "draft" else "posted",
    )
