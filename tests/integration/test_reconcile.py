"""The nightly comparison with a target's own report: real engine, ledger and database, a target in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallyman.cli import posting
from tallyman.cli.posting import _reconciled
from tallyman.contracts.system import Capabilities, Found
from tallyman.domain.case import CaseState, DecisionKind
from tallyman.domain.posting import PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import SystemDown
from tallyman.platform import clock
from tallyman.platform.config import Home
from tallyman.runtime.attempts import Failure
from tallyman.runtime.places import place_of_worker
from tallyman.runtime.reconcile import start, start_due, systems
from tallyman.runtime.requests import decide
from tallyman.runtime.worker import Worker
from tallyman.store import audit, cases, reviews
from tallyman.store.tables import postings
from tests.fake_target import POSTING, FakeErpSession, FakeSystem, FakeTarget, fake_desk
from tests.integration.test_posting_protocol import Bench

NOBODY_KNOWS = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    target = FakeTarget()
    desk = fake_desk(Home(tmp_path / "home"), FakeSystem(target))
    worker = Worker(desk, schedules=False)
    worker.start()
    yield Bench(desk, worker, target)
    clock.set_source(None)
    worker.stop()
    desk.close()


def reconcile(bench: Bench, name: str = "r1", *, by_hand: bool = True, begin: bool = True) -> dict[str, Any]:
    if begin:
        start(bench.desk, bench.worker.client, "fake", name, by_hand=by_hand)
    bench.settled()
    outcome = bench.worker.client.outcome(name)
    assert outcome is not None
    assert outcome[0]
    answer: dict[str, Any] = outcome[1]
    return answer


def items(bench: Bench) -> list[tuple[int, str]]:
    with bench.desk.database.transaction() as connection:
        return [(row["id"], row["reason"]) for row in reviews.listed(connection)]


def later(hours: float) -> None:
    clock.set_source(lambda: datetime.now(UTC) + timedelta(hours=hours))


def unknown(bench: Bench) -> None:
    """A click whose outcome nobody can tell; the case waits for a person."""
    bench.desk.registry.systems["fake"].capabilities = NOBODY_KNOWS  # type: ignore[misc]
    bench.target.faults = ["lost before storing"]
    assert bench.post() == CaseState.UNKNOWN


def test_books_that_agree_are_told_so_and_nothing_is_asked(bench: Bench) -> None:
    bench.post()
    told = reconcile(bench)
    assert {name: told[name] for name in ("checked", "equal", "foreign", "problems", "failed")} == {
        "checked": 1,
        "equal": 1,
        "foreign": 0,
        "problems": [],
        "failed": None,
    }
    assert items(bench) == []


def test_a_posted_invoice_that_is_gone_is_told_once_however_often_it_is_compared(bench: Bench) -> None:
    bench.post()
    bench.target.books.clear()
    (problem,) = reconcile(bench)["problems"]
    assert (problem["what"], problem["item"], problem["decided"]) == ("missing", 1, False)
    reconcile(bench, "r2")
    assert items(bench) == [(1, Reason.BOOKS_DIFFER)]
    assert bench.posting()[0] == PostingState.POSTED
    decide(bench.desk, bench.worker.client, 1, DecisionKind.ACCEPT, "eva")
    assert reconcile(bench, "r3")["problems"][0]["decided"]
    assert items(bench) == []


def test_an_invoice_that_stands_under_an_older_date_is_not_missing_but_differs(bench: Bench) -> None:
    bench.post()
    old = bench.target.books.pop()
    bench.target.books.append(old.model_copy(update={"date": POSTING.issue_date - timedelta(days=300)}))
    assert [problem["what"] for problem in reconcile(bench)["problems"]] == ["differs"]


def test_an_unknown_outcome_that_the_report_shows_is_settled_and_its_item_is_closed(bench: Bench) -> None:
    unknown(bench)
    bench.target.store(POSTING)
    told = reconcile(bench)
    assert (told["settled"], told["problems"]) == (1, [])
    assert bench.posting() == (PostingState.POSTED, "R1")
    assert items(bench) == []
    with bench.desk.database.transaction() as connection:
        item = reviews.get(connection, 1)
        assert [one.by for one in item.decisions] == ["reconcile"]
        assert cases.of_run(connection, "r")[0]["state"] == CaseState.POSTED
        assert audit.verify(connection) is None
    assert bench.target.clicks == 1


def test_an_unknown_outcome_that_is_there_twice_is_a_duplicate_and_stays_unknown(bench: Bench) -> None:
    unknown(bench)
    for _ in range(2):
        bench.target.store(POSTING)
    assert [problem["what"] for problem in reconcile(bench)["problems"]] == ["twice"]
    assert bench.posting()[0] == PostingState.UNKNOWN
    assert items(bench) == [(1, Reason.OUTCOME_UNKNOWN), (2, Reason.DUPLICATE_SUSPECTED)]


def test_an_armed_row_is_left_alone_for_some_minutes(bench: Bench) -> None:
    unknown(bench)
    bench.target.store(POSTING)
    with bench.desk.database.transaction() as connection:
        connection.execute(postings.update().values(state=PostingState.ARMED, updated_at=clock.now()))
    assert (reconcile(bench)["settled"], bench.posting()[0]) == (0, PostingState.ARMED)
    later(1)
    assert (reconcile(bench, "r2")["settled"], bench.posting()[0]) == (1, PostingState.POSTED)


def test_a_record_that_our_ledger_denies_and_one_that_it_does_not_know_are_told(bench: Bench) -> None:
    unknown(bench)
    with bench.desk.database.transaction() as connection:
        connection.execute(postings.update().values(state=PostingState.NOT_POSTED))
    later(1)
    bench.target.store(POSTING)
    bench.target.books.append(
        PostedInvoice(number="X-1", vendor="V1", record="R8", gross=Decimal(5), reference="TM-0123456789ab")
    )
    told = reconcile(bench)
    assert sorted(problem["what"] for problem in told["problems"]) == ["denied", "stray"]
    assert bench.posting()[0] == PostingState.NOT_POSTED


def test_an_incomplete_report_proves_nothing_and_changes_nothing(bench: Bench) -> None:
    unknown(bench)
    bench.target.store(POSTING)
    bench.target.complete = False
    told = reconcile(bench)
    assert "proves nothing" in told["failed"]["message"]
    assert (bench.posting()[0], len(items(bench))) == (PostingState.UNKNOWN, 1)
    for night in ("n1", "n2"):  # nobody waits for the answer, so a person is told, once
        reconcile(bench, night, by_hand=False)
    assert items(bench)[1:] == [(2, Reason.BOOKS_DIFFER)]


def test_a_system_that_is_down_at_night_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object, **_named: object) -> Found[PostedInvoice]:
        raise SystemDown

    bench.post()
    monkeypatch.setattr(FakeErpSession, "list_invoices", down)
    assert reconcile(bench, by_hand=False)["failed"]["technical"]
    assert items(bench) == [(1, Reason.SYSTEM_DOWN)]


def test_a_connector_that_breaks_ends_the_comparison_with_a_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_named: object) -> Found[PostedInvoice]:
        raise KeyError("a defect")

    bench.post()
    monkeypatch.setattr(FakeErpSession, "list_invoices", broken)
    assert "KeyError" in reconcile(bench)["failed"]["message"]


def test_a_night_has_one_comparison_and_only_of_what_was_posted_before_it(bench: Bench) -> None:
    bench.post()
    with bench.desk.database.transaction() as connection:
        connection.execute(postings.update().values(updated_at=datetime(2026, 11, 20, 12, tzinfo=UTC)))

    def at(day: int, hour: int, minute: int) -> list[str]:
        clock.set_source(lambda: datetime(2026, 11, day, hour, minute, tzinfo=UTC))
        return start_due(bench.desk, bench.worker.client)

    assert at(20, 13, 0) == []  # it was posted after this night's hour
    assert at(21, 2, 39) == []  # 03:39 in Berlin
    assert at(21, 2, 41) == ["reconcile:fake:2026-11-21"]
    assert at(21, 2, 42) == []
    assert reconcile(bench, "reconcile:fake:2026-11-21", begin=False)["equal"] == 1
    assert at(22, 9, 0) == ["reconcile:fake:2026-11-22"]  # a machine that slept makes it good
    bench.settled()


def test_the_command_hands_it_to_the_worker_that_is_there_and_waits_for_it(bench: Bench) -> None:
    bench.post()
    with place_of_worker(bench.desk.home, bench.desk.database):  # a second worker of this home would be refused
        (told,) = _reconciled(bench.desk, ["fake"], POSTING.issue_date)
    assert (told["equal"], told["since"]) == (1, POSTING.issue_date.isoformat())


def test_the_systems_are_those_that_bots_post_into_and_that_are_set_up_or_known(bench: Bench) -> None:
    assert systems(bench.desk) == []
    bench.post()
    assert systems(bench.desk) == ["fake"]


def test_a_system_that_could_not_be_asked_is_no_row_of_zeros(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure(reason=Reason.SYSTEM_DOWN, message="It is away.", advice="Wait.", technical=True)
    told = {"system": "fake", "failed": failure.to_json(), "problems": []}
    monkeypatch.setattr(posting, "_reconciled", lambda *_: [told])
    with pytest.raises(SystemDown, match="It is away"):
        posting.reconcile("fake")
    assert capsys.readouterr().out == ""
