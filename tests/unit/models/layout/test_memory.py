"""What one confirmed document of a supplier teaches about the next."""

from models.layout.memory import Memory, remember
from models.layout.page import PageWords
from tests.unit.models.layout.pages import page

CONFIRMED = {
    "invoice_number": "RE-17",
    "issue_date": "2025-03-05",
    "gross_total": "119.00",
    "seller_name": "Nordhafen KG",
}


def paper(number: str, day: str, gross: str, name: str = "Nordhafen KG") -> PageWords:
    return page(
        [
            [(0.1, name)],
            [(0.1, "Beleg"), (0.4, number)],
            [(0.1, f"Hamburg, den {day}")],
            [(0.1, "Kunde"), (0.4, "KD-17")],
            [(0.1, "netto"), (0.7, "100,00")],
            [(0.1, "zusammen"), (0.7, gross)],
        ]
    )


def recalled(memory: Memory, *pages: PageWords) -> dict[str, str]:
    return {name: field.value for name, field in memory.recall(pages).items()}


def test_the_next_document_is_read_where_the_last_one_was() -> None:
    memory = remember([paper("RE-17", "05.03.2025", "119,00")], CONFIRMED)
    assert recalled(memory, paper("RE-2034", "17.11.2025", "4.711,20")) == {
        "invoice_number": "RE-2034",
        "issue_date": "2025-11-17",
        "gross_total": "4711.20",
        "seller_name": "Nordhafen KG",
    }


def test_a_value_whose_surroundings_are_gone_is_not_guessed() -> None:
    memory = remember([paper("RE-17", "05.03.2025", "119,00")], CONFIRMED)
    other = page([[(0.1, "Nordhafen KG")], [(0.5, "Anzahl"), (0.8, "RE-18")], [(0.3, "Porto"), (0.6, "5,00")]])
    assert recalled(memory, other).keys() <= {"seller_name"}


def test_what_is_remembered_survives_as_json() -> None:
    memory = remember([paper("RE-17", "05.03.2025", "119,00")], CONFIRMED)
    assert Memory.from_json(memory.to_json()) == memory


def test_a_name_may_stand_in_two_rows() -> None:
    two = page([[(0.1, "Nordhafen")], [(0.1, "Verwaltungs KG")], [(0.1, "Nr."), (0.3, "RE-1")]])
    memory = remember([two], {"seller_name": "Nordhafen Verwaltungs KG"})
    assert recalled(memory, two) == {"seller_name": "Nordhafen Verwaltungs KG"}


def test_every_value_says_where_it_stands() -> None:
    memory = remember([paper("RE-17", "05.03.2025", "119,00")], CONFIRMED)
    for field in memory.recall([paper("RE-18", "06.03.2025", "12,00")]).values():
        assert field.evidence is not None
        assert field.evidence.box is not None
