"""The codes on the pages against what was read: equal is proof, different is a person's to judge.

A payment code has check digits of its own, so what it says is exact. That does not make it true: whoever forges an
invoice also prints a code. An account, an amount or a currency that differs from the printed one is therefore never
taken over but told, and the account is compared with the vendor master like any other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from stdnum import iban as iban_numbers

from models.cross_checks._codes.goods import gs1_of, parcel_number_of
from models.cross_checks._codes.payment import Payment, payment_of
from tallyman.domain.compare import alike_number, fold_number
from tallyman.domain.document import Document, Problem
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Barcode, Page, Reading
from tallyman.domain.reasons import Reason

CODE = "PAYMENT_CODE_DIFFERS"
_PAID = ("invoice",)
"""The types of documents that are paid by their payment code."""
_NUMBERS = (
    "invoice_number",
    "purchase_order_reference",
    "despatch_advice_reference",
    "pod_number",
    "waybill_number",
)
_EQUAL = ("payable_amount", "currency")
_SHORTEST = 5
"""Characters of a number that a code can prove; a shorter one may be anything."""
_MISREAD = 3
"""So many characters of an account may OCR have read wrongly."""
_PURCHASE_ORDER, _CONSIGNMENT = "400", "401"


@dataclass(frozen=True, kw_only=True)
class CodesCheck:
    name: str = "codes"
    order: int = 10

    def apply(self, document: Document, reading: Reading) -> Document:
        """With numbers and payment data proven by codes, and a problem for each that a code contradicts."""
        seen = [(page, code) for page in reading.pages for code in page.barcodes]
        fields = {**document.fields, **_numbers(document, seen)}
        document = document.model_copy(update={"fields": fields})
        if document.type not in _PAID:
            return document
        paid = [(payment, page, code) for page, code in seen if (payment := payment_of(code.text)) is not None]
        return _paid(document, reading.pages, paid) if paid else document


def _numbers(document: Document, seen: Sequence[tuple[Page, Barcode]]) -> dict[str, Field]:
    """Numbers that were read and that a code repeats, as the code has them: it does not mix up O and 0."""
    found = {}
    for name in _NUMBERS:
        field = document.fields.get(name)
        if field is None or field.source.exact or len(fold_number(field.value)) < _SHORTEST:
            continue
        for page, code in seen:
            text = next((text for text in _said(code) if alike_number(text) == alike_number(field.value)), None)
            if text is not None:
                value = field.value if fold_number(text) == fold_number(field.value) else text
                found[name] = _field(name, value, text, field, page, code)
                break
    return found


def _said(code: Barcode) -> Iterator[str]:
    """The numbers that a code may mean."""
    elements = gs1_of(code.format, code.text)
    if elements:
        yield from (elements[key] for key in (_PURCHASE_ORDER, _CONSIGNMENT) if key in elements)
    else:
        yield parcel_number_of(code.text) or code.text


def _paid(document: Document, pages: Sequence[Page], paid: Sequence[tuple[Payment, Page, Barcode]]) -> Document:
    payment, page, code = paid[0]
    fields, problems = dict(document.fields), list(document.problems)
    asked = {(other.iban, other.amount, other.amount and other.currency, other.reference) for other, _, _ in paid}
    if len(asked) > 1:
        message = f"The document carries {len(paid)} payment codes that ask for different payments."
        problems.append(Problem(code=Reason.BANK_CHANGED, message=message, field="iban"))
        return document.model_copy(update={"problems": tuple(problems)})
    text = "".join(word.text for each in pages for word in each.words).upper()
    checks = (_account(fields.get("iban"), payment, text), _amount(fields, payment), _currency(fields, payment))
    differing = [problem for problem in checks if problem is not None]
    proven = {"iban": payment.iban, "payment_reference": payment.reference}
    if payment.amount is not None:
        proven["payable_amount"] = str(payment.amount)
        proven["currency"] = payment.currency
    for name, value in proven.items():
        kept = name in fields and fields[name].source.exact
        if value and not kept and name not in {problem.field for problem in differing}:
            fields[name] = _field(name, value, value, fields.get(name), page, code)
    return document.model_copy(update={"fields": fields, "problems": (*problems, *differing)})


def _account(field: Field | None, payment: Payment, text: str) -> Problem | None:
    """Another account than the printed one. What OCR misread by a few characters is no other account."""
    if field is None or payment.iban in re.sub(r"\s", "", text):
        return None
    printed = fold_number(field.value)
    if printed == payment.iban or (not iban_numbers.is_valid(printed) and _nearly(printed, payment.iban)):
        return None
    message = f"The payment code asks for payment to {payment.iban}; the document names the account {field.value}."
    return Problem(code=Reason.BANK_CHANGED, message=message, field="iban")


def _nearly(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= _MISREAD


def _amount(fields: dict[str, Field], payment: Payment) -> Problem | None:
    due = _number(fields.get("payable_amount"))
    due = _number(fields.get("gross_total")) if due is None else due  # nothing was paid before, as far as is known
    if payment.amount is None or due is None or payment.amount == due:
        return None
    message = (
        f"The payment code asks for {payment.amount} {payment.currency}; "
        f"the document's total is {due} {_text(fields, 'currency')}."
    )
    return Problem(code=CODE, message=message.replace(" .", "."), field="payable_amount")


def _currency(fields: dict[str, Field], payment: Payment) -> Problem | None:
    printed = _text(fields, "currency")
    if payment.amount is None or not printed or printed == payment.currency:
        return None
    message = f"The payment code asks for {payment.currency}; the document is in {printed}."
    return Problem(code=CODE, message=message, field="currency")


def _number(field: Field | None) -> Decimal | None:
    try:
        return field.amount if field else None
    except InvalidOperation:
        return None


def _text(fields: dict[str, Field], name: str) -> str:
    return fields[name].value if name in fields else ""


def _field(name: str, value: str, raw: str, printed: Field | None, page: Page, code: Barcode) -> Field:
    """Its place stays where it is printed, if it is: the picture is looked at there, whatever a code says."""
    place = Evidence(page=page.number, box=code.box)
    # An amount or a currency that differs was told; an account may be another of those that the page prints.
    if printed is not None and (name in _EQUAL or alike_number(printed.value) == alike_number(value)):
        place = printed.evidence
    return Field(name=name, value=value, raw=raw, confidence=1.0, source=Source.BARCODE, evidence=place)


CROSS_CHECK = CodesCheck()
