"""Files of some pages of another one, cut out in the sandbox."""

import contextlib
import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from ocr import pdf
from ocr.annotations import are_written
from ocr.reader import READER, PagesReader
from tallyman.errors import BusinessError, PasswordNeeded, Quarantined, Unreadable
from tallyman.platform.sandbox import Limits
from tests import hostile
from tests.unit.ocr.paper import annotated, text_pdf

PAGES = [[(60, 80, f"Invoice number {letter}")] for letter in "ABC"]
SECRET = "Größe-4711"


def words_of(content: bytes) -> list[str]:
    return [" ".join(word.text for word in pdf.text_words(page)) for page in pdf.open_pdf(content)]


def test_a_pdf_is_cut_into_the_pages_that_are_named_and_equal_cuts_are_equal(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a b.pdf", PAGES, {"factur-x.xml": b"<Invoice/>"})
    first, second = READER.cut(path, ((3, 1), (2,)))
    assert words_of(first) == ["Invoice number C", "Invoice number A"]
    assert words_of(second) == ["Invoice number B"]
    assert pdf.embedded_xml(pdf.open_pdf(first)) is None
    assert READER.cut(path, ((3, 1), (2,))) == (first, second)


def test_nothing_of_the_other_pages_is_in_a_part(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", PAGES)
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        shared = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im1=document.make_stream(b"of another page")))
        for page in document.pages:
            page.Resources.update(shared)
        document.save(path)
    (part,) = READER.cut(path, ((1,),))
    with pikepdf.open(io.BytesIO(part)) as document:
        assert not any(b"another" in one.read_bytes() for one in document.objects if isinstance(one, pikepdf.Stream))


def test_what_was_filled_into_a_page_is_in_its_part(tmp_path: Path) -> None:
    field = {"Subtype": "/Widget", "FT": "/Tx", "T": "who", "V": "J. Porter", "AP": True}
    path = annotated(text_pdf(tmp_path / "a.pdf", PAGES), field)
    first, second = READER.cut(path, ((1,), (2,)))
    assert are_written(pdf.open_pdf(first)[0])
    assert not are_written(pdf.open_pdf(second)[0])


def test_a_protected_pdf_is_cut_with_its_password_and_its_parts_have_none(tmp_path: Path) -> None:
    path = text_pdf(tmp_path / "a.pdf", PAGES)
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        document.save(path, encryption=pikepdf.Encryption(owner="o", user=SECRET))
    (part,) = READER.cut(path, ((2,),), password=SECRET)
    assert words_of(part) == ["Invoice number B"]
    with pytest.raises(PasswordNeeded):
        READER.cut(path, ((2,),))


def test_a_picture_of_several_pages_is_cut_and_no_pixel_changes(tmp_path: Path) -> None:
    looks = [Image.new(mode, (60, 40), colour) for mode, colour in (("1", 1), ("L", 99), ("RGB", (1, 2, 3)), ("P", 7))]
    looks[0].save(tmp_path / "a.tif", save_all=True, append_images=looks[1:], dpi=(200, 200))
    for content, pages in zip(READER.cut(tmp_path / "a.tif", ((2, 1), (3, 4))), ((2, 1), (3, 4)), strict=True):
        part = Image.open(io.BytesIO(content))
        assert part.n_frames == 2  # type: ignore[attr-defined]
        for frame, page in enumerate(pages):
            part.seek(frame)
            assert part.info["dpi"] == (200, 200)
            assert part.convert("RGB").tobytes() == looks[page - 1].convert("RGB").tobytes()


def test_a_picture_that_lies_on_its_side_comes_out_upright(tmp_path: Path) -> None:
    lying = Image.new("L", (60, 40), 9)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "a.webp", save_all=True, append_images=[lying.point(lambda _: 200)], exif=exif, lossless=True)
    (part,) = READER.cut(tmp_path / "a.webp", ((1,),))
    assert Image.open(io.BytesIO(part)).size == (40, 60)


@pytest.mark.parametrize("pages", [(4,), (0,), ()])
def test_pages_that_are_not_there_are_told(tmp_path: Path, pages: tuple[int, ...]) -> None:
    with pytest.raises(Unreadable, match="3 pages"):
        READER.cut(text_pdf(tmp_path / "a.pdf", PAGES), (pages,))


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    damaged = tmp_path / "a.pdf"
    damaged.write_bytes(b"%PDF-1.7 nothing follows")
    with pytest.raises(Unreadable, match="no pages can be cut"):
        READER.cut(damaged, ((1,),))


def test_hostile_files_are_cut_or_told(tmp_path: Path) -> None:
    tried = [one for one in hostile.files(7) if one.kind not in ("e-mails", "ZIP", "names")][::25]
    assert len(tried) > 8
    quick = PagesReader(limits=Limits(cpu_s=2, wall_s=3.0))
    for number, made in enumerate(tried):
        with contextlib.suppress(BusinessError):
            quick.cut(hostile.save(tmp_path, made, number), ((1,),))


def test_documents_that_are_too_much_together_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr.reader._MOST_CUT", 1000)
    with pytest.raises(Quarantined, match="together"):
        READER.cut(text_pdf(tmp_path / "a.pdf", PAGES), ((1,), (2,), (3,)))
