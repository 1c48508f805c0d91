"""Words, numbers and dates in the user's language, both ways."""

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tallyman.domain.field import Kind
from tallyman.domain.reasons import Reason
from tallyman.errors import UsageError
from tallyman.office import language, titles
from tallyman.registry import Registry
from tallyman.runtime import entry, requests

BERLIN = ZoneInfo("Europe/Berlin")
GERMAN = language.chosen("de-DE,de;q=0.9,en;q=0.5", BERLIN)
ENGLISH = language.chosen("en-GB", BERLIN)
OFFICE = Path(language.__file__).parent
SPOKEN = re.compile(r"""\bt\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")


def said() -> set[str]:
    """Every text that templates and pages pass to `t`, every title and every field's label."""
    files = [*OFFICE.glob("templates/*.html"), *OFFICE.glob("*.py")]
    texts = {one or other for file in files for one, other in SPOKEN.findall(file.read_text("utf-8"))}
    assert len(texts) > 100, "the scan found nothing"
    for known in (titles.REASONS, titles.STATES, titles.EVENTS):
        texts |= set(known.values())
    for kind in Registry().document_types.values():
        texts |= {spec.label for spec in (*kind.fields, *kind.line_fields)}
    return texts


def test_everything_that_is_said_is_said_in_german_too() -> None:
    assert said() - language.catalogue("de").keys() == set()


def refusals() -> Iterator[str]:
    """What a decision may be refused with, and what to do then; not what only a command can be wrong in."""
    for module in (entry, requests):
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            match call:
                case ast.Call(func=ast.Name("UsageError"), args=[ast.Constant(message)], keywords=more):
                    told = [message, *(one.value.value for one in more if isinstance(one.value, ast.Constant))]
                    yield from (str(text) for text in told if "`" not in str(text) and "--" not in str(text))


def test_every_refusal_is_said_in_german_too() -> None:
    texts = set(refusals())
    assert "Look at it again." in texts, "the scan found nothing"
    assert texts - language.catalogue("de").keys() == set()


@pytest.mark.parametrize("text", ["0; 1", "1; 6"])
def test_a_refusal_says_what_to_do_in_german_too(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        entry.split_pages(text, 5)
    told = "Die Datei hat 5 Seiten. Lassen Sie weg, was zu keinem Dokument gehört."
    assert GERMAN.refusal(refused.value) == f"Diese Seite hat die Datei nicht. {told}"
    assert ENGLISH.refusal(refused.value) == f"{refused.value} {refused.value.advice}"


def test_advice_for_a_command_line_is_not_given_in_the_office() -> None:
    error = UsageError("This review item does not ask for a password.")
    assert error.advice
    assert GERMAN.refusal(error) == "Dieser Vorgang fragt nicht nach einem Passwort."


def test_a_translation_fills_in_the_same_values() -> None:
    for english, german in language.catalogue("de").items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", german)), english


def test_every_reason_has_a_title() -> None:
    assert set(titles.REASONS) == set(Reason)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de", "de"),
        ("fr;q=0.9, de;q=0.8, en;q=0.1", "de"),
        ("fr", "en"),
        ("", "en"),
        ("en-US,en", "en"),
        (";;;,q", "en"),
    ],
)
def test_the_first_language_that_we_speak_is_chosen(header: str, code: str) -> None:
    assert language.chosen(header, BERLIN).code == code


def test_amounts_and_dates_are_written_as_the_user_writes_them() -> None:
    assert GERMAN.amount(Decimal("1284.5"), "EUR") == "1.284,50\u00a0EUR"
    assert ENGLISH.amount(Decimal("1284.5"), "EUR") == "1,284.50\u00a0EUR"
    assert GERMAN.value(Kind.AMOUNT, "1.23456") == "1,23456", "no digit is hidden"
    assert GERMAN.day(date(2026, 3, 5)) == "05.03.2026"
    assert ENGLISH.day(date(2026, 3, 5)) == "5 Mar 2026"
    assert GERMAN.minute(datetime(2026, 1, 1, 23, 30, tzinfo=UTC)).endswith("00:30"), "the office's clock, not UTC"


def test_what_was_typed_becomes_canonical() -> None:
    assert GERMAN.canonical(Kind.AMOUNT, " 1.284,50 ") == "1284.50"
    assert ENGLISH.canonical(Kind.AMOUNT, "1,284.50") == "1284.50"
    assert ENGLISH.canonical(Kind.AMOUNT, "-3") == "-3"
    assert GERMAN.canonical(Kind.DATE, "05.03.2026") == "2026-03-05"
    assert GERMAN.canonical(Kind.CURRENCY, "eur") == "EUR"
    assert GERMAN.canonical(Kind.TEXT, "") == ""


@pytest.mark.parametrize("text", ["1284.50", "1,284.50", "12 84", "1.2.3", "NaN", "Infinity", "1e3", "x"])
def test_a_number_that_means_something_else_in_german_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(UsageError):
        GERMAN.canonical(Kind.AMOUNT, text)


@pytest.mark.parametrize("canonical", ["0.00", "-12.50", "1284.50", "1000000.00", "0.005", "20", "1.2345"])
@pytest.mark.parametrize(
    "speaker", [GERMAN, ENGLISH, language.chosen("de-CH", BERLIN), language.chosen("en-IN", BERLIN)]
)
def test_a_shown_value_typed_again_is_the_same_value(speaker: language.Language, canonical: str) -> None:
    for kind in (Kind.AMOUNT, Kind.QUANTITY):
        assert Decimal(speaker.canonical(kind, speaker.typed(kind, canonical))) == Decimal(canonical)


def test_a_value_that_is_no_number_is_shown_as_it_is() -> None:
    assert GERMAN.value(Kind.AMOUNT, "zwölf") == "zwölf"
    assert GERMAN.value(Kind.DATE, "soon") == "soon"
