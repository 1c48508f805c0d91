"""Turns what sources offer into blobs and cases, each file once; the documents in an e-mail or a ZIP file each too."""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from tallyman.browser.session import SessionThread
from tallyman.contracts.bot import RunInputs
from tallyman.contracts.system import DocumentSource, Offer
from tallyman.domain.case import Case
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import BusinessError, SystemPaused, TallymanError
from tallyman.platform.crashpoints import crash_point
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import Failure, attempt
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import pause_s_of
from tallyman.runtime.taking_in import begin_case, part_offer
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
        """Keys of documents that could not be fetched or opened in this run: they are tried again after all others."""

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
                sha256 = self._desk.blobs.put(session.call(partial(_fetch, offer)))
                documents, left_out = self._documents(offer, sha256)
            except SystemPaused as error:  # those that were not tried yet are worth a wait
                raise failed if failed and offer.key in self._bad else error from None
            except TallymanError as error:  # one bad document must not keep back those behind it
                failed = error
                told["offered"] += offer.key not in self._bad
                self._bad.add(offer.key)
                continue
            taken, repeated = self._take(source, offer, sha256, documents, left_out, attended)
            told["offered"] += taken + repeated - (offer.key in self._bad)
            told["taken"] += taken
            told["repeated"] += repeated
            room -= taken
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

    def _take(
        self,
        source: str,
        offer: Offer,
        sha256: str,
        documents: list[tuple[Offer, str]],
        left_out: str,
        attended: bool,
    ) -> tuple[int, int]:
        """A case for the offer, or one for each document in it, all in one transaction: (new ones, known ones).

        documents, left_out: what `_documents` tells of the offer's file.
        """
        crash_point("intake.stored")
        with self._desk.database.transaction() as connection:
            made = [self._make_case(connection, source, one, file, attended) for one, file in documents]
            if documents[0][0] is not offer:
                name = f"{offer.name} ({len(documents)} documents{left_out})"
                first = documents[0][1]
                cases.note_container(
                    connection, bot=self._bot, source=source, key=offer.key, name=name, sha256=sha256, first=first
                )
        crash_point("intake.taken")
        new = [case for case in made if case is not None]
        for case in new:  # it is read, and the system it will be looked up in is opened, while others are fetched
            self._desk.readings.ahead(case.sha256)
        erp = self._desk.bot(self._bot).erp
        if new and self._desk.sessions.holds(erp):  # else the cases are another worker's, who has an account
            self._desk.sessions.of(erp, attended=attended).open_soon()
        return len(new), len(made) - len(new)

    def _documents(self, offer: Offer, sha256: str) -> tuple[list[tuple[Offer, str]], str]:
        """The offer with the hash of its file; or the documents in it, stored, and what was left out of it, in words.

        A container in which nothing can be read, or that can't be opened, stays one document: a person sees it.
        """
        try:
            parts = self._desk.registry.page_reader.parts(self._desk.blobs.path(sha256))
        except BusinessError:  # its case is read like any other, and tells the reason
            parts = ()
        kept = [part for part in parts if not part.left_out]
        if not any(part.media_type for part in kept):
            return [(offer, sha256)], ""
        left_out = [f"{part.name} ({part.left_out})".strip() for part in parts if part.left_out]
        told = f"; {len(left_out)} left out: {', '.join(left_out)}" if left_out else ""
        return [
            (part_offer(offer, number, part.name), self._desk.blobs.put(part.content))
            for number, part in enumerate(kept, start=1)
        ], told

    def _make_case(self, connection: Connection, source: str, offer: Offer, sha256: str, attended: bool) -> Case | None:
        bot, run = self._bot, self._run
        return begin_case(connection, self._client, offer, sha256, bot=bot, source=source, run=run, attended=attended)

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
