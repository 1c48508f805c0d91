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
    Reason.SPLIT_SUGGESTED,
    Reason.FIELD_MISSING,
)


def problem_findings(document: Document, *, layout_confirmed: bool = False) -> list[Finding]:
    """One error for each problem. A reader's own code, such as XML_DIFFERS_FROM_PAGE, is a value of low confidence.

    That the type was guessed is only told where persons have confirmed this supplier's layout as one of that type.
    """
    return list(_findings(document.problems, layout_confirmed))


def _findings(problems: tuple[Problem, ...], layout_confirmed: bool) -> Iterator[Finding]:
    for problem in problems:
        reason = Reason(problem.code) if problem.code in Reason.__members__ else Reason.LOW_CONFIDENCE
        known = layout_confirmed and problem.field == "type" and reason is Reason.LOW_CONFIDENCE
        yield Finding(
            reason=reason,
            message=problem.message,
            field=problem.field,
            acceptable=reason not in _HOPELESS,
            severity=Severity.WARNING if known else Severity.ERROR,
        )
