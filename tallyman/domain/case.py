"""One document on its way, and the item that a person works on."""

from datetime import datetime
from enum import StrEnum

from tallyman.domain.base import Value
from tallyman.domain.finding import Finding


class CaseState(StrEnum):
    """After its run each case is in exactly one of POSTED, UNKNOWN, IN_REVIEW or REJECTED: none is ever lost."""

    OPEN = "OPEN"
    IN_REVIEW = "IN_REVIEW"
    POSTED = "POSTED"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"


class Case(Value):
    """One document that was taken in. `file` is the sender's name for it, for display only."""

    id: str
    bot: str
    sha256: str
    file: str
    source: str
    received_at: datetime
    state: CaseState = CaseState.OPEN
    attended: bool = False


class ReviewState(StrEnum):
    NEW = "new"
    ESCALATED = "escalated"
    DECIDED = "decided"


class DecisionKind(StrEnum):
    ACCEPT = "accept"
    """Go on in spite of the findings."""
    CORRECT = "correct"
    """Go on with other values; checks and matching run again."""
    REJECT = "reject"
    """This document is not to be posted."""


class Decision(Value):
    """What a person decided. `corrections` maps a field to its canonical value; `accepted` are the findings seen."""

    kind: DecisionKind
    by: str
    at: datetime
    note: str = ""
    corrections: dict[str, str] = {}
    accepted: tuple[Finding, ...] = ()


class ReviewItem(Value):
    """An exception that waits for a person."""

    id: int
    case: str
    state: ReviewState
    findings: tuple[Finding, ...]
    created_at: datetime
    decisions: tuple[Decision, ...] = ()
