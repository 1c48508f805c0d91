"""What houses of seven languages call things: many more wordings than wording.yaml.

A phrase in the files may hold alternatives: "<Invoice|Inv.> <no.|number|>" stands for six wordings.
"""

import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("eng", "deu", "fra", "spa", "ita", "nld", "pol")
_HERE = Path(__file__).parent


@cache
def expand(phrase: str) -> tuple[str, ...]:
    """All wordings of a phrase, each once, in the order of its alternatives.

    Alternatives stand in angle brackets, parted by "|"; one of them may be empty. Double spaces become one and spaces
    at the ends go. A bracket without its other, or inside another, raises ValueError.
    """
    parts = re.split("<([^<>]*)>", phrase)
    if any("<" in part or ">" in part for part in parts):
        raise ValueError(f"unbalanced brackets in {phrase!r}")
    options = [part.split("|") if number % 2 else [part] for number, part in enumerate(parts)]
    wordings = (re.sub(" {2,}", " ", "".join(chosen)).strip(" ") for chosen in product(*options))
    return tuple(dict.fromkeys(wordings))


@cache
def _read(path: str) -> dict[str, Any]:
    with (_HERE / path).open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def _words(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ValueError(f"no wordings for language {language!r}")
    return _read(f"wide/{language}.yaml")


def _expanded(phrases: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """By key, the wordings of all its phrases, each once."""
    return {
        key: tuple(dict.fromkeys(wording for phrase in listed for wording in expand(phrase)))
        for key, listed in phrases.items()
    }


def _without_sharp_s(wordings: tuple[str, ...]) -> tuple[str, ...]:
    """The wordings as Switzerland writes them."""
    return tuple(dict.fromkeys(wording.replace("ß", "ss") for wording in wordings))


@cache
def book(language: str, country: str = "") -> dict[str, tuple[str, ...]]:
    """Label or sentence key -> all its wordings in a language, as houses of a country (ISO 3166, two letters) use them.

    Sentences keep their {placeholders}. A country without words of its own gets those of the language; an unknown
    language raises ValueError. Every caller gets the same dict: do not change it.
    """
    words = _words(language)
    general = {key: phrases for key, phrases in words.items() if isinstance(phrases, list)}
    wordings = _expanded({**general, **words.get(country, {})})
    return {key: _without_sharp_s(each) for key, each in wordings.items()} if country == "CH" else wordings


@cache
def units(language: str) -> dict[str, tuple[str, ...]]:
    """UN/ECE Rec 20 code of a unit -> its wordings in a language. An unknown language raises ValueError."""
    return _expanded(_words(language)["units"])
