"""An invoice."""

from models.documents.common import PaperType
from models.documents.invoice.checks import check
from models.documents.invoice.fields import FIELDS, LINE_FIELDS

DOCUMENT_TYPE = PaperType(name="invoice", fields=FIELDS, line_fields=LINE_FIELDS, checks=check)
