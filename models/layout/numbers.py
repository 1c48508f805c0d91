"""What the numbers of a page are: amounts, dates, accounts; and which of them are sums or products of others.

For features: quick and roughly right. What a value means is read by `models.values`.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from models.layout.page import PageWords

_GAP = "[ \u00a0\u202f]"
_AMOUNT = r"(?<![\w.,])[-−–(]?(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3}){1,5}|\d+)[.,]\d{2}(?![\d%]|[.,/:-]\d)"
KINDS: dict[str, re.Pattern[str]] = {
    "amount": re.compile(_AMOUNT),
    "date": re.compile(
        rf"(?<![\d/.-])(?:\d{{1,2}}{_GAP}?[./-]{_GAP}?\d{{1,2}}{_GAP}?[./-]{_GAP}?(?:\d{{4}}|\d{{2}})|\d{{4}}[./-]\d{{1,2}}[./-]\d{{1,2}}"
        rf"|\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?[ -](?:de )?[^\W\d_]{{3,11}}\.?,?[ -](?:de )?(?:\d{{4}}|\d{{2}})"
        rf"|[^\W\d_]{{3,11}}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})(?![\d/])"
    ),
    "percent": re.compile(rf"(?<![\d.,])\d{{1,3}}(?:[.,]\d{{1,4}})?{_GAP}?%"),
    "iban": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?(?!\w)"),
    "tax_id": re.compile(r"(?<!\w)(?:[A-Z]{2}[ .-]?[A-Z]?\d(?:[ .-]?[A-Z0-9]){6,12}|CHE[-\d. ]{9,13})(?!\w)"),
    "decimal": re.compile(r"(?<![\w.,])\d+[.,]\d{1,4}(?![\w.,]|[/:-]\d)"),
    "whole": re.compile(r"(?<![\w.,/-])\d{1,6}(?![\w,/:%-]|\.\d)"),
    "time": re.compile(r"(?<!\d)[0-2]?\d:[0-5]\d(?!\d)"),
    "phone": re.compile(r"(?<!\w)(?:\+|00|\(0|0\d)[\d /().-]{6,18}\d"),
    "mail": re.compile(r"\S+@\S+\.\w+"),
    "url": re.compile(r"(?:www\.|https?:)\S+"),
    "currency": re.compile(r"[€$£]|(?<!\w)(?:EUR|USD|GBP|CHF|PLN|zł|Fr\.)(?!\w)"),
    "code": re.compile(r"(?<!\w)(?=\S*\d)(?=\S*[A-Za-z])[\w][\w./#_-]{2,}"),
    "long": re.compile(r"(?<![\w.,])\d{7,}(?![\w.,]*\d)"),
}
NAMES = tuple(KINDS)
SUMS = ("is sum", "is part", "is greatest", "is column sum", "times a rate", "is that tax", "is product", "repeated")
_LETTERS = 48
"""Of a word are looked at: patterns must not take longer the longer a stranger's word is."""
_MOST = 80
"""Different amounts of a page that are added to each other; price lists have thousands."""


class Numbers:
    """`kinds`: float32 (n, len(NAMES)), 1 where a word is part of such a text, and `begins` where it is its first.
    `sums`: float32 (n, len(SUMS))."""

    def __init__(self, words: PageWords) -> None:
        count = len(words)
        self.kinds = np.zeros((count, len(NAMES)), np.float32)
        self.begins = np.zeros(count, np.float32)
        self.sums = np.zeros((count, len(SUMS)), np.float32)
        if not count:
            return
        self._words = words
        self._text, self._ends = _joined(words)
        amounts, rates = [], set[int]()
        factors: list[tuple[int, float]] = []
        for column, (name, pattern) in enumerate(KINDS.items()):
            for match in pattern.finditer(self._text):
                first, last = self._places(match)
                self.kinds[words.rows.order[first : last + 1], column] = 1
                self.begins[words.rows.order[first]] = 1
                if name == "amount":
                    amounts.append((int(words.rows.order[last]), _cents(match.group())))
                elif name == "percent":
                    rates.add(round(_number(match.group().rstrip("% \u00a0\u202f")) * 100))
                if name in ("amount", "decimal", "whole"):
                    factors.append((int(words.rows.order[last]), _number(match.group())))
        if amounts:
            self._add(amounts, sorted(rates))
            self._multiply(amounts, factors)

    def _places(self, match: re.Match[str]) -> tuple[int, int]:
        """The first and the last word of a match, as places in the rows' order."""
        first, last = np.searchsorted(self._ends, (match.start(), match.end() - 1), "right")
        return int(first), int(last)

    def _add(self, amounts: list[tuple[int, int]], rates: list[int]) -> None:
        places = np.array([place for place, _ in amounts])
        cents = np.array([value for _, value in amounts], np.int64)
        values, counts = np.unique(cents, return_counts=True)
        told = {value: number for number, value in enumerate(values.tolist())}
        known = values[values > 0][-_MOST:]
        flags = np.zeros((len(values), len(SUMS)), np.float32)
        if len(known):
            pairs = known[:, None] + known[None, :]
            hit = np.isin(pairs, known) & ~np.eye(len(known), dtype=bool)
            at = np.searchsorted(values, known)
            flags[at[hit.any(axis=1)], 1] = 1
            flags[np.searchsorted(values, np.unique(pairs[hit])), 0] = 1
            flags[at[-1], 2] = 1
            for rate in rates:
                taxes = (known * rate + 5000) // 10000
                near = np.isin(taxes, known) & (taxes > 0)
                flags[at[near], 4] = 1
                flags[np.searchsorted(values, taxes[near]), 5] = 1
        flags[:, 7] = counts > 1
        numbers = np.array([told[value] for value in cents.tolist()])
        np.maximum.at(self.sums, places, flags[numbers])
        self._columns(places, cents)

    def _columns(self, places: Any, cents: Any) -> None:
        """Marks what is the sum of those right above it, flush right with it."""
        boxes = self._words.boxes[places]
        columns = np.round(boxes[:, 2] / 0.012).astype(np.int64)
        for column in np.unique(columns):
            here = np.flatnonzero(np.abs(columns - column) <= 1)
            if not 3 <= len(here) <= 200:
                continue
            here = here[np.argsort(boxes[here, 1], kind="stable")]
            sums = np.concatenate(([0], np.cumsum(cents[here])))
            for number in range(2, len(here)):
                value = cents[here[number]]
                if value > 0 and np.any(sums[number] - sums[: number - 1] == value):
                    self.sums[places[here[number]], 3] = 1

    def _multiply(self, amounts: list[tuple[int, int]], factors: list[tuple[int, float]]) -> None:
        """Marks amounts that are the product of two numbers of their row."""
        row = self._words.rows.row
        by_row: dict[int, list[tuple[int, float]]] = {}
        for place, value in factors:
            by_row.setdefault(int(row[place]), []).append((place, value))
        for place, cents in amounts:
            others = [value for other, value in by_row.get(int(row[place]), []) if other != place][:8]
            total = abs(cents) / 100
            if total and any(
                abs(one * two - total) < 0.006 for number, one in enumerate(others) for two in others[number + 1 :]
            ):
                self.sums[place, 6] = 1


def _joined(words: PageWords) -> tuple[str, Any]:
    """The words row by row, cells on lines of their own; and where each word ends with the gap after it."""
    order, cells = words.rows.order, words.rows.cell
    pieces, ends, length, last = [], np.zeros(len(order), np.int64), 0, -1
    for number, place in enumerate(order.tolist()):
        cell = int(cells[place])
        if number:
            pieces.append(" " if cell == last else "\n")
            length += 1
            ends[number - 1] = length
        text = words.texts[place][:_LETTERS]
        pieces.append(text)
        length += len(text)
        last = cell
    ends[-1:] = length + 1
    return "".join(pieces), ends


def _cents(text: str) -> int:
    digits = int("".join(_digits(text))[-12:])
    return -digits if text[0] in "-−–(" else digits


def _digits(text: str) -> Iterator[str]:
    return (char for char in text if "0" <= char <= "9") if any("0" <= char <= "9" for char in text) else iter("0")


def _number(text: str) -> float:
    """The last point or comma parts the decimals, unless three digits follow it and another number could be meant."""
    whole, mark, rest = text.strip("-−–( ").replace(",", ".").rpartition(".")
    digits = "".join(_digits(whole)) if mark else "".join(_digits(rest))
    return float(f"{digits}.{''.join(_digits(rest))}") if mark else float(digits)
