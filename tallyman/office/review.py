"""The review queue, one item, and the decision on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import RowMapping
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tallyman.domain.case import DecisionKind, ReviewItem, ReviewState
from tallyman.domain.document import Document
from tallyman.domain.posting import PostingState
from tallyman.errors import UsageError
from tallyman.office import look
from tallyman.office.language import Language
from tallyman.office.offer import Offer, offer
from tallyman.office.paper import Paper, changes, lay_out
from tallyman.office.security import remember_name, same_token
from tallyman.office.state import Office, document_of, office_of
from tallyman.runtime.requests import decide, give_password
from tallyman.runtime.stacks import splits_next
from tallyman.store import cases, reviews

router = APIRouter()
TheOffice = Annotated[Office, Depends(office_of)]
_MOST_FIELDS = 5000
_NOTE = 2000


async def form_of(request: Request, office: TheOffice) -> Mapping[str, str]:
    """The form's texts. A form without our token was not made by one of our pages, or before we were started anew."""
    form: FormData = await request.form(max_fields=_MOST_FIELDS, max_files=0)
    if not same_token(form.get("token"), office.token):
        raise HTTPException(403, "This form is from before the office was started anew. Open the page again.")
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


Form = Annotated[Mapping[str, str], Depends(form_of)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An item with what belongs to it."""

    item: ReviewItem
    row: RowMapping | None
    document: Document | None
    offer: Offer
    erp: str


@router.get("/review")
def queue(
    request: Request,
    office: TheOffice,
    reason: str = "",
    q: str = "",
    sort: str = "oldest",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    after: int = 0,
) -> Response:
    """What waits for a person. `after` is the item that was decided just now."""
    with office.desk.database.transaction() as connection:
        rows = look.queue(connection, reason=reason, text=q, newest=sort == "newest", page=page)
        reasons = look.reason_counts(connection)
        decided = _decided(connection, after)
    values = {"rows": rows, "reasons": reasons, "reason": reason, "q": q, "sort": sort, "page": page}
    return office.page(request, "queue.html", {**values, "decided": decided})


@router.get("/review/{item_id}")
def item(request: Request, office: TheOffice, item_id: int, as_type: str = "", after: int = 0) -> Response:
    found = _find(office, item_id, office.language(request))
    return _show(request, office, found, as_type=as_type, after=after)


@router.post("/review/{item_id}")
def decide_item(request: Request, office: TheOffice, item_id: int, form: Form) -> Response:
    """Decide, or show the item again with what does not fit; what was typed is kept."""
    language = office.language(request)
    found = _find(office, item_id, language)
    if found.offer.decided or form.get("seen") != str(len(found.item.decisions)):
        return _show(request, office, found, status=409, told=language.t("Somebody decided meanwhile; look again."))
    try:
        after = _decide(office, found, form, language)
    except _Refused as refused:
        as_type = form.get("type", "")
        return _show(request, office, found, status=422, told=str(refused), typed=form, as_type=as_type)
    with office.desk.database.transaction() as connection:
        following = look.next_item(connection, item_id)
    target = f"/review/{following}?after={item_id}" if following else f"/review?after={item_id}"
    if after.state is not ReviewState.DECIDED:
        target = f"/review?after={item_id}"
    response = RedirectResponse(target, 303)
    remember_name(response, after.decisions[-1].by)
    return response


class _Refused(Exception):
    """What the person sent does not fit; the message says why, in the person's language."""


def _decide(office: Office, found: Case, form: Mapping[str, str], language: Language) -> ReviewItem:
    wanted = form.get("decision", "")
    if wanted == "password" and found.offer.password:
        return _open(office, found, form, language)
    values = _corrections(office, found, form, language)
    kind, outcome = _kind(wanted, found, values, form, language)
    corrections = values if kind is DecisionKind.CORRECT else {}
    try:
        return decide(
            office.desk,
            office.client,
            found.item.id,
            kind,
            form.get("by", ""),
            note=form.get("note", "").strip()[:_NOTE],
            corrections=corrections,
            outcome=outcome,
            record=form.get("record", "").strip()[:80] if outcome is PostingState.POSTED else "",
            pages=form.get("pages", "")[:_NOTE] if kind is DecisionKind.SPLIT else "",
            seen=len(found.item.decisions),
        )
    except UsageError as error:
        raise _Refused(language.refusal(error)) from error


def _open(office: Office, found: Case, form: Mapping[str, str], language: Language) -> ReviewItem:
    """Read a protected document again, with the password. It is kept in the vault only. Raises _Refused."""
    password, by, seen = form.get("password", ""), form.get("by", ""), len(found.item.decisions)
    try:
        return give_password(office.desk, office.client, found.item.id, password, by, seen=seen)
    except UsageError as error:
        raise _Refused(language.refusal(error)) from error


def _corrections(office: Office, found: Case, form: Mapping[str, str], language: Language) -> dict[str, str]:
    """Changed values only, canonical. Raises _Refused when one can't be read."""
    chosen = form.get("type", "")
    paper = _paper(office, found, language, as_type=chosen)
    values, wrong = changes(paper, form, language)
    if wrong:
        raise _Refused(" ".join(wrong.values()))
    before = found.document.type if found.document else ""
    return ({"type": chosen} if chosen and chosen != before else {}) | values


def _kind(
    wanted: str, found: Case, values: Mapping[str, str], form: Mapping[str, str], language: Language
) -> tuple[DecisionKind, PostingState | None]:
    """Which decision a button stands for, if this item offers it and the form fits. Raises _Refused."""
    t, may = language.t, found.offer
    if wanted == "correct" and may.correct:
        if not values:
            raise _Refused(t("No value was changed. Change one, or choose another button."))
        return DecisionKind.CORRECT, None
    if wanted == "reject" and may.reject:
        return DecisionKind.REJECT, None
    if values:
        raise _Refused(t("You changed values. Choose “Correct and check again”, or take the changes back."))
    if wanted == "split" and may.split:
        return DecisionKind.SPLIT, None
    if (wanted == "accept" and may.accept) or (wanted == "close" and may.close):
        return DecisionKind.ACCEPT, None
    if wanted == "posted" and may.outcome:
        if not form.get("record", "").strip():
            raise _Refused(t("Write the number that the record has in {erp}.", erp=found.erp))
        return DecisionKind.ACCEPT, PostingState.POSTED
    if wanted == "search" and may.outcome:
        return DecisionKind.ACCEPT, None
    if wanted == "not_posted" and may.outcome:
        if form.get("sure") != "yes":
            raise _Refused(t("Confirm first that you searched and that it is not there."))
        return DecisionKind.ACCEPT, PostingState.NOT_POSTED
    raise _Refused(t("Choose one of the buttons."))


def _find(office: Office, item_id: int, language: Language) -> Case:
    with office.desk.database.transaction() as connection:
        try:
            item = reviews.get(connection, item_id)
        except UsageError:
            raise HTTPException(404) from None
        row = look.case_row(connection, item.case)
        decisions = reviews.of_case(connection, item.case)
    document = document_of(row["document"]) if row else None
    erp = office.erp_of(row["bot"]) if row else ""
    gross, currency = (row["gross"], row["currency"]) if row else (None, None)
    has_fields = row is not None
    may = offer(
        item,
        language,
        erp=erp,
        gross=gross,
        currency=currency,
        has_fields=has_fields,
        document=document,
        splits=row is not None and splits_next(cases.case_of(row), document, decisions),
    )
    return Case(item=item, row=row, document=document, offer=may, erp=erp)


def _paper(
    office: Office, found: Case, language: Language, *, as_type: str = "", typed: Mapping[str, str] | None = None
) -> Paper:
    types = office.desk.registry.document_types
    return lay_out(found.document, types, language, found.item.findings, as_type=as_type, typed=typed)


def _show(
    request: Request,
    office: Office,
    found: Case,
    *,
    status: int = 200,
    told: str = "",
    as_type: str = "",
    after: int = 0,
    typed: Mapping[str, str] | None = None,
) -> Response:
    language = office.language(request)
    with office.desk.database.transaction() as connection:
        following = look.next_item(connection, found.item.id)
        decided = _decided(connection, after)
    values: dict[str, Any] = {
        "item": found.item,
        "row": found.row,
        "document": found.document,
        "offer": found.offer,
        "erp": found.erp,
        "paper": _paper(office, found, language, as_type=as_type, typed=typed),
        "types": sorted(office.desk.registry.document_types),
        "following": following,
        "decided": decided,
        "told": told,
        "typed": typed or {},
    }
    return office.page(request, "item.html", values, status=status)


def _decided(connection: Any, item_id: int) -> ReviewItem | None:
    """The item that was decided just now, for a word about it."""
    if not item_id:
        return None
    try:
        found = reviews.get(connection, item_id)
    except UsageError:
        return None
    return found if found.decisions else None
