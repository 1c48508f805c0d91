"""A text layer is believed only where the picture says the same: what nobody sees reaches no field."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest

from models.synthetic.printer import Printed, PrintedWord, Printer
from models.synthetic.sampling import random_invoice
from models.synthetic.style import SCANS
from ocr.reader import READER
from tallyman.domain.document import Document
from tallyman.domain.page import WordSource
from tallyman.runtime.picture import CODE
from tallyman.runtime.understand import read_file
from tests.unit.models.readers.test_e_invoice import CII
from tests.unit.ocr.paper import Line, layered, text_pdf

ACCOUNT, THEIRS = "DE89 3704 0044 0532 0130 00", "DE02 1203 0000 0000 2020 51"
INVOICE: tuple[Line, ...] = (
    (60, 60, "Harbour Supplies Ltd"),
    (60, 75, "12 Quay Street, Bristol BS1 4XY"),
    (60, 120, "INVOICE"),
    (60, 140, "Invoice number: INV-20417"),
    (60, 155, "Invoice date: 5 March 2025"),
    (60, 170, "Due date: 4 April 2025"),
    (60, 220, "Description"), (300, 220, "Quantity"), (380, 220, "Unit price"), (480, 220, "Amount"),
    (60, 240, "Rope, 12 mm"), (300, 240, "10"), (380, 240, "112.00"), (480, 240, "1,120.00"),
    (380, 300, "Net total"), (480, 300, "1,120.00"),
    (380, 315, "VAT 20%"), (480, 315, "224.00"),
    (380, 330, "Total due"), (480, 330, "GBP 1,344.00"),
    (60, 380, f"IBAN: {ACCOUNT}"),
)  # fmt: skip
HIDDEN = f"Total due GBP 9,944.00 IBAN: {THEIRS}"
ATTACKS = {
    "white": b"BT 1 g /F1 10 Tf 60 200 Td (%s) Tj ET",
    "nearly white": b"BT 0.96 g /F1 10 Tf 60 200 Td (%s) Tj ET",
    "invisible": b"BT /F1 10 Tf 3 Tr 60 200 Td (%s) Tj ET",
    "tiny": b"BT /F1 0.4 Tf 60 200 Td (%s) Tj ET",
    "covered": b"BT /F1 10 Tf 60 200 Td (%s) Tj ET 1 g 50 190 500 30 re f",
    "clipped": b"q 0 0 10 10 re W n BT /F1 10 Tf 60 200 Td (%s) Tj ET Q",
    "beside the page": b"BT /F1 10 Tf 60 900 Td (%s) Tj ET",
    "transparent": b"/Clear gs BT /F1 10 Tf 60 200 Td (%s) Tj ET",
}


def drawn_on(paper: Path, out: Path, operators: bytes) -> Path:
    """The first page with more drawn on it."""
    with pikepdf.open(paper) as document:
        page = document.pages[0]
        clear = pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, ca=0, CA=0)
        page.add_resource(clear, pikepdf.Name.ExtGState, pikepdf.Name("/Clear"))
        page.contents_add(b"q " + operators + b" Q")
        document.save(out)
    return out


def lying(paper: Path, out: Path, drawn: str, said: str) -> Path:
    """The paper with a font that draws one character and calls it another."""
    means = [(code, ord(said) if code == ord(drawn) else code) for code in range(0x20, 0x7F)]
    with pikepdf.open(paper) as document:
        document.pages[0].Resources.Font.F1.ToUnicode = document.make_stream(meanings(means))
        document.save(out)
    return out


def meanings(pairs: Iterable[tuple[int, int]]) -> bytes:
    """What a font says its codes mean."""
    means = list(pairs)
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <ff> endcodespacerange %d beginbfchar\n"
        % len(means)
        + b"".join(b"<%02x> <%04x>\n" % pair for pair in means)
        + b"endbfchar endcmap end end"
    )


def drawn_as(paper: Path, out: Path, place: tuple[float, float], drawn: str, said: str) -> Path:
    """The first page with a text in a font of its own that draws one thing and says another, as long or longer."""
    codes = range(1, len(said) + 1)
    glyphs = [pikepdf.Name("/space" if char == " " else f"/{char}") for char in drawn.ljust(len(said))]
    with pikepdf.open(paper) as document:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Dictionary(Type=pikepdf.Name.Encoding, Differences=pikepdf.Array([1, *glyphs])),
            ToUnicode=document.make_stream(meanings(zip(codes, map(ord, said), strict=True))),
        )
        document.pages[0].add_resource(font, pikepdf.Name.Font, pikepdf.Name("/Own"))
        text = "".join(f"{code:02x}" for code in codes).encode()
        document.pages[0].contents_add(b"q BT 0 g /Own 10 Tf %d %d Td <%s> Tj ET Q" % (*place, text))
        document.save(out)
    return out


def with_picture(paper: Path, out: Path, picture: Path, font_size: float) -> Path:
    """The picture of another page's upper part on a third of the page, whose own print is made so small."""
    image = pdfium.PdfDocument(str(picture))[0].render(scale=150 / 72, grayscale=True).to_numpy()[:600]
    height, width = image.shape
    with pikepdf.open(paper) as document:
        page = document.pages[0]
        stream = document.make_stream(
            image.tobytes(),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=width,
            Height=height,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page.add_resource(stream, pikepdf.Name.XObject, pikepdf.Name("/Picture"))
        scale = font_size / 10
        small = b"q %g 0 0 %g 40 20 cm " % (scale, scale) + page.Contents.read_bytes() + b" Q"
        page.Contents = document.make_stream(b"q 595 0 0 300 0 532 cm /Picture Do Q " + small)
        document.save(out)
    return out


def alarms(document: Document) -> set[str | None]:
    return {problem.field for problem in document.problems if problem.code == CODE}


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    return text_pdf(tmp_path / "invoice.pdf", [INVOICE])


def test_an_honest_invoice_is_read_and_nothing_differs(invoice: Path) -> None:
    reading, document = read_file(invoice)
    assert reading.pages[0].source is WordSource.TEXT_LAYER
    assert (document.type, document.text("payable_amount"), document.text("iban")) == (
        "invoice", "1344.00", ACCOUNT.replace(" ", ""),
    )  # fmt: skip
    assert alarms(document) == set()


@pytest.mark.parametrize("how", ATTACKS.values(), ids=ATTACKS)
def test_words_that_nobody_sees_are_not_read(invoice: Path, tmp_path: Path, how: bytes) -> None:
    honest = read_file(invoice)[1]
    reading, told = read_file(drawn_on(invoice, tmp_path / "told.pdf", how % HIDDEN.encode()))
    assert not {"9,944.00", "2020"} & {word.text for word in reading.pages[0].words}
    assert reading.pages[0].source is WordSource.TEXT_LAYER, "what is left of it agrees with the picture"
    assert told.fields.keys() == honest.fields.keys()
    assert [told.text(name) for name in told.fields] == [honest.text(name) for name in told.fields]
    assert alarms(told) == set()


def test_white_words_on_a_dark_band_are_read(invoice: Path, tmp_path: Path) -> None:
    band = b"0.2 g 50 190 500 30 re f BT 1 g /F1 10 Tf 60 200 Td (Thank you) Tj ET"
    words = READER.read(drawn_on(invoice, tmp_path / "a.pdf", band)).pages[0].words
    assert "Thank" in {word.text for word in words}


def test_a_font_that_draws_one_digit_and_says_another_is_told(invoice: Path, tmp_path: Path) -> None:
    document = read_file(lying(invoice, tmp_path / "a.pdf", "3", "9"))[1]
    assert document.text("payable_amount") == "1944.00", "the layer says so"
    assert {"payable_amount", "iban"} <= alarms(document)
    assert "invoice_number" not in alarms(document)
    assert 'shows "' in next(problem.message for problem in document.problems if problem.field == "payable_amount")


def test_what_is_hidden_over_printed_words_reaches_no_field_in_silence(invoice: Path, tmp_path: Path) -> None:
    honest = read_file(invoice)[1]
    for name, place, text in (("iban", b"60 462", f"IBAN: {THEIRS}"), ("payable_amount", b"480 512", "GBP 9,944.00")):
        hidden = b"BT /F1 10 Tf 3 Tr %s Td (%s) Tj ET" % (place, text.encode())
        told = read_file(drawn_on(invoice, tmp_path / "a.pdf", hidden))[1]
        assert told.text(name) in (None, honest.text(name)) or name in alarms(told)


def test_a_word_drawn_over_another_is_told(invoice: Path, tmp_path: Path) -> None:
    over = b"1 g 478 507 90 14 re f BT 0 g /F1 10 Tf 480 512 Td (GBP 1,544.00) Tj ET"
    document = read_file(drawn_on(invoice, tmp_path / "a.pdf", over))[1]
    assert "payable_amount" in alarms(document)


def test_a_minus_that_is_drawn_as_a_line_is_told(invoice: Path, tmp_path: Path) -> None:
    paper = text_pdf(tmp_path / "plain.pdf", [[line for line in INVOICE if line[2] != "GBP 1,344.00"]])
    plain = drawn_on(paper, tmp_path / "a.pdf", b"BT 0 g /F1 10 Tf 480 512 Td (1,344.00) Tj ET")
    assert alarms(read_file(plain)[1]) == set()
    signed = drawn_on(plain, tmp_path / "b.pdf", b"0 g 470 515 6 1.2 re f")
    assert {"gross_total", "payable_amount"} <= alarms(read_file(signed)[1])


def test_a_title_that_draws_credit_note_and_says_invoice_is_told(tmp_path: Path) -> None:
    untitled = text_pdf(tmp_path / "a.pdf", [[line for line in INVOICE if line[2] != "INVOICE"]])
    document = read_file(drawn_as(untitled, tmp_path / "b.pdf", (60, 710), "CREDIT NOTE", "INVOICE    "))[1]
    assert document.type == "invoice"
    assert alarms(document) == {"type"}


def test_a_currency_that_draws_another_is_told(tmp_path: Path) -> None:
    lines = [(x + 25, y, "1,344.00") if text == "GBP 1,344.00" else (x, y, text) for x, y, text in INVOICE]
    paper = text_pdf(tmp_path / "a.pdf", [lines])
    document = read_file(drawn_as(paper, tmp_path / "b.pdf", (480, 512), "JPY", "GBP"))[1]
    assert document.text("currency") == "GBP"
    assert alarms(document) == {"currency"}


@pytest.mark.parametrize("size", [2.6, 3.5])
def test_fine_print_beside_the_picture_of_another_invoice_is_told(tmp_path: Path, size: float) -> None:
    other = [(60, 60, "Harbour Supplies Ltd"), (60, 120, "INVOICE"), (60, 140, "Invoice number: INV-1")]
    picture = text_pdf(
        tmp_path / "other.pdf", [[*other, (60, 200, "Total due GBP 12.00"), (60, 250, f"IBAN: {THEIRS}")]]
    )
    document = read_file(with_picture(text_pdf(tmp_path / "a.pdf", [INVOICE]), tmp_path / "b.pdf", picture, size))[1]
    told = [problem.message for problem in document.problems]
    assert "The picture of page 1 shows much print that the text of the page does not have." in told
    assert {"invoice_number", "gross_total", "iban"} <= alarms(document), "and nobody reads such print"


def with_xml(paper: Path, out: Path, total: str, account: str) -> Path:
    """The invoice with its XML inside."""
    xml = CII.format(code="380", sign="")
    for old, new in {
        "RE-471102": "INV-20417",
        ">EUR<": ">GBP<",
        "235.62": total,
        "DE88200800000970375700": account,
    }.items():
        assert old in xml
        xml = xml.replace(old, new)
    with pikepdf.open(paper) as document:
        document.attachments["factur-x.xml"] = pikepdf.AttachedFileSpec(
            document,
            xml.encode(),
            filename="factur-x.xml",
            description="",
            mime_type="application/xml",
            creation_date="",
            mod_date="",
        )
        document.save(out)
    return out


def test_xml_is_believed_only_where_the_picture_of_the_page_shows_it_too(invoice: Path, tmp_path: Path) -> None:
    honest = read_file(with_xml(invoice, tmp_path / "a.pdf", "1344.00", ACCOUNT.replace(" ", "")))[1]
    assert honest.problems == ()
    lie = lying(invoice, tmp_path / "b.pdf", "3", "9")
    account = ACCOUNT.replace(" ", "").replace("3", "9")
    told = read_file(with_xml(lie, tmp_path / "c.pdf", "1944.00", account))[1]
    assert told.exact()
    assert alarms(told) == {"gross_total", "iban"}


Lie = Callable[[tuple[PrintedWord, ...]], Iterator[PrintedWord]]


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as opened:
        yield opened


def scanned(printer: Printer, out: Path, seed: int = 11, how: str = "good") -> Printed:
    """The picture of an invoice of one page, without a layer."""
    spec, style = random_invoice(seed, "clean", "eng")
    style = style.model_copy(update={"paper": "scan", "scan": SCANS[how], "terms_page": False})
    return printer.print(spec, style, out, seed)


def test_a_scan_with_a_layer_of_its_own_is_read_from_it(printer: Printer, tmp_path: Path) -> None:
    scan = scanned(printer, tmp_path / "scan.pdf")
    reading, document = read_file(layered(scan.path, scan.words, tmp_path / "a.pdf"))
    assert reading.pages[0].source is WordSource.TEXT_LAYER
    assert alarms(document) == set()


def swapped(words: tuple[PrintedWord, ...]) -> Iterator[PrintedWord]:
    """As a poor engine reads: digits for one another."""
    for word in words:
        yield replace(word, text=word.text.translate(str.maketrans("0123456789eo", "8728604195ca")))


def shifted(words: tuple[PrintedWord, ...]) -> Iterator[PrintedWord]:
    """The words of another page in the places of this one."""
    for word, other in zip(words, reversed(words), strict=True):
        yield replace(word, text=other.text)


@pytest.mark.parametrize("lie", [swapped, shifted])
def test_a_scan_with_the_layer_of_another_is_read_by_ocr(printer: Printer, tmp_path: Path, lie: Lie) -> None:
    scan = scanned(printer, tmp_path / "scan.pdf")
    path = layered(scan.path, lie(scan.words), tmp_path / "a.pdf")
    page = READER.read(path).pages[0]
    assert page.source is WordSource.OCR
    assert page.engine.split()[0] in ("rapid", "tesseract")
    printed = {word.text for word in scan.words if word.page == 1}
    assert len({word.text for word in page.words} & printed) > 0.7 * len(printed)


def test_a_scan_whose_layer_says_only_a_part_of_it_is_read_by_ocr(printer: Printer, tmp_path: Path) -> None:
    """As one that an archive has put a stamp and a footer on."""
    scan = scanned(printer, tmp_path / "scan.pdf")
    first = sorted((word for word in scan.words if word.page == 1), key=lambda word: word.box[1])[:30]
    page = READER.read(layered(scan.path, first, tmp_path / "a.pdf")).pages[0]
    assert page.source is WordSource.OCR
    printed = {word.text for word in scan.words if word.page == 1}
    assert len({word.text for word in page.words} & printed) > 0.7 * len(printed)


def test_one_amount_that_was_changed_in_the_layer_of_a_scan_is_told(printer: Printer, tmp_path: Path) -> None:
    scan = scanned(printer, tmp_path / "scan.pdf")
    honest = read_file(layered(scan.path, scan.words, tmp_path / "a.pdf"))[1]
    amount = honest.fields["payable_amount"].raw.split()[-1]
    words = tuple(replace(word, text="9" + word.text) if amount in word.text else word for word in scan.words)
    told = read_file(layered(scan.path, words, tmp_path / "b.pdf"))[1]
    assert told.text("payable_amount") != honest.text("payable_amount")
    assert "payable_amount" in alarms(told)
