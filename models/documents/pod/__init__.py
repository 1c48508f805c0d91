"""A proof of delivery."""

from models.documents.common import PaperType
from models.documents.pod.checks import check
from models.documents.pod.fields import FIELDS, LINE_FIELDS

DOCUMENT_TYPE = PaperType(name="pod", fields=FIELDS, line_fields=LINE_FIELDS, checks=check)
