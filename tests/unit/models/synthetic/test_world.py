"""Made-up companies, wordings and formats."""

import datetime
import random
import string
from decimal import Decimal

import pytest
import stdnum.at.uid
import stdnum.be.vat
import stdnum.ch.uid
import stdnum.de.vat
import stdnum.fr.tva
import stdnum.gb.vat
import stdnum.iban
import stdnum.ie.vat

from models.synthetic import random_invoice, random_pod
from models.synthetic.formats import SEPARATORS, Formats, canonical, city_line
from models.synthetic.handwriting import strokes_of
from models.synthetic.look import look_of, wordings
from models.synthetic.names import LANGUAGE_OF, catalogue, company, iban, slug, vat_id
from models.synthetic.specs import Party
from models.synthetic.style import Style

VAT_CHECKS = {
    "DE": stdnum.de.vat, "FR": stdnum.fr.tva, "GB": stdnum.gb.vat, "AT": stdnum.at.uid, "BE": stdnum.be.vat,
    "IE": stdnum.ie.vat, "CH": stdnum.ch.uid,
}  # fmt: skip


@pytest.mark.parametrize("country", sorted(VAT_CHECKS))
def test_vat_ids_and_accounts_pass_their_checksums(country: str) -> None:
    for seed in range(60):
        rng = random.Random(seed)
        number = vat_id(country, rng)
        assert VAT_CHECKS[country].is_valid(number), number
        account = iban(country, rng)
        assert stdnum.iban.is_valid(account), account


def test_a_company_in_the_united_states_has_neither_vat_id_nor_iban() -> None:
    party = company("US", random.Random(1))
    assert (party.vat_id, party.iban, party.bic) == ("", "", "")
    assert party.region


@pytest.mark.parametrize("country", sorted(LANGUAGE_OF))
def test_web_domains_belong_to_nobody(country: str) -> None:
    party = company(country, random.Random(3))
    assert party.email.endswith(".example")
    assert party.website.endswith(".example")


def test_a_slug_is_plain_ascii() -> None:
    assert slug("Großhandel Sèvremont & Co.") == "grosshandel-sevremont-co"


def test_every_language_knows_every_label() -> None:
    book = wordings()
    assert set(book["deu"]) == set(book["eng"]) == set(book["fra"])
    assert set(book["eng_US"]) <= set(book["eng"])
    for language in ("eng", "deu", "fra"):
        for key, options in book[language].items():
            assert options, key
            assert all(isinstance(option, str) for option in options), key


def test_sentences_use_only_values_that_layouts_give() -> None:
    known = {
        "title_line": {"title", "number", "date"},
        "pay_by": {"due", "payable", "number"},
        "vat_row": {"rate", "base"},
    }
    for book in (wordings()[language] for language in ("eng", "eng_US", "deu", "fra")):
        for key, names in known.items():
            for sentence in book.get(key, []):
                used = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
                assert used <= names, sentence


def test_a_hand_can_write_whatever_the_catalogue_asks_for() -> None:
    phrases = [
        text
        for key in ("people", "reasons", "damage", "clauses")
        for language in ("eng", "deu", "fra")
        for text in catalogue()[key][language]
    ]
    for text in [*phrases, "0123456789.,:/", *(text.upper() for text in catalogue()["people"]["deu"])]:
        for character in text.replace(" ", ""):
            assert strokes_of(character), (character, text)


@pytest.mark.parametrize(
    ("locale", "separators", "expected"),
    [
        ("de_DE", (".", ","), "1.234.567,80"),
        ("en_GB", (",", "."), "1,234,567.80"),
        ("de_CH", ("'", "."), "1'234'567.80"),
        ("fr_FR", ("\u202f", ","), "1\u202f234\u202f567,80"),
    ],
)
def test_amounts_are_written_as_the_country_does(locale: str, separators: tuple[str, str], expected: str) -> None:
    formats = Formats(locale, *separators, "dd.MM.yyyy", "EUR", "none")
    assert separators in SEPARATORS[locale]
    assert formats.amount(Decimal("1234567.8")) == expected
    assert formats.amount(Decimal("-0.5")).startswith("-0")


def test_prices_keep_their_decimals_and_quantities_lose_empty_ones() -> None:
    formats = Formats("de_DE", ".", ",", "dd.MM.yyyy", "EUR", "none")
    assert formats.price(Decimal("0.1284")) == "0,1284"
    assert formats.price(Decimal("7.5")) == "7,50"
    assert formats.quantity(Decimal("12.500")) == "12,5"
    assert formats.quantity(Decimal("100")) == "100"


def test_dates_are_written_in_the_language_of_the_house() -> None:
    day = datetime.date(2026, 3, 5)
    assert Formats("de_DE", ".", ",", "d. MMMM yyyy", "EUR", "none").date(day) == "5. M\u00e4rz 2026"
    assert Formats("en_US", ",", ".", "MM/dd/yyyy", "USD", "none").date(day) == "03/05/2026"
    assert Formats("fr_FR", "", ",", "d MMMM yyyy", "EUR", "none").date(day) == "5 mars 2026"


def test_canonical_values_are_plain_decimals() -> None:
    assert canonical(Decimal("1E+2")) == "100"
    assert canonical(Decimal("12.50")) == "12.5"
    assert canonical(Decimal("12.5"), 2) == "12.50"
    assert canonical(Decimal("0.1284"), 2) == "0.1284"


@pytest.mark.parametrize(
    ("country", "expected"),
    [("DE", "20457 Hamburg"), ("GB", "Hamburg 20457"), ("US", "Hamburg, OH 20457")],
)
def test_the_city_line_follows_the_country(country: str, expected: str) -> None:
    party = Party(name="A", postcode="20457", city="Hamburg", region="OH", country=country)
    assert "".join(text for _, text in city_line(party, "seller")) == expected


def test_a_house_keeps_its_look() -> None:
    style = Style(layout="din", language="deu")
    one = look_of(style, Party(name="Nordhafen GmbH"), "EUR")
    assert one == look_of(style, Party(name="Nordhafen GmbH", city="Ulm"), "EUR")
    assert one != look_of(style, Party(name="Kessler AG"), "EUR")


def test_random_papers_are_the_same_for_the_same_seed_and_differ_between_seeds() -> None:
    assert random_invoice(5) == random_invoice(5)
    assert random_invoice(5) != random_invoice(6)
    assert random_pod(5) == random_pod(5)
    assert random_pod(5) != random_pod(6)


def test_random_papers_cover_the_field() -> None:
    papers = [random_invoice(seed) for seed in range(300)]
    assert {spec.currency for spec, _ in papers} == {"EUR", "GBP", "USD", "CHF"}
    assert {style.language for _, style in papers} == {"eng", "deu", "fra"}
    assert {spec.kind for spec, _ in papers} == {"invoice", "credit_note"}
    assert max(len(spec.vat()) for spec, _ in papers) > 1
    assert max(len(spec.lines) for spec, _ in papers) > 40
    slips = [random_pod(seed)[0] for seed in range(200)]
    assert {slip.signature for slip in slips} == {"signed", "none", "smudge"}
    assert any(line.received is not None for slip in slips for line in slip.lines)
