"""A way of turning words or embedded data into fields: a file `models/readers/<name>.py` with `READER`."""

from typing import Protocol

from tallyman.domain.document import Document
from tallyman.domain.page import Reading


class DocumentReader(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int:
        """Readers are asked in this order; the first that answers is taken. Exact ones come first."""

    def read(self, reading: Reading) -> Document | None:
        """The document with evidence for every value, or None when this reader has nothing to say about it.

        Never raises for what stands in a document: that becomes a Problem.
        """
