"""A legacy system: its verbs, and what it declares about itself.

A system is a folder `systems/<name>/` whose package has `SYSTEM`, an object of this protocol. Its element maps lie in
`selectors/<name>/`. Which verbs it has follows from the protocols that its session keeps: `Erp`, `DocumentSource`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import Field as Constraint

from tallyman.domain.base import Value
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor
from tallyman.errors import ConfigurationError


class Capabilities(Value):
    """What a system declares. No declaration means the careful choice: an unknown outcome goes to a person."""

    title: str
    """What people call it."""
    company: str = ""
    needs_browser: bool = True
    posts: bool = False
    """It has the verbs of `Erp`. False for portals, folders and mailboxes."""
    duplicate_check: bool = False
    """The target itself refuses a second record with the same number."""
    approval_step: bool = False
    """What we post is a draft until somebody approves it there."""
    attach_phase: Literal["none", "before_commit", "after_save", "after_post"] = "none"
    delivery_number: bool = False
    """A goods receipt has a searchable field for our reference."""
    sessions_per_user: int = Constraint(default=1, ge=1)
    tabs_share_state: bool = True
    settle_s: float = Constraint(default=5.0, ge=0)
    """How long after a click to wait before "not found" is worth a second search."""
    max_visibility_delay_s: float | None = None
    """The longest time after which a stored record is surely found. None: nobody knows, so never post again."""
    date_pattern: str = "%Y-%m-%d"
    """strptime pattern of the dates on its screens."""
    decimal_sign: str = "."
    group_sign: str = ","
    encoding: str = "utf-8"


T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Found(Generic[T]):
    """The answer of a search. "Not found" is only true where `complete` is: all states, all dates, all pages.

    `scope` says in words what was searched, for the review item.
    """

    items: tuple[T, ...]
    scope: str
    complete: bool


class VendorQuery(Value):
    """Any of these may be known; a system searches by the ones that its screens can search."""

    name: str | None = None
    vat_id: str | None = None
    iban: str | None = None
    number: str | None = None


class Permit(Protocol):
    """The right to one click, given by `Arm` after the armed row is on the disk."""

    def spend(self) -> None:
        """Take it. Raises NotArmed when it was taken before."""

    def check(self) -> None:
        """Right before the request leaves. Raises NotArmed when it is too late by now."""


class Arm(Protocol):
    """Called by a system when the form is filled, with what the screen shows now.

    `shown` maps the names of `InvoicePosting.shown()` / `DeliveryPosting.shown()` to canonical values that were read
    back **from the screen**, never from our own payload. Raises ReadBackDiffers or NotArmed; then nothing may
    be clicked.
    """

    def __call__(self, shown: Mapping[str, str]) -> Permit: ...


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a system is given to work with: its settings, its secrets, and a browser tab on demand."""

    system: str
    settings: Mapping[str, str]
    secret: Callable[[str], str]
    """secret("password") reads `<system>.password` from the vault. Raises SecretMissing."""
    tab: Callable[[], Any]
    """A tallyman.browser.Tab, in the one session of this system; Any, because contracts know no browser."""

    def check_settings(self, *needed: str, known: Iterable[str] = ()) -> None:
        """Raises ConfigurationError where a setting is missing, or is none of `needed` and `known`: a slip is told."""
        if unknown := sorted(set(self.settings) - {*needed, *known}):
            raise ConfigurationError(f"{self.system} has no setting {', '.join(unknown)}.")
        for name in needed:
            if not self.settings.get(name):
                raise ConfigurationError(f"{self.system} needs the setting {name!r}.")


class Session(Protocol):
    """A logged-in session. Used for many cases by one thread; a dead one is thrown away and opened anew."""

    def close(self) -> None:
        """Log out, if that is possible. Must not raise."""


@runtime_checkable
class Erp(Session, Protocol):
    """The verbs of a system that keeps orders, receipts and vendor invoices.

    All raise SystemDown, SessionLost, PageChanged or LoginFailed. Searches are free of side effects and may be
    repeated; exact matching is ours, since screens match substrings: a system returns what the screen shows for the
    search, already narrowed to equal numbers where the verb says so.
    """

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        """Vendors that may be meant, with their master data from the detail screen."""

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:
        """The order with exactly this number or reference (any state), or all open orders of a vendor; with lines."""

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        """Vendor invoices with this number, equal up to `fold_number`: all states, all dates, drafts too."""

    def list_invoices(self, *, since: date) -> Found[PostedInvoice]:
        """All vendor invoices dated since this day, from the target's own report: all vendors, all states and pages.

        Other values than `find_invoice` gives for the same record are a defect.
        """

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        """Goods receipts against this order that carry this reference."""

    def post_invoice(self, posting: InvoicePosting, arm: Arm) -> None:
        """Fill the form, read it back from the screen, call `arm`, click once, return when the answer has come.

        Says nothing about success: the caller searches. Raises Rejected when the target says clearly that it stored
        nothing. An exception after `arm` makes the outcome unknown, never a retry.
        """

    def confirm_delivery(self, posting: DeliveryPosting, arm: Arm) -> None:
        """As `post_invoice`, for a goods receipt with partial quantities per line."""

    def attach_document(self, *, invoice: PostedInvoice, name: str, content: bytes) -> bool:
        """Attach the file to a posted record. True when the target shows it afterwards; False when it can't attach.

        Idempotent: a file of this name that is there already is not attached again.
        """


class Offer(Value):
    """A document that a source offers. `key` is stable in that source; `name` is for people.

    A key does not end in "#" and a number: so are the documents in a container called, `<its key>#<n>`.
    """

    key: str
    name: str


@runtime_checkable
class DocumentSource(Session, Protocol):
    """A system that documents come from: a portal, a folder, a mailbox."""

    def list_documents(self) -> Iterable[Offer]:
        """All that is there, completely, in a stable order. Raises SystemDown rather than giving a part."""

    def fetch(self, offer: Offer) -> bytes:
        """The document's bytes. Raises SystemDown."""


class System(Protocol):
    """A legacy system."""

    @property
    def name(self) -> str:
        """The folder's name."""

    @property
    def capabilities(self) -> Capabilities: ...

    def open(self, access: Access) -> Session:
        """Log in. Raises LoginFailed on the first refusal; never tries a second password."""
