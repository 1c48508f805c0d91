"""The overview and the plain lists: postings, runs, schedules."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from tallyman.domain.posting import PostingState
from tallyman.errors import ConfigurationError
from tallyman.office import look
from tallyman.office.state import Office, office_of
from tallyman.runtime.places import is_worker_there
from tallyman.runtime.schedule import next_times
from tallyman.runtime.standing import standing
from tallyman.store.tables import schedules

router = APIRouter()
TheOffice = Annotated[Office, Depends(office_of)]
Page = Annotated[int, Query(ge=1, le=100_000)]


@router.get("/")
def overview(request: Request, office: TheOffice) -> Response:
    """How many cases stand where, the latest runs, and what to do next."""
    with office.desk.database.transaction() as connection:
        values: dict[str, Any] = {
            "counts": look.case_counts(connection),
            "reasons": look.reason_counts(connection),
            "runs": look.run_list(connection, limit=8)[:8],
            "oldest": look.next_item(connection, 0),
        }
    values["running"] = is_worker_there(office.desk.home, office.desk.database)
    values["bot_title"] = office.bot_title
    values["left_alone"] = [side.title for side in standing(office.desk).sides if side.breaker.is_open]
    return office.page(request, "overview.html", values)


@router.get("/postings")
def posting_list(request: Request, office: TheOffice, state: str = "", page: Page = 1) -> Response:
    with office.desk.database.transaction() as connection:
        rows = look.posting_list(connection, state=state, page=page)
    values = {"rows": rows, "state": state, "states": list(PostingState), "page": page, "system": office.system_title}
    return office.page(request, "postings.html", values)


@router.get("/runs")
def run_list(request: Request, office: TheOffice, page: Page = 1) -> Response:
    with office.desk.database.transaction() as connection:
        rows = look.run_list(connection, page=page)
    return office.page(request, "runs.html", {"rows": rows, "page": page, "bot_title": office.bot_title})


@router.get("/schedules")
def schedule_list(request: Request, office: TheOffice) -> Response:
    with office.desk.database.transaction() as connection:
        switched = {row.bot: bool(row.enabled) for row in connection.execute(schedules.select())}
    rows, broken = [], []
    for bot in sorted(office.desk.registry.bots):
        try:
            settings = office.desk.bot(bot)
        except ConfigurationError as error:
            broken.append(f"{error} {error.advice}")
            continue
        plan = settings.schedule
        enabled = plan is not None and switched.get(bot, plan.enabled)
        times = next_times(plan, 3) if plan and enabled else []
        title = settings.title or bot
        rows.append({"bot": bot, "title": title, "plan": plan, "enabled": enabled, "times": times})
    return office.page(request, "schedules.html", {"rows": rows, "broken": broken})


@router.get("/systems")
def system_list(request: Request, office: TheOffice) -> Response:
    """What is left alone since it failed, how often systems may be called, and how many cases wait."""
    found = standing(office.desk)
    values = {"systems": found.systems, "readers": found.readers, "bots": found.bots}
    return office.page(request, "systems.html", values)
