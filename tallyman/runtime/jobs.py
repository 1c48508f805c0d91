"""The two jobs that are posted: a vendor invoice, and the confirmation of a delivery."""

from typing import Any

from tallyman.contracts.system import Arm, Erp
from tallyman.domain.compare import fold_number, same
from tallyman.domain.field import Kind
from tallyman.domain.posting import DeliveryPosting, InvoicePosting, NaturalKey
from tallyman.domain.roles import PostedInvoice, Receipt
from tallyman.runtime.posting import Hit, Hits


def difference(wanted: InvoicePosting, found: PostedInvoice) -> str:
    """How a record that the target holds differs from what was to be posted; empty when they are equal."""
    told = []
    if abs(found.gross) != wanted.gross or (found.gross < 0) != wanted.credit:
        told.append(f"gross {found.gross} instead of {'-' if wanted.credit else ''}{wanted.gross}")
    if found.date is not None and found.date != wanted.issue_date:
        told.append(f"date {found.date} instead of {wanted.issue_date}")
    if found.currency and not same(Kind.CURRENCY, found.currency, wanted.currency):
        told.append(f"currency {found.currency} instead of {wanted.currency}")
    if found.order and wanted.order and fold_number(found.order) != fold_number(wanted.order):
        told.append(f"order {found.order} instead of {wanted.order}")
    return ", ".join(told)


class InvoiceJob:
    """Post a vendor invoice."""

    def __init__(self, system: str, company: str, posting: InvoicePosting) -> None:
        self._posting = posting
        number = fold_number(posting.number)
        self.key = NaturalKey(system=system, company=company, party=posting.vendor, number=number)
        self.payload: dict[str, Any] = posting.to_json()
        self.shown = posting.shown()

    def search(self, erp: Erp) -> Hits:
        found = erp.find_invoice(vendor=self._posting.vendor, number=self._posting.number)
        hits = tuple(Hit(record=one.record, difference=difference(self._posting, one)) for one in found.items)
        return Hits(items=hits, scope=found.scope, complete=found.complete)

    def click(self, erp: Erp, arm: Arm) -> None:
        erp.post_invoice(self._posting, arm)


class DeliveryJob:
    """Confirm a delivery: receive quantities against an order."""

    def __init__(self, system: str, company: str, posting: DeliveryPosting) -> None:
        self._posting = posting
        number = fold_number(posting.delivery_number)
        self.key = NaturalKey(system=system, company=company, party=posting.order, number=number, verb="delivery")
        self.payload: dict[str, Any] = posting.to_json()
        self.shown = posting.shown()

    def search(self, erp: Erp) -> Hits:
        found = erp.find_receipt(order=self._posting.order, reference=self._posting.delivery_number)
        hits = tuple(Hit(record=one.record, difference=self._difference(one)) for one in found.items)
        return Hits(items=hits, scope=found.scope, complete=found.complete)

    def click(self, erp: Erp, arm: Arm) -> None:
        erp.confirm_delivery(self._posting, arm)

    def _difference(self, found: Receipt) -> str:
        wanted = self._posting.lines
        got = {line: quantity for line, quantity in found.lines.items() if quantity}
        lines = sorted(line for line in wanted.keys() | got.keys() if wanted.get(line) != got.get(line))
        return ", ".join(f"line {line}: {got.get(line, 0)} instead of {wanted.get(line, 0)}" for line in lines)
