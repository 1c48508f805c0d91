"""Workers that are killed with -9, as real processes over a real database, and what is in the books afterwards.

A worker is a fork of this process, which has everything imported: so it starts in a quarter of a second.
"""

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from sqlalchemy import select

from tallyman.contracts.bot import Clerk, Outcome
from tallyman.domain.case import Case, CaseState
from tallyman.domain.compare import fold_number
from tallyman.domain.posting import PostingState
from tallyman.platform import crashpoints
from tallyman.platform.config import Home
from tallyman.runtime import engine
from tallyman.runtime.places import place_of_worker
from tallyman.runtime.requests import start_run
from tallyman.runtime.worker import Worker
from tallyman.store import audit
from tallyman.store.database import Database
from tallyman.store.tables import cases, postings, runs
from tests.chaos.books import Books, Keys, books_desk, number_of, settings, vendor_of
from tests.chaos.tally import Tally, store
from tests.postgres import database

FILES = ("invoice-1-V1", "invoice-2-V2", "invoice-3-V1", "doubtful-4-V3")
Progress = Callable[[], None] | None


@dataclass
class Scene:
    """One installation: its home, its database and the target's books. `url` empty: SQLite."""

    folder: Path
    seed: int
    url: str = ""
    files: tuple[str, ...] = FILES
    accounts: str = "clerk"
    slow_s: float = 0.0
    faults: bool = True
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(self.folder / "books.db", self.seed, self.slow_s, self.faults)

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    def make(self) -> None:
        """Fill the source's folder, make the tables and ask for one run of the bot."""
        inbox = self.folder / "inbox"
        inbox.mkdir(parents=True)
        for file in self.files:
            (inbox / file).write_text(f"{file} {self.seed}")
        self.books.make()
        toml = settings(inbox, self.accounts)
        (self.home.path / "tallyman.toml").write_text(f'database_url = "{self.url}"\n{toml}' if self.url else toml)
        desk = books_desk(self.home, self.books)
        client = desk.client()
        with desk.database.transaction() as connection:
            start_run(connection, client, "invoices", "run-1", "a test")
        client.close()
        desk.close()


def crash_points(scene: Scene) -> list[str]:
    """Every crash point that a run of the scene reaches, as name:count, in their order; the run ends undisturbed."""
    log = scene.folder / "reached"

    def note() -> None:
        reached: Counter[str] = Counter()

        def noted(name: str) -> None:
            reached[name] += 1
            with log.open("a") as file:
                file.write(f"{name}:{reached[name]}\n")

        known = crashpoints.crash_point
        for module in list(sys.modules.values()):
            if getattr(module, "crash_point", None) is known:
                module.crash_point = noted  # type: ignore[attr-defined]

    assert ended(fork(scene, before=note)) == 0, (scene.folder / "worker.log").read_text()
    return log.read_text().split()


def fork(scene: Scene, *, crash_at: str = "", before: Callable[[], None] | None = None) -> int:
    """A worker process: its id. It ends with 0 when there is nothing left to do."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        log = os.open(scene.folder / "worker.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ["TALLYMAN_CRASH_AT"] = crash_at
        crashpoints._reached.clear()
        if before is not None:
            before()
        _work(scene)
        code = 0
    except BaseException:  # noqa: BLE001 - a child of a fork must never return into the tests
        with suppress(Exception):
            traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _work(scene: Scene) -> None:
    desk = books_desk(scene.home, scene.books)
    with place_of_worker(desk.home, desk.database) as place:
        worker = Worker(desk, place, schedules=False)
        worker.start()
        while not _done(desk.database):
            time.sleep(0.25)
        worker.stop()
    desk.close()


def _done(base: Database) -> bool:
    with base.transaction() as connection:
        ended_at = connection.execute(select(runs.c.ended_at)).scalar_one()
        left = connection.execute(select(cases.c.id).where(cases.c.state == CaseState.OPEN)).first()
    return ended_at is not None and left is None


def ended(pid: int, limit_s: float = 60.0) -> int | None:
    """The exit code, negative for a signal; None for one that hung and was killed now."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def judge(scene: Scene, tally: Tally, story: str) -> None:
    """Compare the target's books with our ledger and our cases, and add what is wrong to the tally."""
    records = scene.books.records()
    base = Database(scene.url or f"sqlite:///{scene.home.database_file}")
    with base.transaction() as connection:
        states = {row.file: row.state for row in connection.execute(select(cases.c.file, cases.c.state))}
        ledger = {row.number: row.state for row in connection.execute(select(postings.c.number, postings.c.state))}
        broken = audit.verify(connection)
    base.dispose()
    tally.n += 1
    told = []
    for file in scene.files:
        number, state = number_of(file), states.get(file)
        there, held = records.get(number, 0), ledger.get(fold_number(number))
        if there > 1:
            tally.duplicates += 1
            told.append(f"{number} is {there} times in the books")
        if state in (None, CaseState.OPEN):
            tally.lost += 1
            told.append(f"{file} ended as {state}")
        elif bool(there) != (held == PostingState.POSTED) and held != PostingState.UNKNOWN:
            tally.lost += 1
            told.append(f"{number} is {there} times in the books, and the ledger says {held}")
        elif (state == CaseState.POSTED) != (held == PostingState.POSTED):
            tally.lost += 1
            told.append(f"{file} ended as {state}, and the ledger says {held}")
        tally.unknown += held == PostingState.UNKNOWN
    told += scene.books.violations()
    if broken:
        told.append(broken)
    tally.problems += [f"{story}: {one}" for one in told]


@contextmanager
def scene_of(folder: Path, name: str, seed: int, server: str) -> Iterator[Scene]:
    """A scene with a database of its own, deleted at the end. `server`: a PostgreSQL, or empty for SQLite."""
    home = folder / name
    home.mkdir(parents=True)
    scene = Scene(home, seed, database(server, name) if server else "")
    scene.make()
    try:
        yield scene
    finally:
        shutil.rmtree(home, ignore_errors=True)


def killed_at(points: tuple[str, ...], name: str, seed: int, folder: Path, server: str) -> Tally:
    """One worker after the other is killed at its point, the next one ends the work; then the books are judged."""
    tally = Tally(row="1", fault="")
    story = f"{store(server)}, seed {seed}, killed at {' then '.join(points)}"
    with scene_of(folder, name, seed, server) as scene:
        for point in points:
            code = ended(fork(scene, crash_at=point))
            if code == -signal.SIGKILL:
                tally.extra["kills"] = tally.extra.get("kills", 0) + 1
            elif code != 0:  # it may have ended before it came to the point: then there was nothing left to kill
                tally.problems.append(f"{story}: a worker ended with {code}\n{_log(scene)}")
        began = time.monotonic()
        code = ended(fork(scene))
        tally.extra["slowest_resume_s"] = time.monotonic() - began
        if code != 0:
            tally.problems.append(f"{story}: the last worker ended with {code}\n{_log(scene)}")
        judge(scene, tally, story)
        if tally.extra.get("kills", 0) < len(points):  # no fault of the kind that is counted
            tally.n, tally.extra["not_reached"] = 0, 1
    return tally


def _log(scene: Scene) -> str:
    file = scene.folder / "worker.log"
    return file.read_text()[-4000:] if file.exists() else ""


def singles(count: int, seed: int, folder: Path, server: str = "", progress: Progress = None) -> Tally:
    """A kill at every single boundary; `count` of them at most, chosen by the seed."""
    points = boundaries(seed, folder, server)
    chosen = points if count >= len(points) else random.Random(seed).sample(points, count)
    tally = Tally(row="1", fault=f"kill -9 at every step boundary, {store(server)}", seed=seed)
    tally.extra["boundaries"] = len(points)
    single: list[tuple[str, ...]] = [(point,) for point in chosen]
    _each(single, folder, "single", server, tally, progress)
    return tally


def pairs(count: int, seed: int, folder: Path, server: str = "", progress: Progress = None) -> Tally:
    """Two kills: one worker at a boundary, the next one at a boundary of what was left; then the third ends it."""
    points = boundaries(seed, folder, server)
    dice = random.Random(seed)
    chosen: list[tuple[str, ...]] = [(dice.choice(points), dice.choice(points)) for _ in range(count)]
    tally = Tally(row="1", fault=f"kill -9 at pairs of boundaries, {store(server)}", seed=seed)
    _each(chosen, folder, "pair", server, tally, progress)
    return tally


def boundaries(seed: int, folder: Path, server: str = "") -> list[str]:
    with drivers() as pool:
        return pool.submit(_boundaries, seed, folder, server).result()


def _boundaries(seed: int, folder: Path, server: str) -> list[str]:
    with scene_of(folder, f"boundaries-{time.time_ns()}", seed, server) as scene:
        return crash_points(scene)


@contextmanager
def drivers() -> Iterator[ProcessPoolExecutor]:
    """Processes without threads, which alone may fork. Three: most of a run is waiting."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.crashes"])
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        yield pool


def _each(
    chosen: list[tuple[str, ...]], folder: Path, kind: str, server: str, tally: Tally, progress: Progress
) -> None:
    """Each schedule has invoices with fates of its own, which follow from the seed."""
    began = time.monotonic()
    with drivers() as pool:
        jobs = [
            pool.submit(killed_at, points, f"{kind}-{tally.seed}-{number}", tally.seed, folder, server)
            for number, points in enumerate(chosen)
        ]
        for job in as_completed(jobs):
            tally.add(job.result())
            if progress is not None:
                progress()
    tally.seconds += time.monotonic() - began


def other_version(name: str, seed: int, folder: Path, server: str, points: tuple[str, ...]) -> Tally:
    """Row 18: workers of the version before ours, whose bot asked in another order, die; ours end what they left."""
    tally = Tally(row="18", fault=f"upgrade with cases in flight, {store(server)}", seed=seed)
    with ExitStack() as stack:
        with mock.patch.object(engine, "APPLICATION_VERSION", "0"):
            scene = stack.enter_context(scene_of(folder, name, seed, server))
        for point in points:
            if ended(fork(scene, crash_at=point, before=_the_version_before)) == -signal.SIGKILL:
                tally.extra["kills"] = tally.extra.get("kills", 0) + 1
        if ended(fork(scene)) != 0:
            tally.problems.append(f"our version did not come to an end\n{_log(scene)}")
        judge(scene, tally, f"killed at {points} by the version before")
    return tally


def _the_version_before() -> None:
    asked = Keys.run

    def run(self: Keys, clerk: Clerk, case: Case) -> Outcome:
        clerk.erp.find_invoice(vendor=vendor_of(case.file), number="of the version before")
        return asked(self, clerk, case)

    Keys.run = run  # type: ignore[method-assign]
    engine.APPLICATION_VERSION = "0"


def upgrades(count: int, seed: int, folder: Path, server: str = "", progress: Progress = None) -> Tally:
    """`count` upgrades, each after workers of the version before were killed at one or two boundaries."""
    points = boundaries(seed, folder, server)
    dice = random.Random(seed)
    tally = Tally(row="18", fault=f"upgrade with cases in flight, {store(server)}", seed=seed)
    with drivers() as pool:
        jobs = [
            pool.submit(
                other_version, f"upgrade-{seed}-{n}", seed, folder, server, tuple(dice.sample(points, 1 + n % 2))
            )
            for n in range(count)
        ]
        for job in as_completed(jobs):
            tally.add(job.result())
            if progress is not None:
                progress()
    return tally
