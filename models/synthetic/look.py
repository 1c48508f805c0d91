"""The look of a house: fonts, colours, wordings and formats, drawn once from a seed and then kept."""

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.synthetic import wide
from models.synthetic.formats import CURRENCY_PLACES, DATE_PATTERNS, SEPARATORS, Formats, locale_of
from models.synthetic.specs import Party
from models.synthetic.style import Style
from models.synthetic.wide import LANGUAGES

FONTS = (
    "'Liberation Sans'", "'Liberation Sans'", "'Liberation Sans'", "'Liberation Serif'", "'DejaVu Sans'",
    "'Noto Sans'", "'Noto Serif'", "'Liberation Sans Narrow'", "'Noto Sans Display'", "'DejaVu Serif'",
)  # fmt: skip
ACCENTS = (
    "#1f3a5f", "#0b6e4f", "#8c1c13", "#334155", "#b45309", "#1d4e89", "#5b2a86", "#00695c", "#c2410c", "#111111",
    "#2f5d50", "#7a1f3d", "#3f6212", "#0e7490",
)  # fmt: skip
SUFFIXES = dict.fromkeys(LANGUAGES, (":", ":", "")) | {"fra": ("\u00a0:", "\u00a0:", "")}
TABLES = ("ruled", "zebra", "boxed", "plain", "headed")


@cache
def wordings() -> dict[str, Any]:
    """The file of wordings, by language."""
    with (Path(__file__).parent / "wording.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def seed_of(name: str) -> int:
    """A seed that stays with a name, on every machine and in every run."""
    return zlib.crc32(name.encode())


@dataclass(frozen=True)
class Look:
    """The look of one house. `words` has one wording a label, `units` one word a unit code; colours are CSS."""

    font: str
    size_pt: float
    accent: str
    table: str
    suffix: str
    words: dict[str, str]
    units: dict[str, str]
    formats: Formats
    logo: str
    seed: int
    show_position: bool
    show_item_id: bool
    unit_column: bool
    vat_column: bool
    country_prefix: bool
    wide: bool = False
    """Whether it takes the freedoms that only houses with many wordings take (see Style.wide)."""

    def chance(self, what: str, share: float) -> bool:
        """Whether this house has a habit that `share` of all houses have. Always the same answer."""
        return random.Random(f"{self.seed}/{what}").random() < share

    def pick(self, what: str, options: tuple[str, ...]) -> str:
        """The one of the options that this house uses. Always the same answer."""
        return random.Random(f"{self.seed}/{what}").choice(options)

    def label(self, key: str) -> str:
        """The wording of a label with the punctuation of the house."""
        return self.words[key] + self.suffix


def look_of(style: Style, house: Party, currency: str) -> Look:
    """The look of `house`: from `style.look`, or from its name."""
    seed = seed_of(house.name) if style.look is None else style.look
    rng = random.Random(f"look/{seed}")
    book, units = _words(style, house.country)
    return Look(
        font=rng.choice(FONTS),
        size_pt=rng.choice((8.5, 9, 9, 9.5, 10)),
        accent=rng.choice(ACCENTS),
        table=rng.choice(TABLES),
        suffix=_suffix(rng, style),
        words={key: rng.choice(options) for key, options in sorted(book.items())},
        units={code: rng.choice(options) for code, options in sorted(units.items())},
        formats=_finer(_formats(rng, style.language, house.country, currency), style),
        logo=rng.choice(("mark", "mark", "word", "word", "none", "round")),
        seed=seed,
        show_position=rng.random() < 0.7,
        show_item_id=rng.random() < 0.8,
        unit_column=rng.random() < 0.6,
        vat_column=rng.random() < 0.6,
        country_prefix=rng.random() < 0.25,
        wide=style.wide,
    )


Book = Mapping[str, Sequence[str]]
"""Wordings by what they are for."""


def _words(style: Style, country: str) -> tuple[Book, Book]:
    """Wordings of labels and of units, in the houses' few words or in the many of a language."""
    language, few = style.language, wordings()
    if style.wide or language not in few:
        return wide.book(language, country), wide.units(language)
    american = few["eng_US"] if language == "eng" and country == "US" else {}
    return few[language] | american, {code: by[language] for code, by in few["units"].items()}


def _finer(formats: Formats, style: Style) -> Formats:
    """Some houses print quantities with three or four places."""
    dice = random.Random(f"places/{style.look}")
    return replace(formats, quantity_places=dice.choice((3, 4))) if style.wide and dice.random() < 0.12 else formats


def _suffix(rng: random.Random, style: Style) -> str:
    suffix = rng.choice(SUFFIXES[style.language])
    return " :" if style.wide and random.Random(f"colon/{style.look}").random() < 0.12 else suffix


def _formats(rng: random.Random, language: str, country: str, currency: str) -> Formats:
    locale = locale_of(language, country)
    thousands, decimal = rng.choice(SEPARATORS[locale])
    places = ("symbol_before", "symbol_before", "code_after", "code_before")
    return Formats(
        locale=locale,
        thousands=thousands,
        decimal=decimal,
        date_pattern=rng.choice(DATE_PATTERNS[locale]),
        currency=currency,
        place=rng.choice(places if locale.startswith("en") else CURRENCY_PLACES),
        quantity_places=rng.choice((0, 0, 0, 1, 2)),
    )
