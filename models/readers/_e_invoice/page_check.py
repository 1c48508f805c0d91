"""Does the printed page say what the XML says? A hybrid invoice can show one account and carry another."""

import re
from collections.abc import Sequence
from decimal import Decimal

from stdnum import iban as iban_numbers

from tallyman.domain.compare import alike_number
from tallyman.domain.document import Problem
from tallyman.domain.field import Field
from tallyman.domain.page import Page

CODE = "XML_DIFFERS_FROM_PAGE"
_ENOUGH_WORDS = 20
_AMOUNT = re.compile(
    r"(?<![\d.,])\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})*(?:[.,]\d{1,2})?(?![\d])|(?<![\d.,])\d+[.,]\d{1,2}(?!\d)"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]){11,30}")


def differences(fields: dict[str, Field], pages: Sequence[Page]) -> list[Problem]:
    """Problems for values of the XML that the pages clearly do not show; none when the pages have hardly any text."""
    texts = [word.text for page in pages for word in page.words]
    if len(texts) < _ENOUGH_WORDS:
        return []
    text = " ".join(texts)
    shown = {
        "invoice_number": _number_shown,
        "gross_total": _amount_shown,
        "iban": _iban_shown,
    }
    return [
        Problem(code=CODE, message=_message(fields[name]), field=name)
        for name, is_shown in shown.items()
        if name in fields and not is_shown(fields, text)
    ]


def _message(field: Field) -> str:
    what = {"invoice_number": "number", "gross_total": "gross total", "iban": "bank account"}[field.name]
    return f"The embedded XML gives the {what} {field.value}, but the printed page does not show it."


def _number_shown(fields: dict[str, Field], text: str) -> bool:
    return alike_number(fields["invoice_number"].value) in alike_number(text)


def _amount_shown(fields: dict[str, Field], text: str) -> bool:
    wanted = {abs(Decimal(fields[name].value)) for name in ("gross_total", "payable_amount") if name in fields}
    amounts = {amount for match in _AMOUNT.finditer(text) for amount in _readings(match.group())}
    return not amounts or bool(wanted & amounts)


def _readings(text: str) -> set[Decimal]:
    """What a printed amount can mean: with its last separator as decimal separator, or with none."""
    digits = re.sub(r"\D", "", text)
    found = {Decimal(digits)}
    last = re.search(r"[.,](\d{1,2})$", text)
    if last:
        found.add(Decimal(digits).scaleb(-len(last.group(1))))
    return found


def _iban_shown(fields: dict[str, Field], text: str) -> bool:
    """True also when the page shows no account at all: only another account on the page is a difference."""
    wanted = "".join(fields["iban"].value.split()).upper()
    if wanted in "".join(text.split()).upper():
        return True
    return not any(_valid_ibans(match.group()) for match in _IBAN.finditer(text.upper()))


def _valid_ibans(run: str) -> list[str]:
    compact = "".join(run.split())
    return [
        compact[:length] for length in range(15, min(34, len(compact)) + 1) if iban_numbers.is_valid(compact[:length])
    ]
