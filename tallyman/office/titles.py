"""What people call states, reasons and events, in English; and the sign of each state: colour never stands alone."""

from tallyman.domain.case import CaseState, ReviewState
from tallyman.domain.posting import PostingState
from tallyman.domain.reasons import Reason

REASONS: dict[str, str] = {
    Reason.PRICE_VARIANCE: "Price differs",
    Reason.QUANTITY_VARIANCE: "Quantity differs",
    Reason.BILLED_NOT_RECEIVED: "Billed, not received",
    Reason.RECEIVED_NOT_ORDERED: "Received, not ordered",
    Reason.NO_ORDER: "No order",
    Reason.ORDER_CLOSED: "Order closed",
    Reason.NO_RECEIPT: "No receipt",
    Reason.RECEIPT_SHORT: "Short delivery",
    Reason.RECEIPT_DAMAGED: "Damaged delivery",
    Reason.RECEIPT_REFUSED: "Delivery refused",
    Reason.NOT_SIGNED: "Not signed",
    Reason.DUPLICATE_SUSPECTED: "Perhaps a duplicate",
    Reason.VENDOR_UNKNOWN: "Vendor unknown",
    Reason.VENDOR_BLOCKED: "Vendor blocked",
    Reason.BANK_CHANGED: "Bank account changed",
    Reason.TAX_MISMATCH: "VAT does not add up",
    Reason.NOT_BALANCED: "Totals do not add up",
    Reason.CURRENCY_MISMATCH: "Currency differs",
    Reason.DATE_IMPLAUSIBLE: "Date implausible",
    Reason.FIELD_MISSING: "Field missing",
    Reason.LOW_CONFIDENCE: "Not read surely",
    Reason.UNREADABLE: "Unreadable",
    Reason.WRONG_DOCUMENT: "Wrong document",
    Reason.SPLIT_SUGGESTED: "Several documents in one",
    Reason.PASSWORD_NEEDED: "Password needed",
    Reason.QUARANTINED: "Quarantined",
    Reason.OUTCOME_UNKNOWN: "Outcome unknown",
    Reason.READBACK_DIFFERS: "Screen shows other values",
    Reason.BOOKS_DIFFER: "Books differ",
    Reason.RECORD_LOCKED: "Refused by the target",
    Reason.PERIOD_CLOSED: "Period closed",
    Reason.SYSTEM_DOWN: "System down",
    Reason.LOGIN_FAILED: "Login failed",
    Reason.PAGE_CHANGED: "Screen changed",
    Reason.SCHEDULE_MISSED: "Did not run on time",
}

STATES: dict[str, str] = {
    CaseState.OPEN: "At work",
    CaseState.IN_REVIEW: "In review",
    CaseState.POSTED: "Posted",
    CaseState.UNKNOWN: "Unknown",
    CaseState.REJECTED: "Rejected",
    CaseState.SPLIT: "Split",
    PostingState.INTENT: "Intended",
    PostingState.ARMED: "Armed",
    PostingState.NOT_POSTED: "Not posted",
    ReviewState.NEW: "New",
    ReviewState.ESCALATED: "Second person",
    ReviewState.DECIDED: "Decided",
    "accept": "Accepted",
    "correct": "Corrected",
    "reject": "Rejected",
    "split": "Split",
}

EVENTS: dict[str, str] = {
    "case.taken_in": "Taken in",
    "container.opened": "Its documents taken in",
    "case.open": "Goes on",
    "case.in_review": "Given to a person",
    "case.posted": "Posted and read back",
    "case.unknown": "Outcome unknown",
    "case.rejected": "Rejected",
    "case.split": "Split into its documents",
    "posting.intent": "Posting intended",
    "posting.armed": "Armed: the one click may happen",
    "posting.again": "Proven absent, armed anew",
    "posting.posted": "Found in the target",
    "posting.not_posted": "Not in the target",
    "posting.unknown": "Nobody can tell yet",
    "review.opened": "Review item opened",
    "review.decided": "Decided",
    "review.escalated": "Accepted by one, waits for a second person",
}

_ICONS = {
    CaseState.OPEN: "ring",
    CaseState.IN_REVIEW: "person",
    CaseState.POSTED: "tick",
    CaseState.UNKNOWN: "question",
    CaseState.REJECTED: "cross",
    CaseState.SPLIT: "arrow",
    PostingState.INTENT: "ring",
    PostingState.ARMED: "bolt",
    PostingState.NOT_POSTED: "cross",
    ReviewState.ESCALATED: "person",
    ReviewState.DECIDED: "tick",
    "accept": "tick",
    "correct": "pencil",
    "reject": "cross",
    "split": "arrow",
}


def title_of(code: str) -> str:
    """English for a reason, a state or an event; the code itself where it is new."""
    return REASONS.get(code) or STATES.get(code) or EVENTS.get(code) or code.replace("_", " ").lower()


def icon_of(state: str) -> str:
    return _ICONS.get(state, "ring")
