"""The durable engine: about ten calls of DBOS, and the only module that imports it.

Two kinds of processes use it: one worker (`Engine.launch`) runs workflows, any number of clients (`EngineClient`)
enqueue them, inside their own database transaction. What DBOS accepts without a word and then never runs (an unknown
queue, an unknown workflow) is refused here.
"""

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    run_dbos_database_migrations,
)
from sqlalchemy import Connection, column, table

from tallyman.errors import TallymanError
from tallyman.platform.crashpoints import crash_point
from tallyman.store.database import ALIVE

APPLICATION_VERSION = "5"
"""Raised when a change to a procedure can't carry on with cases in flight; DBOS's own default would change with every
edit and strand them."""

TAKE_IN = "take_in"
PROCESS = "process"
RECONCILE = "reconcile"
_WORKFLOWS = {TAKE_IN, PROCESS, RECONCILE}

_CASES = "cases."
_POLL_CASES_S = 0.25
_POLL_INTAKE_S = 1.0
"""A case is waited for by the one before; a fetch, by a schedule, and every poll of its queue takes time from cases."""


def intake_queue(bot: str) -> str:
    return f"take_in.{bot}"


def case_queue(bot: str) -> str:
    return f"{_CASES}{bot}"


def prepare(database_url: str) -> None:
    """Make or upgrade the engine's own tables."""
    run_dbos_database_migrations(_plain(database_url))


_QUICK = {"tcp_user_timeout": 5000, "options": "-c synchronous_commit=off"}
"""The engine's own notes need not be on the disk at once. Where PostgreSQL itself crashes, a moment's steps are done
again, which all of them may be; what is enqueued, and the ledger, go through our connections and are on the disk."""
_SWITCH_S = 0.0005
"""A worker's threads wait for databases most of the time. With Python's 5 ms each answer waits so long for a thread
that calculates: measured, a step costs 6 ms so and 3.5 ms with half a millisecond."""
_UNFINISHED = ["ENQUEUED", "PENDING"]


@dataclass(frozen=True, kw_only=True)
class Left:
    """A workflow that has not ended. `place` is the worker's that it is at work in; empty while it is enqueued.

    turn: the `place` with which it was enqueued.
    """

    id: str
    workflow: str
    queue: str
    arguments: list[Any]
    place: str
    turn: int


class EngineClient:
    """Enqueues workflows and looks at them. Works without a worker: what is enqueued waits."""

    def __init__(self, database_url: str, bots: tuple[str, ...]) -> None:
        self._queues = {queue(bot) for bot in bots for queue in (intake_queue, case_queue)}
        self._client = DBOSClient(system_database_url=_plain(database_url), serializer=DBOSPortableJSONSerializer())

    def enqueue(
        self, connection: Connection, workflow: str, queue: str, workflow_id: str, *args: Any, place: int = 0
    ) -> None:
        """Start a workflow when the caller's transaction commits. The id makes it once only, for ever.

        place: lower ones start first. Without it only the second of the enqueuing tells (on SQLite), and what was
        enqueued within one second, or is taken up after a crash, would start in any order.
        """
        if workflow not in _WORKFLOWS or queue not in self._queues:
            raise TallymanError(f"{workflow} on {queue} would never start: that name is not known.")
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": queue,
            "workflow_id": workflow_id,
            "app_version": APPLICATION_VERSION,
            "workflow_id_reuse_policy": "return-existing",
        }
        if place:
            options["priority"] = place
        self._client.enqueue_in_transaction(connection, options, *args)

    def waiting(self) -> list[tuple[str, str, int]]:
        """(workflow id, queue, created at in ms) of all that is enqueued and has not started."""
        found = self._client.list_workflows(status="ENQUEUED", load_input=False, load_output=False)
        return [(one.workflow_id, one.queue_name or "", one.created_at or 0) for one in found]

    def busy(self, queue: str) -> bool:
        """Whether something of this queue runs now."""
        return bool(self._client.list_workflows(status="PENDING", queue_name=queue, limit=1, load_output=False))

    def failed(self, since: datetime) -> list[tuple[str, str, list[Any]]]:
        """(workflow id, name, arguments) of what began since then and ended by an exception: by no decision of ours."""
        names = [TAKE_IN, RECONCILE]
        start = since.isoformat()
        found = self._client.list_workflows(status="ERROR", name=names, start_time=start, load_output=False)
        return [(one.workflow_id, one.name, _arguments(one.input)) for one in found]

    def in_work(self) -> set[str]:
        """The ids of the cases that a workflow is enqueued or at work for."""
        found = self._client.list_workflows(status=_UNFINISHED, name=PROCESS, load_output=False)
        return {str(arguments[0]) for one in found if (arguments := _arguments(one.input))}

    def times(self, prefix: str) -> int:
        """How many workflows there are, or were, whose id begins so."""
        return len(self._client.list_workflows(workflow_id_prefix=prefix, load_input=False, load_output=False))

    def places(self) -> set[str]:
        """The names of all workers' places that workflows stand at work in; some may be dead."""
        found = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {one.executor_id for one in found if one.executor_id}

    def of_older_versions(self) -> list[Left]:
        """What is to be carried out by procedures of a version before ours."""
        found = self._client.list_workflows(status=_UNFINISHED, load_output=False)
        return [
            Left(
                id=one.workflow_id,
                workflow=one.name,
                queue=one.queue_name or "",
                arguments=_arguments(one.input),
                place=(one.executor_id or "") if one.status == "PENDING" else "",
                turn=one.priority or 0,
            )
            for one in found
            if (one.app_version or "0").isdigit() and int(one.app_version or "0") < int(APPLICATION_VERSION)
        ]

    def take_back(self, connection: Connection, left: Left) -> bool:
        """With the caller's transaction it is never carried out any more. False when it is as it was no longer.

        One that is at work must be known to stand in a dead place.
        """
        known = table("workflow_status", column("workflow_uuid"), column("status"), column("executor_id"))
        known.schema = "dbos" if connection.dialect.name == "postgresql" else None
        as_it_was = known.c.status == "ENQUEUED"
        if left.place:
            as_it_was = as_it_was | ((known.c.status == "PENDING") & (known.c.executor_id == left.place))
        changed = known.update().where(known.c.workflow_uuid == left.id, as_it_was).values(status="CANCELLED")
        return bool(connection.execute(changed).rowcount)

    def unfinished(self) -> int:
        found = self._client.list_workflows(status=_UNFINISHED, load_input=False, load_output=False)
        return len(found)

    def outcome(self, workflow_id: str) -> tuple[bool, Any] | None:
        """(ended, its answer); the answer is None where it ended by an exception. None: nobody has started it."""
        found = self._client.list_workflows(workflow_ids=[workflow_id], load_input=False)
        return (found[0].status not in _UNFINISHED, found[0].output) if found else None

    def close(self) -> None:
        self._client.destroy()


class Engine:
    """Runs workflows. One for each process; exactly one worker process on SQLite.

    place: the worker's among its peers; one that stands in it after a crash takes up what was left there.
    """

    def __init__(self, database_url: str, place: str) -> None:
        shared = database_url.startswith("postgresql")
        config: DBOSConfig = {
            "name": "tallyman",
            "system_database_url": _plain(database_url),
            "application_version": APPLICATION_VERSION,
            "executor_id": place,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "db_engine_kwargs": {"connect_args": ALIVE | _QUICK, "pool_pre_ping": False} if shared else {},
            "notification_listener_polling_interval_sec": 1.0,
            "scheduler_polling_interval_sec": 3600.0,
        }
        sys.setswitchinterval(_SWITCH_S)
        self._dbos = DBOS(config=config)
        _into_our_log()

    def workflow(self, name: str, function: Callable[..., Any]) -> None:
        """Register a procedure under a stable name. A run that crashed is taken up again as often as needed."""

        def procedure(*args: Any) -> Any:  # DBOS marks the function it is given, which a bound method refuses
            return function(*args)

        DBOS.workflow(name=name, max_recovery_attempts=1000)(procedure)

    def launch(self, queues: dict[str, int], listening: Iterable[str]) -> None:
        """Take up what a dead worker left in our place, and take work from the queues that are `listening`.

        queues: all that there are, with how many of each a worker runs at a time.
        """
        DBOS.listen_queues(list(listening))
        DBOS.launch()
        for name, at_a_time in queues.items():
            every_s = _POLL_CASES_S if name.startswith(_CASES) else _POLL_INTAKE_S
            DBOS.register_queue(name, worker_concurrency=at_a_time, polling_interval_sec=every_s)

    def listen(self, queues: Iterable[str]) -> None:
        """Take work from these queues too, from now on."""
        listening = self._dbos._listening_queues  # read anew each second; `listen_queues` is for before
        assert listening is not None
        listening.extend(queue for queue in queues if queue not in listening)

    def take_over(self, place: str) -> None:
        """Give back to their queues what a worker that is dead had at work in its place."""
        DBOS._recover_pending_workflows([place])  # what `launch` does for the own place

    def stop(self) -> None:
        """Stop after the current steps; workflows go on at the next launch."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=0)


def step(name: str, function: Callable[[], Any]) -> Any:
    """Run a durable step of the current workflow: its JSON result is remembered, and given again after a crash.

    Never retried by the engine: what may be tried again is tried inside `function`. Every step has two points at which
    a test may kill the process: `step.<name>`, carried out and not recorded, and `after.<name>`.
    """

    def carry_out() -> Any:
        answer = function()
        crash_point(f"step.{name}")
        return answer

    answer = DBOS.run_step({"name": name, "retries_allowed": False}, carry_out)
    crash_point(f"after.{name}")
    return answer


def sleep(seconds: float) -> None:
    """Wait durably: after a crash only what is left of it."""
    if seconds > 0:
        DBOS.sleep(seconds)


def workflow_id() -> str:
    found = DBOS.workflow_id
    if found is None:
        raise TallymanError("This may only be called inside a workflow.")
    return found


def _into_our_log() -> None:
    """DBOS writes to the terminal, stack traces too; its words belong into our log, where secrets are taken out."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True


def _arguments(told: Any) -> list[Any]:
    return list(told["args"]) if told else []


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
