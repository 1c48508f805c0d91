"""Schedules of bots under faults: two schedulers that are killed, and every clock of the world that people set.

`two_schedulers` and `every_zone` give a Tally each. What they expect is counted here from first principles: by looking
at a clock every few minutes, never by asking the code under test.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from tallyman.platform import clock, log
from tallyman.platform.config import ScheduleSettings
from tallyman.runtime import engine
from tallyman.runtime.schedule import ON_TIME, Scheduler, fire_times, run_id
from tallyman.store import audit, reviews
from tallyman.store.database import Database
from tallyman.store.tables import runs
from tests.chaos.tally import Tally, store

# --- every zone -------------------------------------------------------------------------------------------------------

STEP = timedelta(minutes=15)
"""All clocks of our years jump by, and at, a multiple of this; one that did not would be told as a difference."""
DAY = timedelta(days=1)
FIXED = f"0,15,30,45 {','.join(str(hour) for hour in range(24))} * * *"
"""Each quarter of a day as a fixed time: whatever hour a zone's clock jumps at, one of them is in it."""
HOURLY = "15 * * * *"
NIGHTLY = "30 2 * * *"
Fired = list[tuple[datetime, str]]


def every_zone(first: int, last: int, *, alike: bool, nights: bool) -> Tally:
    """All fire times around all jumps of the clocks in the years first..last, in all zones of tzdata.

    alike: zones whose clocks show the same in these years are looked at once.
    nights: count the runs of a nightly bot as well, from the first day of these years to the last.
    """
    tally, began = Tally(row="10", fault="daylight saving, every zone"), time.monotonic()
    since, until = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    looked: set[object] = set()
    jumps_in_all = 0
    names = sorted(available_timezones())
    for name in names:
        zone = ZoneInfo(name)
        found = jumps(zone, since, until)
        jumps_in_all += len(found)
        rule = (since.astimezone(zone).utcoffset(), tuple(found))
        if alike and rule in looked:
            continue
        looked.add(rule)
        for day, _ in found or [(since + 60 * DAY, None)]:
            compare(tally, name, day - DAY, day + 2 * DAY)
        if nights:
            count_nights(tally, name, first, last)
    tally.extra = {"zones": len(names), "jumps": jumps_in_all, "different clocks": len(looked)}
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


def jumps(zone: ZoneInfo, since: datetime, until: datetime) -> list[tuple[datetime, timedelta | None]]:
    """(the midnight of UTC after it, the offset from then on) of all jumps of this clock."""
    found, before = [], since.astimezone(zone).utcoffset()
    for n in range(1, (until - since).days + 1):
        day = since + n * DAY
        after = day.astimezone(zone).utcoffset()
        if after != before:
            found.append((day, after))
        before = after
    return found


def compare(tally: Tally, zone: str, after: datetime, until: datetime) -> None:
    """Both kinds of schedules in (after, until]: exactly what a look at the clock says, and each with its own id."""
    seen = clock_of(ZoneInfo(zone), after - 2 * DAY, until + 2 * DAY)
    for cron, all_times in ((FIXED, fixed_times(seen)), (HOURLY, shown_at(seen, minute=15))):
        wanted = [(at, name) for at, name in all_times if after < at <= until]
        settings = ScheduleSettings(cron=cron, time_zone=zone)
        found = list(fire_times(settings, after, until))
        expected = Counter(f"b:{name}" for _, name in wanted)
        ids = Counter(run_id("b", fire) for fire in found)
        lost, more = expected - ids, ids - expected
        tally.n += len(wanted)
        tally.lost += lost.total()
        tally.duplicates += more.total() + sum(times - 1 for times in expected.values())
        if found != wanted:
            told = f"lost {sorted(lost)[:3]}, too many {sorted(more)[:3]}" if lost or more else "at other instants"
            tally.problems.append(f"{zone}, {'fixed' if cron == FIXED else 'hourly'}, from {after:%Y-%m-%d}: {told}")


def count_nights(tally: Tally, zone: str, first: int, last: int) -> None:
    """As many runs as nights, each with its own id, over whole years."""
    settings = ScheduleSettings(cron=NIGHTLY, time_zone=zone)
    begin = datetime(first, 1, 1, tzinfo=ZoneInfo(zone))
    end = datetime(last + 1, 1, 1, tzinfo=ZoneInfo(zone))
    found = [fire.name for fire in fire_times(settings, begin.astimezone(UTC), end.astimezone(UTC))]
    nights = (end.date() - begin.date()).days
    tally.n += nights
    tally.lost += max(0, nights - len(set(found)))
    tally.duplicates += max(0, len(found) - nights)
    if len(found) != nights or len(set(found)) != nights:
        tally.problems.append(f"{zone}: {len(found)} runs in {nights} nights")


def clock_of(zone: ZoneInfo, since: datetime, until: datetime) -> Fired:
    """What a clock on the wall shows, looked at every quarter of an hour."""
    looks = (since + n * STEP for n in range((until - since) // STEP + 1))
    return [(at, at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")) for at in looks]


def shown_at(seen: Fired, *, minute: int) -> Fired:
    return [(at, f"{at:%Y-%m-%dT%H:%MZ}") for at, wall in seen if wall.endswith(f":{minute:02}")]


def fixed_times(seen: Fired) -> Fired:
    """Each local time once: when first shown; one that is left out, as long after the last one as it should be."""
    first: dict[str, datetime] = {}
    for (before, shown), (at, wall) in pairwise(seen):
        left_out, late = datetime.fromisoformat(shown) + STEP, before + STEP
        while left_out < datetime.fromisoformat(wall):
            first.setdefault(left_out.isoformat(timespec="minutes"), late)
            left_out, late = left_out + STEP, late + STEP
        first.setdefault(wall, at)
    return sorted((at, wall) for wall, at in first.items())


# --- two schedulers ---------------------------------------------------------------------------------------------------

SPEED = 600
"""Simulated seconds in a real one: a minute takes 100 ms."""
START = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
"""An hour before Berlin's clocks go back."""
PLANS = {
    "invoices": ScheduleSettings(cron="* * * * *", catch_up="all"),
    "deliveries": ScheduleSettings(cron=FIXED, catch_up="all"),
}
BEHIND = timedelta(seconds=90)
"""The second scheduler's clock is late by this."""
OUTAGE_S = 1.0
CHANCE = 0.1


def two_schedulers(url: str, kills: int, seed: int) -> Tally:
    """Two processes with a scheduler each over one empty database (SQLite or PostgreSQL, by URL), in simulated time.

    They are killed with -9 `kills` times: at random moments and at chosen ones, right before and right after a commit.
    Twice none runs for a while. Each fire time must have one run and one workflow, and who was late must have been
    told. All this is done by a process of its own, which can fork: it has neither threads nor connections.
    """
    words = [sys.executable, "-m", "tests.chaos.fire_times", url, str(kills), str(seed)]
    root = Path(__file__).parents[2]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return Tally(row="10", fault="two schedulers", seed=seed, problems=[done.stderr])
    tally = Tally(**json.loads(done.stdout.splitlines()[-1]))
    tally.problems += [done.stderr] if done.stderr else []
    return tally


class Mortal(Database):
    """A database whose process dies now and then, right before or right after a commit."""

    def __init__(self, url: str, die: Callable[[str], None]) -> None:
        super().__init__(url)
        self.wrote, self._die = False, die

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self.wrote = False
        with super().transaction() as connection:
            yield connection
            if self.wrote:
                self._die("before a commit")
        if self.wrote:
            self._die("after a commit")


class Life:
    """One scheduler process, from its fork to its end."""

    def __init__(self, url: str, folder: Path, seed: int, source: Callable[[], datetime]) -> None:
        self._folder, self._dice = folder, random.Random(seed)
        log.configure(folder / "log")
        clock.set_source(source)
        database = Mortal(url, self._die)
        client = engine.EngineClient(url, tuple(PLANS))
        enqueue = client.enqueue

        def watched(*args: Any, **more: Any) -> None:
            enqueue(*args, **more)
            database.wrote = True

        client.enqueue = watched  # type: ignore[method-assign]
        self._scheduler = Scheduler(SimpleNamespace(database=database), client)  # type: ignore[arg-type]

    def once(self) -> None:
        for bot, settings in PLANS.items():
            for run in self._scheduler.wake_up(bot, settings):
                self._append("started", run)

    def on_and_on(self) -> None:
        while True:
            self.once()
            time.sleep(self._dice.uniform(0, 0.03))

    def _die(self, where: str) -> None:
        if self._dice.random() < CHANCE:
            self._append("deaths", where)
            os.kill(os.getpid(), signal.SIGKILL)

    def _append(self, name: str, line: str) -> None:
        with (self._folder / name).open("a") as file:
            file.write(f"{line}\n")


class Boss:
    """Starts the schedulers, kills them, and counts in the end."""

    def __init__(self, url: str, kills: int, seed: int, folder: Path) -> None:
        self._url, self._kills, self._folder = url, kills, folder
        self._dice = random.Random(seed)
        self._began = 0.0
        self._alive: dict[int, int] = {}
        """The slot, 0 or 1, of each process."""
        self._tally = Tally(row="10", fault=f"two schedulers, kill -9, outages, {store(url)}", seed=seed)

    def run(self) -> Tally:
        started = time.monotonic()
        self._wait(self._fork(self._prepare))
        together = time.time() + 0.3
        for pid in [self._fork(lambda: self._first_row(together)) for _ in range(4)]:
            self._wait(pid)
        self._began = time.time()
        for dead in (self._kills // 2, self._kills):
            self._kill_until(dead)
            time.sleep(OUTAGE_S)
        end = self._now()
        self._wait(self._fork(lambda: self._last(end)))
        self._count(end)
        self._tally.seconds = round(time.monotonic() - started, 1)
        return self._tally

    def _now(self) -> datetime:
        return START + timedelta(seconds=(time.time() - self._began) * SPEED)

    def _prepare(self) -> None:
        Database(self._url).upgrade()
        engine.prepare(self._url)

    def _first_row(self, together: float) -> None:
        """All at the same moment: none has a row yet."""
        life = Life(self._url, self._folder, 0, lambda: START)
        time.sleep(max(0.0, together - time.time()))
        life.once()

    def _live(self, seed: int, slot: int) -> None:
        life = Life(self._url, self._folder, seed, lambda: max(START, self._now() - slot * BEHIND))
        (self._folder / f"awake-{os.getpid()}").touch()
        life.on_and_on()

    def _last(self, end: datetime) -> None:
        """The wake-up after which nothing is due; nobody kills it."""
        global CHANCE
        CHANCE = 0.0
        Life(self._url, self._folder, 0, lambda: end).once()

    def _kill_until(self, dead: int) -> None:
        """Keep two of them running until so many have died; in the end none is left."""
        while self._tally.n < dead:
            for slot in {0, 1} - set(self._alive.values()):
                seed = self._dice.randrange(1 << 30)
                self._alive[self._fork(lambda seed=seed, slot=slot: self._live(seed, slot))] = slot  # type: ignore[misc]
            while not all((self._folder / f"awake-{pid}").exists() for pid in self._alive):
                time.sleep(0.01)
                self._reap()
            time.sleep(self._dice.uniform(0, 1.0))
            self._reap()
            if self._alive:
                os.kill(self._dice.choice(list(self._alive)), signal.SIGKILL)
        for pid in self._alive:
            os.kill(pid, signal.SIGKILL)
        while self._alive:
            self._reap()

    def _fork(self, what: Callable[[], None]) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            what()
        except BaseException:  # noqa: BLE001 - whatever it is, a child must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _reap(self) -> None:
        for pid in list(self._alive):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                del self._alive[pid]
                self._tally.n += 1
                if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
                    self._tally.problems.append(f"A scheduler ended by itself: {status}")

    def _wait(self, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        if status:
            self._tally.problems.append(f"A process ended with {status}.")

    def _count(self, end: datetime) -> None:
        client, database = engine.EngineClient(self._url, tuple(PLANS)), Database(self._url)
        workflows = Counter(workflow_id.removeprefix("run:") for workflow_id, _, _ in client.waiting())
        with database.transaction() as connection:
            rows = {row.id: row.requested_at for row in connection.execute(runs.select())}
            items = reviews.listed(connection, limit=100_000)
            broken = audit.verify(connection)
        client.close()
        database.dispose()
        wanted, told_as_started = expected(end), Counter(self._lines("started"))
        self._tally.lost = len(wanted.keys() - rows.keys()) + len(wanted.keys() - workflows.keys())
        self._tally.duplicates = len(rows.keys() - wanted.keys()) + (workflows - Counter(wanted.keys())).total()
        self._tally.duplicates += told_as_started.total() - len(told_as_started)
        if broken:
            self._tally.problems.append(broken)
        self._tally.extra |= {"fire times": len(wanted), "runs": len(rows), "workflows": workflows.total()}
        self._tally.extra |= {f"died {where}": times for where, times in sorted(Counter(self._lines("deaths")).items())}
        self._check_told(items, sum(rows[one] - wanted[one] > ON_TIME for one in wanted.keys() & rows.keys()))

    def _check_told(self, items: Any, late: int) -> None:
        """What began late was told. A clock runs on while a wake-up is at work, so a few more look late to us."""
        first_words = [item["findings"][0]["message"].split()[0] for item in items]
        told = sum(1 if word == "A" else int(word) for word in first_words)
        if not 0 < told <= late:
            self._tally.problems.append(f"{late} runs were late, {told} were told.")
        self._tally.extra |= {"late runs": late, "late runs told": told, "review items": len(items)}

    def _lines(self, name: str) -> list[str]:
        file = self._folder / name
        return file.read_text().splitlines() if file.exists() else []


def expected(end: datetime) -> dict[str, datetime]:
    """Every minute a run of `invoices`; every quarter that Berlin's clock shows for the first time, a `deliveries`."""
    minutes = [START + timedelta(minutes=n) for n in range(1, (end - START) // timedelta(minutes=1) + 1)]
    found = {f"invoices:{at:%Y-%m-%dT%H:%MZ}": at for at in minutes}
    for at in minutes:
        local = at.astimezone(ZoneInfo("Europe/Berlin"))
        if local.minute % 15 == 0 and not local.fold:
            found[f"deliveries:{local:%Y-%m-%dT%H:%M}"] = at
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallyman-schedules-") as place:
        print(json.dumps(asdict(Boss(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(place)).run())))
