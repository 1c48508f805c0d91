"""A file of several documents, from the source to cases of their own: by itself, by a person, and across crashes."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest import mock

import pikepdf
import pytest
from sqlalchemy import RowMapping, select

from models.synthetic import Printer
from models.synthetic.stacks import print_stack
from ocr.reader import PagesReader
from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.domain.case import Case, CaseState, DecisionKind
from tallyman.domain.facts import Facts
from tallyman.domain.reasons import Reason
from tallyman.errors import StorageFull, Unreadable
from tallyman.matching.problems import problem_findings
from tallyman.platform.config import Home
from tallyman.registry import ROOT
from tallyman.runtime.desk import Desk
from tallyman.runtime.jobs import InvoiceJob
from tallyman.runtime.readings import Readings
from tallyman.runtime.requests import decide, start_run
from tallyman.runtime.worker import Worker
from tallyman.store import audit, cases, reviews
from tallyman.store.tables import audit as trail
from tallyman.store.tables import runs
from tests.chaos.books import Books, books_desk, posting_of, settings
from tests.integration.test_office import office, words

GERMAN = {"Accept-Language": "de"}
NULL = PagesReader(engine="ocr.engines.null")


class Reads:
    """A bot that posts what it reads, unless the file may hold several documents."""

    name = "invoices"
    inputs = RunInputs

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        document = clerk.read(case)
        stacked = [one for one in problem_findings(document) if one.reason is Reason.SPLIT_SUGGESTED]
        verdict = clerk.decide(document, Facts(today=date.fromisoformat(clerk.today())), stacked)
        if not verdict.post:
            return clerk.ask(case, document, verdict)
        return clerk.post_invoice(case, document, posting_of(f"{case.sha256}-V1"))


@contextmanager
def bench(home: Path) -> Iterator[tuple[Desk, Worker]]:
    """A worker over the books; its source is the folder `inbox` beside its home."""
    books = Books(home.parent / "books.db", faults=False)
    books.make()
    (home / "tallyman.toml").write_text(settings(home.parent / "inbox"))
    desk = books_desk(Home(home), books)
    desk.registry.__dict__["bots"] = {"invoices": Reads()}
    desk.readings._page_reader = NULL
    worker = Worker(desk, schedules=False)
    worker.start()
    try:
        yield desk, worker
    finally:
        worker.stop()
        desk.close()


def offer(home: Path, content: bytes, name: str = "stack.pdf") -> None:
    inbox = home.parent / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / name).write_bytes(content)


def worked(home: Path) -> list[RowMapping]:
    """The cases after all work is done."""
    with bench(home) as (desk, worker):
        return work(desk, worker)


def work(desk: Desk, worker: Worker) -> list[RowMapping]:
    with desk.database.transaction() as connection:
        start_run(connection, worker.client, "invoices", "run-1", "eva")
    until = time.monotonic() + 60
    while worker.client.unfinished() or not _ended(desk):
        assert time.monotonic() < until
        time.sleep(0.05)
    with desk.database.transaction() as connection:
        assert audit.verify(connection) is None
        return list(cases.of_run(connection, "run-1"))


def _ended(desk: Desk) -> bool:
    with desk.database.transaction() as connection:
        return connection.execute(select(runs.c.ended_at)).scalar_one() is not None


def posted(home: Path) -> dict[str, int]:
    return Books(home.parent / "books.db").records()


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three documents one behind the other, with separator sheets between them and without."""
    folder = tmp_path_factory.mktemp("stacks")
    made = {}
    with Printer() as printer:
        for name in ("certain", "suggested"):
            stack = print_stack(printer, folder / f"{name}.pdf", 4, 3, paper="clean", separators=name == "certain")
            made[name] = stack.path.read_bytes()
    return made


def test_a_stack_with_separator_sheets_becomes_a_case_for_each_document(home: Path, stacks: dict[str, bytes]) -> None:
    offer(home, stacks["certain"])
    whole, *parts = worked(home)
    assert whole["state"] == CaseState.SPLIT
    assert re.match(r"Split by its separator sheets into (\d) documents", whole["message"])
    assert len(parts) > 1
    assert {part["state"] for part in parts} == {CaseState.POSTED}
    assert {part["part_of"] for part in parts} == {whole["id"]}
    assert all(part["file"].startswith("stack.pdf / page") for part in parts)
    assert posted(home) == {f"INV-{part['sha256']}-V1": 1 for part in parts}
    assert (whole["number"], whole["gross"], whole["party"]) == (None, None, None)
    with pikepdf.open(io.BytesIO(stacks["certain"])) as file:
        sheets = len(parts) - 1
        lying = [pikepdf.open(home / "blobs" / part["sha256"][:2] / part["sha256"]) for part in parts]
        assert sum(len(one.pages) for one in lying) == len(file.pages) - sheets
    with office(home, {}) as world:
        page = world.get(f"/cases/{whole['id']}").text
        assert all(f'href="/cases/{part["id"]}"' in page for part in parts)
        assert f'href="/cases/{whole["id"]}"' in world.get(f"/cases/{parts[0]['id']}").text
        assert f'/cases/{whole["id"]}"' in world.get("/cases?state=SPLIT").text
        for path, fetched in (("/", "1"), ("/runs", "1 1 0")):  # more was posted than fetched: it is told why
            assert f" {fetched} {len(parts)} 0 1 " in words(world.get(path).text) + " "


def test_a_part_that_came_before_is_told_and_not_read_again(
    home: Path, stacks: dict[str, bytes], tmp_path: Path
) -> None:
    file = tmp_path / "file.pdf"
    file.write_bytes(stacks["suggested"])
    offer(home, NULL.cut(file, ((1,),))[0], "before.pdf")
    offer(home, stacks["suggested"])
    with bench(home) as (desk, worker):
        before, _ = work(desk, worker)
        decide(desk, worker.client, 1, DecisionKind.SPLIT, "eva", pages="1; 2")
        with mock.patch.object(Readings, "ahead", autospec=True, side_effect=Readings.ahead) as ahead:
            _, whole, part = work(desk, worker)
    assert whole["message"].endswith("Taken in before: pages 1.")
    read = {call.args[1] for call in ahead.call_args_list}
    assert read == {part["sha256"]}
    assert before["sha256"] not in read


def by_office(home: Path, pages: str) -> None:
    with office(home, {}) as world:
        german = world.get("/review/1", **GERMAN).text
        assert "Zerlegen: Jedes Dokument wird ein eigener Fall" in german
        assert re.search(r'name="pages" value="1[^"]*;[^"]*"', german), "it is filled in as suggested"
        refused = world.post(1, "split", pages="1; 1")
        assert refused.status_code == 422
        assert "A page can&#39;t be used twice. The file has 4 pages." in refused.text
        assert 'value="1; 1"' in refused.text, "what was typed is kept"
        assert world.post_from(1, "split", {"Sec-Fetch-Site": "cross-site"}, pages=pages).status_code == 403
        assert world.post(1, "split", pages=pages).status_code == 303


def by_command(home: Path, pages: str) -> None:
    for call, code in (["show", "1"], 0), (["split", "1", "--pages", "9-1", "--by", "Anna Berg"], 2):
        done = _review(call)
        assert done.returncode == code, done.stderr
    assert "tallyman review split 1 --pages" in _review(["show", "1"]).stdout
    assert _review(["split", "1", "--pages", pages, "--by", "Anna Berg"]).returncode == 0


def _review(words: list[str]) -> "subprocess.CompletedProcess[str]":
    call = [sys.executable, "-m", "tallyman.cli", "review", *words]
    return subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


@pytest.mark.parametrize("way", [by_office, by_command])
def test_a_suggested_split_waits_for_a_person_who_may_name_other_pages(
    home: Path, stacks: dict[str, bytes], way: Callable[[Path, str], None]
) -> None:
    offer(home, stacks["suggested"])
    (whole,) = worked(home)
    assert whole["state"] == CaseState.IN_REVIEW
    assert posted(home) == {}
    way(home, "2; 1, 4")
    whole, *parts = worked(home)
    assert whole["state"] == CaseState.SPLIT
    told = "Split by Anna Berg into 2 documents, each a case of its own: pages 2; 1, 4. With none of them: page"
    assert whole["message"].startswith(told)
    assert [part["file"] for part in parts] == ["stack.pdf / page 2", "stack.pdf / pages 1, 4"]
    with bench(home) as (desk, _), desk.database.transaction() as connection:
        assert reviews.get(connection, 1).decisions[0].pages == ((2,), (1, 4))
        (decided,) = connection.execute(select(trail.c.data).where(trail.c.action == "review.decided")).scalars()
    assert json.loads(decided)["pages"] == [[2], [1, 4]]


def test_a_person_may_let_it_go_on_as_one_document(home: Path, stacks: dict[str, bytes]) -> None:
    offer(home, stacks["suggested"])
    worked(home)
    with bench(home) as (desk, worker):
        decide(desk, worker.client, 1, DecisionKind.ACCEPT, "eva")
    (whole,) = worked(home)
    assert whole["state"] == CaseState.POSTED


def test_what_was_cut_out_of_a_stack_is_split_by_a_person_only(home: Path, stacks: dict[str, bytes]) -> None:
    """A person may leave a separator sheet in a part."""
    offer(home, stacks["certain"])
    with mock.patch("tallyman.runtime.clerk.certain_split", return_value=()):
        (whole,) = worked(home)
    assert whole["state"] == CaseState.IN_REVIEW
    with pikepdf.open(io.BytesIO(stacks["certain"])) as file:
        last = len(file.pages)
    with bench(home) as (desk, worker):
        decide(desk, worker.client, 1, DecisionKind.SPLIT, "eva", pages=f"1-{last - 1}; {last}")
    whole, part, _ = worked(home)
    assert (whole["state"], part["state"]) == (CaseState.SPLIT, CaseState.IN_REVIEW)
    assert part["document"]["stack"]["certain"]


def test_a_stack_that_can_not_be_cut_goes_to_a_person(home: Path, stacks: dict[str, bytes]) -> None:
    offer(home, stacks["certain"])
    with mock.patch.object(PagesReader, "cut", side_effect=Unreadable("No pages can be cut out of it.")):
        (whole,) = worked(home)
    assert whole["state"] == CaseState.IN_REVIEW
    assert whole["message"].startswith("No pages can be cut out of it.")
    with bench(home) as (desk, worker):
        decide(desk, worker.client, 1, DecisionKind.ACCEPT, "eva")
    (whole,) = worked(home)
    assert whole["state"] == CaseState.IN_REVIEW
    assert whole["message"].startswith("This file holds"), "whoever let it go on is asked what it is"


@pytest.mark.parametrize("name", ["certain", "suggested"])
def test_a_split_that_failed_is_done_again_as_it_was_decided(home: Path, stacks: dict[str, bytes], name: str) -> None:
    offer(home, stacks[name])
    with mock.patch.object(PagesReader, "cut", side_effect=StorageFull()):
        (whole,) = worked(home)
        if name == "suggested":
            with bench(home) as (desk, worker):
                decide(desk, worker.client, 1, DecisionKind.SPLIT, "eva", pages="2; 1, 4")
            (whole,) = worked(home)
    assert whole["state"] == CaseState.IN_REVIEW
    assert whole["message"].startswith("There is no space left")
    assert whole["document"]["sheets"], "what was read stays in view"
    assert whole["document"]["fields"]
    with bench(home) as (desk, worker):
        with desk.database.transaction() as connection:
            (item,) = reviews.listed(connection)
        with office(home, {}) as world:
            assert "Noch einmal zu zerlegen versuchen" in world.get(f"/review/{item['id']}", **GERMAN).text
        decide(desk, worker.client, item["id"], DecisionKind.ACCEPT, "otto")
    whole, *parts = worked(home)
    assert whole["state"] == CaseState.SPLIT
    by, pages = ("eva", "2; 1, 4") if name == "suggested" else ("its separator sheets", "1")
    assert whole["message"].startswith(f"Split by {by} into {len(parts)} documents")
    assert f"a case of its own: pages {pages}" in whole["message"]


def test_what_fails_after_the_split_takes_nothing_of_it_back(home: Path, stacks: dict[str, bytes]) -> None:
    """Its documents are cases, so the whole may neither be posted nor be split once more."""
    ahead, times = Readings.ahead, iter(range(100))

    def closed_once(self: Readings, sha256: str) -> object:
        if next(times) == 2:  # after the fetch and the reading of the whole
            raise RuntimeError("cannot schedule new futures after shutdown")
        return ahead(self, sha256)

    offer(home, stacks["certain"])
    with mock.patch.object(Readings, "ahead", closed_once):
        whole, *parts = worked(home)
    assert next(times) > 2
    assert whole["state"] == CaseState.SPLIT
    assert {part["state"] for part in parts} == {CaseState.POSTED}


def test_what_the_whole_meant_to_post_is_free_for_the_document_that_it_is(home: Path, stacks: dict[str, bytes]) -> None:
    """An older version has taken the file for one document, and did not come to the click."""
    offer(home, stacks["certain"])
    with mock.patch.object(PagesReader, "cut", side_effect=StorageFull()):
        (whole,) = worked(home)
    with bench(home) as (desk, worker):
        first = whole["document"]["stack"]["documents"][0]
        (sha256,) = desk.readings.cut(whole["sha256"], (tuple(first),))
        job = InvoiceJob(desk.bot("invoices").erp, desk.bot("invoices").company, posting_of(f"{sha256}-V1"))
        desk.ledger.intend(job.key, cases.case_of(whole), job.payload)
        decide(desk, worker.client, 1, DecisionKind.ACCEPT, "otto")
    whole, *parts = worked(home)
    assert whole["state"] == CaseState.SPLIT
    assert parts[0]["sha256"] == sha256
    assert {part["state"] for part in parts} == {CaseState.POSTED}


@pytest.mark.parametrize("point", ["step.cut:1", "after.cut:1", "step.split:1", "after.split:1"])
def test_a_crash_while_a_stack_is_split_loses_and_doubles_nothing(
    home: Path, stacks: dict[str, bytes], point: str
) -> None:
    offer(home, stacks["certain"])
    program = "from tests.integration.test_stacks_are_split import crash; crash()"
    environment = {**os.environ, "TALLYMAN_HOME": str(home), "TALLYMAN_CRASH_AT": point}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL
    whole, *parts = worked(home)
    assert whole["state"] == CaseState.SPLIT
    assert len(parts) == int(re.findall(r"into (\d+) documents", whole["message"])[0])
    assert {part["state"] for part in parts} == {CaseState.POSTED}
    assert posted(home) == {f"INV-{part['sha256']}-V1": 1 for part in parts}


def crash() -> None:
    """The process that is killed: see above."""
    worked(Path(os.environ["TALLYMAN_HOME"]))
