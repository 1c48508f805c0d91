"""Random papers: plausible invoices and proofs of delivery with their style, by seed."""

import datetime
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from models.synthetic.composed import families
from models.synthetic.names import catalogue, company, loosened
from models.synthetic.specs import Adjustment, InvoiceSpec, LetterSpec, LineSpec, Party, PodLine, PodSpec, cents
from models.synthetic.style import INVOICE_LAYOUTS, POD_LAYOUTS, RECEIPT_LAYOUTS, SCANS, Paper, Scan, Style

COUNTRIES = {
    "eng": ("GB", "GB", "US", "IE"),
    "deu": ("DE", "DE", "DE", "AT", "CH"),
    "fra": ("FR", "FR", "FR", "BE", "CH"),
    "spa": ("ES",),
    "ita": ("IT", "IT", "CH"),
    "nld": ("NL", "NL", "BE"),
    "pol": ("PL",),
}
CURRENCIES = {"GB": "GBP", "US": "USD", "CH": "CHF", "PL": "PLN"}
RATES: dict[str, tuple[str, str]] = {
    "DE": ("19", "7"), "AT": ("20", "10"), "CH": ("8.1", "2.6"), "FR": ("20", "5.5"), "BE": ("21", "6"),
    "GB": ("20", "0"), "IE": ("23", "13.5"), "US": ("6.25", "6.25"), "ES": ("21", "10"), "IT": ("22", "10"),
    "NL": ("21", "9"), "LU": ("17", "8"), "PL": ("23", "8"),
}  # fmt: skip
"""Standard and reduced rate in percent, as in force in 2025."""
EURO_IN = {
    "GBP": Decimal("0.85"), "USD": Decimal("1.1"), "CHF": Decimal("0.95"), "PLN": Decimal("4.3"), "EUR": Decimal(1),
}  # fmt: skip

TERMS_DAYS = (7, 10, 14, 14, 30, 30, 30, 45, 60)


def random_scan(rng: random.Random) -> Scan:
    """A scan: one of the named ones, each strength moved a little."""
    scan = SCANS[rng.choice(("good", "good", "office", "office", "office", "folded", "coffee", "low", "fax", "photo"))]
    moved = {
        name: round(min(1, getattr(scan, name) * rng.uniform(0.4, 1.4)), 3)
        for name in ("noise", "blur", "fade", "speckle", "fold", "coffee", "edge", "photo")
    }
    return scan.model_copy(update={**moved, "skew": round(rng.gauss(0, 0.7), 2) if not scan.photo else 0})


def _style(rng: random.Random, layouts: Sequence[str], language: str, paper: Paper | None, country: str) -> Style:
    mixed: tuple[Paper, ...] = ("clean", "clean", "scan")
    chosen = paper or rng.choice(mixed)
    return Style(
        layout=rng.choice(layouts),
        language=language,
        paper=chosen,
        scan=random_scan(rng),
        look=rng.randrange(2**31),
        page_size="Letter" if country == "US" else "A4",
        terms_page=rng.random() < 0.08,
        qr=rng.random() < 0.15,
    )


def random_invoice(seed: int, paper: Paper | None = None, language: str | None = None) -> tuple[InvoiceSpec, Style]:
    """A plausible invoice (one in eight a credit note) and how to print it. The same for the same arguments."""
    rng = random.Random(f"invoice/{seed}")
    tongue = language or rng.choice(("eng", "deu", "fra"))
    country = rng.choice(COUNTRIES[tongue])
    trade = rng.choice(sorted(catalogue()["trades"]))
    seller = company(country, rng, trade, tongue)
    buyer_country = country if rng.random() < 0.85 else rng.choice(COUNTRIES[tongue])
    buyer = company(buyer_country, rng, language=tongue).model_copy(
        update={"customer_number": str(rng.randint(10000, 99999)) if rng.random() < 0.7 else ""}
    )
    style = _style(rng, INVOICE_LAYOUTS, tongue, paper, country)
    return _invoice(rng, seller, buyer, tongue, trade), style


LETTERS = ("order", "delivery_note", "bill_of_lading", "reminder", "statement", "receipt", "receipt", "other")
_TONGUES = ("eng", "eng", "eng", "deu", "deu", "deu", "fra", "fra", "spa", "ita", "nld", "pol")


def random_paper(seed: int) -> tuple[InvoiceSpec | PodSpec | LetterSpec, Style]:
    """Any paper in any layout and in many wordings, clean: what the document model learns from. The same for the same
    seed."""
    rng = random.Random(f"paper/{seed}")
    language, place = rng.choice(_TONGUES), rng.random()
    if place < 0.15:
        pod, style = random_pod(seed, "clean", language)
        return pod, style.model_copy(update={"wide": True})
    spec, style = random_invoice(seed, "clean", language)
    parties = {
        name: loosened(party, language, rng)
        for name in ("seller", "buyer", "ship_to")
        if (party := getattr(spec, name)) is not None and rng.random() < 0.6
    }
    spec = spec.model_copy(update=parties)
    if spec.ship_to is None and rng.random() < 0.1:
        spec = spec.model_copy(update={"ship_to": spec.buyer})
    if place < 0.8:
        chosen = {"wide": True, "layout": rng.choice((*INVOICE_LAYOUTS, *families(), *families()))}
        return spec, style.model_copy(update=chosen)
    letter = LetterSpec.model_validate({"kind": rng.choice(LETTERS), "content": spec})
    if letter.kind == "receipt":
        chosen = {"wide": True, "layout": rng.choice(RECEIPT_LAYOUTS), "page_size": "Roll", "terms_page": False}
    else:
        chosen = {"wide": True, "layout": rng.choice((*families(),))}
    return letter, style.model_copy(update=chosen)


def _invoice(rng: random.Random, seller: Party, buyer: Party, language: str, trade: str) -> InvoiceSpec:
    currency = CURRENCIES.get(seller.country, "EUR")
    day = datetime.date(2023, 1, 2) + datetime.timedelta(days=rng.randrange(1400))
    delivered = day - datetime.timedelta(days=rng.randint(0, 12))
    credit = rng.random() < 0.125
    abroad = seller.country != buyer.country
    lines = _lines(rng, language, trade, seller.country, currency, untaxed=abroad)
    number = document_number(rng, day, _prefixes(language, "credit_note" if credit else "invoice"), language)
    main = max({line.vat_rate for line in lines})
    total = sum((line.total for line in lines), Decimal(0))
    book = catalogue()
    return InvoiceSpec(
        kind="credit_note" if credit else "invoice",
        number=number,
        issue_date=day,
        due_date=None if credit or rng.random() < 0.1 else day + datetime.timedelta(days=rng.choice(TERMS_DAYS)),
        currency=currency,
        language=language,
        seller=seller,
        buyer=buyer,
        ship_to=company(buyer.country, rng, language=language) if rng.random() < 0.2 else None,
        purchase_order_reference=order_number(rng) if rng.random() < 0.8 else "",
        despatch_advice_reference=document_number(rng, delivered, _prefixes(language, "delivery_note"), language)
        if rng.random() < 0.5
        else "",
        preceding_invoice=document_number(rng, delivered, _prefixes(language, "preceding"), language) if credit else "",
        delivery_date=delivered if rng.random() < 0.6 else None,
        lines=lines,
        allowances=_adjust(rng, book["allowances"][language], total, main, 0.15, (2, 3, 5, 10)),
        charges=_adjust(rng, book["charges"][language], total, main, 0.2, (1, 2, 4)),
        prepaid=cents(total * Decimal("0.3")) if rng.random() < 0.06 and not credit else Decimal(0),
        notes=rng.choice(book["notes"][language]) if rng.random() < 0.45 else "",
    )


def _adjust(
    rng: random.Random, reasons: list[str], total: Decimal, rate: Decimal, share: float, percents: tuple[int, ...]
) -> tuple[Adjustment, ...]:
    if rng.random() >= share:
        return ()
    amount = cents(total * rng.choice(percents) / 100)
    return (Adjustment(reason=rng.choice(reasons), amount=amount, vat_rate=rate),) if amount else ()


def _line_count(rng: random.Random) -> int:
    """Mostly few lines, sometimes several pages of them."""
    return rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 11)) if rng.random() < 0.85 else rng.randint(14, 70)


def _lines(
    rng: random.Random, language: str, trade: str, country: str, currency: str, untaxed: bool
) -> tuple[LineSpec, ...]:
    items = catalogue()["trades"][trade]["items"]
    count, discounted, grouped = _line_count(rng), rng.random() < 0.2, rng.random() < 0.12
    lines, group = [], ""
    for index in range(count):
        item = rng.choice(items)
        if grouped and index % 4 == 0:
            group = _group(rng, language)
        lines.append(_line(rng, item, language, country, currency, untaxed, discounted, group))
    return tuple(lines)


def _group(rng: random.Random, language: str) -> str:
    return f"{DELIVERY_NOTES[language]} {rng.randint(10000, 99999)}"


def _line(
    rng: random.Random, item: dict[str, Any], language: str, country: str, currency: str, untaxed: bool,
    discounted: bool, group: str,
) -> LineSpec:  # fmt: skip
    price = Decimal(str(item["price"])) * EURO_IN[currency] * Decimal(str(round(rng.uniform(0.8, 1.3), 2)))
    step = Decimal("0.0001") if item["price"] < 0.2 else Decimal("0.01")
    standard, reduced = RATES[country]
    rate = Decimal(0) if untaxed else Decimal(reduced if item.get("tax") == "r" else standard)
    return LineSpec(
        description=item[language] + rng.choice(("", "", "", f", {ARTICLES[language]} {rng.randint(100, 999)}")),
        item_id=item_number(rng) if rng.random() < 0.9 else "",
        quantity=_quantity(rng, item),
        unit=item["unit"],
        unit_price=max(step, price.quantize(step)),
        vat_rate=rate,
        discount_percent=Decimal(rng.choice((0, 2, 3, 5, 10, 15))) if discounted else Decimal(0),
        group=group,
        detail=f"{BATCHES[language]} {rng.randint(100000, 999999)}" if rng.random() < 0.08 else "",
    )


ARTICLES = {"eng": "type", "deu": "Typ", "fra": "type", "spa": "tipo", "ita": "tipo", "nld": "type", "pol": "typ"}
BATCHES = {
    "eng": "Batch", "deu": "Charge", "fra": "Lot", "spa": "Lote", "ita": "Lotto", "nld": "Partij", "pol": "Partia",
}  # fmt: skip
DELIVERY_NOTES = {
    "eng": "Delivery note", "deu": "Lieferschein", "fra": "Bon de livraison", "spa": "Albarán", "ita": "DDT",
    "nld": "Pakbon", "pol": "WZ",
}  # fmt: skip


def _quantity(rng: random.Random, item: dict[str, Any]) -> Decimal:
    if item["price"] < 5:
        whole = rng.choice((5, 10, 20, 24, 25, 40, 48, 50, 60, 75, 100, 120, 200, 250, 500, 1000))
        return Decimal(whole) + (Decimal(rng.randint(1, 99)) / 100 if item["unit"] == "KGM" else 0)
    if item["price"] > 150:
        return Decimal(rng.randint(1, 6))
    if item["unit"] in ("HUR", "KGM", "MTK"):
        return Decimal(rng.randint(2, 80)) / 4
    return Decimal(rng.randint(1, 48))


PREFIXES: dict[str, dict[str, tuple[str, ...]]] = {
    "spa": {"invoice": ("F", "FV", "FA", "A", ""), "credit_note": ("R", "AB", "FR"), "delivery_note": ("ALB", "A", "")},
    "ita": {
        "invoice": ("FT", "F", "FV", "A", ""),
        "credit_note": ("NC", "NCR", "N"),
        "delivery_note": ("DDT", "B", ""),
    },
    "nld": {
        "invoice": ("F", "VF", "FACT", "V", ""),
        "credit_note": ("CN", "C", "CR"),
        "delivery_note": ("PB", "L", ""),
    },
    "pol": {
        "invoice": ("FV", "FV", "FA", "F", ""),
        "credit_note": ("KFV", "FK", "KOR"),
        "delivery_note": ("WZ", "WZ", ""),
    },
}
"""What numbers of papers begin with, by language and paper."""
_COMMON_PREFIXES = {
    "invoice": ("RE", "INV", "F", "R", ""),
    "credit_note": ("GS", "CN", "AV"),
    "delivery_note": ("LS", "DN", "BL", ""),
}
SLASHED = ("spa", "ita", "pol")
"""Languages whose houses part number, month, year and series by slashes."""


def _prefixes(language: str, paper: str) -> tuple[str, ...]:
    known = PREFIXES.get(language, _COMMON_PREFIXES)
    return known["invoice"][:-1] if paper == "preceding" else known[paper]


def document_number(rng: random.Random, day: datetime.date, prefixes: tuple[str, ...], language: str = "") -> str:
    """A number as houses make them: with or without prefix, year, dashes and slashes."""
    prefix, serial = rng.choice(prefixes), rng.randint(12, 99999)
    forms: tuple[str, ...] = (
        f"{prefix}-{day.year}-{serial:05d}", f"{prefix}{serial:06d}", f"{day:%y}{serial:05d}",
        f"{prefix}{day:%y%m}-{serial:04d}", f"{serial:06d}", f"{day.year}/{serial}",
    )  # fmt: skip
    if language in SLASHED:
        forms += (
            f"{prefix}/{serial}/{day:%m}/{day.year}", f"{prefix}/{serial}/{day.year}", f"{serial}/{day:%m}/{day.year}",
            f"{serial}/{prefix or 'A'}", f"{prefix} {serial}/{day.year}", f"{prefix}/{day:%m}/{day.year}/{serial:04d}",
        )  # fmt: skip
    return rng.choice(forms).strip("-/ ")


def order_number(rng: random.Random) -> str:
    """The number of a purchase order."""
    serial = rng.randint(1000, 99999)
    return rng.choice(
        (f"45{rng.randint(0, 99999999):08d}", f"PO-{serial}", f"PO{serial:06d}", f"B{serial}", str(serial))
    )


def item_number(rng: random.Random) -> str:
    """The seller's number of an article."""
    serial = rng.randint(1000, 99999)
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTVX", k=2))
    return rng.choice(
        (
            str(serial),
            f"{letters}-{serial}",
            f"{serial // 100}.{serial % 100:02d}",
            f"{letters}{serial}",
            f"{serial:08d}",
        )
    )


def random_pod(seed: int, paper: Paper | None = None, language: str | None = None) -> tuple[PodSpec, Style]:
    """A plausible proof of delivery and how to print it. The same for the same arguments."""
    rng = random.Random(f"pod/{seed}")
    tongue = language or rng.choice(("eng", "deu", "fra"))
    country = rng.choice(COUNTRIES[tongue])
    shipper = company(country, rng, language=tongue)
    style = _style(rng, POD_LAYOUTS, tongue, paper, country).model_copy(update={"qr": False})
    return _pod(rng, shipper, company(country, rng, language=tongue), tongue, country), style


def _pod(rng: random.Random, shipper: Party, consignee: Party, language: str, country: str) -> PodSpec:
    book = catalogue()
    day = datetime.date(2023, 1, 2) + datetime.timedelta(days=rng.randrange(1400))
    delivered = day + datetime.timedelta(days=rng.randint(0, 4))
    signature = rng.choices(("signed", "none", "smudge"), (0.82, 0.11, 0.07))[0]
    bad = rng.random() < 0.35 and signature == "signed"
    filled = signature == "signed" or rng.random() < 0.3
    stamp_text = rng.choice(book["stamps"][language]).format(
        name=consignee.name, city=consignee.city, date=f"{delivered:%d.%m.%Y}"
    )
    return PodSpec(
        number=document_number(rng, day, _prefixes(language, "delivery_note"), language),
        language=language,
        waybill="".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=2)) + str(rng.randint(10**8, 10**9 - 1)),
        purchase_order_reference=order_number(rng) if rng.random() < 0.85 else "",
        shipper=shipper,
        consignee=consignee,
        carrier=company(country, rng, "transport", language) if rng.random() < 0.85 else None,
        driver=rng.choice(book["people"][language]) if rng.random() < 0.7 else "",
        vehicle=_plate(rng, shipper.city) if rng.random() < 0.5 else "",
        issue_date=day,
        delivered_date=delivered if filled else None,
        delivered_time=datetime.time(rng.randint(6, 17), rng.randrange(0, 60, 5))
        if filled and rng.random() < 0.8
        else None,
        lines=tuple(_pod_line(rng, language, bad) for _ in range(rng.randint(1, 8))),
        packages=rng.randint(1, 30),
        weight_kg=Decimal(rng.randint(40, 9000)) / 4,
        signature=signature,
        signer_name=rng.choice(book["people"][language]) if signature == "signed" and rng.random() < 0.9 else "",
        stamp=stamp_text if signature == "signed" and rng.random() < 0.5 else None,
        damage_note=rng.choice(book["damage"][language]) if bad and rng.random() < 0.6 else None,
        clauses=(rng.choice(book["clauses"][language]),) if rng.random() < 0.15 and signature == "signed" else (),
    )


def _plate(rng: random.Random, city: str) -> str:
    return f"{city[:2].upper()}-{''.join(rng.choices('ABKLMRST', k=2))} {rng.randint(100, 999)}"


def _pod_line(rng: random.Random, language: str, bad: bool) -> PodLine:
    trades = catalogue()["trades"]
    # Goods only: nobody signs for a working hour.
    goods = [
        item
        for trade in sorted(set(trades) - {"transport"})
        for item in trades[trade]["items"]
        if item["unit"][:2] in ("H8", "XC", "XB", "XR", "XP")
    ]
    item = rng.choice(goods)
    shipped = rng.choice(
        (1, 2, 3, 4, 6, 8) if item["price"] > 50 else (1, 2, 4, 6, 8, 10, 12, 20, 24, 36, 48, 60, 100, 144, 250)
    )
    fate = rng.random() if bad else 1
    short = rng.randint(1, max(1, shipped // 4))
    return PodLine(
        item=item_number(rng),
        description=item[language],
        unit=item["unit"],
        shipped=Decimal(shipped),
        received=Decimal(shipped - short) if fate < 0.5 else None,
        rejected=Decimal(short) if fate < 0.25 else None,
        reason=rng.choice(catalogue()["reasons"][language]) if fate < 0.25 else "",
    )
