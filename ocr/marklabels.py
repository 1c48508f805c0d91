"""The printed words that ask for a signature or a stamp."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # see ocr.lines
    from tallyman.domain.page import Box, MarkKind, Word

_SIGNATURE = re.compile(
    r"^(signature|signed|sign(ed)?\s*(by|here)|unterschrift|unterzeichnet|quittiert|signatur|"
    r"émargement|emargement|firmado|firma\s+(del|della|dell|de|e|y)|(czytelny\s+)?podpis|getekend)\b",
    re.IGNORECASE,
)
"""`Firma` alone is a company in German and Polish."""
_ANYWHERE = re.compile(r"(signature|unterschrift|handtekening)", re.IGNORECASE)
_STAMP = re.compile(
    r"(\bstamp\b|stempel|\bcachet\b|\btampon\b|\btimbro\b|\bsello\b|\bpiecz(ęć|ęc|ec|ątka|atka)\b)", re.IGNORECASE
)
_LONG = ("signature", "unterschrift", "handtekening")
_ALIKE = 0.75
"""Small print under a rule is often misread by a letter or two."""


def asks_for_mark(words: Iterable[tuple[str, int]]) -> bool:
    """Whether a page with a text layer has such a label. `words` are texts with their line numbers."""
    lines: dict[int, list[str]] = {}
    for text, line in words:
        lines.setdefault(line, []).append(text)
    return any(_printed(line) for line in lines.values())


def label_places(words: "Sequence[Word]") -> "Iterator[tuple[MarkKind, Box, str]]":
    """Each label of a signature or stamp zone: its kind, its box and its words. Sentences are no labels."""
    from tallyman.domain.page import MarkKind

    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    for line in lines.values():
        texts = [word.text for word in line]
        kind = _kind(texts)
        if kind:
            yield MarkKind(kind), _around(line), " ".join(texts)


def _kind(words: Sequence[str]) -> str | None:
    """The value of a MarkKind, by the words of a line that OCR read."""
    if kind := _printed(words):
        return kind
    return "signature" if _short(words) and any(_misread(word) for word in words) else None


def _printed(words: Sequence[str]) -> str | None:
    """As `_kind`, for words that are as they were printed."""
    text = " ".join(words)
    if not _short(words):
        return None
    if _SIGNATURE.search(text) or _ANYWHERE.search(text):
        return "signature"
    return "stamp" if _STAMP.search(text) else None


def _short(words: Sequence[str]) -> bool:
    return len(words) <= 7 and sum(map(len, words)) + len(words) <= 61


def _misread(word: str) -> bool:
    folded = word.lower().strip(".:,")
    near = (long for long in _LONG if abs(len(folded) - len(long)) <= 2 and _may_be_alike(folded, long))
    return any(SequenceMatcher(None, folded, long).ratio() >= _ALIKE for long in near)


def _may_be_alike(one: str, other: str) -> bool:
    """No if too few letters of the one are in the other; costs a tenth of the ratio, which is asked for every word."""
    return 2 * sum(letter in other for letter in one) >= _ALIKE * (len(one) + len(other))


def _around(line: "Sequence[Word]") -> "Box":
    """The box of a label's words; a rule beside it that was read as "|" is none."""
    said = [word.box for word in line if any(map(str.isalnum, word.text))]
    return reduce(lambda one, other: one.union(other), said)
