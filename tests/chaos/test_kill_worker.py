"""The worker is killed with -9 at each boundary in turn, while it posts real invoices into a real ERP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures.demo_sqlledger import verdict
from fixtures.demo_sqlledger.books import duplicates, held, truths, wanted
from fixtures.demo_sqlledger.practice import Practice
from tallyman.cli.run import result
from tallyman.domain.case import CaseState
from tallyman.domain.posting import PostingState
from tallyman.platform.config import Home
from tallyman.runtime.desk import Desk
from tallyman.store.tables import postings, runs
from tests.real_invoices import ROOT, data_folder, sql_ledger

pytestmark = [pytest.mark.erp, pytest.mark.slow]

FILES = (
    "003_Facture_FR_BASIC.pdf",
    "006_Facture_DOM_BASICWL.pdf",
    "008_Facture_UE_BASICWL.pdf",
    "089_EN16931_Reisekostenabrechnung.pdf",
    "156_XRECHNUNG_Reisekostenabrechnung.pdf",
    "316_ORDER_X_EX07_ORDER_DELIVERED_BASIC.pdf",
)
POINTS = (
    "intake.stored:3",  # the third file is stored, its case is not
    "step.posting.intent",  # 003: the payload is fixed
    "posting.armed",  # 003: armed, not clicked; found absent after the declared delay, clicked by the next worker
    "posting.click:2",  # 006: the same, with the right to click spent; the first click there is that of 003
    "after.posting.click:3",  # 008: clicked, not verified; 006 passes there twice: nothing found, then clicked
    "after.posting.verify",  # 008: found, and neither ledger nor case say so
    "step.finish",  # 008: all is written, the step is not
    "step.ask",  # a review item is written, the step is not
)
"""In this order, each by a worker that finds what the one before it left."""
SLOW = 150.0


@contextmanager
def worker(practice: Practice, crash_at: str = "") -> Iterator[subprocess.Popen[str]]:
    """A worker process of its own, at work when this gives it."""
    env = os.environ | {"TALLYMAN_HOME": str(practice.home), "TALLYMAN_CRASH_AT": crash_at, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "tallyman.cli", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def ended_by(process: subprocess.Popen[str]) -> int | None:
    """The exit code; None where it still works after a long time."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(SLOW)
    return None


def start_run(practice: Practice) -> None:
    """Hand a run to the worker that is there, as a clerk does."""
    env = os.environ | {"TALLYMAN_HOME": str(practice.home)}
    subprocess.run([sys.executable, "-m", "tallyman.cli", "run", "invoices"], cwd=ROOT, env=env, check=True)


def only_run(desk: Desk) -> str:
    with desk.database.transaction() as connection:
        return str(connection.execute(select(runs.c.id)).scalar_one())


def wait_for_endings(desk: Desk, run: str) -> None:
    until = time.monotonic() + 2 * SLOW
    while time.monotonic() < until:
        told = result(desk, run)
        if told["ended"] and all(document["state"] != CaseState.OPEN for document in told["documents"]):
            return
        time.sleep(0.5)
    raise AssertionError(f"no ending: {told}")


@pytest.mark.timeout(1200)
def test_a_worker_that_is_killed_at_every_boundary_loses_nothing_and_posts_nothing_twice(tmp_path: Path) -> None:
    data = data_folder()
    documents = truths(data)
    with sql_ledger(tmp_path / "Büro", 8196, 5556) as practice:
        practice.fill(data, [str(documents[file]["file"]) for file in FILES])
        for number, point in enumerate(POINTS):
            with worker(practice, point) as process:
                assert process.stdout is not None
                assert "at work" in process.stdout.readline()
                if number == 0:
                    start_run(practice)
                assert ended_by(process) == -signal.SIGKILL, f"{point} was not reached"
            assert duplicates(held(practice.database).values()) == 0, point
            print(f"killed at {point}; SQL-Ledger holds {len(held(practice.database))} records")
        desk = Desk.open(Home(practice.home))
        try:
            run = only_run(desk)
            with worker(practice):
                wait_for_endings(desk, run)
            ended = verdict.endings(desk, result(desk, run)["documents"])
            with desk.database.transaction() as connection:
                states = [row.state for row in connection.execute(select(postings.c.state))]
        finally:
            desk.close()
        found = verdict.judge(
            verdict.expected(FILES, wanted(documents), date(2026, 12, 1)),
            ended,
            wanted(documents),
            held(practice.database),
        )
    assert (found.wrong, found.lost) == ([], [])
    assert found.line == "0 lost, 0 duplicates, 4 posted, 2 in review"
    assert [ending.file for ending in ended] == list(FILES)
    assert states == [PostingState.POSTED] * 4
