"""Pages whose words are known: what the network learns from, and how they are kept on the disk."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.layout.fields import CLASSES
from models.layout.page import PageWords

IGNORED = -100
"""A class, a start, a type or a role that is not known: nothing is learned from it."""
_SCALE = 65535.0


@dataclass(frozen=True, kw_only=True)
class LabelledPage:
    """classes: int64 (n,), places in CLASSES or IGNORED. item: int64 (n,), the number of the line item that a word is
    part of, -1 for none. kind, role: places in TYPES and ROLES, or IGNORED. group: what it was printed by or came
    from: pages of one group are never on both sides of a split."""

    words: PageWords
    classes: Any
    item: Any
    kind: int
    role: int
    group: str

    @property
    def starts(self) -> Any:
        """int64 (n,): 1 for words of an item that stand in its first row on the page, 0 in its others, else IGNORED."""
        rows = self.words.rows.row
        made = np.full(len(rows), IGNORED, np.int64)
        for item in np.unique(self.item[self.item >= 0]):
            here = np.flatnonzero(self.item == item)
            made[here] = rows[here] == rows[here].min()
        return made


def save(pages: Sequence[LabelledPage], file: Path) -> None:
    """Writes them as one compressed file of plain arrays."""
    texts = "\n".join(text for page in pages for text in page.words.texts)
    arrays: dict[str, Any] = {
        "texts": np.frombuffer(texts.encode(), np.uint8),
        "sizes": np.array([len(page.words) for page in pages], np.int32),
        "boxes": np.rint(np.concatenate([page.words.boxes for page in pages]) * _SCALE)
        .clip(0, _SCALE)
        .astype(np.uint16),
        "sure": np.concatenate([page.words.sure for page in pages]).astype(np.float16),
        "classes": np.concatenate([page.classes for page in pages]).astype(np.int16),
        "item": np.concatenate([page.item for page in pages]).astype(np.int16),
        "pages": np.array([_facts(page) for page in pages], np.float32),
        "groups": np.array([page.group for page in pages]),
        "names": np.array(CLASSES),
    }
    np.savez_compressed(file, **arrays)


def _facts(page: LabelledPage) -> tuple[float, ...]:
    words = page.words
    return (words.is_ocr, words.aspect, words.number, words.count, page.kind, page.role)


def load(file: Path) -> Iterator[LabelledPage]:
    """Raises ValueError for a file that was written for other classes."""
    with np.load(file, allow_pickle=False) as told:
        arrays = dict(told)
    if tuple(arrays["names"]) != CLASSES:
        raise ValueError(f"{file.name} was printed for other fields; print the pages again.")
    texts = arrays["texts"].tobytes().decode().split("\n")
    start = 0
    for number, size in enumerate(arrays["sizes"].tolist()):
        part = slice(start, start + size)
        is_ocr, aspect, page, count, kind, role = arrays["pages"][number].tolist()
        words = PageWords(
            texts=tuple(texts[part]),
            boxes=(arrays["boxes"][part] / _SCALE).astype(np.float32),
            sure=arrays["sure"][part].astype(np.float32),
            is_ocr=bool(is_ocr),
            aspect=aspect,
            number=int(page),
            count=int(count),
        )
        yield LabelledPage(
            words=words,
            classes=arrays["classes"][part].astype(np.int64),
            item=arrays["item"][part].astype(np.int64),
            kind=int(kind),
            role=int(role),
            group=str(arrays["groups"][number]),
        )
        start += size


def load_all(files: Iterable[Path]) -> list[LabelledPage]:
    return [page for file in sorted(files) for page in load(file)]
