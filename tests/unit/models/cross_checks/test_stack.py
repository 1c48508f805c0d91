"""Where documents begin in a file, as a clerk would part the pages."""

import pytest

from models.cross_checks._stack.signs import SEPARATOR, Signs
from models.cross_checks._stack.split import split_of
from models.cross_checks.stack import CROSS_CHECK
from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.page import Barcode, Box, Page, Picture, Reading, Word, WordSource
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import Stack


def page(number: int, *lines: str, code: str | None = None) -> Page:
    """An A4 page; a line is its words from the left, and `|` puts what follows into a column further right."""
    words = []
    for at, line in enumerate(lines):
        for column, part in enumerate(line.split("|")):
            x = 0.08 + 0.45 * column
            for text in part.split():
                box = Box(x0=x, y0=0.05 + 0.03 * at, x1=x + 0.009 * len(text), y1=0.062 + 0.03 * at)
                words.append(Word(text=text, box=box, confidence=1, line=10 * at + column))
                x = box.x1 + 0.008
    bars = () if code is None else (Barcode(format="code_128", text=code, box=Box(x0=0.1, y0=0.1, x1=0.5, y1=0.2)),)
    return Page(
        number=number,
        width=595,
        height=842,
        words=tuple(words),
        source=WordSource.TEXT_LAYER,
        engine="test",
        barcodes=bars,
    )


def invoice(at: int, number: str, foot: str = "", name: str = "Bolt Ltd") -> Page:
    return page(
        at, name, "INVOICE", f"Invoice number: {number}", "Invoice date: 05.03.2026", "Description|Qty Price Total",
        "Bolts M8|10 5.00 50.00", "Total amount|50.00 EUR", foot,
    )  # fmt: skip


def further(at: int, number: str, foot: str = "") -> Page:
    return page(at, f"Invoice number: {number}|{foot}", "Description|Qty Price Total", "Nuts M8|10 5.00 50.00")


def slip(at: int, number: str) -> Page:
    return page(at, "Bolt Ltd", "DELIVERY NOTE", f"Delivery note no: {number}", "Goods|Quantity", "Bolts M8|10")


def test_each_invoice_begins_a_document() -> None:
    split = split_of([invoice(1, "RE-10001"), invoice(2, "RE-10002"), invoice(3, "RE-10003")])
    assert split.documents == ((1,), (2,), (3,))
    assert not split.certain


def test_a_page_with_ink_of_which_nothing_was_read_is_no_blank_back() -> None:
    def scanned(ink: float) -> Page:
        picture = Picture(width=2480, height=3508, paper=250, grain=1, ink=ink)
        return page(2).model_copy(update={"source": WordSource.OCR, "picture": picture})

    back, written = (split_of([invoice(1, "RE-10001"), scanned(ink)]) for ink in (0.001, 0.01))
    assert (back.documents, back.doubtful) == (((1, 2),), ())
    assert written.doubtful == (2,)
    assert split_of([scanned(0.01)]).doubtful == ()


def test_a_page_that_calls_itself_the_next_one_goes_on() -> None:
    pages = [invoice(1, "RE-10001", "Page 1 of 2"), further(2, "RE-10001", "Page 2 of 2"), slip(3, "LS-77001")]
    assert split_of(pages).documents == ((1, 2), (3,))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Page 2 of 3", (2, 3)),
        ("Seite 2 von 3", (2, 3)),
        ("Seite: 2/3", (2, 3)),
        ("Page 2 sur 3", (2, 3)),
        ("Página 2 de 3", (2, 3)),
        ("Pagina 2 di 3", (2, 3)),
        ("Pagina 2 van 3", (2, 3)),
        ("Strona 2 z 3", (2, 3)),
        ("Blatt 2", (2, None)),
        ("2 / 3", (2, 3)),
        ("Lieferanten-Str.12-17", None),
        ("Page 4 of 3", None),
    ],
)
def test_pages_number_themselves_in_seven_languages(text: str, told: tuple[int, int | None] | None) -> None:
    assert Signs(page(1, text)).number == told


def test_terms_and_a_blank_back_belong_to_the_invoice_before_them() -> None:
    terms = page(2, *(["the buyer bears all costs of the goods and of their carriage as agreed"] * 25))
    pages = [invoice(1, "RE-10001"), terms, page(3), invoice(4, "RE-10002")]
    assert split_of(pages).documents == ((1, 2, 3), (4,))


def test_a_sum_carried_over_holds_two_pages_together() -> None:
    first = page(1, "Bolt Ltd", "INVOICE", "Invoice number: RE-10001", "Description|Total", "Carried forward|40.00")
    second = page(2, "Brought forward|40.00", "Nuts M8|10.00", "Total amount|50.00 EUR")
    assert split_of([first, second]).documents == ((1, 2),)


def test_separator_sheets_part_for_certain_and_belong_to_nothing() -> None:
    sheet = page(3, "SEPARATOR", code=SEPARATOR)
    split = split_of([invoice(1, "RE-10001"), further(2, "RE-10001"), sheet, page(4), slip(5, "LS-77001"), page(6)])
    assert split.documents == ((1, 2), (5, 6))
    assert (split.certain, split.doubtful) == (True, ())


def test_a_page_with_the_code_and_more_on_it_is_no_separator_and_told() -> None:
    words = ("Bolt Ltd", "INVOICE", "Invoice number: RE-10001", *(f"Bolts M{n} of steel|10 5.00" for n in range(6)))
    split = split_of([page(1, *words, code=SEPARATOR), invoice(2, "RE-10002")])
    assert split.documents == ((1,), (2,))
    assert split.doubtful == (1,)
    assert not split.certain


def test_what_looks_like_a_beginning_between_separators_is_told_not_split() -> None:
    pages = [invoice(1, "RE-10001"), page(2, code=SEPARATOR), invoice(3, "RE-10002"), invoice(4, "RE-10003")]
    split = split_of(pages)
    assert split.documents == ((1,), (3, 4))
    assert (split.certain, split.doubtful) == (False, (4,))


def test_a_page_that_tells_nothing_is_doubtful() -> None:
    split = split_of([invoice(1, "RE-10001"), page(2, "Bolts M8|10 5.00 50.00"), slip(3, "LS-77001")])
    assert split.doubtful == (2,)


def test_a_page_that_tells_nothing_goes_on_with_an_invoice_that_has_no_total_yet() -> None:
    first = page(1, "Bolt Ltd", "INVOICE", "Invoice number: RE-10001", "Description|Quantity", "Bolts M8|10")
    split = split_of([first, page(2, "Nuts M8|10.00", "Total amount|60.00 EUR")])
    assert (split.documents, split.doubtful) == (((1, 2),), ())


def test_a_stack_is_a_persons_and_the_message_names_the_pages() -> None:
    pages = (invoice(1, "RE-10001"), page(2, "Bolts M8|10 5.00 50.00"), slip(3, "LS-77001"))
    told = CROSS_CHECK.apply(Document(type="invoice"), Reading(media_type="application/pdf", pages=pages))
    assert [problem.code for problem in told.problems] == [Reason.SPLIT_SUGGESTED]
    assert told.problems[0].message == (
        "This file seems to hold 2 documents: pages 1-2 and 3. Look at page 2: it may begin one or go on."
    )
    assert told.stack == Stack(documents=((1, 2), (3,)))


def test_a_further_page_that_may_be_an_invoice_of_its_own_is_never_taken_for_one_document() -> None:
    pages = (invoice(1, "RE-10001"), page(2), page(3, "Bolts M8|10 5.00 50.00"))
    assert split_of(pages).documents == ((1, 2, 3),)
    told = CROSS_CHECK.apply(Document(type="invoice"), Reading(media_type="application/pdf", pages=pages))
    assert [problem.message for problem in told.problems] == [
        "This file may hold more than one document. Look at page 3: it may begin one or go on."
    ]
    assert told.stack == Stack(documents=((1, 2), (3,)))


def test_separator_sheets_make_it_certain_unless_a_page_could_not_be_read() -> None:
    pages = [invoice(1, "RE-10001"), page(2, code=SEPARATOR), invoice(3, "RE-10002")]
    reading = Reading(media_type="application/pdf", pages=tuple(pages))
    assert CROSS_CHECK.apply(Document(type="invoice"), reading).stack == Stack(documents=((1,), (3,)), certain=True)
    pages.append(page(4).model_copy(update={"problem": "It took too long."}))
    told = CROSS_CHECK.apply(Document(type="invoice"), reading.model_copy(update={"pages": tuple(pages)}))
    assert told.stack == Stack(documents=((1,), (3, 4)))


def test_one_document_is_left_alone() -> None:
    pages = (invoice(1, "RE-10001", "1/2"), further(2, "RE-10001", "2/2"))
    for reading in (Reading(media_type="application/pdf", pages=pages), Reading(media_type="text/xml", pages=())):
        assert CROSS_CHECK.apply(Document(type="invoice"), reading) == Document(type="invoice")


def test_what_follows_an_e_invoice_are_its_annexes_unless_it_is_another_bill() -> None:
    place = Evidence(path="/Invoice/ID")
    field = Field(name="invoice_number", value="1", raw="1", confidence=1, source=Source.E_INVOICE, evidence=place)
    document = Document(type="invoice", fields={"invoice_number": field})
    pages = (invoice(1, "RE-10001"), slip(2, "LS-77001"))
    assert CROSS_CHECK.apply(document, Reading(media_type="application/pdf", pages=pages)) == document
    assert CROSS_CHECK.apply(Document(type="invoice"), Reading(media_type="application/pdf", pages=pages)).problems
    pages = (invoice(1, "RE-10001"), invoice(2, "RE-10002", name="Nuts Ltd"))
    told = CROSS_CHECK.apply(document, Reading(media_type="application/pdf", pages=pages))
    assert [problem.code for problem in told.problems] == [Reason.SPLIT_SUGGESTED]
    assert told.stack is not None
    assert not told.stack.certain
