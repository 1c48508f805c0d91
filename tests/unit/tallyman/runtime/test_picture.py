"""Which values are held against the picture, and what is told when it shows another."""

from collections.abc import Sequence

from tallyman.domain.document import Document
from tallyman.domain.field import Evidence, Field, FieldSpec, Kind, Source
from tallyman.domain.page import Box, Drawn, Page, Reading, Word, WordSource
from tallyman.runtime.picture import CODE, compared

SPECS = (
    FieldSpec(name="iban", kind=Kind.IDENTIFIER),
    FieldSpec(name="gross_total", kind=Kind.AMOUNT),
    FieldSpec(name="payable_amount", kind=Kind.AMOUNT),
    FieldSpec(name="seller_street", kind=Kind.TEXT),
    FieldSpec(name="currency", kind=Kind.CURRENCY),
)
TOTAL = Box(x0=0.5, y0=0.5, x1=0.7, y1=0.52)
TITLE = Box(x0=0.0, y0=0.0, x1=0.1, y1=0.1)


def page() -> Page:
    texts = ("GBP", "10.00", "elsewhere")
    boxes = (
        TOTAL.model_copy(update={"x1": 0.55}),
        TOTAL.model_copy(update={"x0": 0.6}),
        TITLE,
    )
    words = tuple(Word(text=text, box=box, confidence=1.0) for text, box in zip(texts, boxes, strict=True))
    return Page(number=1, width=595, height=842, words=words, source=WordSource.TEXT_LAYER, engine="pdfium")


def field(name: str, value: str = "10.00", **place: object) -> Field:
    evidence = Evidence.model_validate({"page": 1, "box": TOTAL, "words": WordSource.TEXT_LAYER, **place})
    return Field(name=name, value=value, raw=value, confidence=1.0, source=Source.RULE, evidence=evidence)


class Picture:
    def __init__(self, shows: str, *, more: bool = False) -> None:
        self.shows, self.more = shows, more
        self.asked: list[str] = []

    def __call__(self, pages: Sequence[tuple[Page, Sequence[Word]]]) -> list[Drawn]:
        self.asked += [word.text for _, words in pages for word in words]
        return [Drawn(texts=(self.shows,) * len(words), more=self.more) for _, words in pages]


def told(
    picture: Picture, *fields: Field, titled: Evidence | None = None, height: float = 842
) -> list[tuple[str, str | None, str]]:
    document = Document(type="invoice", fields={one.name: one for one in fields}, titled=titled)
    reading = Reading(media_type="application/pdf", pages=(page().model_copy(update={"height": height}),))
    return [
        (problem.code, problem.field, problem.message)
        for problem in compared(document, reading, SPECS, picture).problems
    ]


def test_a_picture_that_shows_another_amount_is_told_with_both() -> None:
    message = 'The text of the page says "GBP 10.00", but its picture shows "GBP 70.00".'
    assert told(Picture("GBP 70.00"), field("gross_total")) == [(CODE, "gross_total", message)]


def test_a_picture_that_shows_nothing_there_is_told() -> None:
    ((_, _, message),) = told(Picture(""), field("gross_total"))
    assert message == 'The text of the page says "GBP 10.00", but nothing there can be read on its picture.'


def test_a_picture_that_shows_the_same_is_no_problem() -> None:
    assert told(Picture("GBP 10.00"), field("gross_total")) == []


def test_two_fields_that_rest_on_the_same_words_are_looked_at_once() -> None:
    picture = Picture("GBP 70.00")
    assert [name for _, name, _ in told(picture, field("gross_total"), field("payable_amount"))] == [
        "gross_total",
        "payable_amount",
    ]
    assert picture.asked == ["GBP 10.00"]


def test_the_currency_and_the_title_are_looked_at_though_they_have_no_digit() -> None:
    picture = Picture("CREDIT NOTE")
    code = field("currency", "GBP", box=TOTAL.model_copy(update={"x1": 0.56}))
    title = Evidence(page=1, box=TITLE, words=WordSource.TEXT_LAYER)
    assert [name for _, name, _ in told(picture, code, titled=title)] == ["type", "currency"]
    assert picture.asked == ["elsewhere", "GBP"]


def test_a_value_of_xml_is_looked_at_where_the_page_shows_it() -> None:
    assert [name for _, name, _ in told(Picture("GBP 70.00"), field("gross_total", path="/total"))] == ["gross_total"]


def test_a_picture_that_shows_much_more_is_told_with_its_page() -> None:
    message = "The picture of page 1 shows much print that the text of the page does not have."
    assert told(Picture("GBP 10.00", more=True), field("gross_total")) == [(CODE, None, message)]


def test_a_page_on_which_no_value_rests_is_looked_at_for_more_print_too() -> None:
    ((code, _, message),) = told(Picture("", more=True))
    assert (code, message) == (CODE, "The picture of page 1 shows much print that the text of the page does not have.")


def test_print_that_nobody_reads_is_told() -> None:
    message = '"GBP 10.00" is printed so small on page 1 that hardly anybody reads it.'
    assert told(Picture("GBP 10.00"), field("gross_total"), height=150) == [(CODE, "gross_total", message)]


def test_free_text_values_without_digits_and_values_from_elsewhere_are_left_alone() -> None:
    picture = Picture("something else")
    others = (
        field("seller_street", "10 Quay Street"),
        field("iban", "NONE"),
        field("gross_total", words=WordSource.OCR),
        field("payable_amount", page=None, box=None, words=None, path="/Invoice/PayableAmount"),
    )
    assert told(picture, *others) == []
    assert picture.asked == []
