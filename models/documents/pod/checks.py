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
from tallyman.matching.roles import date_of, number_of

KEYED = ("pod_number", "purchase_order_reference", "delivered_date")
SIGNATURE_CONFIDENCE = 0.75
"""The odds of ink that is a signature; below them a person looks."""


def check(document: Document, facts: Facts) -> list[Finding]:
    number = document.text("pod_number") or document.text("waybill_number") or ""
    delivered = date_of(document.fields.get("delivered_date"))
    vendor = facts.vendor.number if facts.vendor else None
    by_waybill = ("pod_number",) if number else ()
    return [
        *problem_findings(document, layout_confirmed=facts.layout_confirmed),
        *common_checks.missing(document, FIELDS, instead=by_waybill),
        *common_checks.missing_in_lines(document, LINE_FIELDS),
        *common_checks.plausible("delivered_date", delivered, facts.today, "The delivery's date", ahead=1),
        *_received_before(facts, number),
        *common_checks.seen_before(facts, number, vendor, None, delivered),
        *common_checks.whole_search(facts),
        *_signature(document),
        *common_checks.trusted(document, facts, _keyed(document), (), _corroborated(document, facts)),
        *_quantities(document),
    ]


def _corroborated(document: Document, facts: Facts) -> set[str]:
    return {"purchase_order_reference"} if common_checks.orders_known(document, facts) else set()


def _signature(document: Document) -> Iterator[Finding]:
    """Absent or unclear is the match's to say; here: present, but not surely."""
    field = document.fields.get("signature")
    if field is not None and field.value == "present" and field.confidence < SIGNATURE_CONFIDENCE:
        message = f"That it is signed is only {field.confidence:.0%} sure; {SIGNATURE_CONFIDENCE:.0%} is needed."
        yield Finding(reason=Reason.LOW_CONFIDENCE, message=message, field="signature", actual=field.value)


def _quantities(document: Document) -> Iterator[Finding]:
    """What was received is believed when it is sure, or when the shipped quantity, read elsewhere, is the same."""
    for at, line in enumerate(document.lines, start=1):
        received, shipped = line.get("received_quantity"), line.get("shipped_quantity")
        if received is None:
            continue
        agrees = shipped is not None and number_of(shipped) == number_of(received)
        least = common_checks.AGREED_CONFIDENCE if agrees else common_checks.KEYED_CONFIDENCE
        if received.confidence < least:
            message = (
                f"Line {at}: received “{received.value}” is only {received.confidence:.0%} sure; {least:.0%} is needed."
            )
            yield Finding(
                reason=Reason.LOW_CONFIDENCE, message=message, field=received.name, line=at, actual=received.value
            )


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
