"""Does the picture of a page say what its text layer says, and no more?

A text layer may lie: its letters are what a font says they mean, not what it draws, and the layer of a scan is whatever
somebody laid under it. So engines spell pictures of its words. To confirm one needs one engine; to contradict it, all.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import cv2
import numpy as np

from ocr.imaging.components import components
from ocr.second_opinion import crop
from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.domain.page import Box, Word

_SAMPLE = 8
_MOST = 0.75
"""The share of the sample that must agree: engines err, and so did the one that made the layer of a scan."""
_SURE = 0.5
"""What is read with less contradicts nothing."""
_DASH = re.compile("[‐‑‒–—−]")
_LETTER_LEAST, _LETTER_MOST = 6, 60
"""Pixels, the height of a letter at 150 dpi: small print of 6 points, and a headline."""
_BLOCK, _DARKER = 31, 20
"""Ink is so much darker than the pixels around it."""
_LEFT_OUT, _FEW_LETTERS = 0.25, 40
"""The share of a page's letters that a layer may leave out, and the number that it always may."""
_LOOK_ALIKE = str.maketrans({"o": "0", "q": "0", "i": "1", "l": "1", "|": "1", "s": "5", "b": "8"})
_COMMA = re.compile(r",(?!\d{3}(?![\d.,]))")
"""One that does not part the last three digits: 1,234.50 and 1.234,50 are one amount, 1,000 and 1.000 may be two."""
_BESIDE = "()%€$£¥-"
"""Marks that make another value of a number that they stand beside."""
_NO_VALUE = re.compile(rf"(?<![\d{_BESIDE}])[{_BESIDE}]+(?![\d{_BESIDE}])|[^\w.,/{_BESIDE}]|_")
"""All other marks."""
_AMOUNT = re.compile(r"\d[\d.,'’ ]*[.,]\d\d(?![\d.,])")
_SIGN, _APART = 1.2, 0.4
"""Heights of an amount: so far before it may its sign be drawn, and so far from the word before it is looked for."""


def spelled(
    image: Any,
    words: Sequence[Word],
    able: Sequence[OcrEngine],
    languages: tuple[str, ...],
    layer: Sequence[Word] = (),
) -> list[str]:
    """What the picture says where each word stands: its own text where an engine reads that, else what the first engine
    reads that reads anything, "" where none does.

    image: the grey page on which the boxes hold. Each engine is asked about what those before did not confirm.
    layer: all words of the page; none of them is looked at where the sign of an amount beside it is looked for.
    """
    crops = [crop(image, _with_sign(image, word, layer)) for word in words]
    told = [""] * len(words)
    for engine in able:
        open_ = [place for place, word in enumerate(words) if told[place] != word.text]
        if not open_:
            break
        read = engine.spell([crops[place] for place in open_], languages)
        for place, (text, confidence) in zip(open_, read, strict=True):
            if alike(words[place].text, text):
                told[place] = words[place].text
            elif not told[place] and confidence >= _SURE:
                told[place] = text
    return told


def _with_sign(image: Any, word: Word, layer: Sequence[Word]) -> Box:
    """The box of a word; that of an amount with the empty place before it, where a minus may be drawn as a line."""
    box = word.box
    if not layer or not _AMOUNT.match(word.text):
        return box
    height, width = image.shape
    high = (box.y1 - box.y0) * height / width
    level = [other.box.x1 for other in layer if other.box.x1 <= box.x0 and box.y0 < _middle(other.box) < box.y1]
    free = max([box.x0 - _SIGN * high, *(right + _APART * high for right in level)])
    return box.model_copy(update={"x0": min(box.x0, free)})


def _middle(box: Box) -> float:
    return (box.y0 + box.y1) / 2


def agrees(image: Any, words: Sequence[Word], able: Sequence[OcrEngine], languages: tuple[str, ...]) -> bool:
    """Whether the picture says what a text layer says, by a sample of its words."""
    asked = sample(words)
    told = spelled(image, asked, able, languages)
    same = sum(word.text == text for word, text in zip(asked, told, strict=True))
    return bool(asked) and same >= _MOST * len(asked)


def leaves_out(image: Any, words: Sequence[Word]) -> bool:
    """Whether much print stands where no word is: a layer may agree with a picture and say little of it, as on a scan
    that an archive has put a stamp and a footer on.

    image: the grey page (height, width) of about 300 dpi. Shapes as large as letters are counted.
    """
    small = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _BLOCK, _DARKER)
    _, stats = components(ink)
    across, down = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    letters = stats[(down >= _LETTER_LEAST) & (down <= _LETTER_MOST) & (across >= 2) & (across <= 5 * down)]
    said = _said(small.shape, words)
    middle = letters[:, :2] + letters[:, 2:4] // 2
    outside = np.count_nonzero(~said[middle[:, 1], middle[:, 0]])
    return bool(outside > max(_FEW_LETTERS, _LEFT_OUT * len(letters)))


def _said(shape: tuple[int, int], words: Sequence[Word]) -> Any:
    """Where words stand, and a little around them: boxes of layers are rough."""
    height, width = shape
    said = np.zeros(shape, bool)
    for box in (word.box for word in words):
        more = 0.3 * (box.y1 - box.y0) * height
        rows = slice(max(0, int(box.y0 * height - more)), int(box.y1 * height + more) + 1)
        said[rows, max(0, int(box.x0 * width - more)) : int(box.x1 * width + more) + 1] = True
    return said


def sample(words: Sequence[Word]) -> list[Word]:
    """A few words, of those with digits first; the same ones each time."""
    long = [word for word in words if sum(map(str.isalnum, word.text)) >= 3]
    return sorted(long, key=lambda word: (not any(map(str.isdigit, word.text)), _lot(word)))[:_SAMPLE]


def _lot(word: Word) -> str:
    return sha256(f"{word.text} {word.box}".encode()).hexdigest()


def alike(one: str, other: str) -> bool:
    """Whether two readings are the same to the eye: case, accents and marks folded, not what makes another value of it:
    where decimals begin, and beside a digit a minus, a slash, brackets, a percent sign or a currency's."""
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOK_ALIKE)
    plain = _DASH.sub("-", "".join(plain.split()))
    return _COMMA.sub(".", _NO_VALUE.sub("", plain)).rstrip(".")
