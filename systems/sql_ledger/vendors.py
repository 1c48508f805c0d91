"""Vendors. The search screen knows no VAT id and no IBAN, so all vendors are listed, and equality is decided here."""

from datetime import date

from systems.sql_ledger.desk import Desk, tick
from tallyman.browser.screen import Row
from tallyman.contracts.system import Found, VendorQuery
from tallyman.domain.compare import fold_number, fold_text
from tallyman.domain.roles import Vendor

_MOST = 20


def find(desk: Desk, query: VendorQuery) -> Found[Vendor]:
    """The vendors that fit most of what is known: number, VAT id, IBAN, name. Several fit equally: all of them."""
    rows = listed(desk, query.number or "")
    scores = {row.cells["id"]: _score(row, query) for row in rows}
    best = max(scores.values(), default=0)
    meant = {row.cells["id"]: row for row in rows if best and scores[row.cells["id"]] == best}
    vendors = tuple(_detail(desk, row) for row in list(meant.values())[:_MOST])
    return Found(
        items=vendors,
        scope=f"all {len(scores)} vendors, active or not"
        + (f" with {query.number} in the number" if query.number else ""),
        complete=len(meant) <= _MOST,
    )


def listed(desk: Desk, number: str = "") -> list[Row]:
    """The rows of the vendor list, active or not; `number` narrows it to numbers that hold this text."""
    form = desk.go("ct.pl?action=search&db=vendor", "vendor_search")
    form.fill("number", number)
    tick(form, ("all", "show_id", "show_number", "show_vat_id", "show_iban", "show_end"))
    rows = desk.submit(form, "vendor_list").rows("vendors")
    return [row for row in rows if row.cells["id"]]


def record_id(desk: Desk, number: str) -> str | None:
    """The record's id, by which selects name a vendor: names are not unique. None: no vendor has this number."""
    if number not in desk.vendor_ids:
        desk.vendor_ids |= {row.cells["number"]: row.cells["id"] for row in listed(desk, number)}
    return desk.vendor_ids.get(number)


def _score(row: Row, query: VendorQuery) -> int:
    pairs = (
        (query.number, row.cells["number"], fold_number),
        (query.vat_id, row.cells["vat_id"], fold_number),
        (query.iban, row.cells["iban"], fold_number),
        (query.name, row.cells["name"], fold_text),
    )
    return sum(bool(known and shown and fold(known) == fold(shown)) for known, shown, fold in pairs)


def _detail(desk: Desk, row: Row) -> Vendor:
    screen = desk.follow(row.links["name"], "vendor")
    shown = {
        name: screen.value(name)
        for name in ("number", "name", "street", "city", "postcode", "country", "currency", "vat_id", "iban", "ends")
    }
    ends = desk.notation.read_day(shown["ends"])
    return Vendor(
        number=shown["number"],
        name=shown["name"],
        vat_id=shown["vat_id"] or None,
        ibans=(shown["iban"],) if shown["iban"] else (),
        currency=shown["currency"] or None,
        on_hold=ends is not None and ends <= date.today(),  # noqa: DTZ011 - the system's own notion of today
        street=shown["street"] or None,
        postcode=shown["postcode"] or None,
        city=shown["city"] or None,
        country=shown["country"] or None,
    )
