"""A bot: a folder `bots/<name>/` with `BOT` in bot.py and its schedule, limits and inputs in bot.yaml.

A bot's `run` reads like the clerk's procedure. Each verb of the clerk is a durable step: after a crash the procedure
starts again from the top and the steps that were done give their recorded answers. So `run` must be deterministic:
no clock, no random numbers, no I/O of its own; it asks the clerk.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from tallyman.contracts.system import Found, VendorQuery
from tallyman.domain.base import Value
from tallyman.domain.case import Case
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts, Sighting
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor
from tallyman.domain.tolerances import Tolerances


class Ending(StrEnum):
    POSTED = "posted"
    WAITING = "waiting"
    """For another case of the same vendor; the next run begins when that one has ended."""
    IN_REVIEW = "in_review"
    REJECTED = "rejected"
    SPLIT = "split"
    """Into cases of their own."""


class Outcome(Value):
    """How a run of a case ended. `record` is the target's number, where it is known."""

    ending: Ending
    message: str
    record: str = ""


class TargetSystem(Protocol):
    """The searching verbs of the bot's ERP, each a durable step."""

    @property
    def name(self) -> str: ...

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]: ...
    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]: ...
    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]: ...
    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]: ...


class Clerk(Protocol):
    """What a bot can do. Implemented by tallyman.runtime; every method is durable."""

    @property
    def erp(self) -> TargetSystem: ...

    @property
    def tolerances(self) -> Tolerances: ...

    def read(self, case: Case) -> Document:
        """Read and understand the case's file, with the corrections of persons put over it.

        Never raises for a bad file: the document is then of type "unknown" and its problems carry the reason.
        Where the file is several documents for certain this does not return: the run ends here, with a case for each.
        """

    def today(self) -> str:
        """The date of this run, ISO 8601; the same after a crash."""

    def reserve(self, party: str) -> None:
        """From now on no other case works on this vendor's orders and invoices, until this run has ended.

        Where another case has the vendor this does not return: the run ends here, and a new one begins when the other
        has ended. What is looked up before may be out of date by the time of the call: look it up afterwards.
        """

    def with_billings(self, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        """The orders with what was billed of each line so far, from our own ledger, where the target does not say it.

        Only where our ledger is the whole truth: what we posted for the order is all that the target holds for it.
        """

    def sightings(self, case: Case, document: Document, vendor: str | None) -> tuple[Sighting, ...]:
        """Other cases of ours that may be the same document: same file, or same vendor and a number that is alike."""

    def confirmed_places(self, document: Document) -> tuple[str, ...]:
        """The fields that stand where persons have confirmed them on this supplier's documents; none: a new layout."""

    def check(self, document: Document, facts: Facts) -> list[Finding]:
        """The checks of the document's type."""

    def decide(self, document: Document, facts: Facts, findings: Iterable[Finding]) -> Verdict:
        """The verdict: findings that enough persons accepted are not errors any more. Remembers it for display."""

    def ask(self, case: Case, document: Document, verdict: Verdict) -> Outcome:
        """Give the case to a person, and end this run. The person's decision starts the next run."""

    def post_invoice(self, case: Case, document: Document, posting: InvoicePosting) -> Outcome:
        """Post exactly once by the protocol; an unknown outcome or a conflict becomes a review item."""

    def confirm_delivery(self, case: Case, document: Document, posting: DeliveryPosting) -> Outcome:
        """As `post_invoice`, for goods receipts."""


class RunInputs(Value):
    """What a run can be told when it is started. A bot that can be told more has a class of its own."""

    source: tuple[str, ...] = ()
    """Only these of the bot's sources; none: all of them."""


class Bot(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> type[RunInputs]: ...

    def run(self, clerk: Clerk, case: Case) -> Outcome: ...
