"""The printed words that ask for a signature or a stamp."""

import re
from collections.abc import Iterator, Sequence

from tallyman.domain.page import Box, MarkKind, Word

_SIGNATURE = re.compile(
    r"^(signature|signed|sign(ed)?\s*(by|here)|unterschrift|unterzeichnet|quittiert|signatur|"
    r"émargement|emargement)\b",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(r"(signature|unterschrift)", re.IGNORECASE)
_STAMP = re.compile(r"(\bstamp\b|stempel|\bcachet\b|\btampon\b)", re.IGNORECASE)


def asks_for_mark(words: Sequence[Word]) -> bool:
    return any(True for _ in label_places(words))


def label_places(words: Sequence[Word]) -> Iterator[tuple[MarkKind, Box, str]]:
    """Each label of a signature or stamp zone: its kind, its box and its words. Sentences are no labels."""
    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    for line in lines.values():
        text = " ".join(word.text for word in line)
        if len(line) > 7 or len(text) > 60:
            continue
        kind = _kind(text)
        if kind:
            yield kind, _around(line), text


def _kind(text: str) -> MarkKind | None:
    if _SIGNATURE.search(text) or _ANYWHERE.search(text):
        return MarkKind.SIGNATURE
    return MarkKind.STAMP if _STAMP.search(text) else None


def _around(line: list[Word]) -> Box:
    box = line[0].box
    for word in line[1:]:
        box = box.union(word.box)
    return box
