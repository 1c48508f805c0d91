"""`tallyman extract`: fields and lines with evidence."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tallyman.cli.common import out, shown_reading
from tallyman.cli.read import Files, must_exist, problem_of
from tallyman.contracts.page_reader import Progress
from tallyman.domain.document import Document
from tallyman.domain.field import Field
from tallyman.domain.reasons import Reason
from tallyman.errors import BusinessError, TallymanError, TechnicalError, UsageError
from tallyman.registry import Registry
from tallyman.runtime.understand import read_file


def extract(
    files: Files,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a document, for programs.")] = False,
    type: Annotated[str | None, typer.Option("--type", help="The type that the documents must have.")] = None,
    ignore_embedded: Annotated[
        bool, typer.Option("--ignore-embedded", help="Read the pages as if there were no XML inside the file.")
    ] = False,
) -> None:
    """Read fields and lines of documents. A file that can't be read still gets its line, with problems."""
    must_exist(files)
    registry = Registry()
    if type is not None and type not in registry.document_types:
        known = ", ".join(sorted(registry.document_types))
        raise UsageError(f"There is no document type {type!r}.", advice=f"Known: {known}.")
    lacking: TechnicalError | None = None
    with shown_reading(files) as shown:
        for file in files:
            try:
                line = _extract(file, shown(file), registry, type, ignore_embedded)
            except TechnicalError as error:  # the machine lacks something; the other files still get their lines
                lacking, line = error, _unread(file, error)
            if jsonl:
                typer.echo(json.dumps(line, ensure_ascii=False))
            else:
                _show(out, line)
    if lacking is not None:
        raise lacking


def _extract(
    file: Path, progress: Progress, registry: Registry, wanted: str | None, ignore_embedded: bool
) -> dict[str, Any]:
    try:
        _, document = read_file(
            file,
            ignore_embedded=ignore_embedded,
            page_reader=registry.page_reader,
            readers=registry.document_readers,
            progress=progress,
        )
    except BusinessError as error:
        return _unread(file, error)
    return _line(file, document, wanted)


def _unread(file: Path, error: TallymanError) -> dict[str, Any]:
    return {"file": str(file), "type": "unknown", "fields": {}, "lines": [], "problems": [problem_of(error)]}


def _line(file: Path, document: Document, wanted: str | None) -> dict[str, Any]:
    problems = [problem.to_json() for problem in document.problems]
    if wanted is not None and document.type != wanted:
        message = f"This is a document of the type {document.type}, not {wanted}."
        problems.append({"code": str(Reason.WRONG_DOCUMENT), "message": message, "field": None})
    return {
        "file": str(file),
        "type": document.type,
        "fields": {name: _field(field) for name, field in document.fields.items()},
        "lines": [{name: _field(field) for name, field in line.items()} for line in document.lines],
        "problems": problems,
    }


def _field(field: Field) -> dict[str, Any]:
    box = field.evidence.box
    return {
        "value": field.value,
        "raw": field.raw,
        "confidence": round(field.confidence, 4),
        "page": field.evidence.page,
        "box": [box.x0, box.y0, box.x1, box.y1] if box else None,
        "source": str(field.source),
    }


def _show(console: Console, line: dict[str, Any]) -> None:
    table = Table(title=escape(f"{line['file']}: {line['type']}"), title_justify="left")
    for heading in ("field", "value", "confidence", "source"):
        table.add_column(heading, overflow="fold")
    for name, field in line["fields"].items():
        table.add_row(name, escape(field["value"]), f"{field['confidence']:.2f}", field["source"])
    for number, row in enumerate(line["lines"], start=1):
        told = "; ".join(f"{name} {field['value']}" for name, field in row.items())
        lowest = min((field["confidence"] for field in row.values()), default=0.0)
        table.add_row(f"line {number}", escape(told), f"{lowest:.2f}", "")
    console.print(table)
    for problem in line["problems"]:
        console.print(f"  {problem['code']}: {escape(problem['message'])}", highlight=False)
