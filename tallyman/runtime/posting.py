"""Posting exactly once into a system that has no transactions.

intent -> search, fill, read back, arm, click (one step) -> verify by search -> POSTED | NOT_POSTED | UNKNOWN.
See docs/reference/posting.md. Everything before *armed* may be redone; nothing after it is repeated unless the target
is known to show every stored record within a declared time, and that time has passed without the record.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from tallyman.browser.session import SessionThread
from tallyman.contracts.system import Arm, Capabilities, Erp, Permit
from tallyman.domain.base import Value
from tallyman.domain.case import Case
from tallyman.domain.posting import NaturalKey, PostingState
from tallyman.domain.reasons import Reason
from tallyman.errors import Rejected, SystemPaused, TallymanError
from tallyman.platform.blobs import Blobs
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import Failure, GaveUp, attempt, failure_of, unwrap
from tallyman.runtime.ledger import Entry, Ledger, OneClick, compare_read_back
from tallyman.runtime.pressure import patient_step
from tallyman.runtime.sessions import Sessions

_log = get_logger(__name__)

CLICKS = 2
"""How many epochs a procedure opens by itself, each after the proof that the one before stored nothing."""
TRIES_BEFORE_CLICK = 3
_PROVEN, _NOT_YET, _NEVER = "proven", "not yet", "never"
_clock = time.monotonic
"""Never set back or forward, and of one process alone."""


class Hit(Value):
    """A record that the target holds under our key. `difference` is empty when it equals the payload."""

    record: str
    difference: str = ""


class Hits(Value):
    items: tuple[Hit, ...]
    scope: str
    complete: bool


class Job(Protocol):
    """What differs between posting an invoice and confirming a delivery."""

    @property
    def key(self) -> NaturalKey: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def shown(self) -> Mapping[str, str]: ...
    def search(self, erp: Erp) -> Hits: ...
    def click(self, erp: Erp, arm: Arm) -> None: ...


class Posted(Value):
    """How it ended. `reason` is set when a person has to look.

    entry: the ledger's row that has to say so, in the transaction that ends the case; None where it does already.
    after_click: whether there may have been a click; without one, a row that is armed is not touched.
    """

    state: PostingState
    message: str
    record: str = ""
    reason: Reason | None = None
    entry: Entry | None = None
    after_click: bool = True


class Poster:
    """Carries out one job for one case, inside a workflow."""

    def __init__(
        self, ledger: Ledger, sessions: Sessions, blobs: Blobs, system: str, capabilities: Capabilities, case: Case
    ) -> None:
        self._ledger = ledger
        self._system = system
        self._sessions = sessions
        self._blobs = blobs
        self._capabilities = capabilities
        self._case = case
        self._searched_at = self._began = _clock()
        self._clicked: dict[tuple[int, int], float] = {}
        """When the last request of an entry's epoch may have left this process."""

    def post(self, job: Job) -> Posted:
        """Whoever calls writes the answer down, with the case's ending (`Ledger.settle`).

        Never raises for what the target does; GaveUp only when the search before the click is impossible.
        """
        entry = Entry.from_json(engine.step("posting.intent", lambda: self._intend(job)))
        if entry.unsettled:
            told = f"This case has clicked for number {entry.unsettled} before; what came of that must be known first."
            return Posted(state=PostingState.UNKNOWN, message=told, reason=Reason.OUTCOME_UNKNOWN)
        if not entry.mine:
            told = f"Case {entry.case} already owns this record ({entry.state.lower()})."
            return Posted(state=entry.state, message=told, record=entry.record, reason=Reason.DUPLICATE_SUSPECTED)
        if entry.state is PostingState.POSTED:
            return Posted(state=entry.state, message="Posted before.", record=entry.record)
        if entry.state is not PostingState.INTENT:
            return self._verify(job, entry) or self._unknown(entry, "It was armed before and is not found.")
        return self._from_intent(job, entry)

    def _from_intent(self, job: Job, entry: Entry) -> Posted:
        for _ in range(CLICKS):
            clicked = self._click(job, entry)
            if clicked is not None:
                return clicked
            verified = self._verify(job, entry)
            if verified is not None:
                return verified
            entry = Entry.from_json(engine.step("posting.again", partial(self._again, entry)))
        note = f"Clicked {CLICKS} times; the target stored nothing."
        return _ended(entry, PostingState.NOT_POSTED, note, reason=Reason.SYSTEM_DOWN)

    # -- the steps

    def _intend(self, job: Job) -> dict[str, Any]:
        return self._ledger.intend(job.key, self._case, job.payload).to_json()

    def _click(self, job: Job, entry: Entry) -> Posted | None:
        """Search, fill, read back, arm, click: one step, so that nobody clicks by the search of a process that died.

        None when the click may have happened: then only a search tells.
        """
        failure: Failure | None = None
        for _ in range(TRIES_BEFORE_CLICK):
            told = patient_step("posting.click", lambda: self._click_once(job, entry))
            if "found" in told:
                return self._found_before(entry, Hits.from_json(told["found"]))
            if not told["searched"]:
                raise GaveUp(Failure.from_json(told["failed"]))
            if told["clicked"]:
                refused = told["failed"] and Failure.from_json(told["failed"])
                if refused and (told["refused"] or self._says_why(refused)):
                    return self._refused(job, entry, refused)
                return None
            failure = Failure.from_json(told["failed"])
            if not failure.technical:
                break
            engine.sleep(1.0)
        assert failure is not None
        return self._not_clicked(entry, failure.message, failure.reason)

    def _click_once(self, job: Job, entry: Entry) -> dict[str, Any]:
        current = self._ledger.read(entry.id, self._case)
        if current.state is not PostingState.INTENT or current.epoch != entry.epoch:
            # We were here before and died: whether the click happened is not known, so it is not made again.
            return _answer(clicked=True)
        told = self._search("posting.search", job)
        if "failed" in told:
            return _answer(clicked=False, failed=told["failed"]) | {"searched": False}
        found = Hits.from_json(told["ok"])
        if found.items or not found.complete:
            return _answer(clicked=False) | {"found": told["ok"]}
        answer = self._armed_click(job, entry)
        if answer["clicked"]:
            self._clicked[entry.id, entry.epoch] = _clock()
        return answer

    def _armed_click(self, job: Job, entry: Entry) -> dict[str, Any]:
        """What came of filling, arming and clicking; "clicked" is whether a click may have happened."""
        armed: list[bool] = []
        session = self._session()  # once: `arm` runs in its thread, where nobody else may be waited for
        lease = self._sessions.lease(self._system)

        def arm(shown: Mapping[str, str]) -> Permit:
            compare_read_back(job.shown, shown)
            picture = session.snapshot()
            permit = OneClick()
            self._ledger.arm(entry, self._blobs.put(picture) if picture else None, lease)
            armed.append(True)
            return permit

        try:
            session.call(lambda erp: job.click(erp, arm), timeout_s=180)
        except SystemPaused as error:  # nothing was touched
            return _answer(clicked=bool(armed), failed=failure_of(error).to_json())
        except TallymanError as error:
            session.discard()
            return _answer(clicked=bool(armed), failed=failure_of(error).to_json(), refused=isinstance(error, Rejected))
        except Exception as error:  # noqa: BLE001 - whatever a connector does wrong after the click, the click may count
            _log.exception("a connector failed", system=self._system, armed=bool(armed))
            session.discard()
            failure = _DEFECT.model_copy(update={"message": f"{_DEFECT.message} ({type(error).__name__})"})
            return _answer(clicked=bool(armed), failed=failure.to_json())
        return _answer(clicked=bool(armed), failed=None if armed else _NEVER_ARMED.to_json())

    def _verify(self, job: Job, entry: Entry, said: str = "") -> Posted | None:
        """Search until the record is found or its time is over. None: it is proven that nothing was stored.

        said: what the target answered to the click, if it refused it.
        """
        settle_s, delay_s = self._capabilities.settle_s, self._capabilities.max_visibility_delay_s
        waits = [0.0, settle_s]  # at once, after the settle window, and when all must be visible
        if delay_s is not None:
            waits.append(max(delay_s - settle_s, 0.0) + 0.5)
        for wait in waits:
            told = self._looked(job, entry, wait)
            if told is not None:
                return told
        if delay_s is None:
            return self._unknown(entry, f"It was clicked and the record is not found. {said}".strip())
        proof = self._proof(entry, delay_s)
        if proof == _NOT_YET:  # a crash, or a clock that was set: the whole time again, by the clock of this process
            told = self._looked(job, entry, delay_s + 0.5)
            if told is not None:
                return told
            proof = self._proof(entry, delay_s)
        if proof != _PROVEN:
            note = f"The process that clicked is gone, and with it the proof that nothing was stored. {said}"
            return self._unknown(entry, note.strip())
        return None

    def _looked(self, job: Job, entry: Entry, wait: float) -> Posted | None:
        """Search after so many seconds. None: not found."""
        engine.sleep(wait)
        try:
            told = patient_step("posting.verify", lambda: self._search("posting.verify", job))
            found = Hits.from_json(unwrap(told))
        except GaveUp as error:
            return self._unknown(entry, f"It was clicked, and the target can't be searched now: {error}")
        if len(found.items) > 1:
            return self._unknown(entry, f"The target shows {len(found.items)} records: {_list(found)}")
        if found.items:
            hit = found.items[0]
            if hit.difference:
                return self._unknown(entry, f"The target stored other values: {hit.difference}", record=hit.record)
            return _ended(entry, PostingState.POSTED, "Posted and read back.", record=hit.record)
        if not found.complete:
            return self._unknown(entry, f"It was clicked; the search could not see everything ({found.scope}).")
        return None

    def _search(self, name: str, job: Job) -> dict[str, Any]:
        self._searched_at = _clock()
        return attempt(name, lambda: self._session().call(job.search).to_json())

    def _proof(self, entry: Entry, delay_s: float) -> str:
        """Whether the last search came so long after the last moment of a click that it must have shown the record.

        The engine remembers when to wake up by the clock of the wall, which another machine has set otherwise. So only
        the clock of one process proves anything: of the one that clicked, or, where no other worker can be, of one that
        began when the one that clicked was dead.
        """

        def prove() -> str:
            since = self._clicked.get((entry.id, entry.epoch), None if self._sessions.shared else self._began)
            if since is None:
                return _NEVER
            return _PROVEN if self._searched_at - since >= delay_s else _NOT_YET

        return str(engine.step("posting.proof", prove))

    def _says_why(self, failure: Failure) -> bool:
        """A page that we don't know came in place of the answer: another click would meet it again.

        Whether the record is there must be found out in time; else its outcome is unknown, as after any click.
        """
        return not failure.technical and self._capabilities.max_visibility_delay_s is not None

    def _refused(self, job: Job, entry: Entry, refused: Failure) -> Posted:
        """The target says that it stored nothing; it is believed only when a search agrees."""
        verified = self._verify(job, entry, f"The target said: {refused.message}")
        if verified is not None:
            return verified
        return _ended(entry, PostingState.NOT_POSTED, refused.message, reason=refused.reason)

    def _found_before(self, entry: Entry, found: Hits) -> Posted:
        if not found.items:
            note = f"The search could not see everything ({found.scope}), so nothing was posted."
            return self._not_clicked(entry, note, Reason.PAGE_CHANGED)
        if len(found.items) == 1 and not found.items[0].difference:
            note = "An equal record was there already; nothing was keyed."
            return _ended(entry, PostingState.POSTED, note, record=found.items[0].record)
        note = f"The target holds this number with other values: {_list(found)}"
        return self._not_clicked(entry, note, Reason.DUPLICATE_SUSPECTED)

    def _not_clicked(self, entry: Entry, note: str, reason: Reason) -> Posted:
        return _ended(entry, PostingState.NOT_POSTED, note, reason=reason, after_click=False)

    def _again(self, entry: Entry) -> dict[str, Any]:
        self._session().discard()  # the old browser is dead before a new click is allowed
        return self._ledger.back_to_intent(entry).to_json()

    def _unknown(self, entry: Entry, note: str, *, record: str = "") -> Posted:
        return _ended(entry, PostingState.UNKNOWN, note, record=record, reason=Reason.OUTCOME_UNKNOWN)

    def _session(self) -> SessionThread:
        return self._sessions.of(self._system, attended=self._case.attended)


_DEFECT = Failure(
    reason=Reason.PAGE_CHANGED,
    message="The system's connector failed.",
    advice="The details are in tallyman.log.",
    technical=False,
)
_NEVER_ARMED = Failure(
    reason=Reason.PAGE_CHANGED,
    message="The system's form was never ready to post.",
    advice="Its connector returned without asking for the right to click.",
    technical=False,
)


def _ended(
    entry: Entry,
    state: PostingState,
    note: str,
    *,
    record: str = "",
    reason: Reason | None = None,
    after_click: bool = True,
) -> Posted:
    return Posted(state=state, message=note, record=record, reason=reason, entry=entry, after_click=after_click)


def _answer(*, clicked: bool, failed: dict[str, Any] | None = None, refused: bool = False) -> dict[str, Any]:
    """What the step of the click remembers. clicked: whether it may have happened."""
    return {"clicked": clicked, "failed": failed, "refused": refused, "searched": True}


def _list(found: Hits) -> str:
    return "; ".join(f"{hit.record or 'a record'} {hit.difference or 'equal'}" for hit in found.items)
