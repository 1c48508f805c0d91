"""The commands around the review queue, on a home with a case in every state."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from tallyman.cli.main import build
from tallyman.domain.case import CaseState
from tallyman.errors import BusinessError, TallymanError, UsageError
from tallyman.platform import log
from tallyman.platform.config import Home
from tallyman.platform.vault import Vault
from tallyman.registry import Registry
from tallyman.runtime.desk import Desk
from tallyman.store import cases
from tests.integration import reviewing


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(Registry, "systems", {"practice_erp": reviewing.ERP, "practice_supplier": reviewing.SOURCE})
    monkeypatch.setattr(log, "configure", lambda file: None)  # once a process, and here many commands share one
    with reviewing.desk_over(home) as opened:
        yield opened


@pytest.fixture
def made(desk: Desk) -> dict[str, Any]:
    return reviewing.fill(desk)


def call(*words: str | int, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(build(), [str(word) for word in words], input=stdin, env={"LC_ALL": "de_DE.UTF-8"})
    if isinstance(result.exception, TallymanError):
        raise result.exception
    return result


def told(*words: str | int) -> Any:
    return json.loads(call(*words, "--json").stdout)


def state_of(desk: Desk, case: Any) -> CaseState:
    with desk.database.transaction() as connection:
        return cases.get(connection, case.id).state


def test_the_list_shows_what_waits_and_fits_a_hundred_columns(made: dict[str, Any]) -> None:
    output = call("review", "list").stdout
    assert "PRICE_VARIANCE" in output
    assert "1.284,50\u00a0EUR" in output, "amounts are in the terminal's form"
    assert "6 wait for a person" in output
    assert max(len(line) for line in output.splitlines()) <= 100


def test_the_list_for_programs_can_be_narrowed_to_a_reason(made: dict[str, Any]) -> None:
    assert [row["id"] for row in told("review", "list", "--reason", "BANK_CHANGED")] == [made["bank"]]
    assert told("review", "list")[0]["gross"] == "1284.5"


def test_an_item_tells_why_it_is_there_and_what_was_read(made: dict[str, Any]) -> None:
    output = call("review", "show", made["price"]).stdout
    assert "expected 8.49, is 8.99" in output
    assert "line.1.unit_price" in output
    assert told("review", "show", made["price"])["case"]["file"] == "Rechnung Köhler März.png"


def test_accepting_sends_the_case_on(desk: Desk, made: dict[str, Any]) -> None:
    call("review", "decide", made["price"], "accept", "--by", "Anna Berg", "--note", "agreed by phone")
    assert state_of(desk, made["price_case"]) is CaseState.OPEN
    assert made["price"] not in [row["id"] for row in told("review", "list")]
    decision = told("review", "show", made["price"])["decisions"][0]
    assert (decision["by"], decision["note"]) == ("Anna Berg", "agreed by phone")


def test_a_decided_item_is_not_decided_again(made: dict[str, Any]) -> None:
    call("review", "decide", made["price"], "reject", "--by", "Anna Berg")
    with pytest.raises(UsageError, match="decided already"):
        call("review", "decide", made["price"], "accept", "--by", "Ben Roth")


def test_the_same_person_is_not_two_persons_however_the_name_is_typed(made: dict[str, Any]) -> None:
    for name in ("Anna Berg", "anna  BERG"):
        assert "second, different person" in call("review", "decide", made["bank"], "accept", "--by", name).stdout
    assert "is decided" in call("review", "decide", made["bank"], "accept", "--by", "Ben Roth").stdout


@pytest.mark.parametrize("value", ["gros_total=1", "gross_total=1.284,50", "issue_date=05.03.2026", "type=letter"])
def test_a_correction_that_does_not_fit_is_refused(made: dict[str, Any], value: str) -> None:
    with pytest.raises(UsageError):
        call("review", "decide", made["price"], "correct", "--by", "Anna", "--set", value)
    assert told("review", "show", made["price"])["state"] == "new"


def test_a_correction_is_kept_with_its_value(made: dict[str, Any]) -> None:
    values = ["--set", "due_date=2026-04-04", "--set", "line.1.quantity=19"]
    call("review", "decide", made["missing"], "correct", "--by", "Anna", *values)
    decision = told("review", "show", made["missing"])["decisions"][0]
    assert decision["corrections"] == {"due_date": "2026-04-04", "line.1.quantity": "19"}


def test_a_person_settles_what_the_machine_could_not_know(desk: Desk, made: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="number in the target"):
        call("review", "decide", made["unknown"], "accept", "--by", "Anna", "--outcome", "posted")
    seen = ["--outcome", "posted", "--record", "AP-77"]
    call("review", "decide", made["unknown"], "accept", "--by", "Anna", *seen)
    assert told("posting", "show", made["unknown_posting"])["record"] == "AP-77"
    assert reviewing.states(desk, made["unknown_posting"]) == "POSTED"


def test_postings_are_listed_by_state_and_shown_with_their_picture(made: dict[str, Any]) -> None:
    assert [row["number"] for row in told("posting", "list", "--state", "POSTED")] == ["RE5"]
    assert Path(told("posting", "show", made["posting"])["screenshot"]).is_file()
    assert "AP-118" in call("posting", "list").stdout
    assert "gross        1284.50" in call("posting", "show", made["posting"]).stdout


def test_a_schedule_is_switched_off_and_on(desk: Desk) -> None:
    assert len(told("schedule", "next", "invoices", "--count", "3")) == 3
    call("schedule", "disable", "invoices")
    assert [one["enabled"] for one in told("schedule", "list") if one["bot"] == "invoices"] == [False]
    assert "is off" in call("schedule", "next", "invoices").stdout
    call("schedule", "enable", "invoices")
    assert "is off" not in call("schedule", "next", "invoices").stdout


def test_a_changed_audit_trail_is_told_with_exit_code_4(desk: Desk, made: dict[str, Any]) -> None:
    assert "whole" in call("audit", "verify").stdout
    rows = [json.loads(line) for line in call("audit", "export").stdout.splitlines()]
    assert rows[0]["action"] == "run.requested"
    with desk.database.transaction() as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 2"))
    with pytest.raises(BusinessError, match="Row 2 was changed") as caught:
        call("audit", "verify")
    assert caught.value.exit_code == 4


def test_a_secret_comes_from_stdin_and_is_never_shown(home: Path) -> None:
    shown = call("secret", "set", "practice_erp.password", stdin="hunter 2\n").stdout
    assert Vault(Home(home).vault).get("practice_erp.password") == "hunter 2"
    assert "hunter" not in shown + call("secret", "list").stdout
    assert told("secret", "list") == ["practice_erp.password"]
