"""A purchase order."""

from models.documents.common import PaperType
from models.documents.order.checks import check
from models.documents.order.fields import FIELDS, LINE_FIELDS

DOCUMENT_TYPE = PaperType(name="order", fields=FIELDS, line_fields=LINE_FIELDS, checks=check)
