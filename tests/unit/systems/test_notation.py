"""Numbers and dates as screens write them."""

from datetime import date
from decimal import Decimal

import pytest

from systems.practice_erp.notation import notation_of
from systems.sql_ledger.notation import notation_of as notation_of_sql_ledger
from tallyman.browser.notation import Notation
from tallyman.errors import ConfigurationError, PageChanged

ENGLISH = notation_of("en", "mm/dd/yyyy")
GERMAN = notation_of("de", "dd.mm.yyyy")
UNGROUPED = notation_of_sql_ledger("1000,00", "dd.mm.yy")
SWISS = notation_of_sql_ledger("1'000.00", "yyyy-mm-dd")


@pytest.mark.parametrize("notation", [ENGLISH, GERMAN, UNGROUPED, SWISS])
@pytest.mark.parametrize("value", ["0", "0.5", "-1234.56", "1000000", "1.255"])
def test_what_is_keyed_is_read_back_as_the_same_value(notation: Notation, value: str) -> None:
    assert notation.read_number(notation.number(Decimal(value))) == Decimal(value)
    assert notation.read_day(notation.day(date(2026, 2, 11))) == date(2026, 2, 11)


def test_numbers_with_groups_are_read() -> None:
    assert ENGLISH.read_number("1,234,567.80") == Decimal("1234567.80")
    assert GERMAN.read_number("1.234.567,80") == Decimal("1234567.80")
    assert SWISS.read_number("-1'234'567.80") == Decimal("-1234567.80")
    assert GERMAN.read_number("") == 0


def test_a_number_is_never_keyed_in_exponents() -> None:
    assert GERMAN.number(Decimal("1E+3")) == "1000"


@pytest.mark.parametrize("text", ["1.234,56", "0,00", "12,34.5", "EUR 5", "1 234.56", "--"])
def test_another_notation_is_not_guessed_at(text: str) -> None:
    with pytest.raises(PageChanged):
        ENGLISH.read_number(text)


@pytest.mark.parametrize("text", ["31.12.2026", "13/01/2026", "soon"])
def test_a_day_in_another_notation_is_not_guessed_at(text: str) -> None:
    with pytest.raises(PageChanged):
        ENGLISH.read_day(text)


def test_formats_that_are_not_known_are_told() -> None:
    with pytest.raises(ConfigurationError):
        notation_of("fr", "mm/dd/yyyy")
    with pytest.raises(PageChanged):
        notation_of("en", "yy/m/d")
    with pytest.raises(PageChanged):
        notation_of_sql_ledger("1 000,00", "dd.mm.yy")


def test_a_group_sign_is_no_decimal_sign() -> None:
    for text in ("1,5", "1,50", "12,34"):
        with pytest.raises(PageChanged):
            ENGLISH.read_number(text)
    with pytest.raises(PageChanged):
        UNGROUPED.read_number("1.000,00")
