"""Texts of XML into canonical values. Where a text is no value of its kind, there is none."""

import datetime
import re
from decimal import Decimal, InvalidOperation

from tallyman.domain.field import Kind

_DATES = {"102": "%Y%m%d", "101": "%y%m%d", "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S"}
_MONTH = "610"


def canonical(kind: Kind, text: str, date_format: str | None = None) -> str | None:
    """The value as `Kind` writes it, or None. `date_format` is the code of CII (102: YYYYMMDD, 610: YYYYMM)."""
    if kind is Kind.DATE:
        return _date(text, date_format)
    if kind in (Kind.AMOUNT, Kind.QUANTITY):
        return plain_decimal(text)
    if kind is Kind.TEXT:
        return re.sub(r"[ \t]+", " ", text).strip() or None
    return " ".join(text.split()) or None


def plain_decimal(text: str) -> str | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return format(number, "f") if number.is_finite() and len(text) < 40 else None


def _date(text: str, code: str | None) -> str | None:
    text = text.strip()
    if code == _MONTH and re.fullmatch(r"\d{6}", text):
        text, code = f"{text}01", "102"
    if code in _DATES:
        try:
            return datetime.datetime.strptime(text, _DATES[code]).date().isoformat()  # noqa: DTZ007 - a date, no time
        except ValueError:
            return None
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)", text) or re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text)
    if match is None:
        return None
    try:
        return datetime.date(*map(int, match.groups())).isoformat()
    except ValueError:
        return None
