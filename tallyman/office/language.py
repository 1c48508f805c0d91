"""The words and forms of a user's language: English or German texts, and numbers and dates of any region of these."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import NumberFormatError, format_decimal, parse_decimal

from tallyman.domain.field import Kind
from tallyman.errors import TallymanError, UsageError

_NUMBERS = (Kind.AMOUNT, Kind.QUANTITY)
_FORMS = {Kind.AMOUNT: "#,##0.00########", Kind.QUANTITY: "#,##0.##########"}
_LONGEST = 500
_DIGITS = re.compile(r"[-+]?[0-9.,'’\s]+")
NO_BREAK = "\u00a0"


class Language:
    """What to say and how to write it, for one locale. `zone` is where the office's clock hangs."""

    def __init__(self, locale: Locale, zone: tzinfo) -> None:
        self.locale = locale
        self.code = locale.language
        self._zone = zone
        self._words = catalogue(self.code)

    def t(self, text: str, /, **values: object) -> str:
        """The text in this language, with {names} filled in. A text without translation stays English."""
        said = self._words.get(text, text)
        return said.format(**values) if values else said

    def refusal(self, error: TallymanError) -> str:
        """What is wrong, and what to do about it. Advice that names a command is none for who has buttons."""
        advice = "" if "--" in error.advice or "`" in error.advice else error.advice
        return " ".join(self._filled_in(text) for text in (str(error), advice) if text)

    def _filled_in(self, text: str) -> str:
        """As `t`, of a text whose values are filled in already."""
        for pattern, said in _patterns(self.code):
            if match := pattern.fullmatch(text):
                return said.format(**match.groupdict())
        return self.t(text)

    # -- from canonical values to what people read

    def value(self, kind: Kind, canonical: str) -> str:
        """A canonical value in the user's form; as it is where it does not follow its kind."""
        if kind in _NUMBERS:
            return self._number(canonical, _FORMS[kind])
        if kind is Kind.DATE:
            try:
                return self.day(date.fromisoformat(canonical))
            except ValueError:
                return canonical
        return canonical

    def amount(self, amount: Decimal | None, currency: str | None = None) -> str:
        """`1,284.50 EUR`, with a space that does not break; empty for None."""
        if amount is None:
            return ""
        return f"{self._number(str(amount.normalize()), _FORMS[Kind.AMOUNT])}{NO_BREAK}{currency or ''}".strip()

    def count(self, number: int) -> str:
        return self._number(str(number), _FORMS[Kind.QUANTITY])

    def percent(self, share: float) -> str:
        return f"{share * 100:.0f}{NO_BREAK}%"

    def day(self, day: date) -> str:
        return format_date(day, "medium", locale=self.locale)

    def weekday(self, day: date | datetime) -> str:
        """The long form for a hint: with the weekday."""
        local = day.astimezone(self._zone).date() if isinstance(day, datetime) else day
        return format_date(local, "full", locale=self.locale)

    def minute(self, at: datetime) -> str:
        """Date and time without seconds."""
        local = at.astimezone(self._zone)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def second(self, at: datetime) -> str:
        """The time of day, for what is over soon."""
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def age(self, since: datetime, until: datetime) -> str:
        passed = max(until - since, timedelta(seconds=1))
        return format_timedelta(passed, granularity="second", threshold=1.5, format="short", locale=self.locale)

    def _number(self, canonical: str, form: str) -> str:
        try:
            return format_decimal(Decimal(canonical), form, locale=self.locale)
        except (InvalidOperation, ValueError):
            return canonical

    # -- from what people typed to canonical values

    def typed(self, kind: Kind, canonical: str) -> str:
        """A canonical value as the user would type it. Dates stay ISO: browsers show them in the user's own form."""
        return canonical if kind is Kind.DATE else self.value(kind, canonical)

    def canonical(self, kind: Kind, text: str) -> str:
        """What was typed, canonical; "" takes the value away. Raises UsageError rather than guess at a number."""
        text = " ".join(text.split())
        if len(text) > _LONGEST:
            raise UsageError(self.t("A value has at most {count} characters.", count=_LONGEST), advice="")
        if not text:
            return ""
        if kind in _NUMBERS:
            return self._read_number(text)
        if kind is Kind.DATE:
            return self._read_date(text)
        if kind is Kind.CURRENCY:
            return _currency(text, self)
        return text

    def _read_number(self, text: str) -> str:
        plain = text.replace("−", "-")
        found = self._parsed(plain, strict=True)
        if found is None:  # leniently only what we write so ourselves: 1284.50 would be 128450 in German
            lenient = self._parsed(plain, strict=False)
            found = lenient if lenient is not None and plain in self._shown(lenient) else None
        if found is None:
            example = self._number("1284.50", _FORMS[Kind.AMOUNT])
            raise UsageError(
                self.t("“{text}” is no number; write it like {example}.", text=text, example=example), advice=""
            )
        return str(found)

    def _parsed(self, text: str, *, strict: bool) -> Decimal | None:
        if not _DIGITS.fullmatch(text):
            return None
        try:
            return parse_decimal(text, locale=self.locale, strict=strict)
        except NumberFormatError:
            return None

    def _shown(self, number: Decimal) -> list[str]:
        """The ways in which we write a number ourselves: in some regions the groups differ from the usual ones."""
        return [self._number(str(number), form) for form in _FORMS.values()]

    def _read_date(self, text: str) -> str:
        for form in ("%Y-%m-%d", "%d.%m.%Y"):  # the second is German and means one day only
            try:
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        raise UsageError(
            self.t("“{text}” is no date; write it like {example}.", text=text, example="2026-03-31"), advice=""
        )


def _currency(text: str, language: Language) -> str:
    code = text.upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise UsageError(language.t("“{text}” is no currency; write three letters such as EUR.", text=text), advice="")
    return code


def chosen(accept_language: str, zone: tzinfo) -> Language:
    """The first language of an Accept-Language header that we speak, with its region; else English."""
    weighed = []
    for place, part in enumerate(accept_language[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighed.append((-float(quality or 1), place, tag.strip()))
        except ValueError:
            continue
    for _, _, tag in sorted(weighed):
        locale = _locale(tag)
        if locale is not None:
            return Language(locale, zone)
    return Language(Locale("en"), zone)


def of_terminal(zone: tzinfo, environment: Mapping[str, str] = os.environ) -> Language:
    """Numbers and dates as the terminal's locale says. LC_ALL wins over LC_NUMERIC, that over LANG."""
    named = next((environment[name] for name in ("LC_ALL", "LC_NUMERIC", "LANG") if environment.get(name)), "")
    return Language(_locale(named.partition(".")[0].replace("_", "-")) or Locale("en"), zone)


def _locale(tag: str) -> Locale | None:
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        language = tag.partition("-")[0].lower()
        return Locale(language) if language in ("en", "de") else None
    return locale if locale.language in ("en", "de") else None


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English text -> the text in this language. English needs none."""
    file = Path(__file__).with_name(f"{language}.yaml")
    if not file.exists():
        return {}
    words: dict[str, str] = yaml.safe_load(file.read_text("utf-8"))
    return words


@cache
def _patterns(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """The catalogue's sentences with one value in them: what the English looks like with it, and the other text."""
    found = []
    for english, said in catalogue(language).items():
        if match := re.fullmatch(r"([^{]+)\{(\w+)\}([^{]*\.)", english):
            before, name, behind = match.groups()
            found.append((re.compile(f"{re.escape(before)}(?P<{name}>.+){re.escape(behind)}"), said))
    return found
