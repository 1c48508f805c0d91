"""The posting protocol under simulated schedules that Hypothesis chooses; TALLYMAN_SCHEDULES says how many."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyman.runtime.ledger import CLICK_WITHIN_S
from tests.chaos.schedules import search
from tests.chaos.simulation import DELAY_S, Bench, Happening, Script, World, bench
from tests.chaos.tally import Tally

SCHEDULES = int(os.environ.get("TALLYMAN_SCHEDULES", "300"))


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


@pytest.mark.timeout(900)
def test_no_schedule_posts_twice_or_loses_a_document(on: Bench) -> None:
    search(SCHEDULES, 1, on)


def test_without_the_armed_row_the_same_schedules_post_twice(tmp_path: Path) -> None:
    """The proof that the simulation can find what it is looking for."""
    with bench(tmp_path, armed=False) as on:
        tally = Tally(row="3", fault="not armed")
        for number in range(1, 9):
            if not tally.duplicates:
                search(SCHEDULES // 2, number, on, tally)
        slept = begun(on)
        slept.a_worker_runs(0, Script(sleeps_at="filled", meanwhile=(Happening("a_worker_runs", (0, HIDDEN)),)))
        slept.end()
    assert tally.duplicates > 0, tally
    assert "duplicate" in slept.wrong


# Stories that each of the protocol's guards exists for. The schedules above meet them by chance, these do for certain.

FAST, HIDDEN = Script(account=1), Script(account=1, fates=("stored, shown late",), late_s=20.0)


def begun(on: Bench, *, declared: bool = True, alone: bool = False) -> World:
    world = on.begin(declared=declared, alone=alone)
    world.a_document_comes(0)
    return world


def ended(world: World) -> World:
    world.end()
    assert not world.wrong, "\n".join(world.told)
    return world


@pytest.mark.parametrize(
    "point", ["filled", "posting.armed", "searching", "step.posting.intent", "after.posting.intent"]
)
def test_a_worker_that_slept_does_not_click_after_another_has(on: Bench, point: str) -> None:
    world = begun(on)
    others = (Happening("a_worker_runs", (0, HIDDEN)),)
    world.a_worker_runs(0, Script(sleeps_at=point, meanwhile=others))
    assert ended(world).counted["clicks"] == 1


@pytest.mark.parametrize("point", ["posting.armed", "posting.click"])
def test_a_worker_that_slept_after_it_had_armed_does_not_click_late(on: Bench, point: str) -> None:
    world = begun(on, declared=False)  # else it would prove that nothing was posted, and begin anew
    late = Happening("time_passes", (CLICK_WITHIN_S + 0.1,))
    world.a_worker_runs(0, Script(sleeps_at=point, meanwhile=(late,)))
    assert world.counted["clicks"] == 0
    assert ended(world).counted["unknown"] == 1


def test_a_worker_that_died_with_the_click_leaves_it_to_be_found_however_late_it_shows(on: Bench) -> None:
    world = begun(on)
    world.a_worker_runs(0, Script(dies_at="stored, not answered", fates=("stored, shown late",), late_s=20.0))
    assert ended(world).counted["clicks"] == 1


def test_a_click_that_died_with_its_only_worker_is_made_once_more_and_among_several_by_a_person_s_leave(
    on: Bench,
) -> None:
    for alone, unknown in ((True, 0), (False, 1)):
        world = begun(on, alone=alone)
        world.a_worker_runs(0, Script(dies_at="posting.armed"))
        assert ended(world).counted["clicks"] == 1
        assert world.counted["unknown"] == unknown


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("point", ["after.sleep:2", "after.sleep:3", "slept:2", "slept:3"])
def test_a_clock_that_is_ahead_of_the_one_before_proves_nothing(on: Bench, point: str, alone: bool) -> None:
    world = begun(on, alone=alone)
    world.a_worker_runs(0, Script(dies_at=point, fates=("stored late, the answer lost",), late_s=DELAY_S))
    world.a_worker_runs(0, Script(account=1, skew_s=3 * DELAY_S))
    assert ended(world).counted["clicks"] == 1


@pytest.mark.parametrize("declared", [True, False])
def test_a_refusal_of_what_is_stored_later_allows_no_second_click(on: Bench, declared: bool) -> None:
    world = begun(on, declared=declared)
    world.a_worker_runs(0, Script(fates=("stored late, then refused",), late_s=DELAY_S))
    world.a_person_decides(0, 0)
    assert ended(world).counted["clicks"] == 1


def test_of_two_documents_with_one_number_one_is_posted(on: Bench) -> None:
    world = begun(on)
    world.a_document_comes(0)
    others = (Happening("a_worker_runs", (1, FAST)),)
    world.a_worker_runs(0, Script(sleeps_at="filled", meanwhile=others))
    assert len(ended(world).books) == 1


def test_what_a_person_keyed_while_nobody_worked_is_found_before_the_form_is_filled(on: Bench) -> None:
    world = begun(on)
    world.a_worker_runs(0, Script(dies_at="filled"))
    world.a_person_keys_it(0, False)
    assert ended(world).counted["clicks"] == 0
