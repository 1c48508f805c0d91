"""A word as a few places in one table: the whole word, its shape and its groups of three letters.

No vocabulary has to be kept or to match, and a word that was never seen, or was misread in one letter, still shares
most of its places with those it is like (feature hashing, Weinberger et al. 2009; groups of letters after fastText,
Bojanowski et al. 2017).
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any
from zlib import crc32

import numpy as np

TABLE = 1 << 15
HIDDEN = "\0"
"""Stands for a word whose letters are hidden: it has no place at all."""
PLACES = 20
"""So many places a word has at most; those that are left over are 0, which stands for nothing."""
_LONGEST = 18
_SPECIAL = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "æ": "ae", "œ": "oe", "’": "'", "–": "-", "−": "-"})


def places_of(texts: Sequence[str]) -> Any:
    """int32 (n, PLACES)."""
    made = np.zeros((len(texts), PLACES), np.int32)
    for number, text in enumerate(texts):
        found = _places(text)
        made[number, : len(found)] = found
    return made


def folded(text: str) -> str:
    """In small letters, without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.translate(_SPECIAL)).lower()
    return "".join(char for char in plain if not unicodedata.combining(char))


@lru_cache(100_000)
def _places(text: str) -> Any:
    if text == HIDDEN:
        return np.zeros(0, np.int32)
    plain = folded(text)
    digitless = re.sub(r"\d", "0", plain)
    framed = f"<{digitless[:_LONGEST]}>"
    names = [f"w{digitless}", f"s{_shape(text)}", f"x{plain.strip('.,:;()')}"]
    names += [framed[start : start + 3] for start in range(len(framed) - 2)]
    hashed = {crc32(name.encode()) % (TABLE - 1) + 1: None for name in names}
    return np.fromiter(hashed, np.int32)[:PLACES]


def _shape(text: str) -> str:
    """`RE-2025/17` is `A-0/0`."""
    kinds = ("0" if char.isdigit() else "A" if char.isupper() else "a" if char.isalpha() else char for char in text)
    return "".join(kind for kind, _ in groupby(kinds))[:8]
