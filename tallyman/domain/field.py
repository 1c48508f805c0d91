"""A value that was read, with the evidence for it."""

import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field as Constraint
from pydantic import model_validator

from tallyman.domain.base import Value
from tallyman.domain.page import Box, WordSource


class Source(StrEnum):
    """Where a value comes from. Exact sources need no supplier history before they are trusted."""

    E_INVOICE = "e_invoice"
    BARCODE = "barcode"
    MODEL = "model"
    RULE = "rule"
    MASTER_DATA = "master_data"
    PERSON = "person"

    @property
    def exact(self) -> bool:
        return self not in (Source.MODEL, Source.RULE)


class Evidence(Value):
    """Where a value stands: on a page (from 1) within a box, or at a path in embedded XML, or who said so."""

    page: int | None = None
    box: Box | None = None
    words: WordSource | None = None
    path: str | None = None
    """XPath for XML; `person:<name>` for a correction; `vendor:<number>` for master data."""

    @model_validator(mode="after")
    def _points_somewhere(self) -> Self:
        if self.page is None and self.path is None:
            raise ValueError("evidence names a page or a path")
        return self


class Kind(StrEnum):
    """How the canonical string of a value is written, and so how two of them are compared."""

    TEXT = "text"
    IDENTIFIER = "identifier"
    """Compared without spaces, case-insensitively."""
    DATE = "date"
    """ISO 8601, YYYY-MM-DD."""
    AMOUNT = "amount"
    """Plain decimal with a point and no groups: -1234.50"""
    QUANTITY = "quantity"
    CURRENCY = "currency"
    """ISO 4217."""


class Field(Value):
    """One value of a document.

    `value` is canonical (see Kind), `raw` is what stands on the paper, `confidence` is 0..1: the odds that `value` is
    right. There is no value without evidence.
    """

    name: str
    value: str
    raw: str
    confidence: float = Constraint(ge=0, le=1)
    source: Source
    evidence: Evidence

    @property
    def amount(self) -> Decimal:
        """The value as a number. Raises decimal.InvalidOperation where the field is none."""
        return Decimal(self.value)

    @property
    def date(self) -> datetime.date:
        """The value as a date. Raises ValueError where the field is none."""
        return datetime.date.fromisoformat(self.value)


class FieldSpec(Value):
    """What a document type says of one of its fields. `term` is the EN 16931 business term or the UBL name."""

    name: str
    kind: Kind
    term: str = ""
    required: bool = False
    label: str = ""
    """What a clerk calls it, in English."""
