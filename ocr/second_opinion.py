"""What one engine doubts the other one is asked about; that two engines read the same is evidence."""

import re
import unicodedata
from functools import cache
from typing import Any

from babel.dates import get_month_names

from ocr.languages import LANGUAGES
from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.domain.page import Box, Word

DOUBTFUL = 0.9
"""A word read with less is asked about, if it holds something that a document may hang on."""
_AT_MOST = 60
"""Words of a page that are asked about: of a page that is all doubt no second engine makes a good one."""
_ALIKE = str.maketrans("oOlI|", "00111")
_MARGIN = 0.25
"""Paper around a word, in heights of the word: engines read a word with its surroundings best."""


def settled(
    image: Any, words: tuple[Word, ...], other: OcrEngine, languages: tuple[str, ...]
) -> tuple[tuple[Word, ...], bool]:
    """The words, with those in doubt settled as far as two engines can; and whether the other one was asked.

    image: the grey page on which the boxes hold. Where both read the same, both would have to err alike, so the
    confidence rises; where they differ, it falls below what either said, and the surer reading stands.
    """
    places = [place for place, word in enumerate(words) if word.confidence < DOUBTFUL and _matters(word.text)]
    places = sorted(places, key=lambda place: words[place].confidence)[:_AT_MOST]
    if not places:
        return words, False
    told = other.spell([crop(image, words[place].box) for place in places], languages)
    result = list(words)
    for place, (text, confidence) in zip(places, told, strict=True):
        result[place] = _agreed(words[place], text, confidence)
    return tuple(result), True


def _matters(text: str) -> bool:
    return sum(char.isalnum() for char in text) >= 2 or any(char.isdigit() for char in text)


def _agreed(word: Word, text: str, confidence: float) -> Word:
    if not text:
        return word
    if _folded(text) == _folded(word.text):
        spelling = word.text if word.confidence >= confidence else text
        sure = 1 - (1 - word.confidence) * (1 - confidence)
        return word.model_copy(update={"text": spelling, "confidence": round(sure, 4)})
    if (month := _month(word.text, text)) is not None:
        return word.model_copy(update={"text": month, "confidence": round(max(word.confidence, confidence), 4)})
    better = text if confidence > word.confidence and len(text.split()) == 1 else word.text
    sure = 0.8 * max(word.confidence, confidence) * (1 - min(word.confidence, confidence) / 2)
    return word.model_copy(update={"text": better, "confidence": round(min(sure, DOUBTFUL / 2), 4)})


def _month(*texts: str) -> str | None:
    """Of readings that differ only in what looks alike, such as 0ct and Oct, the one that is a month's name; else None:
    nobody knows which of two codes is the right one."""
    named = {text for text in texts if _folded(text).strip(".,").casefold() in _months()}
    if len(named) != 1 or len({_folded(text).translate(_ALIKE) for text in texts}) != 1:
        return None
    return named.pop()


@cache
def _months() -> frozenset[str]:
    """In small letters and without a point, short and in full."""
    named = set[str]()
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                named.update(get_month_names(width, context, language).values())
    return frozenset(name.strip(".").casefold() for name in named)


def _folded(text: str) -> str:
    """Without what engines put differently though they mean the same: kinds of dashes and quotation marks."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[‐‑–—−]", "-", re.sub(r"[‘’‚`´]", "'", re.sub(r"[“”„]", '"', plain)))


def crop(image: Any, box: Box) -> Any:
    """The picture of a word, with a little paper around it."""
    height, width = image.shape
    margin = _MARGIN * (box.y1 - box.y0) * height
    x0, x1 = max(0, int(box.x0 * width - margin)), min(width, int(box.x1 * width + margin) + 1)
    y0, y1 = max(0, int(box.y0 * height - margin)), min(height, int(box.y1 * height + margin) + 1)
    return image[y0:y1, x0:x1]
