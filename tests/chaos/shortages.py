"""Rows 9 and 17: what is missing, a disk's space, the database's lock, the vault or the log, never costs a posting."""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import as_completed
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, select

from tallyman.domain.case import CaseState
from tallyman.platform import log
from tallyman.store import database as store
from tallyman.store.database import Database
from tallyman.store.tables import audit, cases
from tests.chaos.books import BooksSystem
from tests.chaos.crashes import Progress, Scene, _log, drivers, ended, fork, judge, scene_of
from tests.chaos.tally import Tally

_MOST_PAGES = 4
"""So many more pages of the database a scene needs at least."""
LONGEST_S = 20.0
"""How long it is waited for the first write that is refused."""


def full_disk(count: int, seed: int, folder: Path, progress: Progress = None) -> Tally:
    """The disk is full from some row on, and the worker is killed; then there is space again."""
    return _each(_full_disk, "9", "no space for the database in mid-work", count, seed, folder, progress)


def locked_database(count: int, seed: int, folder: Path, progress: Progress = None) -> Tally:
    """Another program holds the database's lock, again and again."""
    return _each(_locked, "9", "database locked for a second by another program", count, seed, folder, progress)


def no_vault(count: int, seed: int, folder: Path, progress: Progress = None) -> Tally:
    """The target's password is not in the vault: nothing is clicked, a person is asked."""
    return _each(_no_vault, "17", "vault without the password", count, seed, folder, progress)


def no_log(count: int, seed: int, folder: Path, progress: Progress = None) -> Tally:
    """The log can't be written: that is dropped, and the work goes on."""
    return _each(_no_log, "17", "log can't be written", count, seed, folder, progress)


def _each(
    one: Callable[[int, Path], Tally],
    row: str,
    fault: str,
    count: int,
    seed: int,
    folder: Path,
    progress: Progress,
) -> Tally:
    began = time.monotonic()
    tally = Tally(row=row, fault=fault, seed=seed)
    with drivers() as pool:
        for job in as_completed([pool.submit(one, seed + n, folder) for n in range(count)]):
            tally.add(job.result())
            if progress is not None:
                progress()
    tally.seconds = time.monotonic() - began
    return tally


def _full_disk(seed: int, folder: Path) -> Tally:
    tally, name = Tally(row="9", fault=""), f"full-{seed}"
    with scene_of(folder, name, seed, "") as scene:
        with closing(sqlite3.connect(scene.home.database_file)) as connection:
            pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        most = pages + random.Random(seed).randrange(0, _MOST_PAGES)

        def small_disk() -> None:
            prepare = store._prepare_sqlite

            def limited(connection: sqlite3.Connection, _record: object) -> None:
                prepare(connection, _record)
                connection.execute(f"PRAGMA max_page_count={most}")

            store._prepare_sqlite = limited

        first = fork(scene, before=small_disk)
        until = time.monotonic() + LONGEST_S
        while "no space left" not in _log(scene) and time.monotonic() < until:
            time.sleep(0.05)
        tally.extra["refused_writes"] = "no space left" in _log(scene)
        if not tally.extra["refused_writes"]:
            tally.problems.append(f"full disk, seed {seed}: no write was refused")
        time.sleep(random.Random(seed).random())
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)
        _finish(scene, tally, f"full disk, seed {seed}")
        tally.n *= bool(tally.extra["refused_writes"])  # no fault of the kind that is counted
    return tally


def _locked(seed: int, folder: Path) -> Tally:
    tally, name, dice = Tally(row="9", fault=""), f"locked-{seed}", random.Random(seed)
    with scene_of(folder, name, seed, "") as scene:
        worker = fork(scene)
        with closing(sqlite3.connect(scene.home.database_file, timeout=30, isolation_level=None)) as connection:
            for _ in range(4):
                time.sleep(dice.uniform(0.1, 0.6))
                connection.execute("BEGIN IMMEDIATE")
                time.sleep(dice.uniform(0.2, 1.0))
                connection.execute("ROLLBACK")
        if ended(worker) != 0:
            tally.problems.append(f"locked database, seed {seed}: the worker did not come to its end\n{_log(scene)}")
        _judge(scene, tally, f"locked database, seed {seed}")
    return tally


def _no_vault(seed: int, folder: Path) -> Tally:
    tally, name = Tally(row="17", fault=""), f"vault-{seed}"
    with scene_of(folder, name, seed, "") as scene:

        def needs_password() -> None:
            opened = BooksSystem.open

            def asked(self: BooksSystem, access: object) -> object:
                access.secret("password")  # type: ignore[attr-defined]
                return opened(self, access)  # type: ignore[arg-type]

            BooksSystem.open = asked  # type: ignore[method-assign, assignment]

        if ended(fork(scene, before=needs_password)) != 0:
            tally.problems.append(f"no vault, seed {seed}: the worker did not come to its end\n{_log(scene)}")
        _judge(scene, tally, f"no vault, seed {seed}")
        if scene.books.clicks() or any(state != CaseState.IN_REVIEW for state in _states(scene)):
            tally.problems.append(f"no vault, seed {seed}: {scene.books.clicks()} clicks, {_states(scene)}")
    return tally


def _no_log(seed: int, folder: Path) -> Tally:
    tally, name = Tally(row="17", fault=""), f"log-{seed}"
    with scene_of(folder, name, seed, "") as scene:
        (scene.home.path / "tallyman.log").mkdir()
        if ended(fork(scene, before=lambda: log.configure(scene.home.log))) != 0:
            tally.problems.append(f"no log, seed {seed}: the worker did not come to its end\n{_log(scene)}")
        _judge(scene, tally, f"no log, seed {seed}")
    return tally


def _finish(scene: Scene, tally: Tally, story: str) -> None:
    if ended(fork(scene)) != 0:
        tally.problems.append(f"{story}: the last worker did not come to its end\n{_log(scene)}")
    _judge(scene, tally, story)


def _judge(scene: Scene, tally: Tally, story: str) -> None:
    """As ever, and no click without a row that was armed before it."""
    judge(scene, tally, story)
    base = Database(f"sqlite:///{scene.home.database_file}")
    with base.transaction() as connection:
        query = select(func.count()).select_from(audit).where(audit.c.action == "posting.armed")
        armed = int(connection.execute(query).scalar_one())
    base.dispose()
    if scene.books.clicks() > armed:
        tally.problems.append(f"{story}: {scene.books.clicks()} clicks, {armed} of them armed")


def _states(scene: Scene) -> list[str]:
    base = Database(f"sqlite:///{scene.home.database_file}")
    with base.transaction() as connection:
        found = [str(row.state) for row in connection.execute(select(cases.c.state))]
    base.dispose()
    return found
