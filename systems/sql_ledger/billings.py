"""What was billed of an order so far: no screen tells it by line, the list of AP transactions by sum."""

from decimal import Decimal

from systems.sql_ledger.desk import Desk, number_pattern, tick
from tallyman.domain.compare import fold_number


def billed_net(desk: Desk, order: str, vendor: str) -> Decimal:
    """Net of all transactions of this vendor that carry this order number, open and closed, debit notes taken off."""
    form = desk.go("ap.pl?action=search&nextsub=transactions", "invoice_search")
    form.fill("order", number_pattern(order))
    tick(form, ("open", "closed", *(f"show_{column}" for column in _COLUMNS)))
    rows = desk.submit(form, "invoice_list").rows("invoices")
    mine = [row for row in rows if row.cells["id"] and row.cells["vendor"] == vendor]
    mine = [row for row in mine if fold_number(row.cells["order"]) == fold_number(order)]
    nets = {row.cells["id"]: desk.notation.read_number(row.cells["net"]) for row in mine}
    return sum(nets.values(), Decimal(0))


_COLUMNS = ("id", "number", "order", "description", "date", "vendor", "net", "tax", "gross", "currency")
