"""The check of a credit note."""

from models.documents.common_billing import check_billing
from models.documents.credit_note.fields import FIELDS, LINE_FIELDS
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.finding import Finding


def check(document: Document, facts: Facts) -> list[Finding]:
    return check_billing(document, facts, FIELDS, LINE_FIELDS)
