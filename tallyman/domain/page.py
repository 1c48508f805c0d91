"""Pages and words: what reading gives."""

from enum import StrEnum

from pydantic import Field as Constraint

from tallyman.domain.base import Value


class Box(Value):
    """A rectangle on a page. Coordinates are relative to the page, 0..1; the origin is the upper left corner."""

    x0: float
    y0: float
    x1: float
    y1: float

    def union(self, other: "Box") -> "Box":
        return Box(
            x0=min(self.x0, other.x0), y0=min(self.y0, other.y0), x1=max(self.x1, other.x1), y1=max(self.y1, other.y1)
        )


class WordSource(StrEnum):
    TEXT_LAYER = "text_layer"
    OCR = "ocr"


class Word(Value):
    """One word in reading order. `confidence` is 0..1; words of a text layer have 1."""

    text: str
    box: Box
    confidence: float = Constraint(ge=0, le=1)
    line: int = 0
    """Number of the text line on its page, from 0; words of one line share it."""


class MarkKind(StrEnum):
    SIGNATURE = "signature"
    STAMP = "stamp"


class MarkState(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNCLEAR = "unclear"
    """Some ink is there, but it may be a smudge, a tick or a printed form."""


class Mark(Value):
    """What stands in the place where a form asks for a signature or a stamp. `score` is 0..1: the odds of `state`."""

    kind: MarkKind
    state: MarkState
    box: Box
    score: float = Constraint(ge=0, le=1)
    label: str = ""
    """The printed words that ask for it."""


class Page(Value):
    """One page. `width` and `height` are in points (1/72 inch); `number` counts from 1."""

    number: int
    width: float
    height: float
    words: tuple[Word, ...]
    source: WordSource
    engine: str
    rotation: int = 0
    """Degrees, clockwise, by which the page was turned to stand upright: 0, 90, 180 or 270."""
    skew: float = 0.0
    """Degrees, clockwise, by which the page was turned after that to make its lines level. Boxes hold afterwards."""
    marks: tuple[Mark, ...] = ()


class Reading(Value):
    """All that reading a file gives: its kind by content, pages, and embedded XML, if any (text, never parsed yet)."""

    media_type: str
    pages: tuple[Page, ...]
    xml: str | None = None
