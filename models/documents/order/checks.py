"""The check of a purchase order: it is read, but never posted."""

from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.matching.problems import problem_findings


def check(document: Document, facts: Facts) -> list[Finding]:  # noqa: ARG001 - the shape of a check
    message = "This is a purchase order; only invoices, credit notes and proofs of delivery are posted."
    wrong = Finding(reason=Reason.WRONG_DOCUMENT, message=message, acceptable=False)
    return [*problem_findings(document), wrong]
