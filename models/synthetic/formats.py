"""How a house writes numbers, money, dates and addresses, by language and country."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import get_currency_symbol

from models.synthetic.specs import Party

LOCALES = {
    "eng": "en_GB", "deu": "de_DE", "fra": "fr_FR", "spa": "es_ES", "ita": "it_IT", "nld": "nl_NL", "pol": "pl_PL",
}  # fmt: skip
_ELSEWHERE = {
    ("eng", "US"): "en_US", ("deu", "CH"): "de_CH", ("fra", "CH"): "fr_CH", ("ita", "CH"): "it_CH",
    ("nld", "BE"): "nl_BE",
}  # fmt: skip
NARROW_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"


def locale_of(language: str, country: str) -> str:
    """The babel locale for a language as a country writes it."""
    return _ELSEWHERE.get((language, country), LOCALES[language])


DATE_PATTERNS: dict[str, tuple[str, ...]] = {
    "en_GB": ("dd/MM/yyyy", "d MMMM yyyy", "dd-MMM-yyyy", "dd.MM.yyyy", "yyyy-MM-dd", "d MMM yyyy"),
    "en_US": ("MM/dd/yyyy", "MMMM d, yyyy", "MMM d, yyyy", "M/d/yyyy", "yyyy-MM-dd"),
    "de_DE": ("dd.MM.yyyy", "d. MMMM yyyy", "dd.MM.yy", "d.M.yyyy"),
    "de_CH": ("dd.MM.yyyy", "d. MMMM yyyy", "d.M.yyyy"),
    "fr_FR": ("dd/MM/yyyy", "d MMMM yyyy", "dd/MM/yy", "dd.MM.yyyy"),
    "fr_CH": ("dd.MM.yyyy", "d MMMM yyyy"),
    "es_ES": ("dd/MM/yyyy", "d 'de' MMMM 'de' yyyy", "dd-MM-yyyy", "dd/MM/yy", "d/M/yyyy", "dd.MM.yyyy"),
    "it_IT": ("dd/MM/yyyy", "d MMMM yyyy", "dd-MM-yyyy", "dd/MM/yy", "dd.MM.yyyy", "d/M/yyyy"),
    "it_CH": ("dd.MM.yyyy", "d MMMM yyyy"),
    "nl_NL": ("dd-MM-yyyy", "d MMMM yyyy", "dd/MM/yyyy", "d-M-yyyy", "dd-MM-yy", "yyyy-MM-dd"),
    "nl_BE": ("dd/MM/yyyy", "d MMMM yyyy", "dd-MM-yyyy", "d/MM/yyyy"),
    "pl_PL": ("dd.MM.yyyy", "yyyy-MM-dd", "d MMMM yyyy", "dd-MM-yyyy", "yyyy-MM-dd", "d.MM.yyyy"),
}
SEPARATORS: dict[str, tuple[tuple[str, str], ...]] = {
    "en_GB": ((",", "."), ("", ".")),
    "en_US": ((",", "."),),
    "de_DE": ((".", ","), (".", ","), ("", ",")),
    "de_CH": (("'", "."), ("\u2019", ".")),
    "fr_FR": ((NARROW_SPACE, ","), (NO_BREAK_SPACE, ","), ("", ",")),
    "fr_CH": (("'", "."), ("\u2019", ".")),
    "es_ES": ((".", ","), (".", ","), ("", ",")),
    "it_IT": ((".", ","), (".", ","), ("", ",")),
    "it_CH": (("'", "."), ("\u2019", ".")),
    "nl_NL": ((".", ","), (".", ","), ("", ",")),
    "nl_BE": ((".", ","), ("", ","), (NO_BREAK_SPACE, ",")),
    "pl_PL": ((NARROW_SPACE, ","), (NO_BREAK_SPACE, ","), (NO_BREAK_SPACE, ","), ("", ",")),
}
CURRENCY_PLACES = ("symbol_after", "code_after", "code_before", "symbol_before", "none")


@dataclass(frozen=True)
class Formats:
    """The formats of one house. `thousands` and `decimal` are separators, `place` is one of CURRENCY_PLACES."""

    locale: str
    thousands: str
    decimal: str
    date_pattern: str
    currency: str
    place: str
    quantity_places: int = 0

    def number(self, value: Decimal, places: int) -> str:
        sign = "-" if value < 0 else ""
        whole, _, fraction = f"{abs(value):,.{places}f}".partition(".")
        return sign + whole.replace(",", self.thousands) + (self.decimal + fraction if fraction else "")

    def amount(self, value: Decimal) -> str:
        """An amount without its currency, as in a table."""
        return self.number(value, 2)

    def money(self, value: Decimal) -> str:
        """An amount with its currency where the house puts it."""
        amount = self.amount(value)
        symbol = get_currency_symbol(self.currency, locale="pl_PL" if self.currency == "PLN" else "en_US")
        # Nobody puts the zloty in front.
        if self.place == "symbol_before" and self.currency != "PLN":
            return f"{symbol}{amount}" if self.locale.startswith("en") and len(symbol) == 1 else f"{symbol} {amount}"
        if self.place in ("symbol_after", "symbol_before"):
            return f"{amount}{NO_BREAK_SPACE}{symbol}"
        if self.place == "code_before":
            return f"{self.currency} {amount}"
        return f"{amount} {self.currency}" if self.place == "code_after" else amount

    def price(self, value: Decimal) -> str:
        """A unit price: two decimals, more where the price has them."""
        return self.number(value, max(2, decimals(value)))

    def quantity(self, value: Decimal) -> str:
        return self.number(value, max(self.quantity_places, decimals(value)))

    def percent(self, value: Decimal) -> str:
        tight = not self.locale.startswith(("de", "fr"))
        return f"{self.number(value, decimals(value))}{'' if tight else NO_BREAK_SPACE}%"

    def date(self, value: datetime.date) -> str:
        return format_date(value, self.date_pattern, locale=self.locale)

    def time(self, value: datetime.time) -> str:
        if self.locale == "en_US":
            return value.strftime("%I:%M %p").lstrip("0")
        return value.strftime("%H:%M")


def decimals(value: Decimal) -> int:
    """How many decimals a value needs, trailing zeros left out."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def canonical(value: Decimal, places: int = 0) -> str:
    """A plain decimal with a point, at least `places` decimals: the form of values in the truth."""
    return f"{value:.{max(places, decimals(value))}f}"


def city_line(party: Party, prefix: str) -> list[tuple[str | None, str]]:
    """The line with postcode and city, as segments of (field or None, text), as the country of the party writes it."""
    postcode, city = (f"{prefix}_postcode", party.postcode), (f"{prefix}_city", party.city)
    if party.country in ("GB", "IE"):
        return [city, (None, " "), postcode]
    if party.country == "US":
        return [city, (None, f", {party.region} "), postcode]
    if party.country == "IT" and party.region:
        return [postcode, (None, " "), city, (None, f" ({party.region})")]
    return [postcode, (None, " "), city]
