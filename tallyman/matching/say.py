"""Figures as a clerk writes them in a sentence."""

from collections.abc import Iterable
from decimal import Decimal

CENT = Decimal("0.01")


def plain(number: Decimal) -> str:
    """12.000 is 12, 1E+2 is 100."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal, currency: str) -> str:
    """At least two decimals, more where the amount has them, at most six: 0.0125 EUR."""
    rounded = round(amount, 6)
    text = plain(rounded)
    digits = len(text.partition(".")[2])
    return f"{format(rounded, '.2f') if digits < 2 else text} {currency}".strip()


def listed(words: Iterable[str], joint: str = "and") -> str:
    """a, b and c"""
    every = list(words)
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} {joint} {every[-1]}"
