"""Turns what sources offer into blobs and cases, each file once."""

from functools import partial
from typing import Any

from tallyman.browser.session import SessionThread
from tallyman.contracts.bot import RunInputs
from tallyman.contracts.system import DocumentSource, Offer
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import SystemPaused, TallymanError
from tallyman.platform.crashpoints import crash_point
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import Failure, attempt
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import pause_s_of
from tallyman.store import cases, reviews

ROOM_WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Between looks whether there is room for further documents."""

_log = get_logger(__name__)


class Intake:
    """One run of one bot: asks each source, stores what is new and starts a case for it."""

    def __init__(self, desk: Desk, client: engine.EngineClient, bot: str, run: str) -> None:
        self._desk = desk
        self._client = client
        self._bot = bot
        self._run = run
        self._bad: set[str] = set()
        """Keys of documents that could not be fetched in this run: they are tried again after all others."""

    def work(self, inputs: RunInputs, *, attended: bool) -> dict[str, Any]:
        """All sources of the bot. A source that fails is told in a review item; the others are asked all the same."""
        totals = {"offered": 0, "taken": 0, "repeated": 0}
        problems: list[str] = []
        for source in inputs.source or self._desk.bot(self._bot).sources:
            failure = self._source(source, attended, totals, problems)
            if failure is not None:
                problems.append(f"{source}: {failure.message} {failure.advice}")
                engine.step(f"tell:{source}", partial(self._tell, source, failure))
        engine.step("end_run", lambda: self._end(totals, problems))
        return {**totals, "problems": problems}

    def fail(self, message: str) -> dict[str, Any]:
        """End the run with a review item for what nobody foresaw."""
        failure = Failure(reason=Reason.SYSTEM_DOWN, message=message, advice="See tallyman.log.", technical=True)
        engine.step("tell:run", partial(self._tell, "the sources", failure))
        totals = {"offered": 0, "taken": 0, "repeated": 0}
        engine.step("end_failed_run", partial(self._end, totals, [message]))
        return {**totals, "problems": [message]}

    def _source(self, source: str, attended: bool, totals: dict[str, int], problems: list[str]) -> Failure | None:
        """All that a source offers, in portions: what is too much at a time stays there until there is room for it."""
        listed = False
        while True:
            told = engine.step(f"take_in:{source}", partial(self._portion, source, attended, listed))
            listed = listed or told["listed"]
            for name in totals:
                totals[name] += told[name]
            if pause_s := pause_s_of(told):
                engine.sleep(pause_s)
                continue
            if not told["left"]:
                return Failure.from_json(told["failed"]) if "failed" in told else None
            self._wait_for_room(source, told["left"], problems)

    def _portion(self, source: str, attended: bool, listed: bool) -> dict[str, Any]:
        """One step: it may be repeated after a crash, since each file that was taken in is known by its key.

        listed: an earlier portion of this run has counted what was known before.
        """
        told: dict[str, Any] = {"offered": 0, "taken": 0, "repeated": 0, "left": 0, "listed": listed}
        ended = attempt(f"take_in:{source}", lambda: self._take_what_fits(source, attended, told))
        return {**ended, **told}

    def _take_what_fits(self, source: str, attended: bool, told: dict[str, Any]) -> None:
        with self._desk.sessions.borrowed(source, attended=attended) as session:
            self._take_from(session, source, attended, told)

    def _take_from(self, session: SessionThread, source: str, attended: bool, told: dict[str, Any]) -> None:
        offers: list[Offer] = session.call(_list)
        with self._desk.database.transaction() as connection:
            known = cases.taken_keys(connection, self._bot, source)
        new = {offer.key: offer for offer in offers if offer.key not in known}
        if not told["listed"]:
            told |= {"listed": True, "offered": len(offers) - len(new)}
        room, told["left"] = self._room(), 0
        failed: TallymanError | None = None
        for place, offer in enumerate(sorted(new.values(), key=lambda offer: offer.key in self._bad)):
            room = room if room > 0 else self._room()
            if room <= 0:
                told["left"] = len(new) - place
                break
            try:
                content = session.call(partial(_fetch, offer))
            except SystemPaused as error:  # those that were not tried yet are worth a wait
                raise failed if failed and offer.key in self._bad else error from None
            except TallymanError as error:  # one bad document must not keep back those behind it
                failed = error
                told["offered"] += offer.key not in self._bad
                self._bad.add(offer.key)
                continue
            ended = self._take(source, offer, content, attended)
            told["offered"] += offer.key not in self._bad
            told[ended] += 1
            room -= ended == "taken"
        if failed is not None:
            raise failed

    def _room(self) -> int:
        """How many more cases of this bot may be open."""
        with self._desk.database.transaction() as connection:
            return self._desk.bot(self._bot).most_waiting - cases.count_open(connection, self._bot)

    def _wait_for_room(self, source: str, left: int, problems: list[str]) -> None:
        """Until fewer than half as many cases are open as may be: so it comes and goes seldom."""
        most = self._desk.bot(self._bot).most_waiting
        told = f"{left} more documents wait at {source}, since {most} cases of this bot are open; it goes on at half."
        engine.step("full", partial(self._note, [*problems, told]))
        waits = iter(ROOM_WAITS_S)
        while not engine.step("room", lambda: 2 * self._room() > most):
            engine.sleep(next(waits, ROOM_WAITS_S[-1]))
        engine.step("room_again", partial(self._note, problems))

    def _take(self, source: str, offer: Offer, content: bytes, attended: bool) -> str:
        sha256 = self._desk.blobs.put(content)
        crash_point("intake.stored")
        with self._desk.database.transaction() as connection:
            case = cases.take_in(
                connection,
                bot=self._bot,
                source=source,
                key=offer.key,
                name=offer.name,
                sha256=sha256,
                run=self._run,
                attended=attended,
            )
            if case is not None:
                queue = engine.case_queue(self._bot)
                place = cases.place(connection, case.id)  # as they came; what a person has decided goes before them
                self._client.enqueue(connection, engine.PROCESS, queue, f"case:{case.id}", case.id, place=place)
        crash_point("intake.taken")
        if case is not None:  # it is read, and the system it will be looked up in is opened, while others are fetched
            self._desk.readings.ahead(sha256)
            erp = self._desk.bot(self._bot).erp
            if self._desk.sessions.holds(erp):  # else the cases are another worker's, who has an account
                self._desk.sessions.of(erp, attended=attended).open_soon()
        return "taken" if case is not None else "repeated"

    def _tell(self, source: str, failure: Failure) -> int:
        message = f"Not everything could be fetched from {source}: {failure.message} {failure.advice}"
        finding = Finding(reason=failure.reason, message=message)
        _log.warning("source failed", source=source, reason=failure.reason)
        with self._desk.database.transaction() as connection:
            return reviews.open_item(connection, None, f"{self._run}/{source}", [finding])

    def _note(self, problems: list[str]) -> bool:
        if problems:
            _log.info("run waits", run=self._run, problems=problems)
        with self._desk.database.transaction() as connection:
            cases.note_problems(connection, self._run, problems)
        return True

    def _end(self, totals: dict[str, int], problems: list[str]) -> bool:
        with self._desk.database.transaction() as connection:
            cases.end_run(connection, self._run, **totals, problems=problems)
        return True


def _list(session: Any) -> list[Offer]:
    return list(_source_of(session).list_documents())


def _fetch(offer: Offer, session: Any) -> bytes:
    return _source_of(session).fetch(offer)


def _source_of(session: Any) -> DocumentSource:
    if not isinstance(session, DocumentSource):
        raise TypeError("a source lists and fetches documents")
    return session
