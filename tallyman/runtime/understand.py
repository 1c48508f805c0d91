"""File to pages to fields: each reader is asked in its order, the first that answers is taken, then cross-checked."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from tallyman.contracts.cross_check import CrossCheck
from tallyman.contracts.document_reader import DocumentReader
from tallyman.contracts.page_reader import PageReader, Progress, nobody
from tallyman.domain.document import UNKNOWN, Document, Problem, Sheet
from tallyman.domain.page import Page, Reading
from tallyman.domain.reasons import Reason
from tallyman.errors import TallymanError, Unreadable
from tallyman.platform.log import get_logger
from tallyman.registry import Registry
from tallyman.runtime.picture import compared

_log = get_logger(__name__)
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
    password: str | None = None,
    progress: Progress = nobody,
) -> tuple[Reading, Document]:
    """What stands in a file, and what it means. Readers come from the registry unless they are given.

    Raises Unreadable, PasswordNeeded or Quarantined (business), TechnicalError when the machine lacks something.
    """
    registry = Registry()
    pages = page_reader or registry.page_reader
    with guard(f"page reader:{pages.name}"):
        reading = pages.read(path, password=password, progress=progress)
    known = registry.document_readers if readers is None else readers
    checks = registry.cross_checks
    document = understand(reading, known, checks, ignore_embedded=ignore_embedded, guard=guard)
    kinds = registry.document_types
    kind = kinds.get(document.type)  # a person may name it later: then it was looked at as each
    specs = kind.fields if kind is not None else [spec for kind in kinds.values() for spec in kind.fields]
    with guard(f"page reader:{pages.name}"):
        document = compared(document, reading, specs, lambda asked: pages.as_drawn(path, asked, password=password))
    return reading, document.model_copy(update={"sheets": tuple(_sheet(page) for page in reading.pages)})


def _sheet(page: Page) -> Sheet:
    return Sheet(number=page.number, width=page.width, height=page.height, rotation=page.rotation, skew=page.skew)


def understand(
    reading: Reading,
    readers: Iterable[DocumentReader],
    checks: Iterable[CrossCheck] = (),
    *,
    ignore_embedded: bool = False,
    guard: Guard = unguarded,
) -> Document:
    """The answer of the first reader that has one, by their order, looked at again by every cross-check.

    It has a problem for each page that could not be read: what stands there may change everything.
    ignore_embedded: as if the file had no XML inside it; a bare XML file keeps its XML, which is all it has.
    """
    if ignore_embedded and reading.pages:
        reading = reading.model_copy(update={"xml": None})
    document = _first_answer(reading, readers, guard)
    for check in sorted(checks, key=lambda check: check.order):
        with guard(f"cross-check:{check.name}"), _of_this_document(check.name):
            document = check.apply(document, reading)
    unread = tuple(_unread(page) for page in reading.pages if page.problem)
    return document.model_copy(update={"problems": (*unread, *document.problems)}) if unread else document


@contextmanager
def _of_this_document(name: str) -> Iterator[None]:
    """A defect that a document's content brings to light is that document's: a person looks at it. Were it held against
    the reader, a stranger could stop the reading of all others. What the machine lacks is not the document's."""
    try:
        yield
    except (TallymanError, OSError, MemoryError):
        raise
    except Exception as error:
        _log.error("a reader failed on a document", reader=name, error=type(error).__name__)
        raise Unreadable(
            f"It can't be understood: the part {name!r} failed on it ({type(error).__name__}).",
            advice="Report it with the output of `tallyman doctor`; meanwhile type the values in, or reject it.",
        ) from error


def _unread(page: Page) -> Problem:
    return Problem(code=Reason.UNREADABLE, message=f"Page {page.number} could not be read: {page.problem}")


def _first_answer(reading: Reading, readers: Iterable[DocumentReader], guard: Guard) -> Document:
    for reader in sorted(readers, key=lambda reader: reader.order):
        with guard(f"reader:{reader.name}"), _of_this_document(reader.name):
            document = reader.read(reading)
        if document is not None:
            return document
    message = "No reader understood this file: it has no words that look like a document."
    return Document(type=UNKNOWN, problems=(Problem(code=Reason.UNREADABLE, message=message),))
