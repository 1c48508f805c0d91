"""Files into pages and words: by text layer, by OCR, and not at all."""

import io
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest
from PIL import Image

from ocr.reader import READER, PagesReader
from tallyman.domain.page import WordSource
from tallyman.errors import PasswordNeeded, Quarantined, TechnicalError, Unreadable
from tests.unit.ocr.paper import text_pdf

NULL = PagesReader(engine="ocr.engines.null")
LINES = tuple(
    (60.0, 80.0 + 20 * row, text)
    for row, text in enumerate(
        ["Rechnung Nr. 4711 vom 05.03.2025", "Müller & Söhne GmbH", "Summe netto 1.234,56 EUR"] * 3
    )
)
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def _scan(angle: int = 0) -> Image.Image:
    page = np.full((1754, 1240), 255, dtype=np.uint8)
    for row in range(18):
        text = f"Rechnung 4711 Position {row} Betrag 12,50 EUR"
        cv2.putText(page, text, (100, 150 + 60 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    return Image.fromarray(page).rotate(-angle, expand=True, fillcolor=255)


def test_a_text_layer_is_read_word_by_word_with_its_place(tmp_path: Path) -> None:
    reading = READER.read(text_pdf(tmp_path / "Rechnung März.pdf", [LINES, LINES]))
    assert reading.media_type == "application/pdf"
    assert [page.number for page in reading.pages] == [1, 2]
    page = reading.pages[0]
    assert page.source is WordSource.TEXT_LAYER
    assert [word.text for word in page.words[:6]] == ["Rechnung", "Nr.", "4711", "vom", "05.03.2025", "Müller"]
    assert page.words[0].box.x0 == pytest.approx(60 / 595, abs=0.01)
    assert page.words[0].box.y1 == pytest.approx(80 / 842, abs=0.01)


def test_a_turned_page_is_read_as_people_see_it(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", [LINES])
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        document.pages[0].Rotate = 90
        document.save(path)
    page = READER.read(path).pages[0]
    assert (page.width, page.height) == (842, 595)
    assert page.words[0].box.x0 > 0.5


def test_the_xml_of_a_hybrid_invoice_comes_with_the_pages(tmp_path: Path) -> None:
    xml = '<?xml version="1.0" encoding="ISO-8859-1"?><x>Käufer</x>'
    files = {"notes.xml": b"<y/>", "Factur-X.xml": xml.encode("latin-1")}
    reading = READER.read(text_pdf(tmp_path / "a.pdf", [LINES], files))
    assert reading.xml == xml
    assert len(reading.pages) == 1


def test_a_bare_xml_file_has_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "rechnung.pdf"
    path.write_text('<?xml version="1.0"?><Invoice/>', encoding="utf-8")
    reading = READER.read(path)
    assert (reading.media_type, reading.pages) == ("application/xml", ())
    assert reading.xml is not None
    with pytest.raises(Unreadable, match="no pages"):
        READER.render(path, 1, 200)


@needs_tesseract
def test_a_scan_is_read_by_ocr(tmp_path: Path) -> None:
    _scan().save(tmp_path / "scan.png", dpi=(150, 150))
    page = READER.read(tmp_path / "scan.png").pages[0]
    assert page.source is WordSource.OCR
    assert page.engine.startswith("tesseract")
    assert [page.width, page.height] == pytest.approx([595, 842], abs=1)
    assert [word.text for word in page.words].count("Rechnung") >= 15
    assert all(0 <= word.confidence <= 1 for word in page.words)


@needs_tesseract
@pytest.mark.slow
def test_a_scan_that_lies_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    _scan(90).save(tmp_path / "scan.png", dpi=(150, 150))
    page = READER.read(tmp_path / "scan.png").pages[0]
    assert page.rotation == 270
    assert page.width < page.height
    assert [word.text for word in page.words].count("Rechnung") >= 15


@needs_tesseract
def test_every_page_of_a_tiff_is_read(tmp_path: Path) -> None:
    _scan().save(tmp_path / "scan.tif", save_all=True, append_images=[_scan()], dpi=(150, 150))
    assert [len(page.words) > 50 for page in READER.read(tmp_path / "scan.tif").pages] == [True, True]


def test_an_engine_that_reads_nothing_gives_pages_without_words(tmp_path: Path) -> None:
    _scan().save(tmp_path / "scan.jpg")
    page = NULL.read(tmp_path / "scan.jpg").pages[0]
    assert (page.words, page.engine) == ((), "null 1")


def test_a_page_is_shown_as_a_picture(tmp_path: Path) -> None:
    png = READER.render(text_pdf(tmp_path / "a.pdf", [LINES]), 1, 300)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        assert picture.size == (300, 424)


def test_a_page_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no page 2"):
        READER.render(text_pdf(tmp_path / "a.pdf", [LINES]), 2, 300)


def test_a_locked_file_asks_for_its_password(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", [LINES])
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        document.save(path, encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(PasswordNeeded):
        READER.read(path)


def test_ten_thousand_pages_are_counted_not_read(tmp_path: Path) -> None:
    document = pikepdf.new()
    for _ in range(300):
        document.add_blank_page(page_size=(100, 100))
    document.save(tmp_path / "many.pdf")
    with pytest.raises(Quarantined, match="300 pages"):
        READER.read(tmp_path / "many.pdf")


def test_a_picture_of_billions_of_pixels_is_not_opened(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(Quarantined, match="megapixels"):
        READER.read(tmp_path / "huge.png")


def _zeros(size: int) -> bytes:
    """What zlib makes of so many zeros, without taking its time: one packed block of them, repeated."""
    block = 10**7
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return b"\x78\xda" + packed * (size // block) + end + struct.pack(">I", (size % 65521) << 16 | 1)


def test_a_small_file_that_unpacks_to_gigabytes_is_set_aside(tmp_path: Path) -> None:
    once = _zeros(2 * 10**9)
    document = pikepdf.new()
    page = document.add_blank_page()
    page.Contents = document.make_stream(
        zlib.compress(once, 9), {"/Filter": pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])}
    )
    document.save(tmp_path / "bomb.pdf", stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    assert (tmp_path / "bomb.pdf").stat().st_size < 10_000
    with pytest.raises(Quarantined, match="memory"):
        READER.read(tmp_path / "bomb.pdf")


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "empty"), (b"%PDF-1.7 nothing", "damaged"), (b"PK\x03\x04", "PDF, PNG")]
)
def test_a_file_that_can_not_be_read_is_told_so(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(Unreadable, match=told):
        READER.read(tmp_path / "a.pdf")


def test_a_file_that_is_not_there_is_tried_again_later(tmp_path: Path) -> None:
    with pytest.raises(TechnicalError):
        READER.read(tmp_path / "gone.pdf")
