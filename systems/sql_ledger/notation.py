"""Which notations a user of SQL-Ledger can choose."""

from tallyman.browser.notation import Notation
from tallyman.errors import PageChanged

_SIGNS = {
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


def notation_of(number_format: str, date_format: str) -> Notation:
    """Raises PageChanged for a format that is not known: guessing would store other amounts."""
    if number_format not in _SIGNS or date_format not in _DATES:
        raise PageChanged(f"The user's formats {number_format!r} and {date_format!r} are not known.")
    return Notation(*_SIGNS[number_format], _DATES[date_format])
