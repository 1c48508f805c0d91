"""What is keyed, from what was matched."""

from collections.abc import Sequence
from decimal import Decimal

from tallyman.domain.document import Document
from tallyman.domain.posting import ALLOWANCES, CHARGES, DeliveryPosting, InvoicePosting, PostingLine
from tallyman.domain.roles import Billed, Delivery, Vendor
from tallyman.errors import BusinessError
from tallyman.matching.result import Allocation, DeliveryMatch
from tallyman.matching.roles import date_of


def invoice_posting(
    billed: Billed, document: Document, vendor: Vendor, allocations: Sequence[Allocation], reference: str
) -> InvoicePosting:
    """The payload of `post_invoice`. Its lines add up to its net total: what the lines leave is a line of its own.

    `order` is set where one order covers all; with several, each line names its own. Raises BusinessError for an empty
    number, a zero amount or a missing date, which some targets would take.
    """
    issued = date_of(document.fields.get("issue_date"))
    if not billed.number or not billed.gross or not billed.currency or issued is None:
        raise BusinessError("An invoice without number, date, currency or amount is not posted.")
    orders = {part.order for part in allocations if part.order}
    lines = [_line(part) for part in allocations if part.net or part.quantity]
    rest = billed.net - sum((line.net for line in lines), Decimal(0))
    if lines and rest:
        word = CHARGES if rest > 0 else ALLOWANCES
        lines.append(PostingLine(description=word, quantity=Decimal(1), unit_price=rest, net=rest))
    return InvoicePosting(
        reference=reference,
        vendor=vendor.number,
        vendor_name=vendor.name,
        number=billed.number,
        issue_date=issued,
        due_date=date_of(document.fields.get("due_date")),
        order=orders.pop() if len(orders) == 1 else None,
        currency=billed.currency,
        net=billed.net,
        tax=billed.tax,
        gross=billed.gross,
        credit=billed.credit,
        lines=tuple(lines),
    )


def _line(part: Allocation) -> PostingLine:
    return PostingLine(
        order=part.order,
        order_line=part.order_line,
        item=part.item,
        description=part.description,
        quantity=part.quantity,
        unit_price=part.unit_price,
        net=part.net,
    )


def delivery_posting(delivery: Delivery, match: DeliveryMatch, reference: str) -> DeliveryPosting:
    """The payload of `confirm_delivery`.

    The delivery goes by its own number, else by its waybill's. Raises BusinessError where it has neither, where it has
    no date, or where there is nothing to receive.
    """
    number = delivery.number or delivery.waybill
    if not number or delivery.delivered is None or match.order is None or not match.lines:
        raise BusinessError("A delivery without number, date, order or quantity is not confirmed.")
    return DeliveryPosting(
        reference=reference,
        order=match.order,
        vendor=match.vendor or "",
        delivery_number=number,
        delivered=delivery.delivered,
        lines=match.lines,
    )
