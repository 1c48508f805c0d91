"""The match: what was ordered, received and billed goes in; a verdict with reasons, and who covers what, comes out.

Pure: no I/O, no clock, no order of input that matters.
"""

from tallyman.matching.delivery import match_delivery
from tallyman.matching.invoice import match_invoice
from tallyman.matching.payload import delivery_posting, invoice_posting
from tallyman.matching.problems import problem_findings
from tallyman.matching.result import Allocation, DeliveryMatch, MatchResult
from tallyman.matching.roles import billed_from, delivery_from, order_numbers

__all__ = [
    "Allocation",
    "DeliveryMatch",
    "MatchResult",
    "billed_from",
    "delivery_from",
    "delivery_posting",
    "invoice_posting",
    "match_delivery",
    "match_invoice",
    "order_numbers",
    "problem_findings",
]
