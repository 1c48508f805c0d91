"""The fields of a credit note, by the names of EN 16931."""

from models.documents.common import LINES, billing

FIELDS = billing("Credit note number")
LINE_FIELDS = LINES
