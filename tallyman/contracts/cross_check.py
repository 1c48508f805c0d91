"""A second look at what a reader understood: a file `models/cross_checks/<name>.py` with `CROSS_CHECK`."""

from typing import Protocol

from tallyman.domain.document import Document
from tallyman.domain.page import Reading


class CrossCheck(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int:
        """They are asked in this order, each with what the one before gave."""

    def apply(self, document: Document, reading: Reading) -> Document:
        """The document with what else the pages say of it: fields from exact sources, and problems for a person.

        Takes no problem away, and never raises for what stands in a document.
        """
