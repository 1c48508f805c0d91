"""The durable procedures: take in what sources offer, carry one case to its end, reconcile with a target's books."""

from typing import Any

from tallyman.contracts.bot import Ending, Outcome
from tallyman.domain.case import Case, CaseState
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.reasons import Reason
from tallyman.errors import TallymanError
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import GaveUp
from tallyman.runtime.clerk import DurableClerk, Waits
from tallyman.runtime.desk import Desk
from tallyman.runtime.intake import Intake
from tallyman.runtime.reconcile import Reconciliation
from tallyman.runtime.stacks import Splits
from tallyman.runtime.turns import Turns
from tallyman.store import cases

_log = get_logger(__name__)


class Procedures:
    """The procedures over one desk; registered with the engine under their stable names."""

    def __init__(self, desk: Desk, client: engine.EngineClient) -> None:
        self._desk = desk
        self._client = client
        self._turns = {bot: Turns(settings.concurrency) for bot, settings in desk.bots().items()}

    def register(self, machine: engine.Engine) -> None:
        machine.workflow(engine.TAKE_IN, self.take_in)
        machine.workflow(engine.PROCESS, self.process)
        machine.workflow(engine.RECONCILE, self.reconcile)

    def take_in(self, bot: str, run: str, inputs: dict[str, Any], attended: bool) -> dict[str, Any]:
        intake = Intake(self._desk, self._client, bot, run)
        try:
            told = self._desk.registry.bot(bot).inputs.from_json(inputs)
            return intake.work(told, attended=attended)
        except Exception as error:  # a run that ends without a word would be waited for, for ever
            if type(error).__module__.startswith("dbos"):
                raise
            _log.exception("a run failed", run=run)
            return intake.fail(f"The run failed ({type(error).__name__}); what was fetched is kept.")

    def reconcile(self, system: str, since: str, by_hand: bool) -> dict[str, Any]:
        work = Reconciliation(self._desk, self._client, system, by_hand=by_hand)
        try:
            return work.work(since)
        except Exception as error:  # whoever waits for the answer would wait for ever
            if type(error).__module__.startswith("dbos"):
                raise
            _log.exception("reconcile failed", system=system)
            return work.fail(f"The comparison failed ({type(error).__name__}).")

    def process(self, case_id: str) -> dict[str, Any]:
        """Carry a case to POSTED, IN_REVIEW, UNKNOWN, REJECTED or SPLIT. Whatever happens, it ends in one of them."""
        with self._desk.database.transaction() as connection:  # no step: what is read here never changes
            bot, place = cases.get(connection, case_id).bot, cases.place(connection, case_id)
        with self._turns[bot].turn(place):
            clerk, case = DurableClerk.of(self._desk, self._client, case_id, engine.workflow_id())
            return self._carry(clerk, case).to_json()

    def _carry(self, clerk: DurableClerk, case: Case) -> Outcome:
        try:
            outcome = self._run(clerk, case)
        except Waits as waits:
            return Outcome(ending=Ending.WAITING, message=str(waits))
        except GaveUp as error:
            failure = error.failure
            outcome = self._ask(clerk, case, failure.reason, f"{failure.message} {failure.advice}")
        except TallymanError as error:
            outcome = self._ask(clerk, case, error.reason or Reason.SYSTEM_DOWN, f"{error} {error.advice}")
        except Exception as error:
            if type(error).__module__.startswith("dbos"):
                raise
            _log.exception("a bot failed", case=case.id)
            told = f"The bot failed on this document ({type(error).__name__})."
            outcome = self._ask(clerk, case, Reason.SYSTEM_DOWN, told)
        return outcome

    def _run(self, clerk: DurableClerk, case: Case) -> Outcome:
        try:
            found = clerk.clicked_before(case) or clerk.split_as_decided(case)
            return found or self._desk.registry.bot(case.bot).run(clerk, case)
        except Splits as stack:
            return clerk.split(case, stack.documents, "its separator sheets")

    def _ask(self, clerk: DurableClerk, case: Case, reason: Reason, message: str) -> Outcome:
        """Give the case to a person: as an unknown outcome where the click may have happened already."""
        record = engine.step("posted_before", lambda: self._desk.ledger.record_of(case))
        if record is not None:
            told = f"Posted and read back. Afterwards: {message}"
            clerk.move(case, CaseState.POSTED, told, record=record)
            return Outcome(ending=Ending.POSTED, message=told, record=record)
        if split := clerk.split_before(case):
            return split
        clicked = engine.step("give_up", lambda: self._desk.ledger.give_up(case))
        if clicked:
            reason, message = Reason.OUTCOME_UNKNOWN, f"It was clicked, and then: {message}"
        state = CaseState.UNKNOWN if clicked else CaseState.IN_REVIEW
        return clerk.ask_as(case, clerk.document, Verdict.of([Finding(reason=reason, message=message)]), state)
