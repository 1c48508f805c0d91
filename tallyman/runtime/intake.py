"""Turns what sources offer into blobs and cases, each file once."""

from functools import partial
from typing import Any

from tallyman.contracts.bot import RunInputs
from tallyman.contracts.system import DocumentSource, Offer
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import TallymanError
from tallyman.platform.crashpoints import crash_point
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.attempts import Failure, attempt
from tallyman.runtime.desk import Desk
from tallyman.store import cases, reviews

_log = get_logger(__name__)


class Intake:
    """One run of one bot: asks each source, stores what is new and starts a case for it."""

    def __init__(self, desk: Desk, client: engine.EngineClient, bot: str, run: str) -> None:
        self._desk = desk
        self._client = client
        self._bot = bot
        self._run = run

    def work(self, inputs: RunInputs, *, attended: bool) -> dict[str, Any]:
        """All sources of the bot. A source that fails is told in a review item; the others are asked all the same."""
        totals = {"offered": 0, "taken": 0, "repeated": 0}
        problems: list[str] = []
        for source in inputs.source or self._desk.bot(self._bot).sources:
            told = engine.step(f"take_in:{source}", partial(self._source, source, attended))
            if "failed" in told:
                failure = Failure.from_json(told["failed"])
                problems.append(f"{source}: {failure.message} {failure.advice}")
                engine.step(f"tell:{source}", partial(self._tell, source, failure))
            else:
                for name in totals:
                    totals[name] += told["ok"][name]
        engine.step("end_run", lambda: self._end(totals, problems))
        return {**totals, "problems": problems}

    def fail(self, message: str) -> dict[str, Any]:
        """End the run with a review item for what nobody foresaw."""
        failure = Failure(reason=Reason.SYSTEM_DOWN, message=message, advice="See tallyman.log.", technical=True)
        engine.step("tell:run", partial(self._tell, "the sources", failure))
        totals = {"offered": 0, "taken": 0, "repeated": 0}
        engine.step("end_failed_run", partial(self._end, totals, [message]))
        return {**totals, "problems": [message]}

    def _source(self, source: str, attended: bool) -> dict[str, Any]:
        """One step: it may be repeated after a crash, since each file that was taken in is known by its key."""
        counts = {"offered": 0, "taken": 0, "repeated": 0}

        def take_all() -> dict[str, int]:
            session = self._desk.sessions.of(source, attended=attended)
            offers: list[Offer] = session.call(_list)
            with self._desk.database.transaction() as connection:
                known = cases.taken_keys(connection, self._bot, source)
            counts["offered"] = len(offers)
            failed: TallymanError | None = None
            for offer in {offer.key: offer for offer in offers if offer.key not in known}.values():
                try:
                    content = session.call(partial(_fetch, offer))
                except TallymanError as error:  # one bad document must not keep back those behind it
                    failed = error
                    continue
                counts[self._take(source, offer, content, attended)] += 1
            if failed is not None:
                raise failed
            return counts

        return attempt(f"take_in:{source}", take_all)

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
                place = cases.count(connection, self._bot)  # as they came; what a person has decided goes before them
                self._client.enqueue(connection, engine.PROCESS, queue, f"case:{case.id}", case.id, place=place)
        crash_point("intake.taken")
        if case is not None:  # it is read, and the system it will be looked up in is opened, while others are fetched
            self._desk.readings.ahead(sha256)
            self._desk.sessions.of(self._desk.bot(self._bot).erp, attended=attended).open_soon()
        return "taken" if case is not None else "repeated"

    def _tell(self, source: str, failure: Failure) -> int:
        message = f"Not everything could be fetched from {source}: {failure.message} {failure.advice}"
        finding = Finding(reason=failure.reason, message=message)
        _log.warning("source failed", source=source, reason=failure.reason)
        with self._desk.database.transaction() as connection:
            return reviews.open_item(connection, None, f"{self._run}/{source}", [finding])

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
