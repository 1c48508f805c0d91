"""Threads that race for the right to click, and for the decision on an item: thousands of them by `make faults`."""

from pathlib import Path

from tests.chaos.races import ledger_races, review_races
from tests.chaos.tally import Tally
from tests.postgres import database, postgres

RACES = 300


def check(tally: Tally, races: int) -> None:
    print(tally)
    assert tally.clean, (tally, "\n".join(tally.problems[:5]))
    assert tally.n == races


def test_of_bots_that_want_to_post_one_record_one_may_click(tmp_path: Path) -> None:
    tally = ledger_races(RACES, 1, tmp_path)
    check(tally, RACES)
    assert tally.extra["met another's"] > RACES
    assert tally.extra["lost the epoch"] > 0
    assert tally.extra["second submits refused"] == 2 * RACES


def test_of_bots_that_want_to_post_one_record_over_postgresql_one_may_click(tmp_path: Path) -> None:
    with postgres() as server:
        check(ledger_races(RACES, 1, tmp_path, database(server, "races")), RACES)


def test_of_persons_who_decide_on_what_they_see_one_decides(tmp_path: Path) -> None:
    tally = review_races(RACES, 1, tmp_path)
    check(tally, RACES)
    assert tally.extra["refused"] == 3 * RACES
    assert tally.extra["stale tabs"] > 0


def test_of_persons_who_decide_on_what_they_see_over_postgresql_one_decides(tmp_path: Path) -> None:
    with postgres() as server:
        check(review_races(RACES, 1, tmp_path, database(server, "races")), RACES)
