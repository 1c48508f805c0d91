"""A document as the review page shows it: fields with the doubtful ones first, lines as a table, boxes on pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tallyman.contracts.document_type import DocumentType
from tallyman.domain.document import UNKNOWN, Document, Sheet
from tallyman.domain.field import Field, FieldSpec, Kind, Source
from tallyman.domain.finding import Finding, Severity
from tallyman.errors import UsageError
from tallyman.office.language import Language
from tallyman.runtime.entry import specs

SURE = 0.9
"""Values of rules and the model below this are shown as doubtful."""

_MARKS = {
    Source.E_INVOICE: ("chain", "e-invoice"),
    Source.BARCODE: ("chain", "barcode"),
    Source.MASTER_DATA: ("chain", "master data"),
    Source.PERSON: ("pencil", "person"),
    Source.MODEL: ("bolt", "model"),
    Source.RULE: ("bolt", "rule"),
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value with its place in the form. `typed` is what stands in the input, `key` names a correction."""

    key: str
    label: str
    term: str
    kind: Kind
    canonical: str
    typed: str
    required: bool
    confidence: float | None = None
    mark: str = ""
    source: str = ""
    raw: str = ""
    by: str = ""
    page: int | None = None
    findings: tuple[Finding, ...] = ()
    wrong: str = ""
    """Why what was typed is no value."""

    @property
    def id(self) -> str:
        return self.key.replace(".", "-")

    @property
    def missing(self) -> bool:
        return self.required and not self.canonical

    @property
    def failed(self) -> bool:
        return any(one.severity is Severity.ERROR for one in self.findings)

    @property
    def doubtful(self) -> bool:
        unsure = self.mark == "bolt" and self.confidence is not None and self.confidence < SURE
        return self.missing or bool(self.findings) or unsure or bool(self.wrong)

    @property
    def input(self) -> str:
        """The type of the HTML input: a date that is none must be shown as it is."""
        return "date" if self.kind is Kind.DATE and (not self.typed or len(self.typed) == 10) else "text"

    @property
    def number(self) -> bool:
        return self.kind in (Kind.AMOUNT, Kind.QUANTITY)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A box on a page, in thousandths of the page's width and height."""

    key: str
    label: str
    x: float
    y: float
    width: float
    height: float
    doubtful: bool


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A document, ready to show."""

    type: str
    doubtful: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()
    empty: tuple[Entry, ...] = ()
    columns: tuple[FieldSpec, ...] = ()
    lines: tuple[tuple[Entry, ...], ...] = ()
    sheets: tuple[Sheet, ...] = ()
    marks: Mapping[int, tuple[Mark, ...]] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        return [*self.doubtful, *self.others, *self.empty, *(entry for line in self.lines for entry in line)]


def lay_out(
    document: Document | None,
    types: Mapping[str, DocumentType],
    language: Language,
    findings: Sequence[Finding] = (),
    *,
    as_type: str = "",
    typed: Mapping[str, str] | None = None,
) -> Paper:
    """The paper of a document. `as_type` shows the fields of another type; `typed` is what a refused form held."""
    document = document or Document(type=UNKNOWN)
    kind = types.get(as_type or document.type)
    if kind is None:
        return Paper(type=document.type, sheets=document.sheets)
    maker = _Maker(language, findings, typed or {}, specs(kind))
    entries = [maker.entry(spec.name, spec, document.fields.get(spec.name), None) for spec in kind.fields]
    columns = tuple(spec for spec in kind.line_fields if any(spec.name in line for line in document.lines))
    lines = tuple(
        tuple(maker.entry(f"line.{n}.{spec.name}", spec, line.get(spec.name), n) for spec in columns)
        for n, line in enumerate(document.lines, 1)
    )
    doubtful = tuple(sorted((one for one in entries if one.doubtful), key=lambda one: not one.failed))
    return Paper(
        type=kind.name,
        doubtful=doubtful,
        others=tuple(one for one in entries if not one.doubtful and one.canonical),
        empty=tuple(one for one in entries if not one.doubtful and not one.canonical),
        columns=columns,
        lines=lines,
        sheets=document.sheets,
        marks=_marks(document, [*entries, *(entry for line in lines for entry in line)]),
    )


def changes(paper: Paper, given: Mapping[str, str], language: Language) -> tuple[dict[str, str], dict[str, str]]:
    """(canonical corrections, what is wrong with an input) of a form: only values that are not as they were shown."""
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for entry in paper.entries:
        text = given.get(entry.key)
        if text is None or text.strip() == language.typed(entry.kind, entry.canonical):
            continue
        try:
            value = language.canonical(entry.kind, text)
        except UsageError as error:
            wrong[entry.key] = str(error)
            continue
        if value != entry.canonical:
            found[entry.key] = value
    return found, wrong


class _Maker:
    def __init__(
        self,
        language: Language,
        findings: Sequence[Finding],
        typed: Mapping[str, str],
        known: Mapping[str, FieldSpec],
    ) -> None:
        self._language = language
        self._findings = findings
        self._typed = typed
        self._known = known

    def entry(self, key: str, spec: FieldSpec, read: Field | None, line: int | None) -> Entry:
        canonical = read.value if read else ""
        typed, wrong = self._typed.get(key), ""
        if typed is not None:
            try:
                self._language.canonical(spec.kind, typed)
            except UsageError as error:
                wrong = str(error)
        mark, source = _MARKS[read.source] if read else ("", "")
        path = (read.evidence.path or "") if read else ""
        return Entry(
            key=key,
            label=self._language.t(spec.label or spec.name),
            term=spec.term,
            kind=spec.kind,
            canonical=canonical,
            typed=self._language.typed(spec.kind, canonical) if typed is None else typed,
            required=spec.required,
            confidence=read.confidence if read else None,
            mark=mark,
            source=source,
            raw=read.raw if read else "",
            by=path.removeprefix("person:") if path.startswith("person:") else "",
            page=read.evidence.page if read and read.evidence.box else None,
            findings=tuple(one for one in self._findings if one.field == spec.name and one.line == line),
            wrong=wrong,
        )


def _marks(document: Document, entries: Iterable[Entry]) -> dict[int, tuple[Mark, ...]]:
    found: dict[int, list[Mark]] = {}
    for entry in entries:
        read = _read(document, entry.key)
        if read is None or read.evidence.box is None or read.evidence.page is None:
            continue
        box = read.evidence.box
        mark = Mark(
            key=entry.id,
            label=entry.label,
            x=round(box.x0 * 1000 - 4, 1),
            y=round(box.y0 * 1000 - 3, 1),
            width=round((box.x1 - box.x0) * 1000 + 8, 1),
            height=round((box.y1 - box.y0) * 1000 + 6, 1),
            doubtful=entry.doubtful,
        )
        found.setdefault(read.evidence.page, []).append(mark)
    return {page: tuple(marks) for page, marks in found.items()}


def _read(document: Document, key: str) -> Field | None:
    if key.startswith("line."):
        _, n, name = key.split(".", 2)
        return document.lines[int(n) - 1].get(name)
    return document.fields.get(key)
