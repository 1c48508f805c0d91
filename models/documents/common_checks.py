"""The checks that document types share. Each takes the document and the facts and yields findings; none does I/O."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from tallyman.domain.compare import alike_number, fold_number
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts, Sighting
from tallyman.domain.field import Field, FieldSpec, Kind
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.page import WordSource
from tallyman.domain.reasons import Reason
from tallyman.matching.orders import names_order
from tallyman.matching.roles import date_of, number_of, order_numbers
from tallyman.matching.say import listed

KEYED_CONFIDENCE = 0.9
"""The least confidence of a value that is keyed into a target or that decides what is keyed, where nothing else
speaks for it."""
PLACE_CONFIDENCE = 0.5
"""The same for a value from a text layer that stands where persons have confirmed this field of this supplier: what
it means is known from there, and a text layer has no misread letters."""
OCR_PLACE_CONFIDENCE = 0.8
"""The same for a value that OCR read."""
AGREED_CONFIDENCE = 0.55
"""The same for a received quantity that equals the shipped one, read elsewhere; handwriting never has so much."""
CORROBORATED_CONFIDENCE = 0.5
"""The same for a value that the target's own records or the document's arithmetic give independently."""
LINE_CONFIDENCE = 0.6
"""The least confidence of a figure in an invoice's line. Lower, since order, receipts and totals must agree with it."""
DUE = ("due_date",)
"""Dates that are keyed where they are there. Others, such as the delivery date of an invoice, are only told."""
OLD_DAYS = 400
FUTURE_DAYS = 7


def missing(document: Document, specs: Iterable[FieldSpec], *, instead: Sequence[str] = ()) -> Iterator[Finding]:
    """Required fields that are not there, and values that can't be read for what they are. `instead`: not required."""
    for spec in specs:
        field, name = document.fields.get(spec.name), spec.label or spec.name
        if field is None or not field.value.strip():
            if spec.required and spec.name not in instead:
                yield _missing(f"{name} is missing.", spec.name)
        elif not readable(field, spec.kind):
            missed = _missing(f"{name} can't be read: “{field.raw or field.value}”.", spec.name)
            told = spec.kind is Kind.DATE and not spec.required and spec.name not in DUE
            yield missed.model_copy(update={"severity": Severity.WARNING}) if told else missed


def missing_in_lines(document: Document, specs: Iterable[FieldSpec]) -> Iterator[Finding]:
    """Figures in lines that can't be read as numbers."""
    for at, line in enumerate(document.lines, start=1):
        for spec in specs:
            field = line.get(spec.name)
            if field is not None and not readable(field, spec.kind):
                message = f"Line {at}: {spec.label or spec.name} can't be read: “{field.raw or field.value}”."
                yield _missing(message, spec.name, at)


def readable(field: Field, kind: Kind) -> bool:
    if kind in (Kind.AMOUNT, Kind.QUANTITY):
        return number_of(field) is not None
    return kind is not Kind.DATE or date_of(field) is not None


def _missing(message: str, name: str, line: int | None = None) -> Finding:
    return Finding(reason=Reason.FIELD_MISSING, message=message, field=name, line=line, acceptable=False)


def trusted(
    document: Document,
    facts: Facts,
    keyed: Iterable[str],
    in_lines: Iterable[tuple[str, float]],
    corroborated: Collection[str],
) -> Iterator[Finding]:
    """Confidence of what is keyed, and the history gate: what rules or the model read is taken without a person only
    for layouts that persons have confirmed before.

    in_lines: names with the least confidence of each. corroborated: header fields that something independent speaks
    for, such as an order of that number with that vendor.
    """
    header = [
        (None, field, _least(field, facts, corroborated)) for name in keyed if (field := document.fields.get(name))
    ]
    lines = [
        (at, field, least)
        for at, line in enumerate(document.lines, start=1)
        for name, least in in_lines
        if (field := line.get(name))
    ]
    every: list[tuple[int | None, Field, float]] = [*header, *lines]
    for at, field, least in every:
        if field.confidence < least:
            where = f"Line {at}: " if at else ""
            message = f"{where}{field.name} “{field.value}” is only {field.confidence:.0%} sure; {least:.0%} is needed."
            yield Finding(reason=Reason.LOW_CONFIDENCE, message=message, field=field.name, line=at, actual=field.value)
    if not facts.layout_confirmed and any(not field.source.exact for _, field, _ in every):
        message = "The first documents of this supplier's layout are confirmed by a person."
        yield Finding(reason=Reason.LOW_CONFIDENCE, message=message)


def _least(field: Field, facts: Facts, corroborated: Collection[str]) -> float:
    if field.name in corroborated:
        return CORROBORATED_CONFIDENCE
    if field.name in facts.confirmed_places:
        return OCR_PLACE_CONFIDENCE if field.evidence.words is WordSource.OCR else PLACE_CONFIDENCE
    return KEYED_CONFIDENCE


def orders_known(document: Document, facts: Facts) -> bool:
    """Whether every order that the document names is one of the target, and its vendor's where that is known."""
    numbers = order_numbers(document)
    vendors = {facts.vendor.number, facts.vendor.name} if facts.vendor else None
    found = [
        any(names_order(number, order) and (vendors is None or order.vendor in vendors) for order in facts.orders)
        for number in numbers
    ]
    return bool(found) and all(found)


def whole_search(facts: Facts) -> Iterator[Finding]:
    """A search that could not see everything proves neither that a record is absent nor that it is the only one."""
    if not facts.complete:
        message = (
            "A search of the target system could not see everything, so what was not found may be there all the same."
        )
        yield Finding(reason=Reason.SYSTEM_DOWN, message=message)


def plausible(name: str, day: date | None, today: date, what: str, ahead: int = FUTURE_DAYS) -> Iterator[Finding]:
    """A date more than `ahead` days in the future is an error; one that is very old is told."""
    if day is None:
        return
    if day > today + timedelta(days=ahead):
        message = f"{what} {day} lies {(day - today).days} days in the future."
        yield Finding(reason=Reason.DATE_IMPLAUSIBLE, message=message, field=name, actual=str(day))
    elif day < today - timedelta(days=OLD_DAYS):
        message = f"{what} {day} is {(today - day).days} days ago."
        yield Finding(
            reason=Reason.DATE_IMPLAUSIBLE, message=message, field=name, actual=str(day), severity=Severity.WARNING
        )


def seen_before(
    facts: Facts, number: str, vendor: str | None, gross: Decimal | None, day: date | None
) -> Iterator[Finding]:
    """Cases of our own that may be the same document. A rejected one is only told, unless it is the same file."""
    for sighting in facts.sightings:
        same = _sameness(sighting, number, vendor, gross, day)
        if not same:
            continue
        rejected = sighting.state == "REJECTED" and not sighting.same_file
        message = f"{same} as “{sighting.file}” (case {sighting.case}, {sighting.state.lower().replace('_', ' ')})."
        yield Finding(
            reason=Reason.DUPLICATE_SUSPECTED,
            message=message,
            actual=sighting.case,
            severity=Severity.WARNING if rejected else Severity.ERROR,
        )


def _sameness(sighting: Sighting, number: str, vendor: str | None, gross: Decimal | None, day: date | None) -> str:
    if sighting.same_file:
        return "The same file"
    one_vendor = vendor is not None and sighting.vendor == vendor
    amounts = gross is not None and sighting.gross == gross
    if fold_number(number) and alike_number(number) == alike_number(sighting.number):
        if one_vendor or ((vendor is None or sighting.vendor is None) and (amounts or gross is None)):
            alike = "The same" if fold_number(number) == fold_number(sighting.number) else "A look-alike"
            return f"{alike} number {sighting.number}"
        return ""
    if one_vendor and amounts and day is not None and sighting.issue_date == day:
        return "The same vendor, amount and date"
    return ""


def posted_before(facts: Facts, number: str, gross: Decimal | None) -> Iterator[Finding]:
    """Records of the target under this number, whether their values are equal or not."""
    for invoice in facts.posted:
        if not fold_number(number) or alike_number(invoice.number) != alike_number(number):
            continue
        parts = [f"record {invoice.record}" if invoice.record else "", str(invoice.date or ""), invoice.state]
        equal = "the same amount" if gross is not None and abs(invoice.gross) == abs(gross) else "another amount"
        message = (
            f"The target holds {invoice.number} already ({listed(filter(None, parts))}), with {equal}, {invoice.gross}."
        )
        yield Finding(
            reason=Reason.DUPLICATE_SUSPECTED,
            message=message,
            field="invoice_number",
            expected=str(gross) if gross is not None else None,
            actual=str(invoice.gross),
        )
