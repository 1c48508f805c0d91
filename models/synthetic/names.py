"""Made-up companies with ids that pass their checks. No name, account or tax id belongs to anyone on purpose."""

import random
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from stdnum import luhn
from stdnum.at import uid as at_uid
from stdnum.ch import uid as ch_uid
from stdnum.iso7064 import mod_11_10

from models.synthetic.specs import Party

LANGUAGE_OF = {"GB": "eng", "IE": "eng", "US": "eng", "DE": "deu", "AT": "deu", "CH": "deu", "FR": "fra", "BE": "fra"}
DIALS = {
    "GB": "+44 113", "IE": "+353 21", "US": "+1 555", "DE": "+49 40",
    "AT": "+43 1", "CH": "+41 44", "FR": "+33 4", "BE": "+32 4",
}  # fmt: skip
ACCOUNTS = {"DE": "18d", "AT": "16d", "CH": "17d", "FR": "23d", "BE": "12d", "GB": "4l14d", "IE": "4l14d"}
"""What follows the check digits of an IBAN: d digits, l letters."""
BANKS = {
    "eng": ("Meridian Bank", "Castle & County Bank", "First Harbour Bank"),
    "deu": ("Hansebank", "Sparbank Nord", "Volkskasse Süd"),
    "fra": ("Banque du Rhône", "Crédit Maritime Ouest", "Caisse Régionale"),
}


@cache
def catalogue() -> dict[str, Any]:
    """The file of trades, names and phrases."""
    with (Path(__file__).parent / "catalogue.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def _digits(rng: random.Random, count: int) -> str:
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(count - 1))


def iban(country: str, rng: random.Random) -> str:
    """An IBAN with right check digits (ISO 13616, mod 97); empty for countries without one."""
    pattern = ACCOUNTS.get(country)
    if pattern is None:
        return ""
    account = ""
    for count, kind in re.findall(r"(\d+)([dl])", pattern):
        account += _digits(rng, int(count)) if kind == "d" else "".join(rng.choices("BCDFGHKLMNPRSTW", k=int(count)))
    if country == "BE":
        body = "001" + account[3:10]  # checks of Belgian accounts know the banks
        account = body + f"{int(body) % 97 or 97:02d}"
    if country == "FR":
        account = account[:21] + _rib_key(account[:21])
    rest = "".join(str(int(each, 36)) for each in account + country + "00")
    return f"{country}{98 - int(rest) % 97:02d}{account}"


def _rib_key(account: str) -> str:
    """The key of a French account: 97 less the weighted remainder of bank, branch and number."""
    bank, branch, number = int(account[:5]), int(account[5:10]), int(account[10:])
    return f"{97 - (89 * bank + 15 * branch + 3 * number) % 97:02d}"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def vat_id(country: str, rng: random.Random) -> str:
    """A VAT id with a right checksum; empty for countries without one."""
    if country == "DE":
        body = _digits(rng, 8)
        return "DE" + body + mod_11_10.calc_check_digit(body)
    if country == "FR":
        siren = _digits(rng, 8)
        siren += luhn.calc_check_digit(siren)
        return f"FR{(int(siren) * 100 + 12) % 97:02d}{siren}"
    if country == "GB":
        body = _digits(rng, 7)
        return f"GB{body}{97 - _weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 97:02d}"
    if country == "AT":
        body = _digits(rng, 7)
        return f"ATU{body}{at_uid.calc_check_digit('U' + body)}"
    if country == "BE":
        body = "0" + _digits(rng, 7)
        return f"BE{body}{97 - int(body) % 97:02d}"
    if country == "IE":
        body = _digits(rng, 7)
        return f"IE{body}{'WABCDEFGHIJKLMNOPQRSTUV'[_weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 23]}"
    return _swiss_id(rng) if country == "CH" else ""


def _swiss_id(rng: random.Random) -> str:
    while True:
        body = _digits(rng, 8)
        check = str(ch_uid.calc_check_digit(body))
        if len(check) == 1:
            return f"CHE{body}{check}"


def slug(name: str) -> str:
    """The name as it could stand in a web address."""
    plain = unicodedata.normalize("NFKD", name.replace("\u00df", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def company(country: str, rng: random.Random, trade: str | None = None, language: str | None = None) -> Party:
    """A made-up company. Its web domain ends in .example, which nobody can own (RFC 2606)."""
    book, tongue = catalogue(), language or LANGUAGE_OF[country]
    lead = rng.choice(book["leads"][tongue])
    middle = rng.choice(book["trades"][trade or rng.choice(sorted(book["trades"]))]["name"][tongue])
    city, postcode, *region = rng.choice(book["cities"][country])
    domain = f"{slug(lead)}-{slug(middle)}.example"
    tax = f"{rng.randint(10, 49)}/{_digits(rng, 3)}/{_digits(rng, 5)}" if country == "DE" and rng.random() < 0.6 else ""
    if country == "US":
        tax = f"{_digits(rng, 2)}-{_digits(rng, 7)}"
    account = iban(country, rng)
    return Party(
        name=f"{lead} {middle} {rng.choice(book['legal'][country])}",
        street=_street(country, tongue, rng),
        postcode=postcode,
        city=city,
        region=region[0] if region else "",
        country=country,
        vat_id=vat_id(country, rng),
        tax_number=tax,
        registration=_registration(country, city, rng),
        iban=account,
        bic=_bic(country, rng) if account else "",
        bank=rng.choice(BANKS[tongue]),
        email=f"{rng.choice(('info', 'billing', 'office', 'accounts'))}@{domain}",
        phone=f"{DIALS[country]} 555 {rng.randint(1000, 9999)}",
        website=f"www.{domain}",
        contact=rng.choice(book["people"][tongue]) if rng.random() < 0.5 else "",
    )


def _bic(country: str, rng: random.Random) -> str:
    return f"{''.join(rng.choices('BCDFGHKLMNPRST', k=4))}{country}{rng.choice(('21', 'FF', '2X', 'PP'))}"


def _street(country: str, language: str, rng: random.Random) -> str:
    name, number = rng.choice(catalogue()["streets"][language]), rng.randint(1, 189)
    if language == "fra":
        return f"{number}, {name}" if rng.random() < 0.3 else f"{number} {name}"
    return f"{number} {name}" if country in ("GB", "IE", "US") else f"{name} {number}"


def _registration(country: str, city: str, rng: random.Random) -> str:
    if country == "DE":
        return f"HRB {rng.randint(1000, 99999)} {city}"
    if country == "FR":
        return f"RCS {city} {_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, 3)}"
    return _digits(rng, 8) if country in ("GB", "IE") else ""
