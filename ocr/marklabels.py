"""The printed words that ask for a signature or a stamp."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # see ocr.lines
    from tallyman.domain.page import Box, MarkKind, Word

_SIGNATURE = re.compile(
    r"^(signature|signed|sign(ed)?\s*(by|here)|unterschrift|unterzeichnet|quittiert|signatur|"
    r"émargement|emargement)\b",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(r"(signature|unterschrift)", re.IGNORECASE)
_STAMP = re.compile(r"(\bstamp\b|stempel|\bcachet\b|\btampon\b)", re.IGNORECASE)


def asks_for_mark(words: Iterable[tuple[str, int]]) -> bool:
    """Whether a page has such a label. `words` are texts with their line numbers."""
    lines: dict[int, list[str]] = {}
    for text, line in words:
        lines.setdefault(line, []).append(text)
    return any(_kind(line) for line in lines.values())


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
    """The value of a MarkKind, by the words of a line."""
    text = " ".join(words)
    if len(words) > 7 or len(text) > 60:
        return None
    if _SIGNATURE.search(text) or _ANYWHERE.search(text):
        return "signature"
    return "stamp" if _STAMP.search(text) else None


def _around(line: "Sequence[Word]") -> "Box":
    box = line[0].box
    for word in line[1:]:
        box = box.union(word.box)
    return box
