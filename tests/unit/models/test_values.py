"""Typed candidates: what a printed text can mean."""

import pytest

from models import values


def _values(found: object) -> list[str]:
    return [item.value for item in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("05.03.2025", "2025-03-05"),
        ("5.3.25", "2025-03-05"),
        ("2025-03-05", "2025-03-05"),
        ("05/03/2025", "2025-03-05"),
        ("03/25/2025", "2025-03-25"),
        ("11. Juli 2014", "2014-07-11"),
        ("5. März 2025", "2025-03-05"),
        ("March 5, 2025", "2025-03-05"),
        ("5 Mar 2025", "2025-03-05"),
        ("5 février 2025", "2025-02-05"),
        ("25-May-2025", "2025-05-25"),
    ],
)
def test_dates_of_three_languages_are_read(text: str, value: str) -> None:
    assert _values(values.dates(f"vom {text}.")) == [value]


def test_american_dates_put_the_month_first_where_the_document_does() -> None:
    assert _values(values.dates("03/04/2025", month_first=True)) == ["2025-03-04"]


def test_no_date_is_made_of_what_is_none() -> None:
    assert _values(values.dates("32.13.2025, 1.2.3, 10:15, 123456")) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("1'234.56", "1234.56"),
        ("-7,67", "-7.67"),
        ("7,67-", "-7.67"),
        ("(7.67)", "-7.67"),
        ("€ 100", "100"),
        ("£1, 100.16", "1100.16"),
        ("21,3", "21.3"),
        ("0,0520", "0.0520"),
    ],
)
def test_amounts_of_both_notations_are_read(text: str, value: str) -> None:
    assert _values(values.amounts(f"Betrag {text}")) == [value]


def test_rates_dates_and_article_numbers_are_no_amounts() -> None:
    assert _values(values.amounts("19,00 % vom 05.03.2025, Art. 12/345")) == []


def test_an_iban_is_one_only_with_right_check_digits() -> None:
    (good,) = values.ibans("IBAN DE88 2008 0000 0970 3757 00 BIC COBADEFFXXX")
    assert (good.value, good.sure) == ("DE88200800000970375700", 1.0)
    (bad,) = values.ibans("IBAN DE89 2008 0000 0970 3757 00")
    assert bad.sure < 0.5


def test_check_digits_prove_that_ocr_took_a_nought_for_an_o() -> None:
    (found,) = values.ibans("IBAN DE88 2OO8 0000 0970 3757 00")
    assert (found.value, found.sure) == ("DE88200800000970375700", 1.0)


def test_vat_ids_lose_their_spaces_and_an_iban_is_none() -> None:
    assert _values(values.vat_ids("USt-IdNr. DE 136 695 976")) == ["DE136695976"]
    assert _values(values.vat_ids("IBAN DE08 7009 0100 1234 5678 90")) == []


def test_a_document_number_holds_a_digit_and_is_no_date() -> None:
    assert _values(values.identifiers("vom 05.03.2025 RE-20140703/502, netto")) == ["RE-20140703/502"]


@pytest.mark.parametrize(
    "text",
    [
        "5 de marzo de 2025", "5 marzo 2025", "5 maart 2025", "5 marca 2025", "5 mars 2025", "5. März 2025",
        "5 mrt 2025", "5 mar 2025", "March 5, 2025",
    ],
)  # fmt: skip
def test_months_are_known_by_name_in_all_seven_languages(text: str) -> None:
    assert [found.value for found in values.dates(text)] == ["2025-03-05"]


def test_an_account_behind_a_sharp_s_is_found_where_it_stands() -> None:
    text = "Große Straße IBAN DE89370400440532013000 BIC"
    (found,) = values.ibans(text)
    assert text[found.start : found.end] == "DE89370400440532013000"
