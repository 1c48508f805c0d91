"""What a bot can do, each verb a durable step. See tallyman.contracts.bot for what each one promises."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from tallyman.contracts.bot import Ending, Outcome
from tallyman.contracts.system import Erp, Found, VendorQuery
from tallyman.domain.base import Value
from tallyman.domain.case import Case, CaseState, Decision
from tallyman.domain.document import UNKNOWN, Document
from tallyman.domain.facts import Facts, Sighting
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.posting import DeliveryPosting, InvoicePosting, PostingState
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor
from tallyman.domain.stack import Documents
from tallyman.domain.tolerances import Tolerances
from tallyman.platform.clock import now
from tallyman.platform.config import BotSettings
from tallyman.platform.log import get_logger
from tallyman.runtime import corrections, engine
from tallyman.runtime.attempts import Failure, attempt, unwrap
from tallyman.runtime.billings import with_billings
from tallyman.runtime.desk import Desk
from tallyman.runtime.jobs import DeliveryJob, InvoiceJob
from tallyman.runtime.layouts import confirm_layout, confirmed_places
from tallyman.runtime.posting import Job, Posted, Poster
from tallyman.runtime.pressure import patient_step
from tallyman.runtime.requests import wake
from tallyman.runtime.stacks import Splits, certain_split, decided_split, split
from tallyman.store import cases, reservations, reviews

T = TypeVar("T", bound=Value)
_log = get_logger(__name__)

_SUFFIXES = (
    (rb"\x89PNG", ".png"),
    (rb"\xff\xd8\xff", ".jpg"),
    (rb"II\*\x00|MM\x00\*", ".tif"),
    (rb"RIFF....WEBP", ".webp"),
    (rb"....ftyp", ".heic"),
    (rb"PK\x03\x04", ".zip"),
    (rb".{0,1019}%PDF-", ".pdf"),
    (rb"[\xef\xbb\xbf\xff\xfe\x00\s]*<", ".xml"),
)
"""How files begin. ZIP stands before PDF: a PDF that lies unpacked in a ZIP file has its header that near, too."""


class Waits(Exception):
    """Another case has what this one needs; this run ends, and one begins anew when the other has ended."""


class DurableErp:
    """The searching verbs of the bot's ERP. A system that is down is waited for, at last GaveUp is raised."""

    def __init__(self, desk: Desk, system: str, *, attended: bool) -> None:
        self._desk = desk
        self._attended = attended
        self.name = system

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        return self._ask("find_vendor", Vendor, lambda erp: erp.find_vendor(query))

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:
        return self._ask("find_order", Order, lambda erp: erp.find_purchase_order(number=number, vendor=vendor))

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        return self._ask("find_invoice", PostedInvoice, lambda erp: erp.find_invoice(vendor=vendor, number=number))

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        return self._ask("find_receipt", Receipt, lambda erp: erp.find_receipt(order=order, reference=reference))

    def _ask(self, name: str, kind: type[T], search: Callable[[Erp], Found[T]]) -> Found[T]:
        def once() -> dict[str, Any]:
            found: Found[T] = self._desk.sessions.of(self.name, attended=self._attended).call(search)
            items = [item.to_json() for item in found.items]
            return {"items": items, "scope": found.scope, "complete": found.complete}

        for wait in (*self._desk.settings.retry_waits_s, None):
            told = patient_step(name, lambda: attempt(name, once))
            if wait is None or "failed" not in told or not Failure.from_json(told["failed"]).technical:
                break
            engine.sleep(wait)
        data = unwrap(told)
        items = tuple(kind.from_json(item) for item in data["items"])
        return Found(items=items, scope=data["scope"], complete=data["complete"])


class DurableClerk:
    """The clerk of one run of one case. `run` names that run: it is what a review item remembers as its origin."""

    @classmethod
    def of(cls, desk: Desk, client: engine.EngineClient, case_id: str, run: str) -> tuple["DurableClerk", Case]:
        """The clerk of a case, and the case; what both begin with is remembered as one step."""
        told = engine.step("begin", lambda: _beginning(desk, case_id))
        case = Case.from_json(told["case"])
        return cls(desk, client, desk.bot(case.bot), case, run, told), case

    def __init__(
        self,
        desk: Desk,
        client: engine.EngineClient,
        settings: BotSettings,
        case: Case,
        run: str,
        told: dict[str, Any],
    ) -> None:
        self._desk = desk
        self._client = client
        self._settings = settings
        self._run = run
        self._case = case
        self.erp = DurableErp(desk, settings.erp, attended=case.attended)
        self.document: Document | None = None
        """What was read in this run, for whoever has to tell a person that it ended early."""
        self._places: tuple[str, ...] | None = None
        """What `sightings` has found on its way; the document is the same."""
        self._today = str(told["today"])
        self._clicked: dict[str, Any] | None = told["clicked"]
        self._decisions: Sequence[Decision] = [Decision.from_json(one) for one in told["decisions"]]

    @property
    def tolerances(self) -> Tolerances:
        return self._desk.settings.matching

    # -- reading and deciding

    def read(self, case: Case) -> Document:
        anew = bool(self._decisions)
        told = patient_step("read", lambda: self._desk.readings.take(case.sha256, anew=anew))
        document = Document.from_json(unwrap(told))
        self.document = corrections.corrected(document, self._decisions)
        if documents := certain_split(case, self.document, self._decisions):
            raise Splits(documents)
        return self.document

    def today(self) -> str:
        return self._today

    def reserve(self, party: str) -> None:
        def try_to() -> str | None:
            with self._desk.database.transaction() as connection:
                holder = reservations.reserve(connection, self._settings.erp, party, self._case.id, self._run)
                if holder is not None:
                    self._release(connection)  # who waits holds nothing
                return holder

        holder = engine.step("reserve", try_to)
        if holder is not None:
            raise Waits(f"Waits for case {holder}.")

    def with_billings(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        if all(order.billed_net is None or all(line.billed is not None for line in order.lines) for order in orders):
            return orders  # the target says it all, or nothing

        def look() -> list[Any]:
            with self._desk.database.transaction() as connection:
                told = [with_billings(connection, self._settings.erp, order) for order in orders]
            return [order.to_json() for order in told]

        return tuple(Order.from_json(one) for one in engine.step("billings", look))

    def sightings(self, case: Case, document: Document, vendor: str | None) -> tuple[Sighting, ...]:
        def look() -> dict[str, Any]:
            number = document.text("invoice_number") or document.text("pod_number") or document.text("waybill_number")
            date = document.text("issue_date") or document.text("delivered_date")
            with self._desk.database.transaction() as connection:
                cases.remember_document(connection, case.id, document)
                cases.remember_party(connection, case.id, vendor, number)
                found = cases.sightings(connection, case, vendor, number, document.amount("gross_total"), date)
                places = confirmed_places(connection, document)
            return {"sightings": [one.to_json() for one in found], "places": places}

        told = engine.step("sightings", look)
        self._places = tuple(told["places"])
        return tuple(Sighting.from_json(one) for one in told["sightings"])

    def confirmed_places(self, document: Document) -> tuple[str, ...]:
        if self._places is not None:
            return self._places

        def look() -> list[str]:
            with self._desk.database.transaction() as connection:
                return confirmed_places(connection, document)

        return tuple(engine.step("layout", look))

    def check(self, document: Document, facts: Facts) -> list[Finding]:
        kind = self._desk.registry.document_types.get(document.type)
        if kind is not None:
            return kind.check(document, facts)
        told = [(problem.code, problem.message) for problem in document.problems]
        return [_problem(code, message) for code, message in told or [("WRONG_DOCUMENT", "Its type is not known.")]]

    def decide(self, document: Document, facts: Facts, findings: Iterable[Finding]) -> Verdict:
        del document, facts  # the contract offers them; the findings already say all
        return corrections.accepted(findings, self._decisions)

    # -- endings

    def ask(self, case: Case, document: Document, verdict: Verdict) -> Outcome:
        return self.ask_as(case, document, verdict, CaseState.IN_REVIEW)

    def ask_as(
        self, case: Case, document: Document | None, verdict: Verdict, state: CaseState, posted: Posted | None = None
    ) -> Outcome:
        """As `ask`; `state` is IN_REVIEW, or UNKNOWN where the click may have happened.

        document: None where this run has read none; what an earlier one has read stays.
        posted: what came of a posting, which the ledger has not been told.
        After a crash this may be done again, when a person has decided already, or another case has the posting: what
        was written stands.
        """
        message = "; ".join(finding.message for finding in verdict.errors)

        def put() -> int:
            with self._desk.database.transaction() as connection:
                item = reviews.of_origin(connection, self._run)
                if item is None:
                    item = reviews.open_item(connection, case.id, self._run, verdict.findings)
                    self._settle(connection, posted)
                    known = document or cases.document(connection, case.id) or Document(type=UNKNOWN)
                    cases.remember_document(connection, case.id, known)
                    cases.move(connection, case.id, state, message)
                self._release(connection)
            return item

        engine.step("ask", put)
        return Outcome(ending=Ending.IN_REVIEW, message=message)

    def post_invoice(self, case: Case, document: Document, posting: InvoicePosting) -> Outcome:
        job = InvoiceJob(self._settings.erp, self._settings.company, posting)
        outcome = self._post(case, document, job)
        if outcome.ending is Ending.POSTED:
            self._attach(case, posting, outcome.record)
        return outcome

    def confirm_delivery(self, case: Case, document: Document, posting: DeliveryPosting) -> Outcome:
        return self._post(case, document, DeliveryJob(self._settings.erp, self._settings.company, posting))

    def clicked_before(self, case: Case) -> Outcome | None:
        """The ending of a case that has clicked before: it is verified with the values of then, never judged anew.

        None when it has not: then the bot's procedure begins.
        """
        told = self._clicked
        if told is None:
            return None
        system, company = self._settings.erp, self._settings.company
        document = Document.from_json(told["document"]) if told["document"] else Document(type=UNKNOWN)
        if told["verb"] == "invoice":
            return self._post(case, document, InvoiceJob(system, company, InvoicePosting.from_json(told["payload"])))
        return self._post(case, document, DeliveryJob(system, company, DeliveryPosting.from_json(told["payload"])))

    def split_as_decided(self, case: Case) -> Outcome | None:
        """The ending of a case whose file a person has decided to split; None where nobody has."""
        decision = decided_split(self._decisions)
        return None if decision is None else self.split(case, decision.pages, decision.by)

    def split(self, case: Case, documents: Documents, by: str) -> Outcome:
        """Make each document in the file a case of its own, all in one transaction, with which this case ends.

        After a crash between the steps the files that were cut are there; nothing is made twice.
        """

        def cut() -> dict[str, Any]:
            return attempt("cut", lambda: self._desk.readings.cut(case.sha256, documents))

        files = unwrap(patient_step("cut", cut))

        def put() -> str:
            with self._desk.database.transaction() as connection:
                told = split(connection, self._client, case, self.document, documents, files, by)
                parts = [row["sha256"] for row in cases.parts_of(connection, case.id)]
                self._release(connection)
            for part in parts:
                self._desk.readings.ahead(part)
            return told

        return Outcome(ending=Ending.SPLIT, message=engine.step("split", put))

    def split_before(self, case: Case) -> Outcome | None:
        """The ending of a case whose file is split; its documents are cases, so the whole is nothing to decide on."""

        def look() -> str | None:
            with self._desk.database.transaction() as connection:
                is_split = cases.get(connection, case.id).state is CaseState.SPLIT
                return cases.message(connection, case.id) if is_split else None

        told = engine.step("split_before", look)
        return None if told is None else Outcome(ending=Ending.SPLIT, message=told)

    def _post(self, case: Case, document: Document, job: Job) -> Outcome:
        system = self._settings.erp
        capabilities = self._desk.capabilities(system)
        poster = Poster(self._desk.ledger, self._desk.sessions, self._desk.blobs, system, capabilities, case)
        posted = poster.post(job)
        if posted.reason is None:
            return self._finish(case, document, posted)
        finding = Finding(reason=posted.reason, message=posted.message, actual=posted.record or None)
        unknown = posted.state is PostingState.UNKNOWN
        state = CaseState.UNKNOWN if unknown else CaseState.IN_REVIEW
        return self.ask_as(case, document, Verdict.of([finding]), state, posted)

    def _finish(self, case: Case, document: Document, posted: Posted) -> Outcome:
        teachers = [decision.by for decision in self._decisions if _teaches(decision)]

        def finish() -> bool:
            with self._desk.database.transaction() as connection:
                self._settle(connection, posted)
                cases.remember_document(connection, case.id, document)
                cases.move(connection, case.id, CaseState.POSTED, posted.message, record=posted.record)
                if teachers:
                    confirm_layout(connection, document, case.id, teachers[-1])
                self._release(connection)
            return True

        engine.step("finish", finish)
        return Outcome(ending=Ending.POSTED, message=posted.message, record=posted.record)

    def _attach(self, case: Case, posting: InvoicePosting, record: str) -> None:
        """A file that can't be attached never makes a posted invoice doubtful: it is told in the case's message."""
        target = PostedInvoice(number=posting.number, vendor=posting.vendor, record=record, gross=posting.gross)

        def attach() -> dict[str, Any]:
            try:
                content = self._desk.blobs.get(case.sha256)
                name = f"{posting.reference}{_suffix(content)}"
                return attempt(
                    "attach",
                    lambda: self._desk.sessions.of(self.erp.name, attended=case.attended).call(
                        lambda erp: erp.attach_document(invoice=target, name=name, content=content)
                    ),
                )
            except Exception as error:  # noqa: BLE001 - a defect, a blob that is gone: the invoice is posted all the same
                _log.exception("a file could not be attached", case=case.id)
                return {"failed": type(error).__name__}

        if self._desk.registry.system(self.erp.name).capabilities.attach_phase == "none":
            return
        told = patient_step("attach", attach)
        if not told.get("ok"):
            self.move(case, CaseState.POSTED, "Posted and read back; the file could not be attached.")

    def move(self, case: Case, state: CaseState, message: str, *, record: str = "") -> None:
        def move() -> bool:
            with self._desk.database.transaction() as connection:
                cases.move(connection, case.id, state, message, record=record)
                self._release(connection)
            return True

        engine.step("move", move)

    def _settle(self, connection: Connection, posted: Posted | None) -> None:
        """Tell the ledger how a posting ended, if it does not say so already."""
        if posted is not None and posted.entry is not None:
            state, told, record = posted.state, posted.message, posted.record
            settle = self._desk.ledger.settle
            settle(connection, posted.entry, state, told, record=record, after_click=posted.after_click)

    def _release(self, connection: Connection) -> None:
        """With the end of the run, in one transaction, the next case of the vendor begins."""
        for row in reservations.release(connection, self._run):
            wake(connection, self._client, row)


def _beginning(desk: Desk, case_id: str) -> dict[str, Any]:
    """All that a run begins with: the case, what persons decided, what was clicked before, and the day."""
    with desk.database.transaction() as connection:
        case = cases.get(connection, case_id)
        decisions = [decision.to_json() for decision in reviews.of_case(connection, case_id)]
        document = cases.document(connection, case_id)
    found = desk.ledger.of_case(case)
    read = document.to_json() if document else None
    return {
        "case": case.to_json(),
        "decisions": decisions,
        "clicked": {"verb": found[0], "payload": found[1], "document": read} if found else None,
        "today": now().astimezone(desk.settings.office.zone).date().isoformat(),
    }


def _teaches(decision: Decision) -> bool:
    """A person who corrected values, or accepted them as read, has looked at the layout."""
    return bool(decision.corrections) or any(one.reason is Reason.LOW_CONFIDENCE for one in decision.accepted)


def _problem(code: str, message: str) -> Finding:
    known = code if code in Reason.__members__ else Reason.UNREADABLE
    return Finding(reason=Reason(known), message=message, acceptable=False)


def _suffix(content: bytes) -> str:
    """What a file is called behind its name, by its content. It was read before, so what is left is an e-mail."""
    found = (suffix for start, suffix in _SUFFIXES if re.match(start, content[:1024], re.DOTALL))
    return next(found, ".eml")
