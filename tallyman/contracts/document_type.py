"""A type of document: a folder `models/documents/<type>/` with `DOCUMENT_TYPE`."""

from collections.abc import Sequence
from typing import Protocol

from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.field import FieldSpec
from tallyman.domain.finding import Finding


class DocumentType(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def fields(self) -> Sequence[FieldSpec]: ...

    @property
    def line_fields(self) -> Sequence[FieldSpec]: ...

    def check(self, document: Document, facts: Facts) -> list[Finding]:
        """What is wrong with the document in itself and against the facts. Pure: no I/O, no clock."""
