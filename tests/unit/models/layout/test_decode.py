"""What the network says of words becomes values, totals that fit, and line items."""

from collections.abc import Collection, Mapping

import numpy as np

from models.layout.decode import Said, document_of
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.page import PageWords
from tests.unit.models.layout.pages import page


def said(
    words: PageWords, told: Mapping[str, tuple[str, float]], starts: Collection[str] = (), kind: str = "invoice"
) -> Said:
    """`told`: for a word its class and the odds; the rest is nothing."""
    odds = np.zeros((len(words), len(CLASSES)), np.float32)
    for number, text in enumerate(words.texts):
        name, sure = told.get(text, ("", 1.0))
        odds[number, CLASSES.index(name)] = sure
        odds[number, 0] += 1 - sure
    begins = np.array([text in starts for text in words.texts], np.float32)
    types = np.array([name == kind for name in TYPES], np.float32)
    return Said(page=words, words=odds, starts=begins, type=types, role=np.zeros(len(ROLES), np.float32))


def test_values_are_canonical_and_say_where_they_stand() -> None:
    words = page([[(0.1, "Rechnung RE-17"), (0.6, "vom 5. März 2025")], [(0.1, "Summe"), (0.6, "1.234,50 €")]])
    told = {"RE-17": ("invoice_number", 0.9), "März": ("issue_date", 0.9), "5.": ("issue_date", 0.9),
            "2025": ("issue_date", 0.9), "1.234,50": ("gross_total", 0.8)}  # fmt: skip
    document = document_of([said(words, told)])
    assert document.type == "invoice"
    assert {name: field.value for name, field in document.fields.items()} == {
        "invoice_number": "RE-17", "issue_date": "2025-03-05", "gross_total": "1234.50", "payable_amount": "1234.50",
        "currency": "EUR",
    }  # fmt: skip
    number = document.fields["invoice_number"]
    assert number.confidence == 0.9
    assert number.evidence.page == 1
    assert number.evidence.box is not None
    assert number.evidence.box.x0 == np.float32(words.boxes[1][0])


def test_of_several_totals_those_are_taken_that_fit_each_other() -> None:
    words = page([[(0.1, "a"), (0.6, "100,00")], [(0.1, "b"), (0.6, "19,00")], [(0.1, "c"), (0.6, "119,00")],
                  [(0.1, "d"), (0.6, "500,00")]])  # fmt: skip
    told = {"100,00": ("net_total", 0.9), "19,00": ("tax_total", 0.9), "119,00": ("gross_total", 0.5),
            "500,00": ("gross_total", 0.6)}  # fmt: skip
    assert document_of([said(words, told)]).fields["gross_total"].value == "119.00"


def test_a_word_that_is_no_date_is_no_date_whatever_the_network_says() -> None:
    words = page([[(0.1, "Datum morgen")]])
    assert not document_of([said(words, {"morgen": ("issue_date", 0.99)})]).fields


def test_a_number_whose_odds_are_low_is_no_value() -> None:
    words = page([[(0.1, "Nr. 4711")]])
    assert not document_of([said(words, {"4711": ("invoice_number", 0.2)})]).fields


def test_rows_become_items_and_a_description_goes_on_below() -> None:
    words = page(
        [
            [(0.1, "Schraube"), (0.5, "10"), (0.6, "2,00"), (0.8, "20,00")],
            [(0.1, "verzinkt")],
            [(0.1, "Mutter"), (0.5, "5"), (0.6, "1,00"), (0.8, "5,00")],
        ]
    )
    told = {
        **dict.fromkeys(("Schraube", "verzinkt", "Mutter"), ("line.description", 0.9)),
        **dict.fromkeys(("10", "5"), ("line.quantity", 0.9)),
        **dict.fromkeys(("2,00", "1,00"), ("line.unit_price", 0.9)),
        **dict.fromkeys(("20,00", "5,00"), ("line.total", 0.9)),
    }
    begin = {"Schraube", "10", "2,00", "20,00", "Mutter", "5", "1,00", "5,00"}
    lines = document_of([said(words, told, begin)]).lines
    assert [{name: field.value for name, field in line.items()} for line in lines] == [
        {"description": "Schraube verzinkt", "quantity": "10", "unit_price": "2.00", "total": "20.00"},
        {"description": "Mutter", "quantity": "5", "unit_price": "1.00", "total": "5.00"},
    ]


def test_slashed_dates_of_an_american_paper_put_the_month_first() -> None:
    words = page([[(0.1, "Date 03/04/2025")], [(0.1, "Austin, TX 78704")], [(0.1, "$ 5.00")]])
    assert document_of([said(words, {"03/04/2025": ("issue_date", 0.9)})]).fields["issue_date"].value == "2025-03-04"
