"""The one process that works: engine, scheduler and sweep, behind a file lock."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from tallyman.domain.case import CaseState
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import WorkerRunning
from tallyman.platform.clock import now
from tallyman.platform.log import get_logger
from tallyman.runtime import engine
from tallyman.runtime.desk import Desk
from tallyman.runtime.procedures import Procedures
from tallyman.runtime.schedule import Scheduler
from tallyman.store import reviews
from tallyman.store.cases import end_run, move
from tallyman.store.tables import cases, runs

SWEEP_EVERY_S = 30.0
STARTS_WITHIN_S = 300.0
"""What has not started after this long gets a review item: nothing waits unseen."""

TIMES_AGAIN = 5
_AGAIN = ":again"

_log = get_logger(__name__)


@contextmanager
def worker_lock(desk: Desk) -> Iterator[None]:
    """Hold the home's worker lock. Raises WorkerRunning. The kernel frees it when the process dies, however it dies."""
    with desk.home.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkerRunning() from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_running(desk: Desk) -> bool:
    """Whether a worker holds the lock now."""
    try:
        with worker_lock(desk):
            return False
    except WorkerRunning:
        return True


class Worker:
    """Runs procedures until `stop`. Call inside `worker_lock`."""

    def __init__(self, desk: Desk, *, schedules: bool = True) -> None:
        self._desk = desk
        self.client = desk.client()
        self._engine = engine.Engine(desk.database.url)
        Procedures(desk, self.client).register(self._engine)
        self._scheduler = Scheduler(desk, self.client) if schedules else None
        self._stopping = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_on, name="sweep", daemon=True)

    def start(self) -> None:
        """Take up what was left by a worker that died, then take new work."""
        queues = {engine.case_queue(bot): settings.concurrency for bot, settings in self._desk.bots().items()}
        self._engine.launch({engine.TAKE_IN_QUEUE: 1, **queues})
        if self._scheduler is not None:
            self._scheduler.start()
        self._sweeper.start()
        _log.info("worker started", pid=os.getpid())

    def stop(self) -> None:
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.stop()
        self._engine.stop()
        self._desk.sessions.close()  # before the lock is given back: no browser of ours outlives the right to work
        self.client.close()
        self._sweeper.join(10)

    def _sweep_on(self) -> None:
        while not self._stopping.wait(SWEEP_EVERY_S):
            try:
                self.sweep()
            except Exception:  # noqa: BLE001 - the next sweep tries again; a worker never dies of its broom
                _log.exception("sweep failed")

    def sweep(self) -> None:
        """Start again what ended by an error of the machine, and tell a person of what does not start."""
        in_work = self.client.in_work()
        for workflow_id, name, arguments in self.client.failed():
            if name == engine.PROCESS and arguments and str(arguments[0]) not in in_work:
                self._take_up_again(workflow_id, str(arguments[0]))
            elif name == engine.TAKE_IN and arguments:
                self._end_run(str(arguments[1]))
        late = now().timestamp() * 1000 - STARTS_WITHIN_S * 1000
        for workflow_id, queue, created_at in self.client.waiting():
            if created_at < late and not self.client.busy(queue):
                message = f"{workflow_id} has waited on {queue} for more than {STARTS_WITHIN_S / 60:.0f} minutes."
                finding = Finding(reason=Reason.SCHEDULE_MISSED, message=message)
                with self._desk.database.transaction() as connection:
                    reviews.open_item(connection, None, f"late:{workflow_id}", [finding])

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

    def _take_up_again(self, workflow_id: str, case_id: str) -> None:
        """A run that ended by an exception (a full disk, say) is started anew: all it does is safe to do again."""
        again = f"{workflow_id}{_AGAIN}"
        with self._desk.database.transaction() as connection:
            row = connection.execute(select(cases).where(cases.c.id == case_id)).mappings().first()
            if row is None or row["state"] != CaseState.OPEN:
                return
            if again.count(_AGAIN) > TIMES_AGAIN:
                message = f"The machine failed on this case {TIMES_AGAIN} times; see `tallyman doctor`."
                reviews.open_item(connection, case_id, again, [Finding(reason=Reason.SYSTEM_DOWN, message=message)])
                move(connection, case_id, CaseState.IN_REVIEW, message)
            else:
                self.client.enqueue(connection, engine.PROCESS, engine.case_queue(row["bot"]), again, case_id)
