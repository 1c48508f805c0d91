"""Vendors. The search screen knows no VAT id and no IBAN, so all vendors are listed, and equality is decided here."""

from collections.abc import Callable, Sequence

from systems.practice_erp.desk import Desk, counted, search
from tallyman.browser.screen import Row, Screen
from tallyman.contracts.system import Found, VendorQuery
from tallyman.domain.compare import fold_number, fold_text
from tallyman.domain.roles import Vendor

_MOST = 20


def find(desk: Desk, query: VendorQuery) -> Found[Vendor]:
    """The vendors that fit most of what is known: number, VAT id, IBAN, name. Several fit equally: all of them."""
    rows = _listed(desk)
    known = sum(bool(value) for value in (query.number, query.vat_id, query.iban, query.name))
    named = [row for row in rows if _score(query, row.cells["number"], row.cells["name"], (), None)]
    vendors = _best(query, [_detail(desk, row.cells["number"]) for row in named[:_MOST]])
    # Who fits in all points has the name or number as well, so nobody else can fit as well.
    if not (named and vendors and _fit(query, vendors[0]) == known):
        vendors = _best(query, _candidates(desk, query, rows))
    return Found(
        items=tuple(vendors[:_MOST]), scope=f"all {len(rows)} vendors", complete=len(named) <= _MOST >= len(vendors)
    )


def name_of(desk: Desk, number: str) -> str:
    """The vendor's name as it is now; empty when there is no such vendor."""
    if desk.ask("vendor.do", number=number):
        return ""
    return _read(desk.tab.screen("vendor")).name


def _listed(desk: Desk) -> list[Row]:
    form = desk.go("vendor_search.do", "vendor_search")
    rows = search(form, "vendors", {"number": "", "name": ""})
    counted(form, rows, "vendors")
    return rows


def _candidates(desk: Desk, query: VendorQuery, rows: list[Row]) -> list[Vendor]:
    """Those who may fit in any point; the ids of each vendor are looked up once, and read again before they count."""
    for number in (row.cells["number"] for row in rows):
        if number not in desk.known_ids and (query.vat_id or query.iban):
            vendor = _detail(desk, number)
            desk.known_ids[number] = (vendor.vat_id or "", " ".join(vendor.ibans))
    found = []
    for row in rows:
        vat_id, iban = desk.known_ids.get(row.cells["number"], ("", ""))
        if _score(query, row.cells["number"], row.cells["name"], (iban,), vat_id):
            found.append(_detail(desk, row.cells["number"]))
    return found


def _best(query: VendorQuery, vendors: list[Vendor]) -> list[Vendor]:
    best = max((_fit(query, vendor) for vendor in vendors), default=0)
    return [vendor for vendor in vendors if best and _fit(query, vendor) == best]


def _fit(query: VendorQuery, vendor: Vendor) -> int:
    return _score(query, vendor.number, vendor.name, vendor.ibans, vendor.vat_id)


def _score(query: VendorQuery, number: str, name: str, ibans: Sequence[str], vat_id: str | None) -> int:
    pairs: tuple[tuple[str | None, Sequence[str], Callable[[str], str]], ...] = (
        (query.number, (number,), fold_number),
        (query.vat_id, (vat_id or "",), fold_number),
        (query.iban, ibans, fold_number),
        (query.name, (name,), fold_text),
    )
    return sum(bool(known and fold(known) in {fold(one) for one in shown}) for known, shown, fold in pairs)


def _detail(desk: Desk, number: str) -> Vendor:
    return _read(desk.go("vendor.do", "vendor", number=number))


def _read(screen: Screen) -> Vendor:
    names = ("number", "name", "street", "town", "country", "vat_id", "iban", "currency", "on_hold")
    shown = screen.values(*names)
    words = shown["town"].split()
    digits = next((at for at, word in enumerate(words) if not any(char.isdigit() for char in word)), len(words))
    return Vendor(
        number=shown["number"],
        name=shown["name"],
        vat_id=shown["vat_id"] or None,
        ibans=(shown["iban"],) if shown["iban"] else (),
        currency=shown["currency"] or None,
        on_hold=shown["on_hold"] == "Y",
        street=shown["street"] or None,
        postcode=" ".join(words[:digits]) or None,
        city=" ".join(words[digits:]) or None,
        country=shown["country"] or None,
    )
