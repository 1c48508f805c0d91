"""Faults while real Chromium posts into the practice ERP: rows 2, 3, 4, 5, 7 and 8 of the fault matrix, and all mixed.

    python -m tests.chaos.browser_faults ROW COUNT SEED FOLDER     ROW: 2, 3, 4, 5, 7, 8, once or mixed

It ends with 1 when anything was lost, double or wrong, or not as it has to be.

Each case meets one fault of its row's deck, which the seed shuffles; each has an invoice of its own, which follows
from the seed too. The moments at which browsers die and lines break are numbers of requests, so they are spread over
all of a posting: search, form, click, verification.
"""

import dataclasses
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tallyman.domain.case import CaseState
from tallyman.registry import ROOT
from tests.chaos import processes
from tests.chaos.bench import LIMIT_S, PATIENCE_S, VISIBLE_S, Bench, Ending, invoice, orphans
from tests.chaos.tally import Tally
from tests.office import PASSWORD

Progress = Callable[[str], None]
Prepare = Callable[[Bench, random.Random], None]

POSTED = frozenset({CaseState.POSTED})
REVIEW = frozenset({CaseState.IN_REVIEW})
REQUESTS = 24
"""Of one posting, without a login."""
CLICK = b"action=Post"
PILL = {
    b"Post this document?": b"Drop this document?",
    b"The document will be posted.": b"The document will be erased.",
    b"Your licence expires in 14 days.": b"Your password expires tomorrow!!",
}
"""Messages that the connector knows, and others of the same length that nobody knows."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong in one case, and what must come of it at most. `prepare` sets the switches before the case."""

    name: str
    prepare: Prepare
    endings: frozenset[CaseState] = POSTED
    clicks: int = 2
    commits: int = 2
    """How many requests to store may reach the ERP; what it stores of them is looked up in its books."""
    logins: int = 3
    seconds: float = 60.0


# -- how a fault is made


def switched(**traits: object) -> Prepare:
    return lambda bench, _dice: bench.office.change("erp", **traits)


def at_a_moment(act: Callable[[Bench], object]) -> Prepare:
    """Some time in the midst of one of the posting's requests."""

    def prepare(bench: Bench, dice: random.Random) -> None:
        later = dice.random() * 0.1
        bench.wire.at_request(dice.randint(1, REQUESTS), lambda: threading.Timer(later, act, (bench,)).start())

    return prepare


def killed(find: Callable[[], list[int]]) -> Prepare:
    return at_a_moment(lambda _bench: processes.kill(find()))


def late(bench: Bench, dice: random.Random) -> None:
    bench.office.change("erp", late_visibility_s=dice.uniform(0.1, VISIBLE_S - 0.2), for_next=1)


def slow(bench: Bench, dice: random.Random) -> None:
    bench.office.change("erp", slow_s=dice.uniform(0.1, 0.6), for_next=dice.randint(5, 15))


def slow_once(bench: Bench, dice: random.Random) -> None:
    """A hundred times as slow as it is, for one request; SCREEN_S is not over by then."""
    bench.wire.at_request(dice.randint(1, REQUESTS), lambda: bench.office.change("erp", slow_s=4.0, for_next=1))


def other_elements(bench: Bench, dice: random.Random) -> None:
    """Elements that moved, and that have other ids at each load."""
    picks = ("select", "codes", "text", "popup")
    bench.office.change("erp", ids_renamed=True, hidden_twin=dice.random() < 0.5, vendor_pick=dice.choice(picks))


def pill(dialog: str) -> Prepare:
    """A message that nobody knows in place of one that the connector expects."""

    def prepare(bench: Bench, _dice: random.Random) -> None:
        bench.wire.replaced = dict(PILL)
        bench.office.change("erp", popup_dialog=dialog)

    return prepare


def password_changed(bench: Bench) -> None:
    """A second try with the old one would lock the account."""
    bench.desk.vault.set("practice_erp.password", "of last year")
    bench.office.expire("erp")
    bench.office.change("erp", lock_account_after=2)


def drip(bench: Bench) -> None:
    """1 KB/s for ten seconds."""
    bench.wire.bytes_per_s = 1000
    threading.Timer(10.0, lambda: setattr(bench.wire, "bytes_per_s", 0)).start()


# -- the decks, by rows of the matrix

NOTHING = Fault("no fault", lambda _bench, _dice: None, clicks=1, commits=1)
DIED = (
    Fault("browser killed", at_a_moment(lambda _: processes.kill_groups(processes.browsers()))),
    Fault("renderer killed", killed(processes.renderers)),
    Fault("driver killed", killed(processes.drivers)),
    Fault("watchdog killed", killed(processes.watchdogs)),
)
HUNG = (
    Fault("browser hangs", at_a_moment(lambda _: processes.kill_groups(processes.browsers(), signal.SIGSTOP))),
    Fault("driver hangs", at_a_moment(lambda _: processes.kill(processes.drivers(), signal.SIGSTOP))),
)
ANSWERS = (
    Fault("500 before storing", switched(http_500_before_store=True, for_next=1)),
    Fault("500 after storing", switched(http_500_after_store=True, for_next=1), clicks=1, commits=1),
    Fault("answer lost", switched(lost_answer=True, for_next=1), clicks=1, commits=1),
    Fault("answer lost after headers", switched(lost_answer_after_headers=True, for_next=1), clicks=1, commits=1),
    Fault("record visible late", late, clicks=1, commits=1),
    Fault("error page although stored", switched(error_page_although_stored=True, for_next=1), clicks=1, commits=1),
    Fault("500 on three pages", at_a_moment(lambda bench: bench.office.change("erp", http_500=True, for_next=3))),
)
SESSIONS = (
    Fault("session expired", at_a_moment(lambda bench: bench.office.expire("erp")), logins=2),
    Fault("login loop", switched(session_expires_after_requests=5), endings=REVIEW, clicks=0, commits=0),
    Fault(
        "password changed",
        at_a_moment(password_changed),
        endings=frozenset({CaseState.IN_REVIEW, CaseState.UNKNOWN, CaseState.POSTED}),
        commits=1,
        logins=2,
    ),
)
SCREENS = (
    Fault("slow pages", slow, clicks=1, commits=1),
    Fault("one very slow page", slow_once, commits=1),
    Fault("half-rendered pages", switched(half_rendered_s=0.1), clicks=1, commits=1),
    Fault("elements moved", other_elements, clicks=1, commits=1),
    Fault("success shows a page", switched(success_shows_blank_form=False), clicks=1, commits=1),
    Fault("labels reworded", switched(labels_reworded=True), endings=REVIEW, clicks=0, commits=0),
    Fault("fields renamed", switched(fields_renamed=True), endings=REVIEW, clicks=0, commits=0),
)
MESSAGES = (
    Fault("confirm", switched(popup_dialog="confirm"), clicks=1, commits=1),
    Fault("alert", switched(popup_dialog="alert"), clicks=1, commits=1),
    Fault("alert on every page", switched(popup_dialog="alert_on_load"), clicks=1, commits=1),
)
UNKNOWN_MESSAGES = (
    Fault("unknown question", pill("confirm"), endings=REVIEW, commits=0, logins=4),
    Fault("unknown alert on every page", pill("alert_on_load"), endings=REVIEW, clicks=0, commits=0),
)
LINES = (
    Fault("lines reset", at_a_moment(lambda bench: bench.wire.reset())),
    Fault("click cut off", lambda bench, _: bench.wire.cut_on(CLICK, after_answer=False), commits=1),
    Fault("answer cut off", lambda bench, _: bench.wire.cut_on(CLICK, after_answer=True), clicks=1, commits=1),
    Fault("refused for a second", at_a_moment(lambda bench: bench.wire.refuse(1.0))),
)
DRIP = Fault("1 KB/s", at_a_moment(drip), commits=1, seconds=90.0)
LOCKED = Fault("record locked", switched(record_locked_by_other=True, for_next=1), endings=REVIEW, clicks=1, commits=1)

ONCE = (
    *ANSWERS[:6], DIED[0], SESSIONS[0], SCREENS[0], *SCREENS[2:5], MESSAGES[0], LOCKED,
)  # fmt: skip
"""One of each kind, without those that wait for time-outs."""
WAITING = (*SCREENS[5:], *UNKNOWN_MESSAGES, LINES[1])
"""These end by time-outs of the screen, and are dealt less often."""
QUICK = (NOTHING, *ANSWERS, *DIED, SESSIONS[0], *SCREENS[:5], *MESSAGES, *LINES[2:], LINES[0], LOCKED)
DECKS = {"once": ONCE, "mixed": (*QUICK, *QUICK, *QUICK, *WAITING)}


# -- the runs


def print_nothing(_told: str) -> None:
    pass


def play(
    row: str, fault: str, deck: Sequence[Fault], count: int, seed: int, folder: Path, *, patience_s: float = PATIENCE_S
) -> Tally:
    """`count` cases, each with the next fault of the shuffled deck."""
    dice = random.Random(seed)
    return _play(Tally(row=row, fault=fault, seed=seed), _dealt(deck, count, dice), dice, folder, patience_s=patience_s)


def _play(
    tally: Tally,
    dealt: Sequence[Fault],
    dice: random.Random,
    folder: Path,
    progress: Progress = print_nothing,
    patience_s: float = PATIENCE_S,
) -> Tally:
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with Bench(folder, patience_s=patience_s) as bench:
        for number, fault in enumerate(dealt):
            bench.calm()
            fault.prepare(bench, dice)
            ending = bench.carry(invoice(dice, f"RE-{tally.seed}-{number}"))
            tally.n += fault is not NOTHING and not bench.wire.waiting  # its moment came
            if ending is None:
                tally.problems.append(f"{fault.name}: case {number} has not ended after {LIMIT_S:.0f} s")
                break
            _note(tally, fault, ending, missed=bench.wire.waiting)
            progress(f"{number + 1:4} {ending.seconds:6.1f} s {ending.clicks} {ending.state:10} {fault.name}")
            _mend(bench)
        bench.calm()
        bench.judge(tally)
    tally.problems += orphans(bench.profiles)
    tally.seconds = time.monotonic() - began
    return tally


def _dealt(deck: Sequence[Fault], count: int, dice: random.Random) -> list[Fault]:
    """The whole deck, shuffled, again and again."""
    dealt: list[Fault] = []
    while len(dealt) < count:
        dealt += dice.sample(deck, len(deck))
    return dealt[:count]


def _note(tally: Tally, fault: Fault, ending: Ending, *, missed: bool) -> None:
    def count(name: str, by: float = 1) -> None:
        tally.extra[name] = tally.extra.get(name, 0) + by

    count(f"{fault.name}: n")
    count(f"{fault.name}: seconds", ending.seconds)
    count("clicks", ending.clicks)
    count("missed", missed)  # the posting was done before the moment of its fault came
    tally.extra["most logins"] = max(tally.extra.get("most logins", 0), ending.logins)
    told = f"{fault.name}: {ending.name} is {ending.state} with {ending.clicks} clicks ({ending.message})"
    if ending.state not in fault.endings:
        tally.problems.append(told)
    for what in ("clicks", "commits", "logins", "seconds"):
        if getattr(ending, what) > getattr(fault, what):
            tally.problems.append(f"{told}: {getattr(ending, what):.0f} {what}, {getattr(fault, what):.0f} at most")


def _mend(bench: Bench) -> None:
    """What a person does after the case: the password that holds now is stored."""
    if bench.desk.vault.get("practice_erp.password") != PASSWORD:
        bench.desk.vault.set("practice_erp.password", PASSWORD)


def row_2(count: int, seed: int, folder: Path) -> Tally:
    return play("2", "browser, renderer, driver or watchdog killed or hung in mid-form", (*DIED, *HUNG), count, seed,
                folder, patience_s=15.0)  # fmt: skip


def row_3(count: int, seed: int, folder: Path) -> Tally:
    return play("3", "500 before or after storing, answer lost, record visible late", ANSWERS, count, seed, folder)


def row_4(count: int, seed: int, folder: Path) -> Tally:
    return play("4", "session expired in mid-form, login loop, changed password", SESSIONS, count, seed, folder)


def row_5(count: int, seed: int, folder: Path) -> Tally:
    return play("5", "slow, half-rendered, element moved, label changed", SCREENS, count, seed, folder)


def row_7(count: int, seed: int, folder: Path) -> Tally:
    return play("7", "unknown pop-up or modal", UNKNOWN_MESSAGES, count, seed, folder)


def row_8(count: int, seed: int, folder: Path) -> Tally:
    return play("8", "connection refused, reset, 1 KB/s", (*LINES, DRIP), count, seed, folder)


ROWS: dict[str, Callable[[int, int, Path], Tally]] = {
    "2": row_2, "3": row_3, "4": row_4, "5": row_5, "7": row_7, "8": row_8,
}  # fmt: skip
"""By the number of the row in the matrix; count, seed, folder."""

LANES = 2


def mixed_postings(
    count: int, seed: int, folder: Path, progress: Progress | None = None, *, deck: str = "mixed"
) -> Tally:
    """`count` postings with faults of all rows mixed, in two processes side by side: most of the time is waiting."""
    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        lanes = [f"{deck}:{lane}" for lane in range(min(LANES, count))]
        parts = list(pool.map(lambda lane: _lane(lane, count, seed, folder, progress or print_nothing), lanes))
    tally = Tally(row="2, 3, 4, 5, 7, 8", fault="postings in Chromium under mixed faults", seed=seed)
    for part in parts:
        for name in ("n", "lost", "duplicates", "unknown", "wrong_values"):
            setattr(tally, name, getattr(tally, name) + getattr(part, name))
        most = max(tally.extra.get("most logins", 0), part.extra.get("most logins", 0))
        tally.extra = {k: tally.extra.get(k, 0) + part.extra.get(k, 0) for k in tally.extra | part.extra}
        tally.extra["most logins"] = most
        tally.problems += part.problems
    tally.seconds = time.monotonic() - began
    tally.extra["seconds per posting"] = tally.seconds / max(tally.n, 1)
    return tally


def _lane(lane: str, count: int, seed: int, folder: Path, progress: Progress) -> Tally:
    """A process of its own: the durable engine is one for each process."""
    home = folder / lane.replace(":", " ")
    command = [sys.executable, "-m", "tests.chaos.browser_faults", lane, str(count), str(seed), str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                told = json.loads(line)
            else:
                progress(line.rstrip())
    if process.returncode > 1:
        raise RuntimeError(f"The lane {lane} with the seed {seed} ended with {process.returncode}.")
    return Tally(**told)


def main(row: str, count: str, seed: str, folder: str) -> int:
    def tell(line: str) -> None:
        print(line, flush=True)

    if row in DECKS:
        tally = mixed_postings(int(count), int(seed), Path(folder), tell, deck=row)
    elif ":" in row:
        deck, lane = row.split(":")
        share = _dealt(DECKS[deck], int(count), random.Random(int(seed)))[int(lane) :: LANES]
        dice = random.Random(LANES * int(seed) + int(lane))
        tally = _play(Tally(row=row, fault=row, seed=int(seed)), share, dice, Path(folder), tell)
    else:
        tally = ROWS[row](int(count), int(seed), Path(folder))
    tell(json.dumps(dataclasses.asdict(tally)))
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
