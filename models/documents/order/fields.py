"""The fields of a purchase order; `invoice_number` carries the order's own number, as in the shared truth format."""

from models.documents.common import BUYER, LINES, SELLER, SHIP_TO, TOTALS, spec
from tallyman.domain.field import Kind

FIELDS = (
    spec("invoice_number", Kind.IDENTIFIER, "Order ID", "Order number", required=True),
    spec("issue_date", Kind.DATE, "Order IssueDate", "Date", required=True),
    spec("type_code", Kind.IDENTIFIER, "Order TypeCode", "Type code"),
    spec("purchase_order_reference", Kind.IDENTIFIER, "OrderReference ID", "Buyer's order"),
    spec("delivery_date", Kind.DATE, "RequestedDeliveryPeriod", "Delivery date"),
    *SELLER,
    *BUYER,
    *SHIP_TO,
    *TOTALS,
)
LINE_FIELDS = LINES
