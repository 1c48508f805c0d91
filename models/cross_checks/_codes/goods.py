"""Codes of goods and parcels: GS1 element strings and the numbers of the postal union."""

import re

from stdnum import ean, gs1_128
from stdnum.exceptions import ValidationError

_ELEMENT = re.compile(r"\((\d{2,4})\)")
_S10 = re.compile(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_CHECKED = ("00", "01", "02", "410", "411", "412", "413", "414", "415", "416")
"""Identifiers whose value ends with a GS1 check digit: SSCC, GTIN and location numbers."""


def gs1_of(format: str, text: str) -> dict[str, str]:
    """{identifier: value} of a GS1 code such as (00)340123450000000018; {} where it is none or breaks GS1's rules.

    Dates stay YYMMDD: the day may be 00, which means month's end.
    """
    if not format.startswith("gs1_"):
        return {}
    pieces = _ELEMENT.split(text)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    if pieces[0] or len(found) * 2 != len(pieces) - 1:
        return {}
    try:
        for identifier, value in found.items():
            gs1_128.validate(identifier + value, separator="\x1d")
    except (ValidationError, ValueError):
        return {}
    return found if all(_is_checked(value) for key, value in found.items() if key in _CHECKED) else {}


def _is_checked(value: str) -> bool:
    digits = value.isascii() and value.isdigit()  # a bracket within a value parts it anew, perhaps before no digit
    return digits and ean.calc_check_digit(value[:-1]) == value[-1]


def parcel_number_of(text: str) -> str | None:
    """A postal item's number by UPU S10, such as RR473124829DE, or None where its check digit fails."""
    match = _S10.fullmatch(text.strip().upper())
    if match is None:
        return None
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(match[1], _S10_WEIGHTS, strict=True)) % 11
    return match[0] if {10: 0, 11: 5}.get(rest, rest) == int(match[2]) else None
