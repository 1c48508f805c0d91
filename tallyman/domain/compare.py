"""Are two values the same value? `1,100.10` is 1100.1, `INV 7` is `inv7`; `O` is not `0` here, yet alike."""

import unicodedata
from decimal import Decimal, InvalidOperation

from tallyman.domain.field import Kind

_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "Q": "0"})


def fold_text(text: str) -> str:
    """Case, accents, spaces and punctuation folded: what is left when two people write one name differently."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    return "".join(char for char in plain if char.isalnum())


def fold_number(number: str) -> str:
    """A document number up to spaces, case and separators. `0` and `O` stay apart; see `alike_number`."""
    return "".join(char for char in unicodedata.normalize("NFKC", number).upper() if char.isalnum())


def alike_number(number: str) -> str:
    """A document number in which characters that OCR mixes up are one: O and 0, I, L and 1."""
    return fold_number(number).translate(_ALIKE)


def same(kind: Kind, one: str, other: str) -> bool:
    """Whether two canonical values are equal as values. An unparsable number equals nothing."""
    if kind in (Kind.AMOUNT, Kind.QUANTITY):
        try:
            return Decimal(one) == Decimal(other)
        except InvalidOperation:
            return False
    if kind is Kind.TEXT:
        return fold_text(one) == fold_text(other)
    if kind is Kind.DATE:
        return one == other
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()
