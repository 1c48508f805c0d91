"""The wordings of seven languages."""

import string

import pytest

from models.synthetic.wide import LANGUAGES, book, expand, units

HOUSES = {"eng": ("", "US"), "deu": ("", "AT", "CH"), "fra": ("", "BE", "CH"), "nld": ("", "BE")}
"""The countries whose houses have words of their own; "" is the language itself."""
MAIN = (
    "invoice_number", "issue_date", "due_date", "purchase_order_reference", "despatch_advice_reference",
    "customer_number", "seller_vat_id", "net_total", "tax_total", "gross_total", "payable_amount", "iban",
)  # fmt: skip
EVERY_HOUSE = [(language, country) for language in LANGUAGES for country in HOUSES.get(language, ("",))]


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("Date", ("Date",)),
        ("", ("",)),
        ("<Invoice|Inv.> <no.|number>", ("Invoice no.", "Invoice number", "Inv. no.", "Inv. number")),
        ("Total<| due>", ("Total", "Total due")),
        ("<a|a>b", ("ab",)),
        ("Pay <|please> now ", ("Pay now", "Pay please now")),
        ("<Rechnungs|Beleg>datum", ("Rechnungsdatum", "Belegdatum")),
        ("{number} <of|from> {date}", ("{number} of {date}", "{number} from {date}")),
        ("<only>", ("only",)),
    ],
)
def test_a_phrase_stands_for_all_its_wordings(phrase: str, expected: tuple[str, ...]) -> None:
    assert expand(phrase) == expected


@pytest.mark.parametrize("phrase", ["<a|b", "a|b>", "<a<b>>", "<a> b>", "a < b"])
def test_a_bracket_without_its_other_is_an_error(phrase: str) -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        expand(phrase)


@pytest.mark.parametrize(("language", "country"), EVERY_HOUSE)
def test_every_house_has_words_for_everything(language: str, country: str) -> None:
    wordings = book(language, country)
    assert set(wordings) == set(book("eng"))
    for key, options in wordings.items():
        assert options, key
        assert all(isinstance(option, str) and option for option in options), key
        assert not any("<" in option or ">" in option or "|" in option for option in options), key


@pytest.mark.parametrize(("language", "country"), EVERY_HOUSE)
def test_sentences_fill_in_what_those_of_other_languages_do(language: str, country: str) -> None:
    english = book("eng")
    for key, options in book(language, country).items():
        known = {name for option in english[key] for name in _names(option)}
        for option in options:
            assert _names(option) <= known, (key, option)


@pytest.mark.parametrize("language", LANGUAGES)
def test_units_are_the_same_in_every_language(language: str) -> None:
    assert set(units(language)) == set(units("eng"))
    assert all(options for options in units(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", MAIN)
def test_the_main_fields_have_sixty_wordings_in_every_language(language: str, key: str) -> None:
    wordings = {wording for country in HOUSES.get(language, ("",)) for wording in book(language, country)[key]}
    assert len(wordings) >= 60


def test_switzerland_writes_no_sharp_s() -> None:
    assert not any("ß" in wording for options in book("deu", "CH").values() for wording in options)
    assert any("ß" in wording for options in book("deu").values() for wording in options)


def test_an_unknown_language_is_an_error_and_an_unknown_country_has_the_words_of_the_language() -> None:
    with pytest.raises(ValueError, match="language"):
        book("xyz")
    with pytest.raises(ValueError, match="language"):
        units("xyz")
    assert book("spa", "ES") == book("spa")
