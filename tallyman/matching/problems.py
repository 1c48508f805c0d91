"""What a reader could not do, as findings. Used by every document type, and for documents of no known type."""

from collections.abc import Iterator

from tallyman.domain.document import Document, Problem
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason

_HOPELESS = (
    Reason.UNREADABLE,
    Reason.PASSWORD_NEEDED,
    Reason.QUARANTINED,
    Reason.WRONG_DOCUMENT,
    Reason.FIELD_MISSING,
)
_ON_ACCOUNTS = 2
"""Persons who must accept a doubt about the account that is paid."""


def problem_findings(document: Document, *, layout_confirmed: bool = False) -> list[Finding]:
    """One error for each problem. A reader's own code, such as XML_DIFFERS_FROM_PAGE, is a value of low confidence.

    That the type was guessed is only told where persons have confirmed this supplier's layout as one of that type.
    """
    return list(_findings(document.problems, layout_confirmed))


def not_ours(document: Document, told: str) -> list[Finding]:
    """Findings for a document that is not for this bot. Where its file may hold several, another may be."""
    stacked = [one for one in problem_findings(document) if one.reason is Reason.SPLIT_SUGGESTED]
    return [*stacked, Finding(reason=Reason.WRONG_DOCUMENT, message=told, field="type", acceptable=False)]


def _findings(problems: tuple[Problem, ...], layout_confirmed: bool) -> Iterator[Finding]:
    for problem in problems:
        reason = Reason(problem.code) if problem.code in Reason.__members__ else Reason.LOW_CONFIDENCE
        known = layout_confirmed and problem.field == "type" and problem.code == Reason.LOW_CONFIDENCE
        yield Finding(
            reason=reason,
            message=problem.message,
            field=problem.field,
            persons=_ON_ACCOUNTS if reason is Reason.BANK_CHANGED else 1,
            acceptable=reason not in _HOPELESS,
            severity=Severity.WARNING if known else Severity.ERROR,
        )
