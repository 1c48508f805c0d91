"""Typed candidates in printed text: dates, amounts, numbers, IBANs, VAT ids."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

from babel.dates import get_month_names
from stdnum import iban as iban_numbers
from stdnum.eu import vat as eu_vat

from tallyman.domain.compare import fold_text


@dataclass(frozen=True, kw_only=True)
class Found:
    """A value in a text. `start` and `end` are characters; `sure` is how clearly it is of its type, 0..1."""

    value: str
    start: int
    end: int
    sure: float = 1.0


_NUMERIC = re.compile(r"(?<![\d.,/-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?![\d/])")
_ISO = re.compile(r"(?<!\d)(\d{4})([-./])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:\.|st|nd|rd|th|er|º|°)?[\s-]+(?:del? )?([^\W\d_]{3,12})\.?,?[\s-]+(?:del? )?(\d{4})(?!\d)"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")


@cache
def _months() -> dict[str, int]:
    known: dict[str, int] = {}
    for locale in ("es", "it", "nl", "pl", "fr", "de", "en"):
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    known[fold_text(name)] = int(number)
    return {**known, "marz": 3, "mrz": 3, "sept": 9, "maerz": 3}


def dates(text: str, *, month_first: bool = False) -> Iterator[Found]:
    """Dates as ISO 8601, in order. month_first: 03/04/2025 is 4 March; `sure` is less where both are possible."""
    found = [*_iso_dates(text), *_numeric_dates(text, month_first), *_named_dates(text)]
    yield from sorted(found, key=lambda item: item.start)


def _iso_dates(text: str) -> Iterator[Found]:
    for pattern, groups in ((_ISO, (1, 3, 4)), (_COMPACT, (1, 2, 3))):
        for match in pattern.finditer(text):
            value = _iso(*(int(match.group(group)) for group in groups))
            if value:
                yield Found(value=value, start=match.start(), end=match.end(), sure=1.0 if pattern is _ISO else 0.7)


def _numeric_dates(text: str, month_first: bool) -> Iterator[Found]:
    for match in _NUMERIC.finditer(text):
        one, mark, two, year = int(match[1]), match[2], int(match[3]), int(match[4])
        year += 2000 if year < 100 else 0
        day, month = (two, one) if (month_first and mark != "." and two <= 31 and one <= 12) or two > 12 else (one, two)
        value = _iso(year, month, day)
        if value:
            open_order = mark == "/" and one <= 12 and two <= 12 and one != two
            yield Found(value=value, start=match.start(), end=match.end(), sure=0.9 if open_order else 1.0)


def _named_dates(text: str) -> Iterator[Found]:
    for pattern, day, month in ((_DAY_FIRST, 1, 2), (_MONTH_FIRST, 2, 1)):
        for match in pattern.finditer(text):
            number = _months().get(fold_text(match[month]))
            value = _iso(int(match[3]), number, int(match[day])) if number else None
            if value:
                yield Found(value=value, start=match.start(), end=match.end())


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return datetime.date(year, month, day).isoformat() if 1990 <= year <= 2099 else None
    except ValueError:
        return None


_GROUPED = r"\d{1,3}(?:(?P<g>[.,'’\u00a0\u202f ])\d{3})(?:(?P=g)\d{3})*"
_TORN = r"(?<=[€$£])\d{1,3}[.,] \d{3}(?=[.,]\d\d(?!\d))"
"""OCR sees a gap behind the sign of the thousands: £1, 100.16 is one amount."""
_NUMBER = re.compile(
    rf"(?<![\w.,/])(?P<sign>[-−–]\s?|\()?(?P<cur>[€$£]\s?)?(?P<whole>{_GROUPED}|{_TORN}|\d+)(?P<frac>[.,]\d{{1,4}})?"
    r"(?P<end>\s?[-−](?!\d)|\))?(?![\d]|[.,/:-]\d|\w*\d|\s?%)"
)


def amounts(text: str, *, whole: bool = False) -> Iterator[Found]:
    """Amounts as plain decimals, in order: both notations, signs before and after. whole: also without decimals."""
    for match in _NUMBER.finditer(text):
        fraction = match["frac"] or ""
        if (
            not fraction
            and not whole
            and not match["cur"]
            and not text[match.end() :].lstrip().startswith(("€", "EUR"))
        ):
            continue
        value = _plain(match["whole"], match["g"] or "", fraction)
        if value is None:
            continue
        negative = (bool(match["sign"]) and match["sign"].strip() in ("-", "−", "–")) or (
            match["end"] or ""
        ).strip() in ("-", "−")
        negative = negative or (match["sign"] == "(" and match["end"] == ")")
        start = match.start() if match["sign"] != "(" or negative else match.start("whole")
        yield Found(value=f"-{value}" if negative and Decimal(value) else value, start=start, end=match.end())


def _plain(whole: str, group: str, fraction: str) -> str | None:
    """`1.234` + `,5` is 1234.5. A lone group of three after a point is thousands only in a number that says so."""
    digits = re.sub(r"\D", "", whole)
    if group and fraction and fraction[0] == group:
        return None
    try:
        number = Decimal(f"{digits}.{fraction[1:]}" if fraction else digits)
    except InvalidOperation:
        return None
    return format(number, "f")


_SHORT_CODE = re.compile(r"[^\W\d_]{1,4}")
_NO_CODES = frozenset({"NR", "NO", "N", "VOM", "DU", "ID", "OF", "UND", "AND", "ET", "VON", "TEL", "FAX"})
_MONEY = re.compile(r"[^\w]*[€$£].*|.*[€$£]|[-−(]?\d{1,3}(?:[.,'’]\d{3})*[.,]\d{2}\)?|.*%")


def identifiers(text: str) -> Iterator[Found]:
    """Document numbers: one token with a digit that is no date and no amount, perhaps after a short code in capitals.

    A single digit counts lines or pages; it numbers no document.
    """
    before: re.Match[str] | None = None
    for match in re.finditer(r"\S+", text):
        token = match.group().strip(".,;:()#'\"")
        start = match.start() + match.group().find(token) if token else match.start()
        end = start + len(token)
        code, before = before, match
        digits = sum(char.isdigit() for char in token)
        if not digits or len(token) > 40 or "@" in token or any(True for _ in _iso_dates(token) if len(token) == 10):
            continue
        if _NUMERIC.fullmatch(token) or _MONEY.fullmatch(match.group()) or len(token) < 2:
            continue
        if code is not None and token[0].isdigit() and _is_code(code.group()):
            start = code.start()
        sure = 1.0 if digits >= 3 else 0.6
        yield Found(value=text[start:end], start=start, end=end, sure=sure)


def _is_code(word: str) -> bool:
    """`DN` of `DN 21004`."""
    return bool(_SHORT_CODE.fullmatch(word)) and word.isupper() and word not in _NO_CODES


_LIKE_DIGITS = str.maketrans("OQIL", "0011")
_IBAN = re.compile(r"\b[A-Z]{2}\s?[\dOI]{2}(?:\s?[A-Z0-9]){11,30}")


@lru_cache(10_000)  # the same run is asked about for each of its beginnings, and by several rules
def _is_iban(compact: str) -> bool:
    """The remainder first: it costs a fiftieth of the rest, and nearly all that is asked about fails it."""
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return int(digits) % 97 == 1 and bool(iban_numbers.is_valid(compact))


def ibans(text: str) -> Iterator[Found]:
    """IBANs whose check digits hold, without spaces; those that do not hold come with `sure` of 0.2."""
    upper = "".join(char.upper() if len(char.upper()) == 1 else char for char in text)  # each letter stays at its place
    for match in _IBAN.finditer(upper):
        run = match.group()
        compact, ends = "", []
        for offset, char in enumerate(run):
            if not char.isspace():
                compact += char
                ends.append(match.start() + offset + 1)
        repaired = compact[:2] + compact[2:].translate(_LIKE_DIGITS)
        if not any(_is_iban(compact[:size]) for size in range(15, len(compact) + 1)):
            # The check digits prove the repair: a letter that OCR took for a digit.
            compact = repaired if any(_is_iban(repaired[:n]) for n in range(15, 35)) else compact
        good = [size for size in range(15, min(34, len(compact)) + 1) if _is_iban(compact[:size])]
        if good:
            size = max(good)
            yield Found(value=compact[:size], start=match.start(), end=ends[size - 1])
        elif 18 <= len(compact) <= 28 and sum(char.isdigit() for char in compact[:18]) >= 14:
            yield Found(value=compact, start=match.start(), end=match.end(), sure=0.2)


_VAT = re.compile(
    r"(?<![A-Z0-9])(?P<id>(?:AT\s?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|CH\s?E)"
    r"[\s.-]?[A-Z0-9](?:[\s.-]?[A-Z0-9]){6,13})(?![A-Za-z0-9])"
)
_VAT_LENGTHS = {
    "DE": 9, "AT": 9, "FR": 11, "BE": 10, "NL": 12, "IT": 11, "PL": 10, "GB": 9, "ES": 9, "LU": 8, "DK": 8, "HR": 11,
    "PT": 9, "EL": 9, "FI": 8, "HU": 8, "SE": 12, "SI": 8, "SK": 10, "EE": 9, "MT": 8, "LV": 11, "CY": 9,
}  # fmt: skip


def vat_ids(text: str) -> Iterator[Found]:
    """VAT ids without spaces; `sure` says whether the checksum holds (samples and typing slips fail it)."""
    for match in _VAT.finditer(text):
        compact = re.sub(r"[\s.-]", "", match["id"])
        wanted = _VAT_LENGTHS.get(compact[:2])
        body = compact[2:]
        if wanted is not None:
            if len(body) < wanted or not body[:wanted][-4:].isdigit():
                continue
            if body[wanted : wanted + 1].isdigit():
                continue
            body = body[:wanted]
        account = re.match(r"\d\d[A-Z]{4}", body) or re.search(r"IBAN\W*$", text[: match.start()], re.IGNORECASE)
        if sum(char.isdigit() for char in body) < 6 or account:
            continue
        compact = compact[:2] + body
        end = _end_of(text, match.start(), len(compact))
        yield Found(value=compact, start=match.start(), end=end, sure=1.0 if eu_vat.is_valid(compact) else 0.7)


def _end_of(text: str, start: int, count: int) -> int:
    for position in range(start, len(text)):
        if text[position].isalnum():
            count -= 1
        if count == 0:
            return position + 1
    return len(text)


_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "EURO": "EUR", "SFR": "CHF", "ZŁ": "PLN"}
_CODES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "PLN",
        "CZK",
        "DKK",
        "SEK",
        "NOK",
        "HUF",
        "RON",
        "BGN",
        "CAD",
        "AUD",
        "JPY",
        "CNY",
        "MYR",
    ]
)


def currencies(text: str) -> Iterator[Found]:
    for match in re.finditer(r"[€$£]|\bzł\b|\b[A-Za-z]{3,4}\b", text):
        token = match.group().upper()
        code = _CURRENCIES.get(token) or (token if token in _CODES and match.group().isupper() else None)
        if code:
            yield Found(value=code, start=match.start(), end=match.end())


_RATE = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?%")


def rates(text: str) -> Iterator[Found]:
    for match in _RATE.finditer(text):
        yield Found(value=match[1].replace(",", "."), start=match.start(), end=match.end())


def slashed(text: str) -> Iterator[tuple[str, str]]:
    """The first two numbers of all dates with slashes, of which either may be the month."""
    for match in re.finditer(r"(?<!\d)(\d{1,2})/(\d{1,2})/\d{2,4}(?!\d)", text):
        yield match[1], match[2]


def american(text: str) -> bool:
    """Whether a paper with this text is from the United States: a state with its postcode, and dollars."""
    return bool(re.search(r"\b[A-Z]{2} \d{5}(-\d{4})?\b", text)) and ("$" in text or "USD" in text)
