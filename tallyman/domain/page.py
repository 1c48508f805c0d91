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
    HANDWRITING = "handwriting"
    """Pen ink where no label asks for any, such as a quantity that was corrected."""


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


MAX_BARCODE = 3000
"""Characters of a code's text at most. Payment codes have up to 997; a longer text is not given at all."""


class Barcode(Value):
    """A bar code or matrix code that was read, its check digits proven where its kind has any: `text` is exact, and a
    stranger's.

    `format` is qr_code, data_matrix, aztec, pdf417, code_128, code_39, itf, ean_13 or ean_8, with `gs1_` before it
    where the code says that its data are GS1's; those are written with their identifiers in brackets: (00)34012...
    Rows of `text` end with a line feed; it has no other control character.
    """

    format: str
    text: str = Constraint(max_length=MAX_BARCODE)
    box: Box


class Picture(Value):
    """The grey picture that the words of a page were read from, and how well it can be read."""

    width: int
    height: int
    """Pixels, as it was read: shrunk where the scan was larger than reading needs."""
    paper: float
    """Brightness of the paper, 0 black to 255 white."""
    grain: float
    """How far the paper's pixels lie from that, in the middle: 0 of a clean scan, 6 and more of a noisy one."""
    ink: float = 0.0
    """The share of the page, without its edges, that is much darker than its paper."""


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
    barcodes: tuple[Barcode, ...] = ()
    """From the top down."""
    language: str | None = None
    """ISO 639-2 code, guessed from the words; None where they are too few or of two languages."""
    picture: Picture | None = None
    """None where the words come from the text layer."""
    problem: str = ""
    """Why it has no words though some may stand on it, as when reading it took too long. A person then looks at it."""


class Drawn(Value):
    """What the picture of a page says beside its text layer."""

    texts: tuple[str, ...]
    """Where words were asked about: the word itself where the picture agrees, else what OCR reads there, "" where it
    reads nothing."""
    more: bool = False
    """Whether much print stands where the page has no word."""


class Reading(Value):
    """All that reading a file gives: its kind by content, pages, and embedded XML, if any (text, never parsed yet)."""

    media_type: str
    pages: tuple[Page, ...]
    xml: str | None = None


class Part(Value):
    """A file inside an e-mail or a ZIP file. `name` is cleaned, and for people only.

    media_type: by its content; None for what can't be read. left_out: why it is no document ("a signature"), else "".
    """

    name: str
    media_type: str | None
    content: bytes
    left_out: str = ""
