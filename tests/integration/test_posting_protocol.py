"""Posting exactly once, whatever the target does: real engine, ledger and database; the target's faults are chosen."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tallyman.contracts.system import Capabilities
from tallyman.domain.case import Case, CaseState, DecisionKind
from tallyman.domain.posting import NaturalKey, PostingState
from tallyman.domain.reasons import Reason
from tallyman.errors import NotArmed, UsageError
from tallyman.platform.config import Home
from tallyman.runtime import engine, ledger, posting
from tallyman.runtime.desk import Desk
from tallyman.runtime.intake import Intake
from tallyman.runtime.requests import decide, start_run
from tallyman.runtime.worker import Worker
from tallyman.store import audit, cases, reviews
from tallyman.store.tables import runs
from tests.fake_target import POSTING, FakeErpSession, FakeSystem, FakeTarget, fake_desk


class Bench:
    def __init__(self, desk: Desk, worker: Worker, target: FakeTarget) -> None:
        self.desk, self.worker, self.target = desk, worker, target

    def post(self, name: str = "a") -> str:
        """Run one case to its end and give its state."""
        self.begin(name)
        return self.settled()

    def begin(self, name: str = "a") -> None:
        with self.desk.database.transaction() as connection:
            sha = self.desk.blobs.put(name.encode())
            case = cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=sha, run="r", attended=False
            )
            assert case is not None
            self.worker.client.enqueue(
                connection, engine.PROCESS, engine.case_queue("invoices"), f"case:{name}", case.id
            )

    def settled(self) -> str:
        for _ in range(400):
            if not self.worker.client.unfinished():
                break
            time.sleep(0.02)
        with self.desk.database.transaction() as connection:
            return str(cases.of_run(connection, "r")[-1]["state"])

    def posting(self) -> tuple[str, str]:
        with self.desk.database.transaction() as connection:
            row = ledger.listed(connection)[0]
        return row["state"], row["record"]

    def reason(self) -> str:
        with self.desk.database.transaction() as connection:
            return str(reviews.listed(connection)[-1]["reason"])


@pytest.fixture
def target() -> FakeTarget:
    return FakeTarget()


@pytest.fixture
def system(target: FakeTarget) -> FakeSystem:
    return FakeSystem(target)


@pytest.fixture
def bench(tmp_path: Path, system: FakeSystem, target: FakeTarget) -> Iterator[Bench]:
    desk = fake_desk(Home(tmp_path / "home"), system)
    worker = Worker(desk, schedules=False)
    worker.start()
    yield Bench(desk, worker, target)
    worker.stop()
    desk.close()


def test_cases_start_in_the_order_in_which_they_came_however_fast_they_came(
    tmp_path: Path, system: FakeSystem, target: FakeTarget
) -> None:
    desk = fake_desk(Home(tmp_path / "home"), system)
    client = desk.client()
    with desk.database.transaction() as connection:
        for name in "abcd":
            cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=name * 64, run="r", attended=False
            )
        for name in "cbda":  # all within one second, which is all that the engine's clock tells on SQLite
            case_id, queue = f"invoices-{name * 16}", engine.case_queue("invoices")
            place = cases.place(connection, case_id)
            client.enqueue(connection, engine.PROCESS, queue, f"case:{name}", case_id, place=place)
    worker = Worker(desk, schedules=False)
    worker.start()
    bench = Bench(desk, worker, target)
    bench.settled()
    worker.stop()
    client.close()
    with desk.database.transaction() as connection:
        ended = sorted(cases.of_run(connection, "r"), key=lambda case: case["updated_at"])
    desk.close()
    assert [case["file"] for case in ended] == ["a", "b", "c", "d"]


def test_a_worker_that_starts_sweeps_what_killed_ones_had_begun_to_write(
    tmp_path: Path, system: FakeSystem, target: FakeTarget
) -> None:
    desk = fake_desk(Home(tmp_path / "home"), system)
    parts = [folder / "ab" / "abc.part" for folder in (desk.home.blobs, desk.home.readings, desk.home.renders)]
    for part in parts:
        part.parent.mkdir(parents=True)
        part.write_text("half")
        os.utime(part, (0, 0))
    worker = Worker(desk, schedules=False)
    worker.start()
    worker.stop()
    desk.close()
    assert not any(part.exists() for part in parts)


def test_a_posting_is_clicked_once_and_read_back(bench: Bench) -> None:
    assert bench.post() == CaseState.POSTED
    assert bench.posting() == (PostingState.POSTED, "R1")
    assert bench.target.clicks == 1
    with bench.desk.database.transaction() as connection:
        assert audit.verify(connection) is None


def test_an_error_page_after_the_record_was_stored_is_no_reason_to_click_again(bench: Bench) -> None:
    bench.target.faults = ["stored, then an error page"]
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 1
    assert len(bench.target.books) == 1


def test_a_record_that_becomes_visible_late_is_waited_for(bench: Bench) -> None:
    bench.target.faults = ["late"]
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 1


def test_a_click_that_stored_nothing_is_made_again_where_the_target_declares_when_all_is_visible(bench: Bench) -> None:
    bench.target.faults = ["lost before storing"]
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 2
    assert len(bench.target.books) == 1


def test_a_click_whose_outcome_nobody_can_tell_is_never_made_again(bench: Bench, system: FakeSystem) -> None:
    system.capabilities = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)
    bench.target.faults = ["lost before storing"]
    assert bench.post() == CaseState.UNKNOWN
    assert bench.target.clicks == 1
    assert bench.reason() == Reason.OUTCOME_UNKNOWN


def test_a_person_who_saw_that_it_is_not_there_lets_it_be_posted_again(bench: Bench, system: FakeSystem) -> None:
    system.capabilities = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)
    bench.target.faults = ["lost before storing"]
    bench.post()
    decide(bench.desk, bench.worker.client, 1, DecisionKind.ACCEPT, "eva", outcome=PostingState.NOT_POSTED)
    assert bench.settled() == CaseState.POSTED
    assert len(bench.target.books) == 1


def test_a_person_who_saw_the_record_ends_the_case(bench: Bench, system: FakeSystem) -> None:
    system.capabilities = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)
    bench.target.faults = ["lost before storing"]
    bench.post()
    decide(bench.desk, bench.worker.client, 1, DecisionKind.ACCEPT, "eva", outcome=PostingState.POSTED, record="R99")
    assert bench.settled() == CaseState.POSTED
    assert bench.posting() == (PostingState.POSTED, "R99")
    assert bench.target.clicks == 1


def test_a_screen_that_shows_another_amount_is_never_clicked(bench: Bench) -> None:
    bench.target.shown_gross = "1.19"
    assert bench.post() == CaseState.IN_REVIEW
    assert bench.target.clicks == 0
    assert bench.reason() == Reason.READBACK_DIFFERS
    assert bench.posting()[0] == PostingState.NOT_POSTED


def test_an_equal_record_that_is_there_already_is_not_keyed_again(bench: Bench) -> None:
    bench.target.store(POSTING)
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 0


def test_a_record_with_our_number_and_another_amount_is_a_conflict_for_a_person(bench: Bench) -> None:
    bench.target.store(POSTING.model_copy(update={"gross": Decimal("120.00")}))
    assert bench.post() == CaseState.IN_REVIEW
    assert bench.target.clicks == 0
    assert bench.reason() == Reason.DUPLICATE_SUSPECTED


def test_a_search_that_could_not_see_everything_posts_nothing(bench: Bench) -> None:
    bench.target.complete = False
    assert bench.post() == CaseState.IN_REVIEW
    assert bench.target.clicks == 0


def test_a_refusal_of_the_target_is_believed_when_a_search_agrees(bench: Bench) -> None:
    bench.target.faults = ["refused"]
    assert bench.post() == CaseState.IN_REVIEW
    assert bench.posting()[0] == PostingState.NOT_POSTED
    assert bench.target.clicks == 1


def test_a_target_that_fails_before_the_click_is_tried_again(bench: Bench) -> None:
    bench.target.faults = ["down before"]
    assert bench.post() == CaseState.POSTED
    assert bench.target.clicks == 1


def test_a_second_document_with_the_same_number_is_not_posted(bench: Bench) -> None:
    bench.post("a")
    assert bench.post("b") == CaseState.IN_REVIEW
    assert bench.target.clicks == 1
    assert bench.reason() == Reason.DUPLICATE_SUSPECTED


def test_a_decision_on_an_item_that_was_decided_already_is_refused(bench: Bench) -> None:
    bench.target.shown_gross = "1.19"
    bench.post()
    decide(bench.desk, bench.worker.client, 1, DecisionKind.REJECT, "eva")
    with pytest.raises(UsageError, match="decided already"):
        decide(bench.desk, bench.worker.client, 1, DecisionKind.ACCEPT, "otto")
    assert bench.settled() == CaseState.REJECTED


def test_a_case_that_may_be_in_the_target_is_neither_corrected_nor_rejected(bench: Bench, system: FakeSystem) -> None:
    system.capabilities = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)
    bench.target.faults = ["lost before storing"]
    bench.post()
    for kind, values in ((DecisionKind.CORRECT, {"invoice_number": "INV-8"}), (DecisionKind.REJECT, {})):
        with pytest.raises(UsageError, match="in the target already"):
            decide(bench.desk, bench.worker.client, 1, kind, "eva", corrections=values)


def test_a_connector_that_breaks_after_the_click_leaves_an_unknown_outcome(bench: Bench, system: FakeSystem) -> None:
    system.capabilities = Capabilities(title="Fake", needs_browser=False, posts=True, settle_s=0.05)
    bench.target.faults = ["defect after the click"]
    assert bench.post() == CaseState.UNKNOWN
    assert bench.target.clicks == 1
    assert bench.reason() == Reason.OUTCOME_UNKNOWN


def test_the_number_of_a_rejected_case_is_free_again(bench: Bench) -> None:
    bench.target.shown_gross = "1.19"
    bench.post("a")
    decide(bench.desk, bench.worker.client, 1, DecisionKind.REJECT, "eva")
    bench.target.shown_gross = None
    assert bench.post("b") == CaseState.POSTED


def test_a_stale_run_can_not_undo_what_was_armed(bench: Bench) -> None:
    bench.post()
    with bench.desk.database.transaction() as connection:
        row = ledger.listed(connection)[0]
    stale = ledger.Entry(id=row["id"], state=PostingState.INTENT, epoch=row["epoch"], mine=True, case=row["case_id"])
    with pytest.raises(NotArmed), bench.desk.database.transaction() as connection:
        bench.desk.ledger.settle(connection, stale, PostingState.NOT_POSTED, "late", after_click=False)


def test_what_somebody_keyed_while_we_were_down_is_found_although_the_search_before_the_crash_found_nothing(
    tmp_path: Path, system: FakeSystem, target: FakeTarget
) -> None:
    target.faults = ["waits"]
    desk = fake_desk(Home(tmp_path / "home"), system)
    first = Bench(desk, Worker(desk, schedules=False), target)
    first.worker.start()
    first.begin()
    assert target.filling.wait(10)
    first.worker.stop()  # in the midst of filling, as a kill would be: the step is not recorded
    desk.close()
    target.store(POSTING)
    desk = fake_desk(Home(tmp_path / "home"), system)
    second = Bench(desk, Worker(desk, schedules=False), target)
    second.worker.start()
    try:
        assert second.settled() == CaseState.POSTED
        assert second.posting() == (PostingState.POSTED, "R1")
        assert target.clicks == 0
    finally:
        second.worker.stop()
        desk.close()


def test_a_file_that_can_not_be_attached_leaves_a_posted_invoice_posted(
    bench: Bench, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.capabilities = system.capabilities.model_copy(update={"attach_phase": "after_post"})

    def broken(*_args: object, **_named: object) -> bool:
        raise ValueError("a defect of the connector")

    monkeypatch.setattr(FakeErpSession, "attach_document", broken)
    assert bench.post() == CaseState.POSTED
    with bench.desk.database.transaction() as connection:
        assert reviews.count_open(connection) == 0
        assert "could not be attached" in cases.of_run(connection, "r")[0]["message"]


@pytest.mark.parametrize("version", [engine.APPLICATION_VERSION, "0"])
def test_a_decision_stands_when_the_asking_is_done_again_after_a_crash(
    tmp_path: Path, system: FakeSystem, target: FakeTarget, version: str
) -> None:
    """By the same version, and by one that was installed meanwhile and does not begin a case anew that has ended."""
    target.shown_gross = "1.19"
    desk = fake_desk(Home(tmp_path / "home"), system)
    bench = Bench(desk, Worker(desk, schedules=False), target)
    bench.worker.start()
    bench.post()
    bench.worker.stop()
    with desk.database.transaction() as connection:  # the worker died before the engine had recorded the step
        connection.exec_driver_sql("DELETE FROM operation_outputs WHERE function_name = 'ask'")
        connection.exec_driver_sql("UPDATE workflow_status SET status = 'PENDING' WHERE workflow_uuid = 'case:a'")
        connection.exec_driver_sql("UPDATE workflow_status SET application_version = ?", (version,))
    decide(desk, bench.worker.client, 1, DecisionKind.REJECT, "eva")
    target.shown_gross = None
    again = Bench(desk, Worker(desk, schedules=False), target)
    again.worker.start()
    try:
        assert again.settled() == CaseState.REJECTED
        assert not target.clicks
    finally:
        again.worker.stop()
        desk.close()


def test_a_defect_in_the_work_on_an_unknown_outcome_asks_for_the_outcome_again(
    bench: Bench, system: FakeSystem, target: FakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.capabilities = system.capabilities.model_copy(update={"max_visibility_delay_s": None})
    target.faults = ["lost before storing"]
    assert bench.post() == CaseState.UNKNOWN

    def broken(*_args: object, **_named: object) -> bool:
        raise ValueError("a defect of ours")

    monkeypatch.setattr(posting.Poster, "post", broken)
    decide(bench.desk, bench.worker.client, 1, DecisionKind.ACCEPT, "eva")
    assert bench.settled() == CaseState.UNKNOWN
    assert bench.reason() == Reason.OUTCOME_UNKNOWN


def test_a_number_that_a_case_gave_up_is_free_for_another(bench: Bench) -> None:
    def case(name: str) -> Case:
        with bench.desk.database.transaction() as connection:
            found = cases.take_in(
                connection, bot="invoices", source="s", key=name, name=name, sha256=name * 64, run="r", attended=False
            )
        assert found is not None
        return found

    one, other = case("c"), case("d")
    misread = NaturalKey(system="fake", company="", party="V1", number="N")
    assert bench.desk.ledger.intend(misread, one, {}).mine
    assert not bench.desk.ledger.intend(misread, other, {}).mine
    bench.desk.ledger.intend(misread.model_copy(update={"number": "M"}), one, {})
    assert bench.desk.ledger.intend(misread, other, {}).mine


def test_a_run_whose_fetching_ended_by_an_error_of_the_machine_is_told_and_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Intake, "work", full)
    monkeypatch.setattr(Intake, "fail", full)
    with bench.desk.database.transaction() as connection:
        start_run(connection, bench.worker.client, "invoices", "run-1", "eva")
    for _ in range(200):
        if bench.worker.client.failed(datetime.now(UTC) - timedelta(hours=1)):
            break
        time.sleep(0.05)
    for _ in range(2):
        bench.worker.sweep()
    with bench.desk.database.transaction() as connection:
        assert [row["reason"] for row in reviews.listed(connection)] == [Reason.SYSTEM_DOWN]
        assert connection.execute(runs.select()).mappings().one()["ended_at"] is not None
