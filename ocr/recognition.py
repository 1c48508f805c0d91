"""A picture of a page into words. Runs in the child that stays; it never sees a file of a stranger.

The page is turned upright and made level, an engine is chosen by a look at it, and what that one doubts the other one
is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ocr import engines
from ocr.agreement import agrees, leaves_out, spelled
from ocr.barcodes import find_barcodes
from ocr.imaging.deskew import skew_of, turned
from ocr.imaging.marks import find_marks
from ocr.imaging.orientation import SURE, orientation
from ocr.languages import guess
from ocr.lines import Placed, RawWord, as_placed, as_words, in_reading_order
from ocr.second_opinion import settled
from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.domain.page import Picture, Word
from tallyman.errors import TechnicalError

_FIRST_LANGUAGES = ("eng", "deu")
"""What an engine that needs to be told is told before a word is read."""
_GOOD = 0.85
"""The mean confidence of words on a page that stands upright; on their head they are read with far less."""
_FEW = 8
_INK = 40
"""So much darker than the paper is ink, also pencil."""
_BLACK_PAPER = 80
_STROKES = 1e-5
"""The share of a page that one short word covers, and more."""
_COARSE = 2200
"""Pixels of the longer side of A4 at 190 dpi."""
_GREY_PAPER, _GRAIN = 170.0, 6.0
_HAND_AT_MOST = 0.5
_PAPER = 255


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """`image` is the page as it was read: upright and level. Boxes of words hold on it."""

    image: Any
    words: tuple[Word, ...] = ()
    rotation: int = 0
    skew: float = 0.0
    engine: str = ""
    picture: Picture | None = None


def recognise(
    pixels: str,
    offset: int,
    height: int,
    width: int,
    printed: list[Any] | None,
    doubtful: bool,
    hand: bool,
    engine: str | None,
    languages: list[str],
) -> dict[str, Any]:
    """One page: {"ocr", "words", "marks", "barcodes", "rotation", "skew", "engine", "picture"}.

    Of one with a text layer that is believed, what is new: {"words", "engine"} with what a hand added, and {"marks",
    "barcodes"} of one that was doubtful, for which nobody has looked yet.

    pixels: a file that holds the grey picture (height, width) from `offset` on. printed: words that are known from the
    text layer, packed. doubtful: they are compared with the picture first, which is read as if there were none where it
    says something else, or much more. hand: what was written beside them is read.
    """
    image = _picture(pixels, offset, height, width)
    known = tuple(languages)
    layer = None if printed is None else _unpack(printed)
    if layer is not None and not (doubtful and not _believed(image, layer, engine, known)):
        return _beside(image, layer, doubtful, hand, engine, known)
    found = read_page(image, engine, known)
    return {
        "ocr": True,
        "words": as_placed(found.words),
        "marks": [mark.to_json() for mark in find_marks(found.image, found.words)],
        "barcodes": [code.to_json() for code in find_barcodes(found.image)],
        "rotation": found.rotation,
        "skew": found.skew,
        "engine": found.engine,
        "picture": None if found.picture is None else found.picture.to_json(),
    }


def as_drawn(
    pixels: str,
    offset: int,
    height: int,
    width: int,
    words: list[Any],
    layer: list[Any],
    engine: str | None,
    languages: list[str],
) -> dict[str, Any]:
    """What the picture of a page says beside its text layer, as `domain.page.Drawn`. words: those asked about, packed.

    layer: all words of the page, packed.
    """
    image = _picture(pixels, offset, height, width)
    known = _unpack(layer)
    texts = spelled(image, _unpack(words), _spellers(engine), tuple(languages[:2]), known)
    return {"texts": texts, "more": leaves_out(image, known)}


def _picture(pixels: str, offset: int, height: int, width: int) -> Any:
    return np.fromfile(pixels, np.uint8, height * width, offset=offset).reshape(height, width)


def _spellers(engine: str | None) -> list[OcrEngine]:
    """Who is asked what a word says: the engine that is named, else all, the one that reads any picture well first."""
    return [engines.named(engine)] if engine else sorted(_able(), key=lambda able: not able.robust)


def read_page(image: Any, engine: str | None, languages: tuple[str, ...]) -> Recognised:
    """Words of a grey page (height, width), turned upright and made level. Raises Unreadable, as the engines do."""
    image = _dark_on_light(image)
    if _blank(image):
        return Recognised(image=image, engine=engine or "")
    found = _level(image, 0, engine, languages)
    if _makes_sense(found):
        return found
    turn, confidence = orientation(image)
    return _level(image, turn, engine, languages) if turn and confidence >= SURE else found


def _level(image: Any, rotation: int, engine: str | None, languages: tuple[str, ...]) -> Recognised:
    image = turned(image, rotation, 0.0)
    skew = skew_of(image)
    return replace(_read(turned(image, 0, skew), engine, languages), rotation=rotation, skew=skew)


def _makes_sense(found: Recognised) -> bool:
    """Whether a page reads as one that stands upright does. Most do, and to ask first would cost each of them."""
    height, width = found.image.shape
    if len(found.words) < _FEW:
        return False
    long = [word.box for word in found.words if len(word.text) >= 4]
    if sum((box.y1 - box.y0) * height > (box.x1 - box.x0) * width for box in long) > 0.4 * len(long):
        return False
    return sum(word.confidence for word in found.words) / len(found.words) >= _GOOD


def _read(image: Any, engine: str | None, languages: tuple[str, ...]) -> Recognised:
    picture = look(image)
    if engine is not None:
        only = engines.named(engine)
        words = only.words(image, languages[:2])
        return Recognised(image=image, words=words, engine=f"{only.name} {only.version}", picture=picture)
    first, other = chosen(picture)
    words = first.words(image, _FIRST_LANGUAGES)
    language = guess((word.text for word in words), languages)
    if other is not None and language in first.lacking:
        first, other = other, first
        words = first.words(image, (language,))
    elif first.told_languages and language not in (None, *_FIRST_LANGUAGES):
        words = first.words(image, (language,))
    name = f"{first.name} {first.version}"
    if other is not None and language not in other.lacking:
        words, asked = settled(image, words, other, (language,) if language else _FIRST_LANGUAGES)
        name += f" + {other.name} {other.version}" if asked else ""
    return Recognised(image=image, words=words, engine=name, picture=picture)


def chosen(picture: Picture) -> tuple[OcrEngine, OcrEngine | None]:
    """The engine that reads a page, and the one that is asked about what it doubts, if there is one.

    The one that costs less here reads what both read well; noisy pages are for the one that reads those.
    """
    by_cost = sorted(_able(), key=lambda engine: engine.cost or 0.0)
    robust = [engine for engine in by_cost if engine.robust]
    first = robust[0] if robust and (not by_cost[0].robust) and noisy(picture) else by_cost[0]
    return first, next((engine for engine in by_cost if engine is not first), None)


def _able() -> list[OcrEngine]:
    able = [engine for engine in engines.all_engines() if engine.cost is not None and engine.available() is None]
    if not able:
        raise TechnicalError("No OCR engine is installed.", advice="Run `tallyman doctor`, which says what is missing.")
    return able


def look(image: Any) -> Picture:
    """Size, paper and grain of a grey page (height, width)."""
    height, width = image.shape
    middle = image[height // 8 : -height // 8 or None : 6, width // 8 : -width // 8 or None : 6]
    paper = float(np.median(middle))
    grain = float(np.median(np.abs(middle[middle > paper - _INK].astype(np.float32) - paper)))
    ink = float(np.mean(middle < paper - _INK))
    return Picture(width=width, height=height, paper=paper, grain=grain, ink=round(ink, 5))


def noisy(picture: Picture) -> bool:
    """Whether a page is no clean scan of 300 dpi: too coarse, too dark or too grainy."""
    if max(picture.height, picture.width) < _COARSE:
        return True
    return picture.paper < _GREY_PAPER or picture.grain > _GRAIN


def _dark_on_light(image: Any) -> Any:
    """A page that a scanner or a copier gave as a negative the other way round."""
    return 255 - image if np.median(image[::12, ::12]) < _BLACK_PAPER else image


def _blank(image: Any) -> bool:
    """Whether hardly a stroke is darker than the paper, as on a sheet that lay in the scanner upside down."""
    sample = image[::3, ::3]
    paper = int(np.median(sample[::4, ::4]))
    return bool(np.count_nonzero(sample < paper - _INK) < _STROKES * sample.size)


def _believed(image: Any, layer: Sequence[Word], engine: str | None, languages: tuple[str, ...]) -> bool:
    """Whether a doubtful text layer says what the picture says, and hardly less."""
    return not leaves_out(image, layer) and agrees(image, layer, _spellers(engine), languages[:2])


def _beside(
    image: Any, layer: Sequence[Word], doubtful: bool, hand: bool, engine: str | None, languages: tuple[str, ...]
) -> dict[str, Any]:
    """What the picture of a page adds to its text layer."""
    told: dict[str, Any] = {}
    if doubtful:
        marks = find_marks(image, layer)
        hand = hand or any(mark.state != "absent" for mark in marks)
        told["marks"] = [mark.to_json() for mark in marks]
        told["barcodes"] = [code.to_json() for code in find_barcodes(image)]
    if hand:  # last: it takes words out of the picture
        told |= {"words": _with_hand(image, layer, engine, languages), "engine": "pdfium + OCR"}
    return told


def _with_hand(image: Any, printed: Sequence[Word], engine: str | None, languages: tuple[str, ...]) -> list[Placed]:
    """The words of a text layer together with what a hand wrote beside them, read by OCR and never trusted much.

    The printed words are taken out of the picture first: only what nobody knows yet is left to read.
    """
    height, width = image.shape
    for word in printed:
        image[_span(word.box.y0, word.box.y1, height), _span(word.box.x0, word.box.x1, width)] = _PAPER
    read = _read(image, engine, languages).words
    added = [_raw(word, width, height) for word in read if not any(_overlap(word, other) for other in printed)]
    known = [_raw(word, width, height, most=1.0) for word in printed]
    return as_placed(in_reading_order(known + added, width, height))


def _span(start: float, end: float, pixels: int) -> slice:
    """The pixels of a stretch of the page, with a little around it."""
    return slice(max(0, int(start * pixels) - 2), max(0, int(end * pixels) + 3))


def _raw(word: Word, width: float, height: float, most: float = _HAND_AT_MOST) -> RawWord:
    box = word.box
    return RawWord(
        text=word.text,
        x0=box.x0 * width,
        y0=box.y0 * height,
        x1=box.x1 * width,
        y1=box.y1 * height,
        confidence=min(word.confidence, most),
    )


def _overlap(word: Word, other: Word) -> bool:
    across = min(word.box.x1, other.box.x1) - max(word.box.x0, other.box.x0)
    down = min(word.box.y1, other.box.y1) - max(word.box.y0, other.box.y0)
    area = (word.box.x1 - word.box.x0) * (word.box.y1 - word.box.y0)
    return across > 0 and down > 0 and across * down > 0.15 * area


def _unpack(words: list[Any]) -> tuple[Word, ...]:
    return as_words([tuple(word) for word in words])
