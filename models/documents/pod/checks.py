"""The check of a proof of delivery. Quantities, signature and damage are the match's, since they need the order."""

from collections.abc import Iterator

from models.documents import common_checks
from models.documents.pod.fields import FIELDS, LINE_FIELDS
from tallyman.domain.compare import alike_number
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.matching.problems import problem_findings
from tallyman.matching.roles import date_of

KEYED = ("pod_number", "purchase_order_reference", "delivered_date", "signature")
KEYED_IN_LINES = ("item", "shipped_quantity", "received_quantity", "rejected_quantity")


def check(document: Document, facts: Facts) -> list[Finding]:
    number = document.text("pod_number") or document.text("waybill_number") or ""
    delivered = date_of(document.fields.get("delivered_date"))
    vendor = facts.vendor.number if facts.vendor else None
    by_waybill = ("pod_number",) if number else ()
    return [
        *problem_findings(document),
        *common_checks.missing(document, FIELDS, instead=by_waybill),
        *common_checks.missing_in_lines(document, LINE_FIELDS),
        *common_checks.plausible("delivered_date", delivered, facts.today, "The delivery's date", ahead=1),
        *_received_before(facts, number),
        *common_checks.seen_before(facts, number, vendor, None, delivered),
        *common_checks.whole_search(facts),
        *common_checks.trusted(document, facts, _keyed(document), KEYED_IN_LINES, common_checks.KEYED_CONFIDENCE),
    ]


def _keyed(document: Document) -> tuple[str, ...]:
    """The waybill's number is keyed where there is no other."""
    return KEYED if document.text("pod_number") else (*KEYED, "waybill_number")


def _received_before(facts: Facts, number: str) -> Iterator[Finding]:
    for receipt in facts.receipts:
        if number and alike_number(receipt.reference) == alike_number(number):
            parts = " ".join(part for part in (receipt.record, str(receipt.date or "")) if part)
            record = f" ({parts})" if parts else ""
            message = f"Order {receipt.order} holds a receipt for {receipt.reference} already{record}."
            yield Finding(
                reason=Reason.DUPLICATE_SUSPECTED, message=message, field="pod_number", actual=receipt.reference
            )
