"""What checks and matching say, and the verdict that follows."""

from collections.abc import Iterable
from enum import StrEnum

from tallyman.domain.base import Value
from tallyman.domain.reasons import Reason


class Severity(StrEnum):
    ERROR = "error"
    """Nothing is posted until a person has decided."""
    WARNING = "warning"
    """Told, and posted all the same."""


class Finding(Value):
    """One thing that a check or the match has to say, with the arithmetic that a clerk can follow.

    `persons` is how many different people must accept it before anything is posted: two for a changed bank account.
    """

    reason: Reason
    message: str
    severity: Severity = Severity.ERROR
    field: str | None = None
    line: int | None = None
    expected: str | None = None
    actual: str | None = None
    persons: int = 1
    acceptable: bool = True
    """False where no decision can make it right: an unreadable file, a missing field. It must be corrected."""


class Verdict(Value):
    """Post, or ask a person; with all findings, errors first."""

    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Verdict":
        return cls(findings=tuple(sorted(findings, key=lambda finding: finding.severity != Severity.ERROR)))

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def post(self) -> bool:
        return not self.errors
