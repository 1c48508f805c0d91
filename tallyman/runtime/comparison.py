"""Our ledger against the target's own report, in both directions. Pure: rows and records in, what follows out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Literal

from tallyman.domain.base import Value
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import InvoicePosting, PostingState
from tallyman.domain.roles import PostedInvoice
from tallyman.runtime.jobs import difference
from tallyman.runtime.posting import Hit

OUR_SIGN = "TM-"
"""How the references begin that bots key into a target."""

_CLICKED = (PostingState.ARMED, PostingState.UNKNOWN, PostingState.POSTED)

What = Literal["missing", "differs", "twice", "denied", "stray"]
"""
missing: we have posted it, and it is not there. differs: it is there with other values. twice: it is there more often.
denied: it is there, and our ledger says that it is not. stray: it carries our reference, and our ledger has no row.
"""


class Row(Value):
    """A row of the ledger as it stood before the report was asked for.

    checked: it is to be held against the report. at_work: somebody works on it now, so it proves nothing.
    clicked: it was armed at least once, or is posted. payload: only where it is checked.
    """

    id: int
    party: str
    number: str
    verb: str = "invoice"
    state: PostingState
    epoch: int = 1
    case: str
    record: str = ""
    clicked: bool = True
    checked: bool = True
    at_work: bool = False
    payload: dict[str, Any] = {}

    @property
    def key(self) -> tuple[str, str]:
        return self.party, self.number

    @property
    def title(self) -> str:
        if self.verb == "delivery":
            return f"The receipt {self.payload.get('delivery_number') or self.number} of order {self.party}"
        return f"The invoice {self.payload.get('number') or self.number} of vendor {self.party}"


class Problem(Value):
    """Something for a person. `row` is ours, where we have one; `mark` tells it from another one of the same row."""

    what: What
    party: str
    number: str
    message: str
    row: Row | None = None
    record: str = ""
    mark: str = ""


class Sure(Value):
    """A row whose outcome was open, and the one equal record that was found."""

    row: Row
    record: str


class Comparison(Value):
    """What came out. `unsettled` rows stay as they are: not found, which here proves nothing."""

    checked: int = 0
    equal: int = 0
    unsettled: int = 0
    foreign: int = 0
    problems: tuple[Problem, ...] = ()
    settle: tuple[Sure, ...] = ()

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(
            checked=self.checked + other.checked,
            equal=self.equal + other.equal,
            unsettled=self.unsettled + other.unsettled,
            foreign=self.foreign + other.foreign,
            problems=self.problems + other.problems,
            settle=self.settle + other.settle,
        )


def compare(rows: Sequence[Row], records: Sequence[PostedInvoice]) -> Comparison:
    """All that the report says about our rows, and all in the report that should be one of them.

    rows: every row of the ledger for the vendors of the report, checked or not; records: a complete report.
    """
    books = _Books(rows, records)
    result = Comparison()
    for row in rows:
        if row.checked and not row.at_work:
            result += judge(row, books.hits(row), alone=books.alone(row))
    return result + _theirs(books)


def judge(row: Row, hits: Sequence[Hit], *, alone: bool = True) -> Comparison:
    """One row of ours and the records that were found for it. `alone`: no other row of ours has the same key."""
    if row.state not in _CLICKED:
        if not hits:
            return Comparison(checked=1, equal=1)
        told = f"{row.title} is there ({_told(hits)}), but our ledger says {row.state} after a click."
        return _one(row, "denied", told, hits)
    if len(hits) > 1:
        return _one(row, "twice", f"{row.title} is there {len(hits)} times: {_told(hits)}.", hits)
    if not hits:
        if row.state is not PostingState.POSTED:
            return Comparison(checked=1, unsettled=1)
        told = f"{row.title} was posted{_as(row.record)} and is not there any more."
        return _one(row, "missing", told, hits)
    hit = hits[0]
    if hit.difference:
        return _one(row, "differs", f"{row.title} is there{_as(hit.record)} with {hit.difference}.", hits)
    if row.state is PostingState.POSTED:
        return Comparison(checked=1, equal=1)
    if not alone:
        told = f"{row.title} is there{_as(hit.record)}, and several rows of our ledger could be meant."
        return _one(row, "differs", told, hits)
    return Comparison(checked=1, settle=(Sure(row=row, record=hit.record),))


class _Books:
    """Rows and records by what makes them one and the same in the world."""

    def __init__(self, rows: Sequence[Row], records: Sequence[PostedInvoice]) -> None:
        self.rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self.records: dict[tuple[str, str], list[PostedInvoice]] = defaultdict(list)
        for row in rows:
            self.rows[row.key].append(row)
        for record in {one.record or str(n): one for n, one in enumerate(records)}.values():
            self.records[record.vendor, fold_number(record.number)].append(record)
        self.moved: set[str] = set()
        """Records that were told of as a row of ours under another vendor or number."""
        self._by_record = {one.record: one for one in records if one.record}
        self._by_reference = {one.reference: one for one in records if one.reference}

    def hits(self, row: Row) -> list[Hit]:
        wanted = InvoicePosting.from_json(row.payload)
        found = [Hit(record=one.record, difference=difference(wanted, one)) for one in self.records.get(row.key, [])]
        if found or row.state not in _CLICKED:
            return found
        moved = self._by_record.get(row.record) or self._by_reference.get(wanted.reference)
        if moved is None or any(one.clicked for one in self.rows.get((moved.vendor, fold_number(moved.number)), [])):
            return []
        self.moved.add(moved.record)
        return [Hit(record=moved.record, difference=f"vendor {moved.vendor} and number {moved.number or 'none'}")]

    def alone(self, row: Row) -> bool:
        return sum(one.clicked for one in self.rows[row.key]) <= 1


def _theirs(books: _Books) -> Comparison:
    """Records that no checked row accounts for."""
    foreign, problems = 0, list[Problem]()
    for key, group in books.records.items():
        rows = books.rows.get(key, [])
        if any(row.checked or row.at_work for row in rows):
            continue
        left = [one for one in group if one.record not in books.moved]
        clicked = next((row for row in rows if row.clicked), None)
        signed = [one for one in left if (one.reference or "").startswith(OUR_SIGN)]
        if len(group) > 1 and (clicked or signed):
            problems.append(_group(key, clicked, group))
        elif signed and not clicked:
            problems += _strays(key, rows, signed)
        elif not clicked:
            foreign += len(left)
    return Comparison(foreign=foreign, problems=tuple(problems))


def _group(key: tuple[str, str], row: Row | None, group: Sequence[PostedInvoice]) -> Problem:
    hits = [Hit(record=one.record, difference=f"{one.gross} {one.currency or ''}".strip()) for one in group]
    told = f"The invoice {group[0].number} of vendor {key[0]} is there {len(group)} times: {_told(hits)}."
    return _problem("twice", key, told, row, hits)


def _strays(key: tuple[str, str], rows: Sequence[Row], signed: Iterable[PostedInvoice]) -> Iterator[Problem]:
    for one in signed:
        where = f"The invoice {one.number or 'without a number'} of vendor {one.vendor} is there{_as(one.record)}"
        sign = f"with our reference {one.reference}"
        hits = [Hit(record=one.record)]
        if rows:
            told = f"{where} {sign}, but our ledger says {rows[0].state} and that nothing was ever clicked."
            yield _problem("denied", key, told, rows[0], hits)
        else:
            yield _problem("stray", key, f"{where} {sign}, but our ledger does not know it.", None, hits)


def _one(row: Row, what: What, message: str, hits: Sequence[Hit]) -> Comparison:
    return Comparison(checked=1, problems=(_problem(what, row.key, message, row, hits),))


def _problem(what: What, key: tuple[str, str], message: str, row: Row | None, hits: Sequence[Hit]) -> Problem:
    names = [*key, *sorted(f"{hit.record} {hit.difference}" for hit in hits)]
    mark = sha256("\n".join(names).encode()).hexdigest()[:12]
    records = ", ".join(hit.record for hit in hits)
    return Problem(what=what, party=key[0], number=key[1], message=message, row=row, record=records, mark=mark)


def _as(record: str) -> str:
    return f" as record {record}" if record else ""


def _told(hits: Sequence[Hit]) -> str:
    return "; ".join(f"record {hit.record or '?'} {hit.difference or 'equal'}" for hit in hits)
