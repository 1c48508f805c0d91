"""`tallyman demo`: practice office, printed papers and both bots, end to end, checked against the office's books."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallyman.cli.common import err, out
from tallyman.cli.run import at_work, carry_out, result
from tallyman.cli.serve import supervise
from tallyman.cli.tables import new_table, print_table
from tallyman.domain.case import CaseState
from tallyman.domain.document import Document
from tallyman.domain.page import Reading
from tallyman.errors import ConfigurationError, TallymanError
from tallyman.platform import log
from tallyman.platform.config import Home
from tallyman.registry import ROOT
from tallyman.runtime.desk import Desk
from tallyman.runtime.layouts import confirm_layout
from tallyman.runtime.understand import read_file
from tallyman.runtime.worker import Worker
from tallyman.store import reviews

_MARK = ".tallyman-demo"
_PASSWORD = "practice-secret"  # noqa: S105 - the practice office's published password
_PORTS = {"practice_erp": "erp", "practice_carrier": "carrier", "practice_supplier": "supplier"}


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo lives; made anew each time.")] = Path(".demo"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End after the table.")] = False,
    port: Annotated[int, typer.Option(help="The office's port.")] = 8700,
) -> None:
    """Practice office, printed and scanned papers, both bots; then the office in the browser."""
    if not (ROOT / "fixtures").is_dir():
        raise ConfigurationError("The demo's fixtures are not installed.", advice="Run it in a clone of the project.")
    folder = _fresh(folder)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        read = _print_papers(folder, pool)
    with _practice_office(folder) as urls:
        home = _configure(folder, urls, port)
        desk = Desk.open(home)
        try:
            _confirm_history(desk, folder, read)
            with at_work(desk) as worker:
                told = [_run(desk, worker, bot) for bot in ("deliveries", "invoices")]
            agreed = _report(desk, folder, told)
        finally:
            desk.close()
        if not no_serve:
            out.print("\nThe practice ERP is at " + urls["erp"], highlight=False)
            _serve(home, port)
    if not agreed:
        raise TallymanError("The practice office's books do not agree with what was right.", advice="See the table.")


def _fresh(folder: Path) -> Path:
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise ConfigurationError(f"{folder} holds something else.", advice="Give an empty folder with --dir.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    return folder


def _bar() -> Progress:
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, disable=not err.is_terminal)


def _print_papers(folder: Path, pool: ThreadPoolExecutor) -> dict[Path, Future[tuple[Reading, Document]]]:
    """Prints everything; the papers of the history are read by `pool` meanwhile."""
    command = [sys.executable, "-m", "fixtures.demo", "prepare", str(folder)]
    read = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as printing, _bar() as bar:
        task = bar.add_task("Printing papers", total=None)
        assert printing.stdout is not None
        for line in printing.stdout:
            step = json.loads(line)
            bar.update(task, completed=step["done"], total=step["of"])
            paper = Path(step["file"])
            if paper.parent.name == "history":
                read[paper] = pool.submit(read_file, paper)
    if printing.returncode:
        raise TallymanError("The papers could not be printed.")
    return read


@contextmanager
def _practice_office(folder: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "fixtures.office", "--home", str(folder / "office")]
    command += ["--traits", str(folder / "traits.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as office:
        try:
            assert office.stdout is not None
            line = office.stdout.readline()
            if not line:
                raise TallymanError("The practice office did not start.")
            yield json.loads(line)
        finally:
            office.terminate()


def _configure(folder: Path, urls: dict[str, str], port: int) -> Home:
    home = Home(folder / "home")
    systems = "".join(f'[systems.{name}]\nurl = "{urls[key]}"\nuser = "clerk"\n' for name, key in _PORTS.items())
    (home.path / "tallyman.toml").write_text(f"retry_waits_s = []\n[office]\nport = {port}\n{systems}", "utf-8")
    log.configure(home.log)
    desk = Desk.open(home)
    for name in _PORTS:
        desk.vault.set(f"{name}.password", _PASSWORD)
    desk.close()
    return home


def _confirm_history(desk: Desk, folder: Path, read: dict[Path, Future[tuple[Reading, Document]]]) -> None:
    """Earlier papers of some suppliers count as confirmed, as far as they were read right: a person would correct the
    rest. The other suppliers have no history, and their papers go to a person."""
    truths = json.loads((folder / "history.json").read_text("utf-8"))
    with _bar() as bar:
        task = bar.add_task("Confirming history", total=len(read))
        for paper, reading in sorted(read.items()):
            _, document = reading.result()
            truth = truths[paper.name]
            right = {name: field for name, field in document.fields.items() if field.value == truth.get(name)}
            with desk.database.transaction() as connection:
                confirm_layout(connection, document.model_copy(update={"fields": right}), None, "demo")
            bar.advance(task)
    out.print(f"{len(read)} suppliers' and carriers' layouts count as confirmed by people before.", highlight=False)


def _run(desk: Desk, worker: Worker, bot: str) -> dict[str, Any]:
    name = f"{bot}:demo"
    out.print(f"\n[bold]{escape(desk.bot(bot).title)}[/]")
    carry_out(desk, worker, bot, name)
    return result(desk, name)


def _report(desk: Desk, folder: Path, told: list[dict[str, Any]]) -> bool:
    expected = _expected(folder)
    with desk.database.transaction() as connection:
        reasons = {row["case_id"]: row["reason"] for row in reviews.listed(connection, open_only=False)}
    table = new_table()
    for column, options in _COLUMNS.items():
        table.add_column(column, **options)
    documents = [document for run in told for document in run["documents"]]
    surprises = []
    for document in documents:
        reason = reasons.get(document["id"], "")
        wanted = expected.get(document["id"])
        if not _as_expected(document, reason, wanted):
            right = f"{wanted['reason'] or 'posted'} ({wanted['file']})" if wanted else "not offered at all"
            surprises.append(f"{document['file']}: {reason or document['state']} instead of {right}")
        amount = f"{document['gross']} {document['currency'] or ''}" if document["gross"] else ""
        posted = document["state"] == CaseState.POSTED
        ending = (
            f"[green]posted[/] {escape(document['record'])}"
            if posted
            else f"[yellow]{reason or document['state'].lower()}[/]"
        )
        kind = wanted["kind"] if wanted else ""
        table.add_row(escape(document["file"]), kind, escape(document["number"] or "-"), amount, ending)
    out.print()
    print_table(table)
    return _compare(folder, documents, surprises, set(expected))


def _expected(folder: Path) -> dict[str, dict[str, Any]]:
    """What must become of each paper, by the id that its case has."""
    told = json.loads((folder / "expected.json").read_text("utf-8"))["documents"]
    content = {one["file"]: (folder / "papers" / one["file"]).read_bytes() for one in told}
    return {f"{one['bot']}-{hashlib.sha256(content[one['file']]).hexdigest()[:16]}": one for one in told}


_COLUMNS: dict[str, dict[str, Any]] = {
    "Document": {"no_wrap": True, "max_width": 34},
    "Paper": {"no_wrap": True},
    "Number read": {"no_wrap": True, "max_width": 18},
    "Amount": {"no_wrap": True, "justify": "right"},
    "Posted as, or why not": {"ratio": 1},
}


def _as_expected(document: dict[str, Any], reason: str, wanted: dict[str, Any] | None) -> bool:
    if wanted is None:
        return False
    if wanted["ending"] == "posted":
        return bool(document["state"] == CaseState.POSTED)
    return bool(document["state"] == CaseState.IN_REVIEW and reason == wanted["reason"])


def _compare(folder: Path, documents: list[dict[str, Any]], surprises: list[str], wanted: set[str]) -> bool:
    """Our word against the office's own books. Prints the last line; True when they agree."""
    command = [sys.executable, "-m", "fixtures.demo", "audit", str(folder)]
    books = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout)
    states = [document["state"] for document in documents]
    seen = {document["id"] for document in documents}
    lost = len(books["lost"]) + len(wanted - seen) + states.count(CaseState.OPEN)
    posted = states.count(CaseState.POSTED)
    review = len(states) - posted - states.count(CaseState.OPEN) - states.count(CaseState.SPLIT)
    out.print(
        f"\n[bold]{lost} lost, {len(books['duplicates'])} duplicates, {posted} posted, {review} in review[/]",
        highlight=False,
    )
    for name in ("lost", "duplicates", "wrong", "unexpected"):
        for entry in books[name]:
            out.print(f"  {name}: {json.dumps(entry, ensure_ascii=False)}", markup=False, highlight=False)
    for file in surprises:
        out.print(f"  not as it should be: {file}", markup=False, highlight=False, soft_wrap=True)
    agree = not any(books[name] for name in ("lost", "duplicates", "wrong", "unexpected"))
    if agree and books["posted"] == posted:
        out.print("The practice office's own books agree.", highlight=False)
    return bool(agree and books["posted"] == posted and lost == 0 and not surprises)


def _serve(home: Home, port: int) -> None:
    os.environ["TALLYMAN_HOME"] = str(home.path)
    supervise(home.settings().office, port)
