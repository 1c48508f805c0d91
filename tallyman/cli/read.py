"""`tallyman read`: pages and words with boxes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tallyman.cli.common import shown_reading
from tallyman.domain.page import Page, Reading
from tallyman.errors import BusinessError, TallymanError, UsageError
from tallyman.registry import Registry

Files = Annotated[
    list[Path],
    typer.Argument(
        help="PDF, TIFF, PNG, JPEG, HEIC, WebP or XML files; an e-mail or a ZIP file with one of them.",
        metavar="FILE...",
    ),
]


def read(
    files: Files,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a file, for programs.")] = False,
) -> None:
    """Show the pages of files and the words on them, with boxes (0..1 from the upper left corner)."""
    must_exist(files)
    reader = Registry().page_reader
    with shown_reading(files) as shown:
        for file in files:
            try:
                reading = reader.read(file, progress=shown(file))
            except BusinessError as error:
                _tell_failure(file, error, jsonl)
                continue
            if jsonl:
                typer.echo(json.dumps(_line(file, reading), ensure_ascii=False))
            else:
                _show(file, reading)


def must_exist(files: list[Path]) -> None:
    """Raises UsageError before any work is done."""
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise UsageError(f"There is no file {', '.join(missing)}.", advice="Check the path; folders are not read.")


def problem_of(error: TallymanError) -> dict[str, Any]:
    """A failure to read as a problem of the file's line."""
    return {"code": str(error.reason or "UNREADABLE"), "message": f"{error} {error.advice}", "field": None}


def _tell_failure(file: Path, error: BusinessError, jsonl: bool) -> None:
    if jsonl:
        line = {"file": str(file), "media_type": None, "pages": [], "problems": [problem_of(error)]}
        typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        Console().print(f"[bold]{escape(str(file))}[/bold]\n  {escape(str(error))} {escape(error.advice)}")


def _line(file: Path, reading: Reading) -> dict[str, Any]:
    return {
        "file": str(file),
        "media_type": reading.media_type,
        "embedded_xml": reading.xml is not None and bool(reading.pages),
        "pages": [_page(page) for page in reading.pages],
        "problems": [
            {"code": "UNREADABLE", "message": f"Page {page.number}: {page.problem}", "field": None}
            for page in reading.pages
            if page.problem
        ],
    }


def _page(page: Page) -> dict[str, Any]:
    told = page.to_json()
    told["words"] = [
        {
            "text": word.text,
            "box": [word.box.x0, word.box.y0, word.box.x1, word.box.y1],
            "confidence": word.confidence,
            "line": word.line,
        }
        for word in page.words
    ]
    return told


def _told(page: Page) -> str:
    """What is known of a page besides its words."""
    facts = [f"{len(page.words)} words", f"{page.source} ({page.engine})", page.language or "language unknown"]
    if page.rotation or page.skew:
        facts.append(f"turned by {page.rotation + page.skew:.1f}°")
    if page.picture is not None:
        facts.append(f"{page.picture.width} x {page.picture.height} pixels")
    facts += [escape(page.problem)] if page.problem else []
    facts += [f"{code.format} {escape(code.text)}" for code in page.barcodes]
    facts += [f"{mark.kind} {mark.state}" for mark in page.marks]
    return ", ".join(facts)


def _show(file: Path, reading: Reading) -> None:
    console = Console()
    console.print(f"[bold]{escape(str(file))}[/bold]  {reading.media_type}", highlight=False)
    if reading.xml is not None:
        console.print(f"  XML inside, {len(reading.xml):,} characters", highlight=False)
    for page in reading.pages:
        console.print(f"  page {page.number}: {_told(page)}", highlight=False)
        lines: dict[int, list[str]] = {}
        for word in page.words:
            lines.setdefault(word.line, []).append(word.text)
        for words in lines.values():
            console.print("    " + escape(" ".join(words)), highlight=False, soft_wrap=True)
