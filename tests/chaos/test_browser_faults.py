"""Rows 2, 3, 4, 5, 7 and 8 of the fault matrix: real Chromium, engine, ledger and books, in small numbers."""

import random
from pathlib import Path

import pytest

from tallyman.browser.host import BrowserHost, find_chromium
from tallyman.browser.tab import Tab
from tallyman.contracts.system import Permit
from tallyman.domain.reasons import Reason
from tallyman.errors import PageChanged
from tests.chaos import processes
from tests.chaos.bench import Bench, invoice, orphans
from tests.chaos.browser_faults import (
    ANSWERS,
    DECKS,
    DIED,
    HUNG,
    ROWS,
    SCREENS,
    mixed_postings,
    pill,
    play,
)
from tests.chaos.tally import Tally
from tests.office import CountedPermit, arming

pytestmark = pytest.mark.slow

SEED = 7


def all_well(tally: Tally, count: int) -> None:
    assert tally.n + tally.extra["missed"] == count, "each fault met a posting, or its moment never came"
    assert tally.clean, tally


def test_no_fault_of_any_kind_posts_twice_loses_a_case_or_spoils_a_value(tmp_path: Path) -> None:
    count = len(DECKS["once"])
    tally = mixed_postings(count, SEED, tmp_path, deck="once")
    all_well(tally, count)
    assert tally.unknown == 0
    assert tally.extra["clicks"] >= count


def test_a_browser_or_driver_that_is_killed_in_mid_form_costs_less_than_a_minute(tmp_path: Path) -> None:
    all_well(play("2", "test", DIED, 4, SEED, tmp_path), 4)


def test_a_browser_or_driver_that_hangs_in_mid_form_is_ended_from_outside(tmp_path: Path) -> None:
    all_well(play("2", "test", HUNG, 2, SEED, tmp_path, patience_s=10.0), 2)


def test_a_session_that_ends_in_mid_form_is_opened_once_more_and_a_changed_password_locks_no_account(
    tmp_path: Path,
) -> None:
    all_well(ROWS["4"](3, SEED, tmp_path), 3)


def test_screens_that_are_slow_or_worded_otherwise_get_no_wrong_value(tmp_path: Path) -> None:
    deck = (SCREENS[1], *SCREENS[5:])  # the others are dealt above
    all_well(play("5", "test", deck, 3, SEED, tmp_path), 3)


def test_a_line_that_is_cut_refused_or_drips_posts_nothing_twice(tmp_path: Path) -> None:
    all_well(ROWS["8"](5, SEED, tmp_path), 5)


def test_a_question_that_nobody_knows_is_answered_with_no_and_shown_to_a_person(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with Bench(tmp_path) as bench:
        pill("confirm")(bench, dice)
        session, given, permit = bench.desk.sessions.of("practice_erp"), invoice(dice, "RE-0"), CountedPermit()
        with pytest.raises(PageChanged, match="Drop this document"):
            session.call(lambda erp: erp.post_invoice(given, arming(given, permit)))
        session.discard()
        ending = bench.carry(invoice(dice, "RE-1"))
        assert ending is not None
        assert (ending.state, ending.commits, ending.pictures) == ("IN_REVIEW", 0, 1)
        assert len(bench.review("RE-1")) == 1
        assert bench.commits() == 0


def test_an_alert_that_nobody_knows_stops_the_work_before_anything_is_keyed(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with Bench(tmp_path) as bench:
        pill("alert_on_load")(bench, dice)
        ending = bench.carry(invoice(dice, "RE-1"))
        assert ending is not None
        assert (ending.state, ending.clicks, bench.commits()) == ("IN_REVIEW", 0, 0)
        assert bench.review("RE-1") == [Reason.PAGE_CHANGED]


def test_a_click_that_chromium_repeats_by_itself_is_seen_by_these_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof that they can find what they look for."""

    def as_browsers_do(tab: Tab, click: object, _permit: Permit) -> None:
        assert callable(click)
        click()
        tab.wait(lambda: False, timeout_s=2)

    monkeypatch.setattr(Tab, "send_once", as_browsers_do)
    tally = play("3", "test", (ANSWERS[2],), 1, SEED, tmp_path)
    assert (tally.duplicates, tally.clean) == (1, False)


def test_a_chromium_that_a_script_starts_is_gone_when_its_watchdog_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's command is such a script, and what dies with the watchdog is the script alone."""
    script = tmp_path / "chromium"
    script.write_text(f'#!/bin/sh\n"{find_chromium()}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("TALLYMAN_CHROMIUM", str(script))
    with BrowserHost() as host:
        profiles = processes.profiles()
        assert processes.kill(processes.watchdogs()) == 1
    assert profiles
    assert not host.alive
    assert orphans(profiles) == []


@pytest.mark.parametrize("row", ["2", "3", "5", "7"])
def test_each_row_can_be_run_by_itself(row: str, tmp_path: Path) -> None:
    all_well(ROWS[row](1, SEED, tmp_path), 1)
