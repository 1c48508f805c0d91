"""What the world says about a document: everything that checks and matching may look at besides the document."""

from datetime import date
from decimal import Decimal

from tallyman.domain.base import Value
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor


class Sighting(Value):
    """Another case of ours that may be the same document."""

    case: str
    file: str
    number: str
    vendor: str | None
    gross: Decimal | None
    issue_date: date | None
    state: str
    same_file: bool = False


class Facts(Value):
    """`vendors` are the candidates that the target gave for the document's seller; one means known.

    `orders` are those that the document names or, when it names none, the vendor's open ones (`orders_named` tells).
    `posted` is what the target holds under this number; `sightings` what our own ledger holds.
    """

    today: date
    vendors: tuple[Vendor, ...] = ()
    orders: tuple[Order, ...] = ()
    orders_named: bool = True
    posted: tuple[PostedInvoice, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    layout_confirmed: bool = False
    """Whether people have confirmed documents of this supplier's layout before."""
    confirmed_places: tuple[str, ...] = ()
    """Fields of this document that stand where persons have confirmed the same field of this supplier before."""
    complete: bool = True
    """False when a search of the target could not see everything: then "not found" proves nothing."""

    @property
    def vendor(self) -> Vendor | None:
        return self.vendors[0] if len(self.vendors) == 1 else None
