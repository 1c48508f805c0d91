"""File to pages to fields: each reader is asked in its order, and the first that answers is taken."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tallyman.contracts.document_reader import DocumentReader
from tallyman.contracts.page_reader import PageReader
from tallyman.domain.document import UNKNOWN, Document, Problem, Sheet
from tallyman.domain.page import Page, Reading
from tallyman.domain.reasons import Reason
from tallyman.registry import Registry

Guard = Callable[[str], AbstractContextManager[None]]
"""Stands around each reader, by its name. While one is left alone nobody reads past it: a weaker answer is none."""


def unguarded(_name: str) -> AbstractContextManager[None]:
    return nullcontext()


def read_file(
    path: Path,
    *,
    ignore_embedded: bool = False,
    page_reader: PageReader | None = None,
    readers: Iterable[DocumentReader] | None = None,
    guard: Guard = unguarded,
) -> tuple[Reading, Document]:
    """What stands in a file, and what it means. Readers come from the registry unless they are given.

    Raises Unreadable, PasswordNeeded or Quarantined (business), TechnicalError when the machine lacks something.
    """
    registry = Registry()
    pages = page_reader or registry.page_reader
    with guard(f"page reader:{pages.name}"):
        reading = pages.read(path)
    known = registry.document_readers if readers is None else readers
    document = understand(reading, known, ignore_embedded=ignore_embedded, guard=guard)
    return reading, document.model_copy(update={"sheets": tuple(_sheet(page) for page in reading.pages)})


def _sheet(page: Page) -> Sheet:
    return Sheet(number=page.number, width=page.width, height=page.height, rotation=page.rotation, skew=page.skew)


def understand(
    reading: Reading, readers: Iterable[DocumentReader], *, ignore_embedded: bool = False, guard: Guard = unguarded
) -> Document:
    """The answer of the first reader that has one, in the order of `readers` (the registry sorts them).

    ignore_embedded: as if the file had no XML inside it; a bare XML file keeps its XML, which is all it has.
    """
    if ignore_embedded and reading.pages:
        reading = reading.model_copy(update={"xml": None})
    for reader in sorted(readers, key=lambda reader: reader.order):
        with guard(f"reader:{reader.name}"):
            document = reader.read(reading)
        if document is not None:
            return document
    message = "No reader understood this file: it has no words that look like a document."
    return Document(type=UNKNOWN, problems=(Problem(code=Reason.UNREADABLE, message=message),))
