"""Puts what persons decided over what was read and found."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tallyman.domain.case import Decision
from tallyman.domain.document import Document, Problem
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Finding, Severity, Verdict
from tallyman.domain.reasons import Reason

_SEEN = (
    Reason.UNREADABLE,
    Reason.QUARANTINED,
    Reason.PASSWORD_NEEDED,
    Reason.WRONG_DOCUMENT,
    Reason.SPLIT_SUGGESTED,
)


def corrected(document: Document, decisions: Sequence[Decision]) -> Document:
    """The document with the values of persons: `name`, `line.2.quantity` (from 1), or `type`. "" takes one away."""
    kind, fields, lines = document.type, dict(document.fields), [dict(line) for line in document.lines]
    solved = False
    for decision in decisions:
        for name, value in decision.corrections.items():
            if name == "type":
                kind, solved = value, True
            elif name.startswith("line."):
                _put_line(lines, name, value, decision.by)
            else:
                _put(fields, name, value, decision.by)
        lines = [line for line in lines if line]  # the next person saw and numbered what was left
    found = document.model_copy(update={"type": kind, "fields": fields, "lines": tuple(lines)})
    left = tuple(problem for problem in document.problems if not _is_about_type(problem))
    return found.model_copy(update={"problems": left, "stack": None}) if solved else found


def _is_about_type(problem: Problem) -> bool:
    """Whether it is solved by a person who has seen the whole and says what it is. Nothing else is: an account that
    a code contradicts still needs two."""
    return problem.code in _SEEN or problem.field == "type"


def _put_line(lines: list[dict[str, Field]], name: str, value: str, by: str) -> None:
    _, number, column = name.split(".", 2)
    while len(lines) < int(number):
        lines.append({})
    _put(lines[int(number) - 1], column, value, by)


def _put(fields: dict[str, Field], name: str, value: str, by: str) -> None:
    if value == "":
        fields.pop(name, None)
        return
    before = fields.get(name)
    place = before.evidence if before and before.evidence.page is not None else None
    evidence = place.model_copy(update={"path": f"person:{by}"}) if place else Evidence(path=f"person:{by}")
    fields[name] = Field(name=name, value=value, raw=value, confidence=1.0, source=Source.PERSON, evidence=evidence)


def accepted(findings: Iterable[Finding], decisions: Sequence[Decision]) -> Verdict:
    """The verdict in which an error that enough different persons have seen and accepted is a warning.

    An acceptance holds for the very finding: the same reason, place and values. When a value changes, it is asked anew.
    """
    persons: dict[tuple[str | None, ...], set[str]] = defaultdict(set)
    for decision in decisions:
        for finding in decision.accepted:
            persons[_identity(finding)].add(decision.by)
    return Verdict.of(_weighed(finding, persons[_identity(finding)]) for finding in findings)


def missing_persons(findings: Iterable[Finding], decisions: Sequence[Decision]) -> int:
    """How many more different persons must accept before all of these are accepted."""
    lacking = [0]
    for finding in findings:
        by = {
            decision.by for decision in decisions for one in decision.accepted if _identity(one) == _identity(finding)
        }
        lacking.append(finding.persons - len(by))
    return max(lacking)


def _weighed(finding: Finding, persons: set[str]) -> Finding:
    if finding.severity is Severity.ERROR and finding.acceptable and len(persons) >= finding.persons:
        told = f"{finding.message} (accepted by {' and '.join(sorted(persons))})"
        return finding.model_copy(update={"severity": Severity.WARNING, "message": told})
    return finding


def _identity(finding: Finding) -> tuple[str | None, ...]:
    line = None if finding.line is None else str(finding.line)
    values = (finding.expected, finding.actual)
    said = finding.message if values == (None, None) else None
    return (finding.reason, finding.field, line, *values, said)
