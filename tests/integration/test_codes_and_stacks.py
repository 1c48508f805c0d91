"""Printed papers with codes, and stacks of them, from file to problem: read in the sandbox, as a stranger's are."""

from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from models.synthetic import Printer, random_invoice, random_pod
from models.synthetic.barcodes import epc, random_codes, separator
from models.synthetic.specs import InvoiceSpec
from models.synthetic.stacks import print_stack
from models.synthetic.style import SCANS, Code, Style
from ocr import pdf
from ocr.reader import READER, PagesReader
from tallyman.domain.document import Document
from tallyman.domain.field import Source
from tallyman.domain.page import MarkKind, MarkState, WordSource
from tallyman.domain.reasons import Reason
from tallyman.runtime.understand import read_file
from tests.unit.ocr.paper import layered

NULL = PagesReader(engine="ocr.engines.null")
THEIRS = "DE02120300000000202051"


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as opened:
        yield opened


def payable() -> tuple[InvoiceSpec, Style]:
    """An invoice in EUR that prints its account."""
    for seed in range(100):
        spec, style = random_invoice(seed, "clean")
        if spec.kind == "invoice" and spec.currency == "EUR" and spec.seller.iban and not spec.prepaid:
            return spec, style.model_copy(update={"layout": "din", "qr": False, "terms_page": False})
    raise AssertionError("no such seed")


def understood(printer: Printer, spec: InvoiceSpec, style: Style, code: str, path: Path) -> Document:
    style = style.model_copy(update={"codes": (Code(kind="epc", content=code, module_mm=0.6),)})
    return read_file(printer.print(spec, style, path, 1).path)[1]


@pytest.mark.parametrize("how", ["good", "office", "photo"])
def test_what_is_printed_as_a_code_is_read_from_a_scan(how: str, printer: Printer, tmp_path: Path) -> None:
    spec, style = random_pod(11, "scan")
    codes = random_codes(spec, 11)
    style = style.model_copy(update={"layout": "courier", "scan": SCANS[how], "codes": codes})
    paper = printer.print(spec, style, tmp_path / "slip.pdf", 11)
    reading = NULL.read(paper.path)
    got = sorted(code.text for page in reading.pages for code in page.barcodes)
    assert got == sorted(paper.truth["barcodes"])
    assert len(got) == len(codes) + 1


def test_a_code_drawn_on_a_page_with_a_text_layer_is_read_too(printer: Printer, tmp_path: Path) -> None:
    spec, style = payable()
    document = understood(printer, spec, style, epc(spec), tmp_path / "invoice.pdf")
    assert document.problems == ()
    assert document.fields["iban"].source is Source.BARCODE
    assert document.text("iban") == spec.seller.iban
    assert document.amount("payable_amount") == spec.totals().payable_amount


def test_a_code_on_a_scan_that_carries_its_own_text_layer_is_read_too(printer: Printer, tmp_path: Path) -> None:
    spec, style = payable()
    codes = (Code(kind="epc", content=epc(spec), module_mm=0.6),)
    style = style.model_copy(update={"paper": "scan", "scan": SCANS["office"], "codes": codes})
    scan = printer.print(spec, style, tmp_path / "scan.pdf", 1)
    page = READER.read(layered(scan.path, scan.words, tmp_path / "layered.pdf")).pages[0]
    assert page.source is WordSource.TEXT_LAYER
    assert [code.text for code in page.barcodes] == [epc(spec)]


def test_a_signature_on_a_scan_that_carries_its_own_text_layer_is_seen(printer: Printer, tmp_path: Path) -> None:
    spec, style = random_pod(11, "scan")
    spec, style = spec.model_copy(update={"signature": "signed"}), style.model_copy(update={"scan": SCANS["good"]})
    scan = printer.print(spec, style, tmp_path / "scan.pdf", 11)
    page = READER.read(layered(scan.path, scan.words, tmp_path / "layered.pdf")).pages[0]
    assert page.source is WordSource.TEXT_LAYER
    assert {mark.state for mark in page.marks if mark.kind is MarkKind.SIGNATURE} - {MarkState.ABSENT}
    assert page.engine == "pdfium + OCR", "what was written beside the print is read"


def test_a_forged_payment_code_is_told_and_pays_nobody(printer: Printer, tmp_path: Path) -> None:
    spec, style = payable()
    forged = epc(spec).replace(spec.seller.iban, THEIRS)
    document = understood(printer, spec, style, forged, tmp_path / "invoice.pdf")
    assert [problem.code for problem in document.problems] == [Reason.BANK_CHANGED]
    assert document.text("iban") == spec.seller.iban


def test_a_page_without_codes_is_not_searched_for_them(printer: Printer, tmp_path: Path) -> None:
    spec, style = payable()
    plain = printer.print(spec, style, tmp_path / "plain.pdf", 1).path
    coded = printer.print(spec, style.model_copy(update={"qr": True}), tmp_path / "coded.pdf", 1).path
    pages = [pdf.open_pdf(str(path))[0] for path in (plain, coded)]
    assert [pdf.code_area(page, pdf.not_text(page)) is not None for page in pages] == [False, True]


def test_a_stack_is_suggested_to_be_split_where_its_documents_begin(printer: Printer, tmp_path: Path) -> None:
    stack = print_stack(printer, tmp_path / "stack.pdf", 8, 3, paper="clean")
    document = read_file(stack.path)[1]
    problem = next(problem for problem in document.problems if problem.code == Reason.SPLIT_SUGGESTED)
    assert f"{len(stack.starts)} documents" in problem.message


def test_separator_sheets_in_a_scanned_stack_are_seen(printer: Printer, tmp_path: Path) -> None:
    path = tmp_path / "sheets.pdf"
    (tmp_path / "one.pdf").write_bytes(separator())
    with pikepdf.new() as stack, pikepdf.open(tmp_path / "one.pdf") as sheet:
        stack.pages.extend(sheet.pages)
        stack.pages.extend(sheet.pages)
        stack.pages[1].rotate(180, relative=True)
        stack.save(path)
    for page in NULL.read(path).pages:
        assert {code.text for code in page.barcodes} == {"TALLYMAN-SEPARATOR"}
