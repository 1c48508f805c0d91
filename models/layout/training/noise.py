"""What happens to words between paper and reading: letters are misread, words break, boxes shake; and names change.

Applied anew each time a page is learned from, so no page is seen twice.
"""

import string
from dataclasses import replace
from typing import Any

import numpy as np

from models.layout.fields import CLASSES, KINDS, Kind
from models.layout.page import PageWords
from models.layout.training.labelled import LabelledPage
from models.layout.wordhash import HIDDEN

_ALIKE = {
    "0": "OQ", "O": "0Q", "1": "lI7", "l": "1I", "I": "l1|", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "G": "6",
    "2": "Z", "Z": "2", "m": "rn", "n": "ri", "e": "c", "c": "e", "i": "j", "t": "f", "f": "t", "u": "v", "v": "u",
    "h": "b", "a": "o", "o": "a", "ä": "a", "ö": "o", "ü": "u", "é": "e", "ß": "B", ".": ",", ",": ".", ":": ".;",
    "-": "~_",
}  # fmt: skip
_NAMES = np.array([CLASSES.index(name) for name, kind in KINDS.items() if kind is Kind.TEXT])
_CODES = np.array([CLASSES.index(name) for name, kind in KINDS.items() if kind is Kind.CODE])
_CONSONANTS, _VOWELS = "bcdfghklmnprstvwz", "aeiou"


def noisy(page: LabelledPage, dice: np.random.Generator) -> LabelledPage:
    """Another reading of the same page."""
    texts = list(page.words.texts)
    _rename(texts, page.classes, dice)
    boxes, sure, is_ocr = page.words.boxes.copy(), page.words.sure.copy(), page.words.is_ocr
    kept = np.ones(len(texts), bool)
    if not is_ocr and len(texts) and dice.random() < 0.5:
        is_ocr = True
        bad = dice.choice((0.003, 0.01, 0.03, 0.06))
        _misread(texts, sure, bad, dice)
        boxes += dice.normal(0, 0.0008, boxes.shape).astype(np.float32)
        kept = dice.random(len(texts)) > bad / 2
    _hide(texts, page.classes, dice)
    boxes = _moved(boxes, dice)
    words = replace(page.words, texts=tuple(texts), boxes=boxes, sure=sure, is_ocr=is_ocr)
    changed = replace(page, words=words)
    changed = changed if kept.all() else _part(changed, kept)
    return _joined(changed, dice) if is_ocr else changed


def _part(page: LabelledPage, kept: Any) -> LabelledPage:
    words = page.words
    few = PageWords(
        texts=tuple(text for text, keep in zip(words.texts, kept, strict=True) if keep),
        boxes=words.boxes[kept],
        sure=words.sure[kept],
        is_ocr=words.is_ocr,
        aspect=words.aspect,
        number=words.number,
        count=words.count,
    )
    return replace(page, words=few, classes=page.classes[kept], item=page.item[kept])


def _rename(texts: list[str], classes: Any, dice: np.random.Generator) -> None:
    """Made-up names and numbers instead of those of the catalogue, which a network of this size knows by heart."""
    if dice.random() < 0.5:
        for place in np.flatnonzero(np.isin(classes, _NAMES)):
            if dice.random() < 0.6:
                texts[place] = _other_word(texts[place], dice)
    if dice.random() < 0.7:
        for place in np.flatnonzero(np.isin(classes, _CODES)):
            texts[place] = _other_code(texts[place], dice)


def _other_word(text: str, dice: np.random.Generator) -> str:
    letters = [
        str(dice.choice(list(_VOWELS if char.lower() in _VOWELS else _CONSONANTS))) if char.isalpha() else char
        for char in text
    ]
    return "".join(new.upper() if old.isupper() else new for new, old in zip(letters, text, strict=True))


def _other_code(text: str, dice: np.random.Generator) -> str:
    return "".join(str(dice.integers(10)) if char.isdigit() else char for char in text)


def _misread(texts: list[str], sure: Any, share: float, dice: np.random.Generator) -> None:
    for place, text in enumerate(texts):
        hits = np.flatnonzero(dice.random(len(text)) < share)
        if len(hits):
            letters = list(text)
            for hit in hits:
                letters[hit] = _misreading(letters[hit], dice)
            texts[place] = "".join(letters) or "."
        sure[place] = min(1.0, max(0.1, dice.beta(2, 2) if len(hits) else 1 - dice.exponential(0.06)))


def _misreading(letter: str, dice: np.random.Generator) -> str:
    if letter in _ALIKE and dice.random() < 0.7:
        choices = _ALIKE[letter]
        return choices if choices in ("rn", "ri") else str(dice.choice(list(choices)))
    return "" if dice.random() < 0.4 else str(dice.choice(list(string.ascii_lowercase + string.digits)))


def _hide(texts: list[str], classes: Any, dice: np.random.Generator) -> None:
    """Some labels must be done without: unseen houses call things by names that nobody has printed."""
    share = dice.choice((0.0, 0.0, 0.08, 0.25))
    if share:
        for place in np.flatnonzero((classes == 0) & (dice.random(len(texts)) < share)):
            texts[place] = HIDDEN if dice.random() < 0.5 else _other_word(texts[place], dice)


def _moved(boxes: Any, dice: np.random.Generator) -> Any:
    """The page a little larger or smaller, shifted, and leaning as far as a level page does."""
    scale, shift = dice.uniform(0.93, 1.03), dice.normal(0, 0.01, 2)
    lean = dice.normal(0, 0.0015)
    moved = (boxes - 0.5) * scale + 0.5
    moved[:, [0, 2]] += shift[0]
    moved[:, [1, 3]] += shift[1] + (lean * (boxes[:, [0]] + boxes[:, [2]] - 1) / 2)
    return moved.astype(np.float32)


def _joined(page: LabelledPage, dice: np.random.Generator) -> LabelledPage:
    """Neighbours of one cell that OCR took for one word; a label and its value keep the value's class."""
    words = page.words
    share = dice.choice((0.0, 0.0, 0.01, 0.03))
    if not share or len(words) < 2:
        return page
    order, cell = words.rows.order, words.rows.cell
    kept = np.ones(len(words), bool)
    texts, boxes = list(words.texts), words.boxes.copy()
    classes = page.classes.copy()
    for left, right in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        same = cell[left] == cell[right] and kept[left] and (classes[left] == classes[right] or classes[left] == 0)
        if same and dice.random() < share:
            texts[right] = texts[left].strip(HIDDEN) + texts[right].strip(HIDDEN) or HIDDEN
            boxes[right, :2] = np.minimum(boxes[left, :2], boxes[right, :2])
            boxes[right, 2:] = np.maximum(boxes[left, 2:], boxes[right, 2:])
            kept[left] = False
    joined = replace(page, words=replace(words, texts=tuple(texts), boxes=boxes), classes=classes)
    return joined if kept.all() else _part(joined, kept)
