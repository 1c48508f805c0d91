"""Made-up companies, wordings and formats."""

import datetime
import random
import string
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import stdnum.at.uid
import stdnum.be.vat
import stdnum.ch.uid
import stdnum.de.vat
import stdnum.es.nif
import stdnum.fr.tva
import stdnum.gb.vat
import stdnum.iban
import stdnum.ie.vat
import stdnum.it.iva
import stdnum.lu.tva
import stdnum.nl.btw
import stdnum.pl.nip

from models.synthetic import random_invoice, random_pod
from models.synthetic.formats import DATE_PATTERNS, SEPARATORS, Formats, canonical, city_line, locale_of
from models.synthetic.handwriting import strokes_of
from models.synthetic.look import look_of, wordings
from models.synthetic.names import LANGUAGE_OF, _cin, catalogue, company, iban, slug, vat_id
from models.synthetic.sampling import COUNTRIES
from models.synthetic.small_print import SENTENCES
from models.synthetic.specs import Party
from models.synthetic.style import Style
from models.synthetic.wide import LANGUAGES

VAT_CHECKS = {
    "DE": stdnum.de.vat, "FR": stdnum.fr.tva, "GB": stdnum.gb.vat, "AT": stdnum.at.uid, "BE": stdnum.be.vat,
    "IE": stdnum.ie.vat, "CH": stdnum.ch.uid, "ES": stdnum.es.nif, "IT": stdnum.it.iva, "NL": stdnum.nl.btw,
    "LU": stdnum.lu.tva, "PL": stdnum.pl.nip,
}  # fmt: skip


@pytest.mark.parametrize("country", sorted(VAT_CHECKS))
def test_vat_ids_and_accounts_pass_their_checksums(country: str) -> None:
    for seed in range(100):
        rng = random.Random(seed)
        number = vat_id(country, rng)
        assert VAT_CHECKS[country].is_valid(number), number
        account = iban(country, rng)
        assert stdnum.iban.is_valid(account), account


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def test_dutch_polish_and_italian_accounts_pass_the_checks_of_their_banks() -> None:
    for seed in range(100):
        assert _weighted(iban("NL", random.Random(seed))[8:], (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
        assert _weighted(iban("PL", random.Random(seed))[4:12], (3, 9, 7, 1, 3, 9, 7, 1)) % 10 == 0
    letters = {iban("IT", random.Random(seed))[4] for seed in range(100)}
    assert len(letters) > 20
    assert _cin("0542811101000000123456") == "X"


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
    assert slug("Łęgowo Świtała") == "legowo-switala"


def _places(node: Any) -> Iterator[dict[str, Any]]:
    """Every place of the catalogue that has words by language."""
    if isinstance(node, dict):
        if "eng" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _places(each)


def test_every_place_of_the_catalogue_has_all_languages() -> None:
    places = list(_places(catalogue()))
    assert len(places) > 80
    for place in places:
        assert set(LANGUAGES) <= set(place)
        assert all(place[language] for language in LANGUAGES)
    for countries in (catalogue()["legal"], catalogue()["cities"]):
        assert set(LANGUAGE_OF) <= set(countries)


def test_a_country_of_several_languages_has_companies_of_each() -> None:
    flemish = {company("BE", random.Random(seed), language="nld").city for seed in range(30)}
    assert "Gent" in flemish
    assert not flemish & {"Liège", "Namur", "Charleroi"}
    assert company("CH", random.Random(1), language="ita").name.split()[-1] in ("SA", "Sagl")


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
        for language in LANGUAGES
        for text in catalogue()[key][language]
    ]
    for text in [
        *phrases,
        "0123456789.,:/",
        *(text.upper() for each in LANGUAGES for text in catalogue()["people"][each]),
    ]:
        for character in text.replace(" ", ""):
            assert strokes_of(character), (character, text)


@pytest.mark.parametrize(
    ("locale", "separators", "expected"),
    [
        ("de_DE", (".", ","), "1.234.567,80"),
        ("en_GB", (",", "."), "1,234,567.80"),
        ("de_CH", ("'", "."), "1'234'567.80"),
        ("fr_FR", ("\u202f", ","), "1\u202f234\u202f567,80"),
        ("es_ES", (".", ","), "1.234.567,80"),
        ("pl_PL", ("\u00a0", ","), "1\u00a0234\u00a0567,80"),
        ("it_CH", ("\u2019", "."), "1\u2019234\u2019567.80"),
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
    assert Formats("pl_PL", "", ",", "d MMMM yyyy", "PLN", "none").date(day) == "5 marca 2026"
    assert Formats("es_ES", "", ",", "d 'de' MMMM 'de' yyyy", "EUR", "none").date(day) == "5 de marzo de 2026"


def test_zlotys_stand_behind_their_amount() -> None:
    for place in ("symbol_before", "symbol_after"):
        assert Formats("pl_PL", "", ",", "", "PLN", place).money(Decimal("1234.5")) == "1234,50\u00a0zł"
    assert Formats("nl_NL", ".", ",", "", "EUR", "symbol_before").money(Decimal("1234.5")) == "€ 1.234,50"


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


def test_an_italian_city_is_followed_by_its_province() -> None:
    party = Party(name="A", postcode="20121", city="Milano", region="MI", country="IT")
    assert "".join(text for _, text in city_line(party, "seller")) == "20121 Milano (MI)"


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_random_papers_can_be_had_in_every_language(language: str) -> None:
    for seed in range(20):
        spec, style = random_invoice(seed, None, language)
        assert (spec.language, style.language) == (language, language)
        assert spec.seller.country in COUNTRIES[language]
        locale = locale_of(language, spec.seller.country)
        assert DATE_PATTERNS[locale]
        assert SEPARATORS[locale]
        slip, style = random_pod(seed, None, language)
        assert (slip.language, style.language) == (language, language)


def test_polish_papers_count_in_zlotys() -> None:
    assert random_invoice(1, None, "pol")[0].currency == "PLN"


def test_terms_of_business_are_there_in_every_language() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    assert {len(set(sentences)) for sentences in SENTENCES.values()} == {13}
