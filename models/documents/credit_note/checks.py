"""Checks; none yet."""

from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.finding import Finding


def check(document: Document, facts: Facts) -> list[Finding]:  # noqa: ARG001 - the shape of a check
    return []
