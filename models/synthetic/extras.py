"""What houses print beside the fields: other numbers, dates and amounts, all of which a reader must leave alone.

Only where the house's words know it: the wide wordings do (`Style.wide`).
"""

import datetime
import random
from collections.abc import Callable
from decimal import Decimal

from models.synthetic.formats import Formats
from models.synthetic.look import Look
from models.synthetic.specs import InvoiceSpec, cents

Text = Callable[[random.Random, InvoiceSpec, Formats], str]
_LETTERS = "ABCDEFGHKLMNPRSTVX"


def references(spec: InvoiceSpec, look: Look) -> list[tuple[str, str]]:
    """Labels and texts for the head."""
    return [*_some(_REFERENCES, spec, look, 0.15), *_others(spec, look)]


_DAYS = {
    "eng": ("Order date", "Date of order", "Ordered on", "Printed", "Contract date", "Delivery note date", "Booked",
            "Value date", "Valid until", "Dated", "Despatched", "Run date"),
    "deu": ("Bestelldatum", "Auftragsdatum", "Bestellung vom", "Lieferscheindatum", "Vertragsdatum", "Auftrag vom",
            "Druckdatum", "Buchungsdatum", "Valuta", "gültig bis", "Auftrags-Datum", "Bestellt am"),
    "fra": ("Date de commande", "Commande du", "Date du BL", "Date du contrat", "Imprimé le", "Commandé le",
            "Date de valeur", "Valable jusqu'au", "Date de facture associée", "Date de début", "Date de fin"),
    "spa": ("Fecha de pedido", "Fecha pedido", "Fecha del albarán", "Impreso el", "Fecha de contrato", "Fecha valor"),
    "ita": ("Data ordine", "Ordine del", "Data DDT", "DDT del", "Stampato il", "Data contratto", "Data valuta"),
    "nld": ("Besteldatum", "Orderdatum", "Datum bestelling", "Pakbondatum", "Afdrukdatum", "Contractdatum"),
    "pol": ("Data zamówienia", "Zamówienie z dnia", "Data WZ", "Data wydruku", "Data umowy", "Data księgowania"),
}  # fmt: skip
"""Labels of days that are no day of the document."""
_LABELS = (
    "registration", "phone", "project", "cost_centre", "till", "cashier", "contract_reference", "quote_reference",
    "serial", "batch", "customs_code", "country_of_origin", "vehicle", "incoterms", "page_word", "subject",
)  # fmt: skip
_SYLLABLES = ("ba", "ker", "to", "lin", "ga", "ran", "mo", "ste", "val", "dor", "pi", "nus", "fel", "ort", "eu", "sch")


def _others(spec: InvoiceSpec, look: Look) -> list[tuple[str, str]]:
    """Numbers, days and words under labels that nobody has heard of: each house has its own."""
    if not look.wide:
        return []
    dice = random.Random(f"{look.seed}/others")
    count = dice.choice((0, 0, 0, 1, 1, 2, 3, 5, 8))
    texts = (_number, _number, _number, _day, _cost_centre, _project, _weight, _word, _word)
    named = [look.words[key] for key in _LABELS if key in look.words]
    made = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        made.append((dice.choice(_DAYS[spec.language]) + look.suffix, _day(dice, spec, look.formats)))
    for _ in range(count):
        label = dice.choice(named) if dice.random() < 0.5 else _made_up(dice)
        made.append((label + look.suffix, dice.choice(texts)(dice, spec, look.formats)))
    return made


def _made_up(dice: random.Random) -> str:
    words = ["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 3))) for _ in range(dice.randint(1, 2))]
    end = dice.choice(((), (), ("no.",), ("Nr.",), ("ref.",), ("ID",)))
    label = " ".join([words[0].capitalize(), *words[1:], *end])
    return label.upper() if dice.random() < 0.2 else label


def _word(dice: random.Random, _spec: InvoiceSpec, _formats: Formats) -> str:
    return _made_up(dice)


def code(seed: str) -> str:
    """A code of an article, the same for the same seed."""
    dice = random.Random(f"code/{seed}")
    return dice.choice((digits(seed, 13), digits(seed, 5), f"{dice.choice(_LETTERS)}{digits(seed, 4)}"))


def digits(seed: str, count: int) -> str:
    return "".join(random.Random(f"digits/{seed}").choices("0123456789", k=count))


def row_note(spec: InvoiceSpec, look: Look, item: str) -> str:
    """What a house prints under an item beside its batch: codes, days and amounts that are not the item's."""
    dice = random.Random(f"{look.seed}/{spec.number}/{item}/note")
    if not look.chance("row notes", 0.2) or dice.random() < 0.4:
        return ""
    amount = look.formats.amount(cents(Decimal(dice.randint(1, 9999)) / 100))
    notes = (
        f"  GTIN {digits(item, 13)}", f"  EAN: {digits(item, 13)}", f"  {_day(dice, spec, look.formats)}",
        f"  {look.words.get('discount', '%')} {dice.randint(1, 20)} %  -{amount}", f"  {_made_up(dice)} {amount}",
        f"  {look.words.get('country_of_origin', 'CO')}: {spec.seller.country}", f"  1 = {amount} kg",
    )  # fmt: skip
    return look.pick("row note", notes) if look.chance("same row notes", 0.7) else dice.choice(notes)


def weights(spec: InvoiceSpec, look: Look) -> list[tuple[str, str]]:
    """Labels and texts for the sums."""
    return _some(_WEIGHTS, spec, look, 0.06)


def sentences(spec: InvoiceSpec, look: Look) -> list[str]:
    """Terms of payment and of law that hold amounts, days and rates."""
    dice = random.Random(f"{look.seed}/{spec.number}/sentences")
    days = dice.choice((7, 8, 10, 14))
    values = {
        "percent": look.formats.percent(Decimal(dice.choice((2, 2, 3)))),
        "days": str(days),
        "due": look.formats.date(spec.issue_date + datetime.timedelta(days=days)),
    }
    found = []
    if "cash_discount_terms" in look.words and look.chance("cash discount", 0.2):
        found.append(look.words["cash_discount_terms"].format(**values))
    if "legal_line" in look.words and look.chance("legal line", 0.25):
        found.append(look.words["legal_line"])
    return found


def _some(texts: dict[str, Text], spec: InvoiceSpec, look: Look, share: float) -> list[tuple[str, str]]:
    dice = random.Random(f"{look.seed}/{spec.number}/extras")
    return [
        (look.label(key), text(dice, spec, look.formats))
        for key, text in texts.items()
        if key in look.words and look.chance(f"extra {key}", share)
    ]


def _number(dice: random.Random, _spec: InvoiceSpec, _formats: Formats) -> str:
    digits = str(dice.randint(1000, 9999999))
    return dice.choice((digits, f"{''.join(dice.choices(_LETTERS, k=2))}-{digits}", f"{digits[:3]}/{digits[3:]}"))


def _cost_centre(dice: random.Random, _spec: InvoiceSpec, _formats: Formats) -> str:
    return str(dice.choice((100, 1000, 10000)) * dice.randint(1, 9) + dice.randint(0, 99))


def _day(dice: random.Random, spec: InvoiceSpec, formats: Formats) -> str:
    return formats.date(spec.issue_date - datetime.timedelta(days=dice.randint(1, 60)))


def _period(dice: random.Random, spec: InvoiceSpec, formats: Formats) -> str:
    end = spec.issue_date - datetime.timedelta(days=dice.randint(0, 10))
    return f"{formats.date(end - datetime.timedelta(days=30))} - {formats.date(end)}"


def _project(dice: random.Random, spec: InvoiceSpec, _formats: Formats) -> str:
    return dice.choice((f"P{dice.randint(100, 9999)}", f"{spec.buyer.city} {dice.randint(1, 9)}", spec.buyer.city))


def _incoterms(dice: random.Random, spec: InvoiceSpec, _formats: Formats) -> str:
    return f"{dice.choice(('DAP', 'EXW', 'FCA', 'CPT', 'DDP'))} {spec.buyer.city}"


def _rate(dice: random.Random, _spec: InvoiceSpec, formats: Formats) -> str:
    return formats.number(Decimal(dice.randint(8000, 13000)) / 10000, 4)


def _weight(dice: random.Random, _spec: InvoiceSpec, formats: Formats) -> str:
    return f"{formats.number(Decimal(dice.randint(100, 900000)) / 100, 2)} kg"


def _volume(dice: random.Random, _spec: InvoiceSpec, formats: Formats) -> str:
    return f"{formats.number(Decimal(dice.randint(10, 9000)) / 100, 2)} m³"


def _instalment(dice: random.Random, spec: InvoiceSpec, formats: Formats) -> str:
    return formats.money(cents(spec.totals().gross_total / dice.choice((2, 3, 12))))


_REFERENCES: dict[str, Text] = {
    "seller_order_reference": _number,
    "contract_reference": _number,
    "quote_reference": _number,
    "project": _project,
    "cost_centre": _cost_centre,
    "period": _period,
    "tax_point": _day,
    "incoterms": _incoterms,
    "exchange_rate": _rate,
}
_WEIGHTS: dict[str, Text] = {
    "weight_net": _weight,
    "weight_gross": _weight,
    "volume": _volume,
    "instalment": _instalment,
}
