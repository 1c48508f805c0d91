"""What a printed page must show of the XML inside its file, and where."""

import pytest

from models.cross_checks.printed import CODE, CROSS_CHECK
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Box, Page, Reading, Word, WordSource

ACCOUNT, THEIRS = "DE88200800000970375700", "DE02120300000000202051"
XML = {
    "invoice_number": "RE-471102",
    "type_code": "380",
    "iban": ACCOUNT,
    "currency": "EUR",
    "gross_total": "235.62",
    "payable_amount": "235.62",
}
HONEST = (
    "Rechnung",
    "Rechnungsnummer: RE-471102",
    "Netto 198,00",
    "MwSt 37,62",
    "Gesamtbetrag 235,62 EUR",
    "IBAN DE88 2008 0000 0970 3757 00",
)


def page(*lines: str) -> Page:
    """Each line below the other, each word 2 % of the page for a letter."""
    words = []
    for number, line in enumerate(lines):
        left = 0.1
        for text in line.split():
            right = left + 0.01 * len(text)
            box = Box(x0=left, y0=0.05 + 0.03 * number, x1=right, y1=0.065 + 0.03 * number)
            words.append(Word(text=text, box=box, confidence=1.0, line=number))
            left = right + 0.01
    return Page(number=1, width=595, height=842, words=tuple(words), source=WordSource.TEXT_LAYER, engine="test")


def document(kind: str = "invoice", source: Source = Source.E_INVOICE, **changes: str) -> Document:
    fields = {
        name: Field(
            name=name, value=value, raw=value, confidence=1.0, source=source, evidence=Evidence(path=f"/{name}")
        )
        for name, value in {**XML, **changes}.items()
    }
    return Document(type=kind, fields=fields)


def told(read: Document, *lines: str) -> Document:
    return CROSS_CHECK.apply(read, Reading(media_type="application/pdf", pages=(page(*lines),)))


def differing(read: Document, *lines: str) -> set[str | None]:
    problems = told(read, *lines).problems
    assert {problem.code for problem in problems} <= {CODE}
    return {problem.field for problem in problems}


def instead(old: str, new: str) -> tuple[str, ...]:
    return tuple(new if line.startswith(old) else line for line in HONEST)


def test_what_the_page_shows_has_its_place_there_and_keeps_its_place_in_the_xml() -> None:
    found = told(document(), *HONEST)
    assert found.problems == ()
    for name, line in (("invoice_number", 1), ("gross_total", 4), ("iban", 5), ("currency", 4)):
        place = found.fields[name].evidence
        assert place.box is not None
        assert (place.page, place.words, place.path) == (1, WordSource.TEXT_LAYER, f"/{name}")
        assert round((place.box.y0 - 0.05) / 0.03) == line
    assert found.titled is not None
    assert found.fields["payable_amount"].evidence == Evidence(path="/payable_amount")


def test_bare_xml_and_values_that_are_not_of_xml_are_left_alone() -> None:
    assert CROSS_CHECK.apply(document(), Reading(media_type="application/xml", pages=())) == document()
    assert told(document(source=Source.RULE), "Rechnung RE-1") == document(source=Source.RULE)


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (instead("IBAN", "IBAN DE02 1203 0000 0000 2020 51"), {"iban"}),
        (instead("Rechnungsnummer", "Rechnungsnummer: RE-999"), {"invoice_number"}),
        ((*instead("Rechnungsnummer", "Rechnungsnummer: RE-999"), "Vorgang RE-471102"), {"invoice_number"}),
        (instead("Gesamtbetrag", "Gesamtbetrag 1.235,62 EUR"), {"gross_total"}),
        (instead("Gesamtbetrag", "Gesamtbetrag 235,62 GBP"), {"currency"}),
        ((*instead("Gesamtbetrag", "Gesamtbetrag 235,62 GBP"), "Alle Preise auch in EUR"), {"currency"}),
        (instead("Rechnung", "Gutschrift")[:1] + HONEST[1:], {"type"}),
        (("only a few words",), {"invoice_number", "gross_total"}),
        ((), {"invoice_number", "gross_total"}),
    ],
    ids=[
        "account", "number", "number elsewhere", "total", "currency", "currency elsewhere", "kind", "few words", "blank"
    ],
)  # fmt: skip
def test_what_the_page_shows_otherwise_or_not_at_all_is_told(lines: tuple[str, ...], fields: set[str]) -> None:
    assert differing(document(), *lines) == fields


def test_an_amount_that_stands_somewhere_on_the_page_is_not_its_total() -> None:
    granted = (*HONEST, "Credit limit granted: 9.235,62")
    assert differing(document(gross_total="9235.62"), *granted) == {"gross_total"}


def test_another_total_beside_the_one_that_adds_up_is_not_the_pages_total() -> None:
    lines = (*HONEST[:4], "Nettobetrag 198,00 EUR", "MwSt. 37,62 EUR", *HONEST[4:])
    other = (*lines, "Gesamtbetrag im Vorjahr: 9.235,62")
    assert differing(document(), *other) == set()
    assert differing(document(gross_total="9235.62"), *other) == {"gross_total"}
    assert differing(document(gross_total="9235.62"), *other, "Nettobetrag 9.000,00", "MwSt. 235,62") == set()


def test_a_total_to_be_paid_does_not_prove_the_gross_total() -> None:
    assert differing(document(gross_total="9235.62"), *HONEST) == {"gross_total"}


def test_without_the_label_of_a_total_the_largest_amount_or_the_last_is_one() -> None:
    plain = ("Rechnung", "Rechnungsnummer: RE-471102", "Fahrt 235,62 EUR", "davon Trinkgeld 4,00 EUR")
    assert differing(document(), *plain) == set()
    assert differing(document(gross_total="4.00"), *plain) == set()
    assert differing(document(gross_total="3.00"), *plain) == {"gross_total"}


def test_an_account_is_asked_for_only_where_the_page_shows_one() -> None:
    assert differing(document(), *HONEST[:-1]) == set()


def test_several_accounts_on_the_page_are_no_difference_where_one_is_the_xmls() -> None:
    found = told(document(), *instead("IBAN", "IBAN DE02 1203 0000 0000 2020 51"), HONEST[-1])
    assert found.problems == ()
    assert (found.fields["iban"].evidence.box or Box(x0=0, y0=0, x1=0, y1=0)).y0 > 0.22


def test_a_dollar_may_be_that_of_several_countries() -> None:
    dollars = instead("Gesamtbetrag", "Gesamtbetrag $235,62")
    assert differing(document(currency="CAD"), *dollars) == set()
    assert differing(document(currency="JPY"), *dollars) == {"currency"}


def test_what_german_law_calls_a_gutschrift_is_an_invoice_when_its_buyer_wrote_it() -> None:
    assert differing(document(type_code="389"), "Gutschrift", *HONEST[1:]) == set()


def test_a_credit_note_may_print_its_total_with_a_minus() -> None:
    credit = ("Gutschrift", HONEST[1], "Netto -198,00", "MwSt -37,62", "Gesamtbetrag -235,62 EUR", HONEST[-1])
    assert differing(document("credit_note", type_code="381"), *credit) == set()


def test_a_total_may_stand_in_the_last_row_under_its_label() -> None:
    def word(text: str, x0: float, y0: float, line: int) -> Word:
        box = Box(x0=x0, y0=y0, x1=x0 + 0.01 * len(text), y1=y0 + 0.01)
        return Word(text=text, box=box, confidence=1.0, line=line)

    rates = ("100,00", "135,62", "235,62")
    sums = page(*HONEST[:2])
    words = [
        word("Endbetrag", 0.8, 0.5, 10),
        *(word(text, 0.82, 0.515 + 0.015 * at, 11 + at) for at, text in enumerate(rates)),
    ]
    paper = sums.model_copy(update={"words": (*sums.words, *words)})
    assert CROSS_CHECK.apply(document(), Reading(media_type="application/pdf", pages=(paper,))).problems == ()
