"""Cases: the list, one case with all that happened to it, and pictures of its pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import RowMapping
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tallyman.domain.case import CaseState
from tallyman.domain.document import Sheet
from tallyman.errors import BusinessError, UsageError
from tallyman.office import look
from tallyman.office.paper import lay_out
from tallyman.office.pictures import page_png
from tallyman.office.state import Office, document_of, office_of
from tallyman.store import cases, reviews

router = APIRouter()
TheOffice = Annotated[Office, Depends(office_of)]
Page = Annotated[int, Query(ge=1, le=100_000)]
_PICTURE = {"Cache-Control": "private, max-age=3600"}
_PROTECTED = {"Cache-Control": "no-store"}
"""What a password opened lies in the browser's folder neither."""
_PNG = b"\x89PNG\r\n\x1a\n"


@router.get("/cases")
def case_list(request: Request, office: TheOffice, state: str = "", q: str = "", page: Page = 1) -> Response:
    with office.desk.database.transaction() as connection:
        rows = look.case_list(connection, state=state, text=q, page=page)
    values = {"rows": rows, "state": state, "q": q, "states": list(CaseState), "page": page}
    return office.page(request, "cases.html", values)


@router.get("/cases/{case_id}")
def one_case(request: Request, office: TheOffice, case_id: str) -> Response:
    row = _row(office, case_id)
    with office.desk.database.transaction() as connection:
        items = [reviews.get(connection, one["id"]) for one in look.items_of(connection, case_id)]
        values: dict[str, Any] = {
            "row": row,
            "items": items,
            "postings": look.postings_of(connection, case_id),
            "names": look.other_names(connection, case_id),
            "timeline": look.timeline(connection, case_id),
            "parts": cases.parts_of(connection, case_id),
        }
    document = document_of(row["document"])
    findings = items[-1].findings if items else ()
    language = office.language(request)
    values["paper"] = lay_out(document, office.desk.registry.document_types, language, findings)
    values["document"] = document
    values["system"] = office.system_title
    values["bot_title"] = office.bot_title
    return office.page(request, "case.html", values)


@router.get("/cases/{case_id}/page/{number}.png")
def page_picture(office: TheOffice, case_id: str, number: Annotated[int, Path(ge=1)]) -> Response:
    """A page of the case's file as it was read; only our own picture of it, never the file."""
    row = _row(office, case_id)
    document = document_of(row["document"])
    known = {sheet.number: sheet for sheet in document.sheets} if document else {}
    sheet = known.get(number) or Sheet(number=number, width=0, height=0)
    try:
        content, may_be_kept = page_png(office.desk, row["sha256"], sheet)
    except (BusinessError, UsageError) as error:
        raise HTTPException(404, str(error)) from error
    return Response(content, media_type="image/png", headers=_PICTURE if may_be_kept else _PROTECTED)


@router.get("/cases/{case_id}/posting/{posting_id}.png")
def posting_picture(office: TheOffice, case_id: str, posting_id: int) -> Response:
    """The filled form as the target's screen showed it just before the click."""
    with office.desk.database.transaction() as connection:
        found = [row for row in look.postings_of(connection, case_id) if row["id"] == posting_id]
    if not found or not found[0]["screenshot"]:
        raise HTTPException(404)
    content = office.desk.blobs.get(found[0]["screenshot"])
    if not content.startswith(_PNG):
        raise HTTPException(404)
    return Response(content, media_type="image/png", headers=_PICTURE)


def _row(office: Office, case_id: str) -> RowMapping:
    with office.desk.database.transaction() as connection:
        row = look.case_row(connection, case_id)
    if row is None:
        raise HTTPException(404)
    return row
