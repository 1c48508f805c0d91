"""What the network sees of a page."""

import numpy as np
import pytest

from models.layout.features import DENSE, LONGEST, NEIGHBOURS, features_of, windows_of
from models.layout.numbers import NAMES, SUMS, Numbers
from models.layout.page import PageWords, rows_of
from models.layout.wordhash import HIDDEN, PLACES, places_of
from tests.unit.models.layout.pages import page


def place(words: PageWords, text: str) -> int:
    return words.texts.index(text)


def test_words_side_by_side_are_a_row_and_a_wide_gap_parts_its_cells() -> None:
    words = page([[(0.1, "Invoice no."), (0.6, "4711")], [(0.1, "Date"), (0.6, "05.03.2025")]])
    rows = words.rows
    assert [words.texts[number] for number in rows.order] == ["Invoice", "no.", "4711", "Date", "05.03.2025"]
    assert rows.row.tolist() == [0, 0, 0, 1, 1]
    assert rows.cell.tolist() == [0, 0, 1, 2, 3]


def test_a_row_that_leans_a_little_is_still_one_row() -> None:
    boxes = np.array([(0.1 * x, 0.1 + 0.0005 * x, 0.1 * x + 0.05, 0.11 + 0.0005 * x) for x in range(9)], np.float32)
    assert rows_of(boxes).row.tolist() == [0] * 9


def test_a_word_shares_most_of_its_places_with_a_misreading_of_it_and_few_with_another_word() -> None:
    right, misread, other = (
        set(row.tolist()) - {0} for row in places_of(["Rechnungsnummer", "Rechnungsnumner", "Lieferdatum"])
    )
    assert len(right & misread) > 0.5 * len(right)
    assert len(right & other) < 0.3 * len(right)


def test_case_and_accents_change_the_shape_of_a_word_only() -> None:
    one, two = (set(row.tolist()) - {0} for row in places_of(["Année", "ANNEE"]))
    assert len(one ^ two) <= 2


def test_a_hidden_word_has_no_place_at_all() -> None:
    assert not places_of([HIDDEN]).any()
    assert places_of(["x" * 5000]).shape == (1, PLACES)


def column(words: PageWords, name: str) -> set[str]:
    numbers = Numbers(words)
    told = numbers.kinds[:, NAMES.index(name)] if name in NAMES else numbers.sums[:, SUMS.index(name)]
    return {text for text, is_one in zip(words.texts, told, strict=True) if is_one}


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("amount", "Summe 1.234,56 EUR", {"1.234,56"}),
        ("amount", "Total 1 234,56", {"1", "234,56"}),
        ("amount", "£1,234.56 19.00%", {"£1,234.56"}),
        ("date", "am 5. März 2025 fällig", {"5.", "März", "2025"}),
        ("date", "2025-03-05", {"2025-03-05"}),
        ("date", "March 5, 2025", {"March", "5,", "2025"}),
        ("percent", "19 % MwSt.", {"19", "%"}),
        ("iban", "DE89 3704 0044 0532 0130 00", {"DE89", "3704", "0044", "0532", "0130", "00"}),
        ("tax_id", "ATU12345678 x", {"ATU12345678"}),
        ("code", "RE-2025/17 Rechnung", {"RE-2025/17"}),
        ("mail", "post@haus.example", {"post@haus.example"}),
    ],
)
def test_words_know_what_kind_of_value_they_are_part_of(kind: str, text: str, words: set[str]) -> None:
    assert column(page([[(0.1, text)]]), kind) == words


def test_a_value_does_not_reach_into_the_next_cell() -> None:
    assert column(page([[(0.1, "Pos 1"), (0.5, "234,56")]]), "amount") == {"234,56"}


def test_sums_products_and_taxes_are_seen() -> None:
    words = page(
        [
            [(0.1, "Gerät"), (0.4, "3"), (0.5, "20,00"), (0.7, "60,00")],
            [(0.1, "Kabel"), (0.4, "2"), (0.5, "20,10"), (0.7, "40,20")],
            [(0.1, "Netto"), (0.69, "100,20")],
            [(0.1, "19 %"), (0.7, "19,04")],
            [(0.1, "Brutto"), (0.69, "119,24")],
        ]
    )
    assert column(words, "is product") == {"60,00", "40,20"}
    assert column(words, "is sum") == {"100,20", "119,24"}
    assert column(words, "is greatest") == {"119,24"}
    assert column(words, "is that tax") == {"19,04"}
    assert column(words, "times a rate") == {"100,20"}
    assert "100,20" in column(words, "is column sum")


def test_neighbours_are_those_beside_above_and_below() -> None:
    words = page([[(0.1, "Nummer"), (0.4, "Datum")], [(0.1, "4711"), (0.4, "heute")]])
    told = features_of(words).neighbours[place(words, "heute")] - 1
    found = dict(zip(NEIGHBOURS, told.tolist(), strict=True))
    assert found["left"] == place(words, "4711")
    assert found["above"] == place(words, "Datum")
    assert found["right"] == found["below"] == -1


def test_each_fact_about_a_word_has_its_column_and_is_a_number() -> None:
    words = page([[(0.1, "Total"), (0.5, "12,00 EUR")]] * 9)
    told = features_of(words).dense
    assert told.shape == (27, len(DENSE))
    assert np.isfinite(told).all()


def test_a_page_without_words_has_no_features() -> None:
    assert len(features_of(page([]))) == 0


def test_a_long_page_is_looked_at_in_windows_that_leave_out_no_word() -> None:
    words = page([[(0.1, "a b c d e f g h i j k l m n o p q r s t u v w x y z")]] * 60)
    windows = windows_of(words)
    assert len(windows) > 1
    assert max(len(window) for window in windows) <= LONGEST
    assert set(np.concatenate(windows).tolist()) == set(range(len(words)))
    part = features_of(words).part(windows[1])
    assert part.neighbours.max() <= len(windows[1])


HOSTILE = [
    "9" * 4000 + ",00", "٣٤,٥٦", ",.", "-(", "1" * 50, "\u202e", "é" * 300, "€,00 %", "9" * 400 + "%", "9" * 20 + "%",
    "@" * 20_000, "1" * 20_000, "a." * 20_000, "+4" * 20_000, "." * 20_000,
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_stranger_breaks_the_features(text: str) -> None:
    assert np.isfinite(features_of(page([[(0.1, text)], [(0.1, "1,00")]])).dense).all()
