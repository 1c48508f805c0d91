"""`tallyman run BOT`: start a run now; where no worker is there, work it off here."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallyman.cli.common import err, open_desk, out, print_json, user_name
from tallyman.cli.tables import new_table, print_table
from tallyman.contracts.bot import RunInputs
from tallyman.domain.case import CaseState
from tallyman.errors import SystemDown, TechnicalError, UsageError
from tallyman.runtime.desk import Desk
from tallyman.runtime.places import is_worker_there, place_of_worker
from tallyman.runtime.requests import start_run
from tallyman.runtime.worker import Worker
from tallyman.store import cases
from tallyman.store.tables import runs

_POLL_S = 0.2


def run(
    bot: Annotated[str, typer.Argument(help="The bot's name, such as invoices.")],
    inputs: Annotated[list[str] | None, typer.Option("--input", help="NAME=VALUE, such as source=folder.")] = None,
    attended: Annotated[bool, typer.Option("--attended", help="Show the browser at work.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all documents of the run have an ending.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for programs.")] = False,
) -> None:
    """Start a run. A worker that is there takes it; without one it is worked off here and now."""
    with open_desk() as desk:
        told_inputs = parse_inputs(desk, bot, inputs or [])
        name = f"{bot}:by-hand:{uuid.uuid4().hex[:12]}"
        if is_worker_there(desk.home, desk.database):
            client = desk.client()
            with desk.database.transaction() as connection:
                start_run(connection, client, bot, name, user_name(), inputs=told_inputs, attended=attended)
            client.close()
            if wait:
                wait_for(desk, name, quiet=as_json)
            elif not as_json:
                out.print(f"Run {name} is with the worker; `tallyman serve` shows it.")
        else:
            work_off(desk, bot, name, inputs=told_inputs, attended=attended, quiet=as_json)
        told = result(desk, name)
    if as_json:
        print_json(told)
    elif wait or told["ended"]:
        show(told)
    if told["ended"] and told["problems"]:
        raise SystemDown(
            "; ".join(told["problems"]), advice="What was fetched is kept; the rest comes with the next run."
        )


def parse_inputs(desk: Desk, bot: str, given: list[str]) -> RunInputs:
    """The inputs by the bot's own model; a name that is given twice is a list. Raises UsageError."""
    told: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"{one!r} is no input.", advice="Write --input NAME=VALUE.")
        told.setdefault(name, []).append(value)
    try:
        inputs = desk.registry.bot(bot).inputs.model_validate(told)
    except ValidationError as error:
        names = ", ".join(desk.registry.bot(bot).inputs.model_fields)
        raise UsageError(f"The bot {bot!r} has no such input.", advice=f"It can be told: {names}.") from error
    if unknown := set(inputs.source) - set(desk.bot(bot).sources):
        raise UsageError(f"{', '.join(sorted(unknown))} is no source of the bot {bot!r}.")
    return inputs


def work_off(
    desk: Desk,
    bot: str,
    name: str,
    *,
    inputs: RunInputs | None = None,
    attended: bool = False,
    quiet: bool = False,
) -> None:
    """Be the worker until this run has ended, and all else that waits for a worker: decisions of persons, say."""
    with at_work(desk) as worker:
        carry_out(desk, worker, bot, name, inputs=inputs, attended=attended, quiet=quiet)
        while worker.client.unfinished():
            time.sleep(_POLL_S)


@contextmanager
def at_work(desk: Desk) -> Iterator[Worker]:
    """A worker of this home, in this process."""
    with place_of_worker(desk.home, desk.database) as place:
        worker = Worker(desk, place, schedules=False)
        worker.start()
        try:
            yield worker
        finally:
            worker.stop()


def carry_out(
    desk: Desk,
    worker: Worker,
    bot: str,
    name: str,
    *,
    inputs: RunInputs | None = None,
    attended: bool = False,
    quiet: bool = False,
) -> None:
    """One run by this worker, to its end."""
    with desk.database.transaction() as connection:
        start_run(connection, worker.client, bot, name, user_name(), inputs=inputs, attended=attended)
    wait_for(desk, name, quiet=quiet)


def wait_for(desk: Desk, name: str, *, quiet: bool = False) -> None:
    """Until the run and its cases have ended, with a bar on a terminal and plain lines elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task("Fetching", total=None)
        told: tuple[int, list[str]] = (-1, [])
        while True:
            state = _state(desk, name)
            done, total = state["total"] - state["open"], state["total"]
            doing = "Waiting for room" if state["waits"] else "Working" if total else "Fetching"
            progress.update(task, completed=done, total=total or None, description=doing)
            if not quiet and not err.is_terminal and (done, state["waits"]) != told:
                err.print(" ".join((f"{done} of {total} documents done.", *state["waits"])), highlight=False)
                told = (done, state["waits"])
            if state["ended"] and not state["open"]:
                return
            time.sleep(_POLL_S)


def _state(desk: Desk, name: str) -> dict[str, Any]:
    with desk.database.transaction() as connection:
        row = connection.execute(runs.select().where(runs.c.id == name)).mappings().first()
        states = cases.states_of_run(connection, name)
    total, open_cases = sum(states.values()), states.get(CaseState.OPEN, 0)
    ended = bool(row and row["ended_at"])
    waits = row["problems"] if row and not ended else []
    return {"ended": ended, "total": total, "open": open_cases, "waits": waits}


def result(desk: Desk, name: str) -> dict[str, Any]:
    """What became of a run, as JSON."""
    with desk.database.transaction() as connection:
        row = connection.execute(runs.select().where(runs.c.id == name)).mappings().first()
        of_run = cases.of_run(connection, name)
    if row is None:
        raise TechnicalError("The run is not known.")
    documents = [
        {key: case[key] for key in ("id", "file", "state", "number", "currency", "record", "message")}
        | {"gross": None if case["gross"] is None else f"{case['gross']:.2f}"}
        for case in of_run
    ]
    return {
        "run": name,
        "bot": row["bot"],
        "ended": row["ended_at"] is not None,
        "offered": row["offered"],
        "taken": row["taken"],
        "repeated": row["repeated"],
        "problems": row["problems"],
        "documents": documents,
    }


def show(told: dict[str, Any]) -> None:
    """The result as a table of 100 columns at most."""
    if not told["documents"]:
        out.print(f"Nothing new: {told['offered'] or 0} offered, all of them known.")
        return
    table = new_table()
    table.add_column("Document", no_wrap=True, max_width=30)
    table.add_column("State", no_wrap=True)
    table.add_column("Number or reason", ratio=1)
    for document in told["documents"]:
        message = document["record"] or document["message"]
        table.add_row(escape(document["file"]), document["state"].lower().replace("_", " "), escape(message))
    print_table(table)
    states = [document["state"] for document in told["documents"]]
    posted, split = states.count(CaseState.POSTED), states.count(CaseState.SPLIT)
    said = f"{posted} posted, {len(states) - posted - split} for a person"
    said += f", {split} split into their documents" if split else ""
    out.print(f"{said}. Next: `tallyman review list`.", highlight=False)
