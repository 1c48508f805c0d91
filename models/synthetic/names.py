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
from stdnum.es import ccc as es_ccc
from stdnum.es import cif as es_cif
from stdnum.iso7064 import mod_11_10
from stdnum.lu import tva as lu_tva

from models.synthetic.specs import Party

LANGUAGE_OF = {
    "GB": "eng", "IE": "eng", "US": "eng", "DE": "deu", "AT": "deu", "CH": "deu", "FR": "fra", "BE": "fra",
    "ES": "spa", "IT": "ita", "NL": "nld", "LU": "fra", "PL": "pol",
}  # fmt: skip
"""The language of a country, the first one where it has several."""
DIALS = {
    "GB": "+44 113", "IE": "+353 21", "US": "+1 555", "DE": "+49 40",
    "AT": "+43 1", "CH": "+41 44", "FR": "+33 4", "BE": "+32 4", "ES": "+34 976", "IT": "+39 02", "NL": "+31 20",
    "LU": "+352 26", "PL": "+48 22",
}  # fmt: skip
ACCOUNTS = {
    "DE": "18d", "AT": "16d", "CH": "17d", "FR": "23d", "BE": "12d", "GB": "4l14d", "IE": "4l14d",
    "ES": "20d", "IT": "1l22d", "NL": "4l10d", "LU": "16d", "PL": "24d",
}  # fmt: skip
"""What follows the check digits of an IBAN: d digits, l letters. Check digits of the country's own are put in later."""
BANKS = {
    "eng": ("Meridian Bank", "Castle & County Bank", "First Harbour Bank"),
    "deu": ("Hansebank", "Sparbank Nord", "Volkskasse Süd"),
    "fra": ("Banque du Rhône", "Crédit Maritime Ouest", "Caisse Régionale"),
    "spa": ("Banco del Ebro", "Caja Litoral", "Banca Meseta"),
    "ita": ("Banca del Lario", "Cassa Adriatica", "Credito Appenninico"),
    "nld": ("Bank van de Delta", "Noorderbank", "Spaarkas IJssel"),
    "pol": ("Bank Nadwiślański", "Bank Bałtycki", "Kasa Mazowiecka"),
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
    account = _checked(country, account)
    rest = "".join(str(int(each, 36)) for each in account + country + "00")
    return f"{country}{98 - int(rest) % 97:02d}{account}"


def _checked(country: str, account: str) -> str:
    """The account with the check digits that Spain, Italy, the Netherlands and Poland have in their own numbers."""
    if country == "ES":
        return account[:8] + str(es_ccc.calc_check_digits(account)) + account[10:]
    if country == "IT":
        return _cin(account[1:]) + account[1:]
    if country == "NL":
        return account[:4] + _eleven(account[4:])
    if country == "PL":
        return account[:7] + str(-_weighted(account[:7], (3, 9, 7, 1, 3, 9, 7)) % 10) + account[8:]
    return account


def _cin(account: str) -> str:
    """The letter that checks bank, branch and number of an Italian account; every other digit counts by a table."""
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
    total = sum(int(digit) if place % 2 else odd[int(digit)] for place, digit in enumerate(account))
    return chr(ord("A") + total % 26)


def _eleven(number: str) -> str:
    """A Dutch account number like this one, weighted from 10 down to 1 a multiple of 11.

    The ninth place counts twice, the last once; where the last alone would be ten, the ninth moves by one.
    """
    body = number[:9]
    missing = -_weighted(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    if missing < 10:
        return f"{body}{missing}"
    ninth = int(body[8])
    return f"{body[:8]}{ninth - 1}1" if ninth else f"{body[:8]}18"


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
    if country in _VAT_MAKERS:
        return _VAT_MAKERS[country](rng)
    return _swiss_id(rng) if country == "CH" else ""


def _spanish_id(rng: random.Random) -> str:
    """B stands for a company with limited liability, A for one with shares; both have a digit as their check."""
    body = rng.choice("BBBA") + _digits(rng, 7)
    return f"ES{body}{es_cif.calc_check_digits(body)[0]}"


def _italian_id(rng: random.Random) -> str:
    body = f"0{_digits(rng, 6)}{rng.randint(1, 100):03d}"
    return f"IT{body}{luhn.calc_check_digit(body)}"


def _dutch_id(rng: random.Random) -> str:
    while True:
        body = _digits(rng, 8)
        check = _weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"NL{body}{check}B{rng.choice((1, 1, 1, 1, 2, 3)):02d}"


def _luxembourgish_id(rng: random.Random) -> str:
    body = _digits(rng, 6)
    return f"LU{body}{lu_tva.calc_check_digits(body)}"


def _polish_id(rng: random.Random) -> str:
    while True:
        body = _digits(rng, 9)
        check = _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"PL{body}{check}"


_VAT_MAKERS = {
    "ES": _spanish_id, "IT": _italian_id, "NL": _dutch_id, "LU": _luxembourgish_id, "PL": _polish_id,
}  # fmt: skip


def _swiss_id(rng: random.Random) -> str:
    while True:
        body = _digits(rng, 8)
        check = str(ch_uid.calc_check_digit(body))
        if len(check) == 1:
            return f"CHE{body}{check}"


def slug(name: str) -> str:
    """The name as it could stand in a web address."""
    spelt = name.translate({0xDF: "ss", 0x141: "L", 0x142: "l"})
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def company(country: str, rng: random.Random, trade: str | None = None, language: str | None = None) -> Party:
    """A made-up company. Its web domain ends in .example, which nobody can own (RFC 2606)."""
    book, tongue = catalogue(), language or LANGUAGE_OF[country]
    lead = rng.choice(book["leads"][tongue])
    middle = rng.choice(book["trades"][trade or rng.choice(sorted(book["trades"]))]["name"][tongue])
    city, postcode, *region = rng.choice(_of_country("cities", country, tongue))
    domain = f"{slug(lead)}-{slug(middle)}.example"
    tax = f"{rng.randint(10, 49)}/{_digits(rng, 3)}/{_digits(rng, 5)}" if country == "DE" and rng.random() < 0.6 else ""
    if country == "US":
        tax = f"{_digits(rng, 2)}-{_digits(rng, 7)}"
    account = iban(country, rng)
    party = Party(
        name=f"{lead} {middle} {rng.choice(_of_country('legal', country, tongue))}",
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
    # There the tax number is the VAT id without its country, and many houses print the one, the other or both.
    if country in ("ES", "IT", "PL") and rng.random() < 0.5:
        return party.model_copy(update={"tax_number": party.vat_id[2:]})
    return party


def _of_country(place: str, country: str, language: str) -> list[Any]:
    """What the catalogue has for a country: for the part of it that speaks the language, where it tells them apart."""
    found = catalogue()[place]
    listed: list[Any] = found.get(f"{country} {language}") or found[country]
    return listed


_KINDS = {
    "eng": ("Hotel", "Café", "City of", "The", "Dr", "St Mary's", "Royal", "Studio"),
    "deu": ("Hotel", "Stadt", "Praxis", "Gasthof", "Gemeinde", "Autohaus", "Verein", "Stiftung"),
    "fra": ("Hôtel", "Mairie de", "Café", "Cabinet", "Le", "La Maison", "Garage", "Atelier"),
    "spa": ("Hotel", "Ayuntamiento de", "Bar", "Taller", "Clínica", "Farmacia", "Casa"),
    "ita": ("Hotel", "Comune di", "Bar", "Studio", "Officina", "Farmacia", "Ditta"),
    "nld": ("Hotel", "Gemeente", "Café", "Praktijk", "Garage", "Stichting", "Bakkerij"),
    "pol": ("Hotel", "Gmina", "Apteka", "Zakład", "Biuro", "Fundacja", "Sklep"),
}
_QUARTERS = ("Nord", "Mitte", "Centre", "West", "International", "Europe", "24", "One", "& Co", "Group", "I")


def loosened(party: Party, language: str, rng: random.Random) -> Party:
    """The party by a name as houses really have: people, trades without a legal form, capitals, offices; and its city
    in capitals, or with a quarter."""
    words, book = party.name.split(), catalogue()
    lead, person, kind = words[0], rng.choice(book["people"][language]), rng.choice(_KINDS[language])
    names = (
        party.name, party.name, party.name, party.name.upper(), lead, f"{lead} {words[1]}", person, person.upper(),
        f"{kind} {lead}", f"{kind} {party.city}", f"{kind} {person.split()[-1]}", f"{lead} & {person.split()[-1]}",
        f"{lead} {rng.choice(_QUARTERS)}", f"{lead} {words[-1]} {rng.choice(_QUARTERS)}", f"{lead.lower()}.example",
        f"{lead[:3].upper()} {words[1]} {words[-1]}", f"{person} {words[1]}", f"{party.name} - {kind} {party.city}",
    )  # fmt: skip
    cities = (party.city, party.city, party.city, party.city, party.city.upper(), f"{party.city}-{lead}")
    name, city = rng.choice(names), rng.choice(cities)
    street = party.street.upper() if name.isupper() and rng.random() < 0.6 else party.street
    city = city.upper() if street.isupper() else city
    return party.model_copy(update={"name": name, "city": city, "street": street})


def _bic(country: str, rng: random.Random) -> str:
    return f"{''.join(rng.choices('BCDFGHKLMNPRST', k=4))}{country}{rng.choice(('21', 'FF', '2X', 'PP'))}"


def _street(country: str, language: str, rng: random.Random) -> str:
    name, number = rng.choice(catalogue()["streets"][language]), rng.randint(1, 189)
    if language == "fra":
        return f"{number}, {name}" if rng.random() < 0.3 else f"{number} {name}"
    if language == "spa":
        return f"{name}, {number}" if rng.random() < 0.8 else f"{name} {number}"
    if language == "ita":
        return f"{name}, {number}" if rng.random() < 0.5 else f"{name} {number}"
    if language == "pol":
        return f"{name} {number}" if rng.random() < 0.8 else f"{name} {number}/{rng.randint(1, 40)}"
    return f"{number} {name}" if country in ("GB", "IE", "US") else f"{name} {number}"


def _registration(country: str, city: str, rng: random.Random) -> str:
    if country == "DE":
        return f"HRB {rng.randint(1000, 99999)} {city}"
    if country == "FR":
        return f"RCS {city} {_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, 3)}"
    if country == "ES":
        return f"{city}, T. {rng.randint(100, 9999)}, F. {rng.randint(1, 220)}, H. {_digits(rng, 6)}"
    if country == "IT":
        return f"{_province(city)}-{_digits(rng, 7)}"
    if country == "LU":
        return f"B{_digits(rng, 6)}"
    if country == "PL":
        return f"0000{_digits(rng, 6)}"
    if country == "NL":
        return _digits(rng, 8)
    return _digits(rng, 8) if country in ("GB", "IE") else ""


def _province(city: str) -> str:
    """The province of an Italian city, two letters."""
    provinces = {name: province for name, _, province in catalogue()["cities"]["IT"]}
    return str(provinces[city])
