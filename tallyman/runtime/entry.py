"""What persons enter: names of fields, values and their own name, checked before a decision is made of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from tallyman.contracts.document_type import DocumentType
from tallyman.domain.case import Decision
from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.domain.field import FieldSpec, Kind
from tallyman.domain.stack import Documents
from tallyman.errors import UsageError

_NUMBERS = (Kind.AMOUNT, Kind.QUANTITY)


def specs(kind: DocumentType | None) -> dict[str, FieldSpec]:
    """Every name that a correction of this type of document may carry; columns of lines as `line.<column>`."""
    if kind is None:
        return {}
    return {one.name: one for one in kind.fields} | {f"line.{one.name}": one for one in kind.line_fields}


def spec_of(known: Mapping[str, FieldSpec], name: str) -> FieldSpec | None:
    """The specification for a correction's name: `gross_total`, or `line.2.quantity`."""
    if name.startswith("line.") and name.count(".") == 2:
        return known.get(f"line.{name.rpartition('.')[2]}")
    return known.get(name)


def check_corrections(
    types: Mapping[str, DocumentType], document: Document | None, corrections: Mapping[str, str]
) -> None:
    """Raises UsageError for an unknown type, a name that its type does not have, or a value that is not canonical."""
    named = corrections.get("type") or (document.type if document else "")
    if "type" in corrections and named not in types:
        raise UsageError(f"{named!r} is no type of document.", advice=f"Known: {', '.join(sorted(types))}.")
    known = specs(types.get(named))
    for name, value in corrections.items():
        if name == "type" or not known:
            continue
        spec = spec_of(known, name)
        if spec is None:
            names = ", ".join(sorted(known)).replace("line.", "line.N.")
            raise UsageError(f"{name!r} is no field of the type {named!r}.", advice=f"Known: {names}.")
        if value and not is_canonical(spec.kind, value):
            raise UsageError(f"{value!r} can't be the value of {name}.", advice=_EXAMPLES.get(spec.kind, ""))


_EXAMPLES = {
    Kind.AMOUNT: "Write an amount with a point and without groups: 1284.50",
    Kind.QUANTITY: "Write a quantity with a point and without groups: 2.5",
    Kind.DATE: "Write a date as YYYY-MM-DD.",
    Kind.CURRENCY: "Write three letters such as EUR.",
}


def is_canonical(kind: Kind, value: str) -> bool:
    """Whether a value is written as `Kind` says."""
    if kind in _NUMBERS:
        try:
            return Decimal(value).is_finite() and "e" not in value.lower() and "_" not in value
        except InvalidOperation:
            return False
    if kind is Kind.DATE:
        return _is_date(value)
    if kind is Kind.CURRENCY:
        return len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()
    return True


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


_PAGES = re.compile(r"(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?")


def split_pages(text: str, count: int) -> Documents:
    """The pages of each document, from `1-2; 3; 4, 6`, in a file that has `count`.

    Raises UsageError for what can't be read, a page that is not there or is used twice, and for the file as it is.
    """
    advice = f"The file has {count} pages. Leave out what belongs to no document."
    documents = tuple(tuple(_pages_of(one, advice)) for one in text.split(";") if one.strip())
    used = [page for pages in documents for page in pages]
    if not used:
        raise UsageError(_WRITE_PAGES, advice=advice)
    if any(not 1 <= page <= count for page in used):
        raise UsageError("The file has no such page.", advice=advice)
    if len(set(used)) < len(used):
        raise UsageError("A page can't be used twice.", advice=advice)
    if documents == (tuple(range(1, count + 1)),):
        raise UsageError("That is the whole file as one document.", advice="Accept it as one instead.")
    return documents


def _pages_of(text: str, advice: str) -> Iterator[int]:
    for part in text.split(","):
        match = _PAGES.fullmatch(part.strip())
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise UsageError(_WRITE_PAGES, advice=advice)
        yield from range(int(match[1]), int(match[2] or match[1]) + 1)


_WRITE_PAGES = "Write the pages of each document, such as 1-2; 3; 4-5."


def signature(name: str, decisions: Iterable[Decision]) -> str:
    """The name under which a decision is kept. One person is one person: `anna  BERG` signs as `Anna Berg` did before.

    Raises UsageError when nothing is left of the name.
    """
    plain = " ".join(name.split())[:80]
    if not fold_text(plain):
        raise UsageError("A decision carries the name of who made it.", advice="Write your name.")
    return next((one.by for one in decisions if fold_text(one.by) == fold_text(plain)), plain)
