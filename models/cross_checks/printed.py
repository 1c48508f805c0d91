"""Does the printed page say what the XML says? A hybrid invoice can show one account and carry another.

Where the pages show a value of the XML becomes the value's place, so that the picture is looked at there too: nobody
need see what stands in a text layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models import values
from models.readers._rules.sheet import Sheet, Span, sheets_of
from models.readers._rules.totals import labelled_totals
from models.readers.rules import READER as RULES
from tallyman.domain.compare import alike_number, fold_number
from tallyman.domain.document import UNKNOWN, Document, Problem
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Reading

CODE = "XML_DIFFERS_FROM_PAGE"
_CLEAR = 0.9
"""A number that the rules found with this is the printed one, wherever else on the page the XML's may stand."""
_LONGEST = 8
"""Words that one number may be printed in."""
_BILLS = {"invoice": "an invoice", "credit_note": "a credit note"}
_SELF_BILLED = "389"
"""An invoice that the buyer writes, which German law calls a Gutschrift."""
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD"})


@dataclass(frozen=True, kw_only=True)
class PrintedCheck:
    name: str = "printed"
    order: int = 5

    def apply(self, document: Document, reading: Reading) -> Document:
        """With the places where the pages show number, gross total, account and currency of the XML, and the title; and
        a problem for each that they do not show, or show otherwise. A bare XML file has no pages, and none."""
        if not reading.pages or not any(field.source is Source.E_INVOICE for field in document.fields.values()):
            return document
        printed = _Printed(
            rules=RULES.read(reading) or Document(type=UNKNOWN),
            sheets=sheets_of(reading.pages),
        )
        told = [_kind(document, printed)]
        fields = dict(document.fields)
        for name, look in _LOOKS.items():
            if name not in fields:
                continue
            found = look(fields[name], printed)
            if isinstance(found, Evidence):
                place = found.model_copy(update={"path": fields[name].evidence.path})
                fields[name] = fields[name].model_copy(update={"evidence": place})
            else:
                told.append(found)
        problems = (*document.problems, *(problem for problem in told if problem is not None))
        changes = {"fields": fields, "problems": problems, "titled": printed.rules.titled}
        return document.model_copy(update=changes)


@dataclass(frozen=True, kw_only=True)
class _Printed:
    """The pages, and what the rules make of them."""

    rules: Document
    sheets: Sequence[Sheet]

    def spans(self) -> Iterator[Span]:
        return (cell for sheet in self.sheets for cell in sheet.cells)

    def number(self, wanted: str) -> Evidence | None:
        """Where this number stands, in one word or in several of a line."""
        folded = alike_number(wanted)
        for cell in self.spans():
            for start in range(len(cell.words)):
                for end in range(start + 1, min(start + _LONGEST, len(cell.words)) + 1):
                    if alike_number(cell.part(start, end).text) == folded:
                        return cell.part(start, end).evidence
        return None


def _number(field: Field, printed: _Printed) -> Evidence | Problem:
    labelled = printed.rules.fields.get("invoice_number")
    if labelled is not None and alike_number(labelled.value) == alike_number(field.value):
        return labelled.evidence
    if labelled is not None and labelled.confidence >= _CLEAR:
        return _differs(field, f"the number {field.value}", f"shows {labelled.value}")
    return printed.number(field.value) or _differs(field, f"the number {field.value}", "does not show it")


def _gross(field: Field, printed: _Printed) -> Evidence | Problem:
    """Where it stands as a total: by the label of one; on pages without such labels the largest amount or the last.

    A credit note may print it with a minus or without. Where the rules are sure of another, the page says that one,
    unless a net total and a tax make the XML's too.
    """
    totals = list(labelled_totals(printed.sheets))
    clear = printed.rules.fields.get("gross_total")
    if clear is not None and clear.confidence >= _CLEAR and abs(clear.amount) != abs(field.amount):
        nets = {abs(one.amount) for one in totals if one.name == "net_total"}
        if not any(abs(field.amount) - abs(one.amount) in nets for one in totals if one.name == "tax_total"):
            return _differs(field, f"the gross total {field.value}", f"shows {clear.value}")
    labelled = [(one.amount, one.span) for one in totals if one.name in _TOTALS]
    amounts = [
        (Decimal(found.value), cell.chars(found.start, found.end))
        for cell in printed.spans()
        for found in values.amounts(cell.text)
    ]
    likely = labelled or ([max(amounts, key=lambda one: abs(one[0])), amounts[-1]] if amounts else [])
    for amount, span in likely:
        if abs(amount) == abs(field.amount) and span.words:
            return span.evidence
    return _differs(field, f"the gross total {field.value}", "does not show it as its total")


def _account(field: Field, printed: _Printed) -> Evidence | Problem | None:
    """None also where the pages show no account at all: only another one on the page is a difference."""
    known = printed.rules.fields.get("iban")
    if known is not None and fold_number(known.value) == fold_number(field.value):
        return known.evidence
    if (place := printed.number(field.value)) is not None:
        return place
    others = {found.value for cell in printed.spans() for found in values.ibans(cell.text) if found.sure == 1.0}
    return _differs(field, f"the account {field.value}", f"shows {', '.join(sorted(others))}") if others else None


def _currency(field: Field, printed: _Printed) -> Evidence | Problem | None:
    """Beside the total, where one is printed there, else anywhere; None where the pages name no currency."""
    total = printed.rules.fields.get("gross_total")
    shown = [(found, cell) for cell in printed.spans() for found in values.currencies(cell.text)]
    near = [(found, cell) for found, cell in shown if total is not None and _in_row(cell, total.evidence)]
    for found, cell in near or shown:
        sign = cell.text[found.start : found.end]
        if found.value == field.value or (sign == "$" and field.value in _DOLLARS):
            return cell.chars(found.start, found.end).evidence
    others = sorted({found.value for found, _ in near or shown})
    return _differs(field, f"the currency {field.value}", f"shows {', '.join(others)}") if others else None


def _in_row(cell: Span, place: Evidence) -> bool:
    return cell.page == place.page and place.box is not None and place.box.y0 < cell.middle < place.box.y1


def _kind(document: Document, printed: _Printed) -> Problem | None:
    """An invoice's page over the XML of a credit note, or the other way round, where its title says so clearly."""
    shown = printed.rules
    guessed = shown.titled is None or any(problem.field == "type" for problem in shown.problems)
    if guessed or document.type == shown.type or not {document.type, shown.type} <= _BILLS.keys():
        return None
    if document.text("type_code") == _SELF_BILLED and document.type == "invoice":
        return None
    message = f"The embedded XML is {_BILLS[document.type]}, but the printed page is {_BILLS[shown.type]}."
    return Problem(code=CODE, message=message, field="type")


def _differs(field: Field, what: str, page: str) -> Problem:
    message = f"The embedded XML gives {what}, but the printed page {page}."
    return Problem(code=CODE, message=message, field=field.name)


_TOTALS = ("gross_total", "payable_amount")
_LOOKS = {"invoice_number": _number, "gross_total": _gross, "iban": _account, "currency": _currency}
CROSS_CHECK = PrintedCheck()
