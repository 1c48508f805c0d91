"""Codes on pages: what is read is exact, what can't be proven is not given."""

from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from ocr.barcodes import find_barcodes
from ocr.imaging.deskew import turned

Format = zxingcpp.BarcodeFormat
EPC = "BCD\n002\n1\nSCT\n\nBolt Ltd\nDE89370400440532013000\nEUR1190.00\n\n\nRE-4711"


def page(*codes: tuple[int, int, Any]) -> Any:
    """An A4 page at 300 dpi with pictures of codes at (x, y), and a line of text."""
    sheet = np.full((3509, 2480), 255, np.uint8)
    cv2.putText(sheet, "Rechnung RE-4711 vom 05.03.2026", (200, 250), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 4)
    for x, y, picture in codes:
        height, width = picture.shape
        sheet[y : y + height, x : x + width] = picture
    return sheet


def drawn(text: str, kind: Any, scale: int = 6, **options: Any) -> Any:
    return np.array(zxingcpp.create_barcode(text, kind, **options).to_image(scale=scale))


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("qr_code", EPC, Format.QRCode),
        ("data_matrix", "Charge 77", Format.DataMatrix),
        ("aztec", "Ticket 12", Format.Aztec),
        ("pdf417", "LS-100|12 KG", Format.PDF417),
        ("code_128", "UZ397265539", Format.Code128),
        ("ean_13", "4006381333931", Format.EAN13),
        ("itf", "15400141288763", Format.ITF14),
    ],
)
def test_each_kind_of_code_is_read_to_the_letter(name: str, text: str, kind: Any) -> None:
    found = find_barcodes(page((300, 600, drawn(text, kind))))
    assert [(code.format, code.text) for code in found] == [(name, text)]


def test_a_gs1_code_tells_its_identifiers() -> None:
    found = find_barcodes(page((300, 600, drawn("(00)340123450000000018", Format.Code128, gs1=True))))
    assert [(code.format, code.text) for code in found] == [("gs1_code_128", "(00)340123450000000018")]


def test_codes_come_from_the_top_down_with_their_places() -> None:
    found = find_barcodes(page((300, 2600, drawn("LOWER-1", Format.Code128)), (1500, 500, drawn(EPC, Format.QRCode))))
    assert [code.text for code in found] == [EPC, "LOWER-1"]
    assert found[0].box.x0 == pytest.approx((1500 + 24) / 2480, abs=0.01)
    assert found[0].box.y0 == pytest.approx((500 + 24) / 3509, abs=0.01)


@pytest.mark.parametrize(("rotation", "skew"), [(0, 3.0), (90, 0.0), (180, -2.0), (270, 1.0)])
def test_a_turned_and_leaning_page_gives_the_same(rotation: int, skew: float) -> None:
    sheet = turned(
        page((400, 800, drawn("UZ397265539", Format.Code128)), (1500, 1800, drawn(EPC, Format.QRCode))), 0, skew
    )
    assert {code.text for code in find_barcodes(turned(sheet, rotation, 0.0))} == {"UZ397265539", EPC}


def test_a_code_too_fine_for_the_quick_look_is_found_by_the_second() -> None:
    fine = drawn("LS-2026-0815-4711-0042", Format.Code128, scale=2)
    sheet = page((701, 1500, cv2.resize(fine, None, fx=1, fy=3, interpolation=cv2.INTER_NEAREST)))
    halved = cv2.resize(sheet[:3508], (1240, 1754), interpolation=cv2.INTER_AREA)
    assert zxingcpp.read_barcodes(halved, try_downscale=False, try_invert=False) == []
    assert [code.text for code in find_barcodes(sheet)] == ["LS-2026-0815-4711-0042"]


def test_a_code_with_a_wrong_bar_is_not_given() -> None:
    picture = drawn("4006381333931", Format.EAN13)
    broken = picture.copy()
    broken[:, 120:138] = broken[:, 138:156]
    assert find_barcodes(page((300, 600, picture)))
    assert find_barcodes(page((300, 600, broken))) == ()


def test_control_characters_of_a_stranger_are_spelled_out_or_dropped() -> None:
    found = find_barcodes(page((300, 600, drawn("A\x1b[31mB\x00\u202eC\r\nD", Format.QRCode))))
    assert [code.text for code in found] == ["A<ESC>[31mB<NUL>C<CR><LF>D"]


def test_a_text_longer_than_any_honest_code_is_not_given() -> None:
    assert find_barcodes(page((100, 400, drawn("7" * 5000, Format.QRCode, scale=4)))) == ()


def test_a_page_of_text_and_a_blank_page_have_no_codes() -> None:
    assert find_barcodes(page()) == ()
    assert find_barcodes(np.full((40, 30), 255, np.uint8)) == ()
