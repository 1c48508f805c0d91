"""A document as it was understood."""

import datetime
from decimal import Decimal

from tallyman.domain.base import Value
from tallyman.domain.field import Evidence, Field
from tallyman.domain.stack import Stack


class Problem(Value):
    """Something that reading or understanding could not do. `code` is a Reason or a code of the reader."""

    code: str
    message: str
    field: str | None = None


class Sheet(Value):
    """A page as it was read, and how it was turned for that: evidence holds on the turned picture. See domain.page."""

    number: int
    width: float
    height: float
    rotation: int = 0
    skew: float = 0.0


class Document(Value):
    """Fields and lines by the names of EN 16931 / UBL. `type` is the name of a document type, or "unknown".

    `stack`: the file may hold several documents, of which this is at best the first.
    """

    type: str
    fields: dict[str, Field] = {}
    lines: tuple[dict[str, Field], ...] = ()
    problems: tuple[Problem, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    titled: Evidence | None = None
    """Where the title stands that tells the type; None where no reader found one."""
    stack: Stack | None = None

    def text(self, name: str) -> str | None:
        field = self.fields.get(name)
        return field.value if field else None

    def amount(self, name: str) -> Decimal | None:
        field = self.fields.get(name)
        return field.amount if field else None

    def date(self, name: str) -> datetime.date | None:
        field = self.fields.get(name)
        return field.date if field else None

    def exact(self) -> bool:
        """Whether every value comes from an exact source."""
        every = [*self.fields.values(), *(field for line in self.lines for field in line.values())]
        return bool(every) and all(field.source.exact for field in every)


UNKNOWN = "unknown"
