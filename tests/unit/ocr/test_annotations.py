"""What people put on a page after it was made: fields, notes and stamps."""

from pathlib import Path
from typing import Any

import pikepdf
import pytest

from ocr import pdf
from ocr.annotations import are_written
from tests.unit.ocr.paper import annotated, text_pdf

TYPED: dict[str, Any] = {"Subtype": "/Widget", "FT": "/Tx", "T": "who", "V": "J. Porter"}


def page_with(path: Path, **annotation: Any) -> Any:
    return pdf.open_pdf(str(annotated(text_pdf(path, [[(60, 80, "Received by")]]), annotation)))[0]


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (TYPED, True),
        ({**TYPED, "V": ""}, False),
        ({**TYPED, "V": "", "AP": True}, False),
        ({**TYPED, "F": 2}, False),
        ({**TYPED, "F": 32}, False),
        ({**TYPED, "FT": "/Ch", "Ff": 1 << 17, "Opt": ["J. Porter"]}, True),
        ({**TYPED, "FT": "/Btn", "V": "/Yes", "AS": "/Yes"}, True),
        ({**TYPED, "FT": "/Btn", "V": "/Off", "AS": "/Off"}, False),
        ({**TYPED, "FT": "/Btn", "Ff": 1 << 16}, False),
        ({"Subtype": "/Widget", "FT": "/Sig", "T": "signed", "AP": True}, True),
        ({"Subtype": "/Widget", "FT": "/Sig", "T": "signed"}, False),
        ({"Subtype": "/FreeText", "Contents": "two boxes missing", "AP": True}, True),
        ({"Subtype": "/Stamp", "AP": True}, True),
        ({"Subtype": "/Ink", "InkList": [[100, 100, 200, 120]]}, True),
        ({"Subtype": "/Stamp", "AP": True, "F": 2}, False),
        ({"Subtype": "/Link"}, False),
    ],
    ids=[
        "a text", "no text", "no text, and a frame", "hidden", "not to be viewed", "a choice", "a tick", "no tick",
        "a button", "a signature", "no signature", "a note", "a stamp", "strokes", "a hidden stamp", "a link",
    ],
)  # fmt: skip
def test_what_people_added_is_seen(tmp_path: Path, annotation: dict[str, Any], written: bool) -> None:
    assert are_written(page_with(tmp_path / "a.pdf", **annotation)) is written


def test_a_field_whose_value_its_parent_holds_is_filled(tmp_path: Path) -> None:
    path = annotated(text_pdf(tmp_path / "a.pdf", [[]]), {**TYPED, "V": ""})
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        field = document.pages[0].Annots[0]
        parent = document.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="whole", V="J. Porter", Kids=[field]))
        field.Parent = parent
        del field["/V"], field["/FT"]
        document.Root.AcroForm.Fields = pikepdf.Array([parent])
        document.save(path)
    assert are_written(pdf.open_pdf(str(path))[0])


def test_what_was_typed_into_a_field_is_drawn(tmp_path: Path) -> None:
    area = (300, 60, 500, 90)
    empty = pdf.render(page_with(tmp_path / "a.pdf", **{**TYPED, "V": ""}), 72, grey=True, area=area)
    filled = pdf.render(page_with(tmp_path / "b.pdf", **TYPED), 72, grey=True, area=area)
    assert (filled < 128).sum() > (empty < 128).sum() + 50


def test_a_page_with_nothing_but_a_note_is_read_by_ocr(tmp_path: Path) -> None:
    path = annotated(text_pdf(tmp_path / "a.pdf", [[]]), {"Subtype": "/FreeText", "AP": True})
    page = pdf.open_pdf(str(path))[0]
    assert pdf.needs_ocr(page, [], [], written=are_written(page))


def test_the_pdfium_that_is_installed_runs_no_scripts() -> None:
    """Else `open_pdf` leaves out what was filled in: a script of the file's could run with it."""
    assert not pdf.RUNS_SCRIPTS
