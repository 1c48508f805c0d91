"""Several workers over one PostgreSQL: limits that hold, work taken over from the dead, and what it all costs."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from unittest import mock

from sqlalchemy import Engine, create_engine, select, text

from tallyman.domain.case import CaseState
from tallyman.runtime import engine
from tallyman.runtime.leases import Leases
from tallyman.runtime.places import HomePlace
from tallyman.runtime.procedures import Procedures
from tallyman.store import cases
from tallyman.store.tables import cases as case_rows
from tallyman.store.tables import runs
from tests.chaos.books import books_desk
from tests.chaos.crashes import Scene, _log, drivers, ended, fork, judge
from tests.chaos.tally import Tally
from tests.postgres import database

VENDORS = 40
ROUNDS = 5


def files(count: int) -> tuple[str, ...]:
    return tuple(f"invoice-{n}-V{n % VENDORS}" for n in range(count))


def fill(scene: Scene) -> None:
    """The cases as intake leaves them, all at once, so that fetching does not count."""
    desk = books_desk(scene.home, scene.books)
    client = desk.client()
    with desk.database.transaction() as connection:
        connection.execute(runs.update().values(ended_at=text("requested_at"), offered=0, taken=0, repeated=0))
    for file in scene.files:
        with desk.database.transaction() as connection:
            sha256 = desk.blobs.put(file.encode())
            case = cases.take_in(
                connection, bot="invoices", source="folder", key=file, name=file, sha256=sha256, run="run-1",
                attended=False,
            )  # fmt: skip
            assert case is not None
            queue, place = engine.case_queue("invoices"), cases.place(connection, case.id)
            client.enqueue(connection, engine.PROCESS, queue, f"case:{case.id}", case.id, place=place)
    fetching = engine.Left(id="run:run-1", workflow="", queue="", arguments=[], place="", turn=0)
    with desk.database.transaction() as connection:
        assert client.take_back(connection, fetching)
    client.close()
    desk.close()


def several(
    workers: int, count: int, kills: int, seed: int, folder: Path, server: str, accounts: int = 3, slow_s: float = 0.005
) -> Tally:
    """`workers` processes share `count` cases and fewer accounts than workers; `kills` of them are killed at work."""
    with drivers() as pool:
        return pool.submit(_several, workers, count, kills, seed, folder, server, accounts, slow_s).result()


def _several(
    workers: int, count: int, kills: int, seed: int, folder: Path, server: str, accounts: int, slow_s: float
) -> Tally:
    name = f"machines-{workers}-{count}-{seed}-{time.time_ns()}"
    fault = f"{workers} workers on PostgreSQL, {kills} of them killed"
    tally = Tally(row="1", fault=fault, seed=seed)
    home = folder / name
    home.mkdir(parents=True)
    logins = ", ".join(f"bot{n}" for n in range(1, accounts + 1))
    scene = Scene(home, seed, database(server, name), files(count), logins, slow_s, faults=False)
    scene.make()
    fill(scene)
    look = create_engine(scene.url)
    began = time.monotonic()
    pids = [fork(scene) for _ in range(workers)]
    dice = random.Random(seed)
    for kill in range(kills):
        _wait_until_done(look, count * (kill + 1) // (kills + 2))
        tally.extra["slowest_take_over_s"] = max(
            tally.extra.get("slowest_take_over_s", 0.0), _kill_one(look, pids, dice, tally)
        )
    for pid in pids:
        code = ended(pid, 600)
        if code != 0:
            tally.problems.append(f"a worker ended with {code}\n{_log(scene)}")
    tally.seconds = time.monotonic() - began
    look.dispose()
    judge(scene, tally, fault)
    tally.n = kills or count  # the faults; where there are none, the cases whose time was taken
    tally.extra |= {"cases_per_s": count / tally.seconds, "kills": kills}
    return tally


def _kill_one(look: Engine, pids: list[int], dice: random.Random, tally: Tally) -> float:
    """Kill a worker that has cases at work; the seconds until others have taken up all that it had."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        standing = _standing(look)
        busy = [place for place in _at_work(look) if standing.get(place) in pids]
        if busy:
            place = dice.choice(busy)
            victim = standing[place]
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            os.waitpid(victim, 0)
            pids.remove(victim)
            while place in _at_work(look) and time.monotonic() - killed < 60:
                time.sleep(0.02)
            return time.monotonic() - killed
        time.sleep(0.01)
    tally.problems.append("no worker was at work")
    return 0.0


def _at_work(look: Engine) -> list[str]:
    with look.connect() as connection:
        query = text("SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING'")
        return [row[0] for row in connection.execute(query)]


def _standing(look: Engine) -> dict[str, int]:
    """The process that stands in each place."""
    query = text(
        "SELECT l.objid, a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND a.application_name LIKE 'tallyman worker %'"
    )
    with look.connect() as connection:
        return {f"slot-{row[0]}": int(row[1].rpartition(" ")[2]) for row in connection.execute(query)}


def _wait_until_done(look: Engine, count: int) -> None:
    until = time.monotonic() + 300
    query = select(case_rows.c.id).where(case_rows.c.state != CaseState.OPEN)
    while time.monotonic() < until:
        with look.connect() as connection:
            if len(connection.execute(query).all()) >= count:
                return
        time.sleep(0.02)


def overhead(count: int, folder: Path, server: str = "") -> dict[str, float]:
    """Milliseconds a case by one worker through queue and engine, and by the same procedure without them.

    By turns, and the round whose difference is the middle one: a machine is now faster, now slower.
    """
    with drivers() as pool:
        rounds = [pool.submit(_overhead, count, folder, server).result() for _ in range(ROUNDS)]
    return sorted(rounds, key=lambda told: told["engine"] - told["direct"])[ROUNDS // 2]


def _overhead(count: int, folder: Path, server: str) -> dict[str, float]:
    told: dict[str, float] = {}
    for kind in ("engine", "direct"):
        name = f"overhead-{kind}-{time.time_ns()}"
        (folder / name).mkdir(parents=True)
        url = database(server, name) if server else ""
        scene = Scene(folder / name, 0, url, files(count), faults=False)
        scene.make()
        fill(scene)
        if kind == "engine":
            assert ended(fork(scene), 300) == 0, _log(scene)
        else:
            _direct(scene)
        told[kind] = _span_ms(scene, count)
    return told


def _span_ms(scene: Scene, count: int) -> float:
    """Between the ends of the first and of the last case: the worker's start does not count."""
    desk = books_desk(scene.home, scene.books)
    with desk.database.transaction() as connection:
        times = sorted(row.updated_at for row in connection.execute(select(case_rows.c.updated_at)))
    desk.close()
    return float((times[-1] - times[0]).total_seconds() * 1000 / (count - 1))


def _direct(scene: Scene) -> None:
    """All cases one after the other, in this process, each step called and nothing of it remembered."""
    desk = books_desk(scene.home, scene.books)
    desk.sessions.work_under(Leases(desk.database, HomePlace()))
    client = desk.client()
    procedures = Procedures(desk, client)
    with desk.database.transaction() as connection:
        ids = [row.id for row in connection.execute(select(case_rows.c.id).order_by(case_rows.c.seq))]
    with (
        mock.patch.object(engine, "step", lambda _name, function: function()),
        mock.patch.object(engine, "workflow_id", return_value="direct"),
        mock.patch.object(engine, "sleep", time.sleep),
    ):
        for case_id in ids:
            procedures.process(case_id)
    client.close()
    with suppress(Exception):
        desk.close()
