"""Hypothesis chooses what happens in a `World`, and says the shortest story of what went wrong in it."""

import gc
import itertools
from functools import partial
from itertools import product
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.chaos.simulation import DELAY_S, FATES, LATE_FATES, Bench, Happening, Script, World, bench
from tests.chaos.spread import spread
from tests.chaos.tally import Tally

STEPS = 6
"""What happens in a schedule before all is carried to its end."""
BATCH = 1000
"""Hypothesis remembers what it has tried; so many schedules are enough to learn from."""
POINTS = (
    *("filled", "stored, not answered", "step.posting.click") * 8,
    *("posting.armed", "posting.click", "after.posting.click") * 4,
    *("filled:2", "posting.armed:2", "stored, not answered:2", "step.posting.click:2", "searching:2", "slept:2"),
    *(f"step.posting.{name}" for name in ("intent", "verify", "proof", "again")),
    *(f"after.posting.{name}" for name in ("intent", "verify", "proof", "again")),
    *("searching", "step.sleep", "slept", "after.sleep:3", "slept:3", "a short sleep", "step.begin", "after.begin"),
    *("step.finish", "after.finish", "step.ask", "after.ask", "step.give_up", "step.posted_before"),
)  # fmt: skip
"""Where a worker dies or sleeps: at a boundary when it passes there for the first or second time."""

which = st.integers(0, 2)
number = st.integers(0, 1)
some_time = st.sampled_from((0.1, 3.0, DELAY_S, 1000.0))
at = st.sampled_from(POINTS)

LUCK = tuple(
    product((0, 0, 0, 1, 2, 5), (False,) * 9 + (True,), (5.0, 1.0, DELAY_S), (0, 1), (0.0, 0.0, 3 * DELAY_S, -5.0))
)
"""How often the target is down at first, whether searches are blind, how late a late record is, account and clock."""
FATES_OF_TWO = tuple(product((*FATES, *LATE_FATES), FATES))


def _script(
    luck: int, fates: int, dies_at: str = "", sleeps_at: str = "", meanwhile: tuple[Happening, ...] = ()
) -> Script:
    down, blind, late_s, account, skew_s = LUCK[luck]
    return Script(dies_at, sleeps_at, meanwhile, account, FATES_OF_TWO[fates], late_s, down, blind, skew_s)


# Few and wide choices: a choice costs Hypothesis as much as a statement costs the database.
luck = {"luck": st.integers(0, len(LUCK) - 1), "fates": st.integers(0, len(FATES_OF_TWO) - 1)}
ends = st.builds(_script, **luck)
dies = st.builds(_script, dies_at=at, **luck)
meanwhile = st.one_of(
    st.builds(Happening, st.just("a_worker_runs"), st.tuples(which, ends)),
    st.builds(Happening, st.just("a_worker_runs"), st.tuples(st.just(0), ends)),
    st.builds(Happening, st.just("a_worker_runs"), st.tuples(which, dies)),
    st.builds(Happening, st.just("time_passes"), st.tuples(some_time)),
    st.builds(Happening, st.just("a_person_decides"), st.tuples(which, st.integers(0, 3))),
    st.builds(Happening, st.just("a_person_keys_it"), st.tuples(number, st.booleans())),
    st.builds(Happening, st.just("what_is_hidden_shows")),
)
several = st.lists(meanwhile, min_size=1, max_size=2).map(tuple)
sleeps = st.builds(_script, sleeps_at=at, dies_at=st.just("") | at, meanwhile=several, **luck)


class Schedule(RuleBasedStateMachine):
    """Invoices, of which two may have one number; workers; persons; a target that does what targets do."""

    bench: ClassVar[Bench]
    tally: ClassVar[Tally | None] = None
    """Where it is kept what was wrong; without it, that is raised."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    @initialize(declared=st.booleans(), alone=st.booleans(), number=number)
    def the_first_document_comes(self, declared: bool, alone: bool, number: int) -> None:
        self.world = self.bench.begin(declared=declared, alone=alone)
        self.world.a_document_comes(number)

    @rule(number=number)
    def a_document_comes(self, number: int) -> None:
        self._world.a_document_comes(number)

    @rule(which=which, script=ends)
    def a_worker_runs_to_the_end(self, which: int, script: Script) -> None:
        self._world.a_worker_runs(which, script)

    @rule(which=which, script=dies)
    def a_worker_is_killed(self, which: int, script: Script) -> None:
        self._world.a_worker_runs(which, script)

    @rule(which=which, script=sleeps)
    def a_worker_sleeps_and_others_work(self, which: int, script: Script) -> None:
        self._world.a_worker_runs(which, script)

    @rule(seconds=some_time)
    def time_passes(self, seconds: float) -> None:
        self._world.time_passes(seconds)

    @rule()
    def what_is_hidden_shows(self) -> None:
        self._world.what_is_hidden_shows()

    @rule(number=number, mistyped=st.booleans())
    def a_person_keys_it(self, number: int, mistyped: bool) -> None:
        self._world.a_person_keys_it(number, mistyped)

    @rule(which=which, choice=st.integers(0, 3))
    def a_person_decides(self, which: int, choice: int) -> None:
        self._world.a_person_decides(which, choice)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.world is not None:
            self.world.check()
            self._judge()

    def teardown(self) -> None:
        if self.world is None:
            return
        self.world.end()
        self._judge()
        if self.tally is not None:
            keep(self.tally, self.world)

    @property
    def _world(self) -> World:
        assert self.world is not None
        return self.world

    def _judge(self) -> None:
        if self.tally is None:
            assert not self._world.wrong, "\n".join(self._world.told)


def keep(tally: Tally, world: World) -> None:
    """Count what came of a schedule."""
    tally.n += 1
    tally.duplicates += "duplicate" in world.wrong
    tally.lost += "lost" in world.wrong
    tally.unknown += world.counted["unknown"]
    for name, count in world.counted.items():
        tally.extra[name] = tally.extra.get(name, 0) + count
    if world.wrong and len(tally.problems) < 3:
        tally.problems.append("\n".join(world.told))


def search(schedules: int, number: int, on: Bench, tally: Tally | None = None) -> None:
    """Schedules that follow from a seed. Without a tally the first wrong one is shrunk and raised."""
    machine = seed(number)(type("Schedule", (Schedule,), {"bench": on, "tally": tally}))
    phases = (Phase.generate,) if tally is not None else (Phase.generate, Phase.shrink)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=schedules,
            stateful_step_count=STEPS,
            phases=phases,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.normal,
        ),
    )


def simulate(schedules: int, seed: int, folder: Path, *, armed: bool = True) -> Tally:
    """So many schedules in two processes, with what was wrong counted. Without the armed row there are duplicates."""
    return spread(partial(_schedules, armed=armed), schedules, seed, folder)


def _schedules(count: int, seed: int, folder: Path, *, armed: bool) -> Tally:
    fault = "simulated schedules of crashes, lost answers, late records"
    tally = Tally(row="3", fault=fault + ("" if armed else ", not armed"), seed=seed)
    with bench(folder, armed=armed) as on:
        gc.freeze()  # this process makes and drops many small things, and what is there stays
        gc.set_threshold(50_000)
        for batch in itertools.count():
            if tally.n >= count:
                return tally
            search(min(count - tally.n, BATCH), seed * 1000 + batch, on, tally)
    raise AssertionError("unreachable")
