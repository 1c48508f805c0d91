"""Files into pages and words: by text layer, by OCR, and not at all."""

import io
import shutil
import struct
import zlib
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf
import pillow_heif
import pytest
from PIL import Image

from ocr import pdf
from ocr.inside import inspect
from ocr.reader import READER, PagesReader, _parsers
from tallyman.domain.page import WordSource
from tallyman.errors import PasswordNeeded, Quarantined, TechnicalError, Unreadable
from tests.hostile import zeros
from tests.unit.ocr.paper import annotated, text_pdf
from tests.unit.ocr.test_photo import photographed

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
    assert page.engine.split()[0] in ("rapid", "tesseract")
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


@pytest.mark.parametrize("name", ["scan.webp", "scan.heic"])
def test_photos_of_telephones_have_pages_as_they_are_held(tmp_path: Path, name: str) -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6  # the telephone was held upright: the picture is stored on its side
    Image.new("RGB", (400, 300), "white").save(tmp_path / name, exif=exif.tobytes())
    reading = NULL.read(tmp_path / name)
    assert reading.media_type == f"image/{name[-4:]}"
    assert [(page.width, page.height) for page in reading.pages] == [(72, 96)]
    with Image.open(io.BytesIO(NULL.render(tmp_path / name, 1, 300))) as picture:
        assert picture.size == (300, 400)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.pdf"])
def test_a_sheet_photographed_with_its_desk_is_read_and_shown_without_it(tmp_path: Path, name: str) -> None:
    Image.fromarray(photographed()).save(tmp_path / name, resolution=100)
    (page,) = NULL.read(tmp_path / name).pages
    assert page.height / page.width == pytest.approx(1200 / 850, abs=0.1)
    with Image.open(io.BytesIO(NULL.render(tmp_path / name, 1, 600))) as picture:
        rim = np.asarray(picture.convert("L"))[:, :8]
    assert (rim > 150).mean() > 0.9, "no desk beside the sheet"


@pytest.mark.parametrize("name", ["film.webp", "film.heic"])
def test_every_picture_of_a_file_is_a_page_up_to_the_most(tmp_path: Path, name: str) -> None:
    pillow_heif.register_heif_opener()
    pictures = [Image.new("RGB", (64, 64), (n * 7 % 256, n * 31 % 256, n)) for n in range(201)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:3])
    assert len(NULL.read(tmp_path / name).pages) == 3
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:])
    with pytest.raises(Quarantined, match="201 pages"):
        NULL.read(tmp_path / name)


def test_the_second_view_that_a_telephone_puts_into_its_photo_is_no_page(tmp_path: Path) -> None:
    _scan().convert("RGB").save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60))])
    with Image.open(tmp_path / "a.jpg") as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("MPO", 2)
    assert len(NULL.read(tmp_path / "a.jpg").pages) == 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_a_hundred_megapixels_are_read_whatever_a_pixel_is(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (8000, 12_400), 9).save(tmp_path / "a.png", compress_level=1)
    assert len(NULL.read(tmp_path / "a.png").pages) == 1


@pytest.mark.parametrize("side", [500, 9000])
def test_white_shows_through_what_is_transparent_and_a_turned_picture_stands_upright(tmp_path: Path, side: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGBA", (side, side // 2), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (0, 0, side // 4, side // 2))  # at the left: at the top, when it stands
    picture.save(tmp_path / "a.png", exif=exif.tobytes(), compress_level=1)
    page = NULL.read(tmp_path / "a.png").pages[0]
    assert page.width < page.height
    shown = Image.open(io.BytesIO(NULL.render(tmp_path / "a.png", 1, 100))).convert("RGB")
    assert shown.width < shown.height
    assert shown.getpixel((50, 10)) == (200, 0, 0)
    assert shown.getpixel((50, 190)) == (255, 255, 255)


def test_a_reading_is_another_one_where_an_engine_can_not_work_or_another_library_opens_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = {READER.version}
    monkeypatch.setattr("ocr.engines.rapid.Rapid.available", lambda _: "It is not installed.")
    versions.add(READER.version)
    monkeypatch.setattr("ocr.reader.version", lambda _: "0.0")
    monkeypatch.setattr("ocr.reader._parsers", cache(_parsers.__wrapped__))
    versions.add(READER.version)
    assert len(versions) == 3
    assert "no rapid" in READER.version


def test_an_e_mail_with_one_document_is_read_as_that_document(tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"] = "a@example.com"
    message.add_attachment(text_pdf(tmp_path / "a.pdf", [LINES]).read_bytes(), "a", "b", filename="a.pdf")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    assert READER.read(tmp_path / "a.eml").pages[0].words[2].text == "4711"
    assert READER.render(tmp_path / "a.eml", 1, 200)
    assert [part.name for part in READER.parts(tmp_path / "a.eml")] == ["a.pdf"]
    assert READER.parts(tmp_path / "a.pdf") == ()


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
    with pytest.raises(PasswordNeeded, match="does not open"):
        READER.read(path, password="ü")
    assert READER.read(path, password="u").pages[0].words[2].text == "4711"
    assert READER.render(path, 1, 200, password="u")


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


def test_a_small_file_that_unpacks_to_gigabytes_is_set_aside(tmp_path: Path) -> None:
    once = zeros(2 * 10**9)
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
    ("content", "told"),
    [(b"", "empty"), (b"%PDF-1.7 nothing", "damaged"), (b"GIF89a", "PDF, PNG"), (b"PK\x03\x04", "damaged")],
)
def test_a_file_that_can_not_be_read_is_told_so(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(Unreadable, match=told):
        READER.read(tmp_path / "a.pdf")


def test_a_file_that_is_not_there_is_tried_again_later(tmp_path: Path) -> None:
    with pytest.raises(TechnicalError):
        READER.read(tmp_path / "gone.pdf")


def test_pages_are_looked_at_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr.reader._PORTION", 2)
    lines = [[*LINES, (60.0, 600.0, f"Seite{number}")] for number in range(1, 6)]
    reading = READER.read(text_pdf(tmp_path / "a.pdf", lines, {"factur-x.xml": b"<x/>"}))
    assert [(page.number, page.words[-1].text) for page in reading.pages] == [(n, f"Seite{n}") for n in range(1, 6)]
    assert reading.xml == "<x/>"


UBL = b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><n>%s</n></Invoice>'


@pytest.mark.parametrize("name", ["factur-x.xml", "anything.xml"])
def test_a_pdf_with_two_electronic_invoices_that_differ_goes_to_a_person(tmp_path: Path, name: str) -> None:
    first, equal = {"zugferd-invoice.xml": UBL % b"1"}, {"note.xml": b"<note>about the Invoice-2</note>"}
    path = text_pdf(tmp_path / "a.pdf", [LINES], {**first, **equal, name: UBL % b"1"})
    assert READER.read(path).xml == (UBL % b"1").decode()
    with pytest.raises(Unreadable, match="several electronic invoices"):
        READER.read(text_pdf(tmp_path / "b.pdf", [LINES], {**first, **equal, name: UBL % b"2"}))


def test_a_picture_of_more_pages_than_a_portion_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr.reader._PORTION", 1)
    _scan().save(tmp_path / "a.tif", save_all=True, append_images=[_scan()])
    assert [page.number for page in NULL.read(tmp_path / "a.tif").pages] == [1, 2]


def test_a_scan_with_a_layer_is_not_drawn_in_full_to_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child has seconds for many pages; who compares the page draws it anyway, and finds its codes and marks."""
    path = text_pdf(tmp_path / "a.pdf", [[*LINES, (60.0, 600.0, "Unterschrift")]])
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        page = document.pages[0]
        image = document.make_stream(b"\xff" * 64, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
        image.Width, image.Height, image.BitsPerComponent, image.ColorSpace = 8, 8, 8, pikepdf.Name.DeviceGray
        page.add_resource(image, pikepdf.Name.XObject, pikepdf.Name("/Scan"))
        page.contents_add(b"q 595 0 0 842 0 0 cm /Scan Do Q", prepend=True)
        document.save(path)
    drawn: list[float] = []
    render = pdf.render

    def told(page: Any, dpi: float, **how: Any) -> Any:
        drawn.append(dpi)
        return render(page, dpi, **how)

    monkeypatch.setattr(pdf, "render", told)
    (page,) = inspect(str(path), None, 0, -1)["pages"]
    assert page["doubtful"]
    assert drawn
    assert max(drawn) <= 60


def test_what_was_filled_in_and_noted_is_read(tmp_path: Path) -> None:
    field = {"Subtype": "/Widget", "FT": "/Tx", "T": "who", "V": "Jonathan Porter"}
    note = {"Subtype": "/FreeText", "Contents": "CANCELLED two boxes missing", "AP": True}
    page = READER.read(annotated(text_pdf(tmp_path / "a.pdf", [LINES]), field, note)).pages[0]
    words = {word.text: word for word in page.words}
    assert {"Rechnung", "Porter", "CANCELLED", "missing"} <= words.keys()
    assert words["Rechnung"].confidence == 1.0
    assert words["Porter"].confidence <= 0.5, "a person looks at what somebody wrote"
