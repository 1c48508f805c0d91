"""How this user's screens write numbers and dates. A wrong notation is stored as another value without a word."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from tallyman.errors import PageChanged

_NUMBERS = {
    "1,000.00": (".", ","),
    "1000.00": (".", ""),
    "1.000,00": (",", "."),
    "1000,00": (",", ""),
    "1'000.00": (".", "'"),
}
_DATES = {
    "mm-dd-yy": "%m-%d-%Y",
    "mm/dd/yy": "%m/%d/%Y",
    "dd-mm-yy": "%d-%m-%Y",
    "dd/mm/yy": "%d/%m/%Y",
    "dd.mm.yy": "%d.%m.%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
}
"""The program's own names of its formats; it writes years with four digits in all of them."""


@dataclass(frozen=True)
class Notation:
    """Number signs and a strptime date pattern, from the user's preferences."""

    decimal_sign: str = "."
    group_sign: str = ","
    date_pattern: str = "%Y-%m-%d"

    @classmethod
    def of(cls, number_format: str, date_format: str) -> "Notation":
        """Raises PageChanged for a format that is not known: guessing would store other amounts."""
        if number_format not in _NUMBERS or date_format not in _DATES:
            raise PageChanged(f"The user's formats {number_format!r} and {date_format!r} are not known.")
        decimal_sign, group_sign = _NUMBERS[number_format]
        return cls(decimal_sign=decimal_sign, group_sign=group_sign, date_pattern=_DATES[date_format])

    def number(self, value: Decimal) -> str:
        """As it is keyed: never in exponents, without group signs, which all of the formats allow."""
        return format(value, "f").replace(".", self.decimal_sign)

    def read_number(self, text: str) -> Decimal:
        """An empty cell is zero. Raises PageChanged for anything that is no number."""
        plain = text.strip()
        if self.group_sign:
            plain = plain.replace(self.group_sign, "")
        plain = plain.replace(self.decimal_sign, ".")
        try:
            return Decimal(plain or 0)
        except InvalidOperation as error:
            raise PageChanged(f"{text!r} stands where a number was expected.") from error

    def day(self, value: date) -> str:
        return value.strftime(self.date_pattern)

    def read_day(self, text: str) -> date | None:
        """None for an empty cell. Raises PageChanged for anything that is no date."""
        if not text.strip():
            return None
        try:
            return datetime.strptime(text.strip(), self.date_pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError as error:
            raise PageChanged(f"{text!r} stands where a date was expected.") from error
