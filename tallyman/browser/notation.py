"""How a system's screens write numbers and dates. What is keyed in another notation is stored as another value."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tallyman.errors import PageChanged


@dataclass(frozen=True)
class Notation:
    """Signs of numbers (`group_sign` may be empty) and strptime's pattern of dates."""

    decimal_sign: str = "."
    group_sign: str = ","
    date_pattern: str = "%Y-%m-%d"

    def number(self, value: Decimal) -> str:
        """As it is keyed: without group signs, which every system allows, and never in exponents."""
        return format(value, "f").replace(".", self.decimal_sign)

    def read_number(self, text: str) -> Decimal:
        """An empty cell is zero. Raises PageChanged for what is no number in this notation: 1,5 is not 15."""
        plain = text.strip()
        if not plain:
            return Decimal(0)
        sign, group = re.escape(self.decimal_sign), re.escape(self.group_sign)
        grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|" if self.group_sign else ""
        if not re.fullmatch(rf"-?(?:{grouped}\d+)(?:{sign}\d+)?", plain):
            example = f"1{self.group_sign}234{self.decimal_sign}56"
            raise PageChanged(f"{plain!r} stands where a number such as {example} was expected: another language?")
        plain = plain.replace(self.group_sign, "") if self.group_sign else plain
        return Decimal(plain.replace(self.decimal_sign, "."))

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
