"""The fields of an invoice, by the names of EN 16931."""

from models.documents.common import LINES, billing

FIELDS = billing("Invoice number")
LINE_FIELDS = LINES
