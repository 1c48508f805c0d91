"""How the screens write numbers and dates. What is keyed in another notation is stored as another value, silently."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tallyman.errors import ConfigurationError, PageChanged

_NUMBERS = {
    "en": (".", ",", re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")),
    "de": (",", ".", re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")),
}
_DATES = {
    "mm/dd/yyyy": "%m/%d/%Y",
    "mm-dd-yyyy": "%m-%d-%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "dd.mm.yyyy": "%d.%m.%Y",
}
"""As entry forms print them beside their date fields."""


@dataclass(frozen=True)
class Notation:
    """`language` gives the signs of numbers, `date_pattern` is strptime's."""

    language: str = "en"
    date_pattern: str = "%m/%d/%Y"

    @classmethod
    def of(cls, language: str, printed_pattern: str) -> "Notation":
        """Raises ConfigurationError or PageChanged for what is not known: guessing would store other values."""
        if language not in _NUMBERS:
            raise ConfigurationError(f"practice_erp knows no language {language!r}; it knows en and de.")
        if printed_pattern not in _DATES:
            raise PageChanged(f"The date pattern {printed_pattern!r} is not known.")
        return cls(language=language, date_pattern=_DATES[printed_pattern])

    def number(self, value: Decimal) -> str:
        """As it is keyed: without group signs, never in exponents."""
        return format(value, "f").replace(".", _NUMBERS[self.language][0])

    def read_number(self, text: str) -> Decimal:
        """An empty cell is zero. Raises PageChanged for what is no number in this notation."""
        plain = text.strip()
        if not plain:
            return Decimal(0)
        sign, group, strict = _NUMBERS[self.language]
        if not strict.fullmatch(plain):
            raise PageChanged(f"{plain!r} is no number here. Does the setting language = {self.language!r} fit?")
        return Decimal(plain.replace(group, "").replace(sign, "."))

    def day(self, value: date) -> str:
        return value.strftime(self.date_pattern)

    def read_day(self, text: str) -> date | None:
        """None for an empty cell. Raises PageChanged for what is no date in this notation."""
        if not text.strip():
            return None
        try:
            return datetime.strptime(text.strip(), self.date_pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError as error:
            raise PageChanged(f"{text!r} stands where a date was expected.") from error
