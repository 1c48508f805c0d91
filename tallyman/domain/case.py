"""One document on its way, and the item that a person works on."""

from datetime import datetime
from enum import StrEnum

from tallyman.domain.base import Value
from tallyman.domain.finding import Finding
from tallyman.domain.stack import Documents


class CaseState(StrEnum):
    """After its run each case is in exactly one of POSTED, UNKNOWN, IN_REVIEW, REJECTED or SPLIT: none is ever lost."""

    OPEN = "OPEN"
    IN_REVIEW = "IN_REVIEW"
    POSTED = "POSTED"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"
    SPLIT = "SPLIT"
    """Its file held several documents; each of them is a case of its own."""


class Case(Value):
    """One document that was taken in. `file` is the sender's name for it, for display only.

    `part_of`: the case whose file it was cut out of.
    """

    id: str
    bot: str
    sha256: str
    file: str
    source: str
    received_at: datetime
    state: CaseState = CaseState.OPEN
    attended: bool = False
    part_of: str | None = None


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
    SPLIT = "split"
    """The file holds several documents, each with the pages that the decision names."""


class Decision(Value):
    """What a person decided. `corrections` maps a field to its canonical value; `accepted` are the findings seen.

    `pages`: of each document in the file, where it is to be split.
    """

    kind: DecisionKind
    by: str
    at: datetime
    note: str = ""
    corrections: dict[str, str] = {}
    accepted: tuple[Finding, ...] = ()
    pages: Documents = ()


class ReviewItem(Value):
    """An exception that waits for a person."""

    id: int
    case: str
    state: ReviewState
    findings: tuple[Finding, ...]
    created_at: datetime
    decisions: tuple[Decision, ...] = ()
