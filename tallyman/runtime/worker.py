"""A process that works: engine, scheduler and upkeep, in a place of its own among the workers."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, RowMapping, select

from tallyman.domain.case import CaseState
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import PlaceLost
from tallyman.platform import scratch
from tallyman.platform.clock import now
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.desk import Desk
from tallyman.runtime.leases import Leases
from tallyman.runtime.ledger import is_unknown
from tallyman.runtime.places import HomePlace, Place, SharedPlace
from tallyman.runtime.procedures import Procedures
from tallyman.runtime.reconcile import start_due
from tallyman.runtime.requests import wake
from tallyman.runtime.schedule import Scheduler
from tallyman.store import reservations, reviews
from tallyman.store.cases import end_run, move
from tallyman.store.tables import cases, runs, waiting

AT_HAND = 4
"""So many cases a worker takes from a queue beyond those that it works on; see runtime.turns."""
UPKEEP_EVERY_S = 1.0
SWEEP_EVERY_S = 30.0
STARTS_WITHIN_S = 300.0
"""What has not started after this long gets a review item: nothing waits unseen."""
LEFT_ALONE_S = 10.0
"""An open case that no workflow has worked for and that has not changed for so long is begun again."""

TIMES_AGAIN = 5
CUT_OFF = 70
"""The exit code of a worker that has lost its place."""
CUT_OFF_WITHIN_S = 5.0
"""It ends then, whatever its browsers do; their watchdogs end them when it is gone."""

_log = get_logger(__name__)


class Worker:
    """Runs procedures until `stop`. Call inside `place_of_worker`."""

    def __init__(self, desk: Desk, place: Place | None = None, *, schedules: bool = True) -> None:
        self._desk = desk
        self._place: Place = place or HomePlace()
        self.client = desk.client()
        self._engine = engine.Engine(desk.database.url, self._place.name)
        Procedures(desk, self.client).register(self._engine)
        self._scheduler = Scheduler(desk, self.client) if schedules else None
        self._erps = {bot: settings.erp for bot, settings in desk.bots().items()}
        if isinstance(self._place, SharedPlace):
            self._place.on_loss = self._cut_off
        self._stopping = threading.Event()
        self._upkeep = threading.Thread(target=self._keep_up, name="upkeep", daemon=True)
        self._watch = threading.Thread(target=self._watch_on, name="watch", daemon=True)

    def start(self) -> None:
        """Take up what was left by a worker that died, then take new work."""
        scratch.sweep()
        for folder in (self._desk.home.blobs, self._desk.home.readings, self._desk.home.renders):
            scratch.sweep_parts(folder)
        self._desk.sessions.work_under(Leases(self._desk.database, self._place))
        queues = {engine.case_queue(bot): settings.concurrency + AT_HAND for bot, settings in self._desk.bots().items()}
        fetching = {engine.intake_queue(bot): 1 for bot in self._erps}
        self._watch.start()
        self._engine.launch(queues | fetching, [*fetching, *self._case_queues()])
        self._begin_anew_what_older_versions_left()
        if self._scheduler is not None:
            self._scheduler.start()
        self._upkeep.start()
        _log.info("worker started", pid=os.getpid(), place=self._place.name)

    def stop(self) -> None:
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.stop()
        self._engine.stop()
        self._desk.sessions.close()  # before the place is given back: no browser of ours outlives the right to work
        self.client.close()
        self._upkeep.join(10)
        self._watch.join(10)

    def _case_queues(self) -> list[str]:
        """The queues of the bots whose ERP this worker holds an account of; it takes cases of these alone."""
        return [engine.case_queue(bot) for bot, erp in self._erps.items() if self._desk.sessions.keep(erp)]

    # -- the watch on our place, in a thread that does nothing else

    def _watch_on(self) -> None:
        while not self._stopping.wait(UPKEEP_EVERY_S):
            with suppress(PlaceLost):  # told to `_cut_off` already
                self._place.check()

    def _cut_off(self) -> None:
        """Another worker may begin our cases again: nothing of this process may reach a target any more."""
        threading.Timer(CUT_OFF_WITHIN_S, os._exit, [CUT_OFF]).start()
        try:
            _log.critical("cut off from the database; this worker ends", place=self._place.name)
            self._desk.sessions.kill()
        finally:
            os._exit(CUT_OFF)

    # -- upkeep

    def _keep_up(self) -> None:
        swept = time.monotonic()
        while not self._stopping.wait(UPKEEP_EVERY_S):
            try:
                self.upkeep()
                if time.monotonic() - swept > SWEEP_EVERY_S:
                    swept = time.monotonic()
                    self.sweep()
            except Exception:  # noqa: BLE001 - the next one tries again; a worker never dies of its broom
                _log.exception("upkeep failed")

    def upkeep(self) -> None:
        """Among several workers: take accounts that are free, and take over what the dead had at work."""
        if self._place.alone:
            return
        self._engine.listen(self._case_queues())
        for place in self.client.places() - {self._place.name}:
            with self._place.dead(place) as dead:  # nobody steps into it while its work is taken over
                if dead:
                    _log.warning("a worker has died; its work is taken over", place=place)
                    self._engine.take_over(place)

    def sweep(self) -> None:
        """Begin again what nobody works for any more, and tell a person of what does not start."""
        if self._scheduler is not None:
            start_due(self._desk, self.client)
        self._begin_anew_what_older_versions_left()
        with self._desk.database.transaction() as connection:
            for row in reservations.forgotten(connection):
                wake(connection, self.client, row)
        for row in self._left_alone(now() - timedelta(seconds=LEFT_ALONE_S)):
            self._guarded(row["id"], partial(self._begin_again, row))
        for workflow_id, name, arguments in self.client.failed(now() - timedelta(days=2)):
            if name == engine.TAKE_IN and arguments:
                self._end_run(str(arguments[1]))
            elif name == engine.RECONCILE and arguments:
                told = f"The comparison with the books of {arguments[0]} failed; see tallyman.log."
                self._tell(f"{workflow_id}/failed", Reason.SYSTEM_DOWN, told)
        self._tell_what_is_late()

    def _tell_what_is_late(self) -> None:
        """One item for each queue that stands still, with how much waits there."""
        late = now().timestamp() * 1000 - STARTS_WITHIN_S * 1000
        oldest: dict[str, tuple[int, str]] = {}
        counted: Counter[str] = Counter()
        for workflow_id, queue, created_at in self.client.waiting():
            if created_at < late:
                counted[queue] += 1
                oldest[queue] = min(oldest.get(queue, (created_at, workflow_id)), (created_at, workflow_id))
        for queue, (_, workflow_id) in oldest.items():
            if not self.client.busy(queue):
                told = f"{workflow_id} has waited on {queue} for more than {STARTS_WITHIN_S / 60:.0f} minutes"
                more = f", and {counted[queue] - 1} behind it." if counted[queue] > 1 else "."
                self._tell(f"late:{workflow_id}", Reason.SCHEDULE_MISSED, told + more)

    def _tell(self, origin: str, reason: Reason, message: str) -> None:
        with self._desk.database.transaction() as connection:
            reviews.open_item(connection, None, origin, [Finding(reason=reason, message=message)])

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """One that can't be begun must not keep back the others."""
        try:
            work()
        except Exception:  # noqa: BLE001 - whatever it is, it is told in the log, and tried again by the next sweep
            _log.exception("could not be begun again", what=what)

    def _left_alone(self, since: datetime) -> list[RowMapping]:
        """Open cases without a workflow: it ended by an error of the machine (a full disk, say), or was given up."""
        named = select(cases.c.id, cases.c.bot, cases.c.seq, cases.c.updated_at)
        with self._desk.database.transaction() as connection:
            found = connection.execute(
                named.where(
                    cases.c.state == CaseState.OPEN,
                    cases.c.updated_at < since,
                    cases.c.id.not_in(select(waiting.c.case_id)),
                ).order_by(cases.c.seq)
            )
            rows = list(found.mappings())
        in_work = self.client.in_work() if rows else set()
        return [row for row in rows if row["id"] not in in_work]

    def _begin_again(self, row: RowMapping) -> None:
        """All that a run does is safe to do again."""
        prefix = f"again:{row['id']}:"
        with self._desk.database.transaction() as connection:
            unchanged = select(cases.c.id).where(
                cases.c.id == row["id"], cases.c.state == CaseState.OPEN, cases.c.updated_at == row["updated_at"]
            )
            if connection.execute(unchanged).first() is None:
                return  # another worker was faster, or a person
            times, told = self.client.times(prefix), ""
            if row["bot"] not in self._erps:
                told = f"There is no bot {row['bot']!r} any more that could work on this case."
            elif times >= TIMES_AGAIN:
                told = f"The machine failed on this case {TIMES_AGAIN} times; see `tallyman doctor`."
            if told:
                clicked = is_unknown(connection, row["id"])
                finding = Finding(reason=Reason.OUTCOME_UNKNOWN if clicked else Reason.SYSTEM_DOWN, message=told)
                reviews.open_item(connection, row["id"], f"{prefix}{times}", [finding])
                move(connection, row["id"], CaseState.UNKNOWN if clicked else CaseState.IN_REVIEW, told)
                return
            connection.execute(cases.update().where(cases.c.id == row["id"]).values(updated_at=now()))
            queue = engine.case_queue(row["bot"])
            self.client.enqueue(connection, engine.PROCESS, queue, f"{prefix}{times}", row["id"], place=row["seq"])

    def _begin_anew_what_older_versions_left(self) -> None:
        """Procedures of another version can't be carried on in mid-work; they begin anew with ours, which is safe."""
        for left in self.client.of_older_versions():
            self._guarded(left.id, partial(self._begin_anew, left))

    def _is_ended(self, connection: Connection, left: engine.Left) -> bool:
        """A case that has ended begins anew by a person's decision alone, though its workflow died before it knew."""
        if left.workflow != engine.PROCESS:
            return False
        state = connection.execute(select(cases.c.state).where(cases.c.id == str(left.arguments[0]))).scalar()
        return state != CaseState.OPEN

    def _begin_anew(self, left: engine.Left) -> None:
        """What a worker of that version is at work on is left to it, as long as it is alive."""
        mine = not left.place or left.place == self._place.name
        with nullcontext(True) if mine else self._place.dead(left.place) as free:
            if not free:
                return
            with self._desk.database.transaction() as connection:
                if self.client.take_back(connection, left) and not self._is_ended(connection, left):
                    anew = f"{left.id}:v{engine.APPLICATION_VERSION}"
                    self.client.enqueue(connection, left.workflow, left.queue, anew, *left.arguments, place=left.turn)
                    _log.info("begun anew by this version", workflow=left.id)

    def _end_run(self, run: str) -> None:
        """A run that ended by an exception (a full disk, say) is told, and nobody waits for it any longer."""
        message = "The machine failed while the run fetched documents; the next run fetches what is missing."
        with self._desk.database.transaction() as connection:
            row = connection.execute(select(runs.c.ended_at).where(runs.c.id == run)).first()
            if row is not None and row.ended_at is None:
                reviews.open_item(
                    connection, None, f"{run}/failed", [Finding(reason=Reason.SYSTEM_DOWN, message=message)]
                )
                end_run(connection, run, offered=0, taken=0, repeated=0, problems=[message])
