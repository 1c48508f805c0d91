"""Which of the target's vendors sent a document."""

from collections.abc import Iterable

from tallyman.domain.compare import fold_text
from tallyman.domain.document import Document
from tallyman.domain.roles import Vendor


def choose_vendors(document: Document, candidates: Iterable[Vendor]) -> tuple[Vendor, ...]:
    """The vendors that the document's seller may be: one means known, several that a person must choose.

    A VAT id decides: equal ids are the vendor, and a vendor with another id is not, however alike the name. Without one
    the whole name must be equal, and the bank account where several bear that name.
    """
    known = {vendor.number: vendor for vendor in candidates}.values()
    vat_id, name = _plain(document.text("seller_vat_id")), fold_text(document.text("seller_name") or "")
    named = [vendor for vendor in known if name and fold_text(vendor.name) == name]
    if vat_id:
        by_id = [vendor for vendor in known if _plain(vendor.vat_id) == vat_id]
        if by_id:
            return tuple(_narrow(by_id, [vendor for vendor in by_id if vendor in named]))
        named = [vendor for vendor in named if not vendor.vat_id]
    iban = _plain(document.text("iban"))
    paid = [vendor for vendor in named if iban and iban in {_plain(one) for one in vendor.ibans}]
    return tuple(_narrow(named, paid))


def _narrow(vendors: list[Vendor], better: list[Vendor]) -> list[Vendor]:
    return better if len(better) == 1 else vendors


def _plain(identifier: str | None) -> str:
    return "".join(char for char in identifier or "" if char.isalnum()).upper()
