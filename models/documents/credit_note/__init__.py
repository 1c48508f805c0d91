"""A credit note."""

from models.documents.common import PaperType
from models.documents.credit_note.checks import check
from models.documents.credit_note.fields import FIELDS, LINE_FIELDS

DOCUMENT_TYPE = PaperType(name="credit_note", fields=FIELDS, line_fields=LINE_FIELDS, checks=check)
