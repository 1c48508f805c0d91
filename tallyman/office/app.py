"""The office: server-rendered pages for people. Works without script, and without anything from elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from tallyman.errors import TallymanError, UsageError
from tallyman.office import cases, lists, review
from tallyman.office.security import Guard, new_token
from tallyman.office.state import Office, office_of
from tallyman.platform.log import get_logger
from tallyman.runtime.desk import Desk

_log = get_logger(__name__)


def create_app(desk: Desk) -> FastAPI:
    """The office over a desk. It enqueues work and never does any: a worker must run elsewhere."""

    @asynccontextmanager
    async def closing(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.office.client.close()

    app = FastAPI(title="Tallyman", docs_url=None, redoc_url=None, openapi_url=None, lifespan=closing)
    app.state.office = Office.over(desk, new_token())
    app.add_middleware(Guard, defect=_defect)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    for part in (lists.router, review.router, cases.router):
        app.include_router(part)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_address)
    app.add_exception_handler(TallymanError, _known_error)
    return app


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(request, 404, "There is no such page", "It was never here, or the address has a mistake.")
    told = str(error.detail)
    return problem(request, error.status_code, "This can't be done", told)


def _bad_address(request: Request, _error: Exception) -> Response:
    return problem(request, 404, "There is no such page", "It was never here, or the address has a mistake.")


def _known_error(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, UsageError) else 503
    advice = error.advice if isinstance(error, TallymanError) and "--" not in error.advice else ""
    return problem(request, status, "This can't be done", str(error), advice)


def _defect(request: Request, error: Exception) -> Response:
    _log.error("page failed", path=request.url.path, exc_info=error)
    told = (
        "Something went wrong that we did not foresee; the details are in tallyman.log. "
        "If you were deciding, open the item again: it shows whether your decision is kept."
    )
    return problem(request, 500, "This page failed", told)


def problem(request: Request, status: int, title: str, message: str, advice: str = "") -> Response:
    """A designed page for what went wrong; never a stack trace."""
    values = {"status": status, "title": title, "message": message, "advice": advice}
    return office_of(request).page(request, "error.html", values, status=status)
