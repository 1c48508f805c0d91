"""Papers printed by a real Chromium: what the truth says is what stands on the page."""

import datetime
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import facturx
import numpy as np
import pikepdf
import pypdfium2
import pytest
from lxml import etree
from PIL import Image

from models.synthetic import (
    INVOICE_LAYOUTS,
    POD_LAYOUTS,
    SCANS,
    InvoiceSpec,
    LineSpec,
    Printed,
    Printer,
    Scan,
    Stated,
    Style,
    random_invoice,
    random_pod,
)  # fmt: skip
from models.synthetic.__main__ import main


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as opened:
        yield opened


def fold(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("\u202f", "").replace("\xad", "-").replace("\x02", "-"))


def texts_under(printed: Printed) -> Iterator[tuple[str, str, str]]:
    """(name, text the truth says, text of the PDF under the box) of everything printed."""
    with pypdfium2.PdfDocument(printed.path) as pdf:
        layers = {number: (page, page.get_textpage()) for number, page in enumerate(pdf, start=1)}
        for name, places in printed.truth["boxes"].items():
            for place in places:
                page, layer = layers[place["page"]]
                width, height = page.get_size()
                x0, y0, x1, y1 = place["box"]
                under = layer.get_text_bounded(
                    x0 * width - 1, height - y1 * height - 1, x1 * width + 1, height - y0 * height + 1
                )
                yield name, place["text"], under


def long_invoice(lines: int = 60) -> InvoiceSpec:
    spec, _ = random_invoice(2, "clean", "deu")
    goods = tuple(
        LineSpec(
            description=f"Ware {number}", item_id=f"W-{number}", quantity=Decimal(number), unit_price=Decimal("1.50")
        )
        for number in range(1, lines + 1)
    )
    return spec.model_copy(update={"lines": goods, "allowances": (), "charges": (), "prepaid": Decimal(0)})


@pytest.mark.parametrize("layout", INVOICE_LAYOUTS)
def test_the_text_under_every_box_is_what_the_truth_says(layout: str, printer: Printer, tmp_path: Path) -> None:
    for seed in (21, 22):
        spec, style = random_invoice(seed, "clean")
        printed = printer.print(spec, style.model_copy(update={"layout": layout}), tmp_path / f"{seed}.pdf", seed)
        checked = 0
        for name, said, under in texts_under(printed):
            assert fold(said) in fold(under), (layout, seed, name)
            checked += 1
        assert checked > 20
        needed = {"invoice_number", "issue_date", "seller_name", "buyer_name", "gross_total", "net_total"}
        assert needed <= set(printed.truth["visible"])
        for number in range(len(spec.lines)):
            for part in ("description", "quantity", "unit_price", "total"):
                assert len(printed.truth["boxes"][f"lines.{number}.{part}"]) == 1


@pytest.mark.parametrize("layout", POD_LAYOUTS)
def test_what_is_printed_on_a_pod_stands_under_its_box(layout: str, printer: Printer, tmp_path: Path) -> None:
    spec, style = random_pod(8, "clean")
    printed = printer.print(spec, style.model_copy(update={"layout": layout}), tmp_path / "pod.pdf", 8)
    by_print = {"pod_number", "waybill_number", "shipper_name", "consignee_name"}
    found = {name: (said, under) for name, said, under in texts_under(printed)}
    assert by_print <= set(found)
    for name, (said, under) in found.items():
        if name in by_print or name.endswith((".shipped_quantity", ".description", ".item")):
            assert fold(said) in fold(under), name


@pytest.mark.parametrize("layout", INVOICE_LAYOUTS)
def test_a_long_invoice_goes_over_several_pages_and_loses_no_line(
    layout: str, printer: Printer, tmp_path: Path
) -> None:
    printed = printer.print(long_invoice(), Style(layout=layout, language="deu", look=11), tmp_path / "long.pdf", 1)
    with pypdfium2.PdfDocument(printed.path) as pdf:
        pages = len(pdf)
    assert pages >= 2
    boxes: dict[str, Any] = printed.truth["boxes"]
    places = [boxes[f"lines.{number}.total"] for number in range(60)]
    assert all(len(each) == 1 for each in places)
    order = [(each[0]["page"], each[0]["box"][1]) for each in places]
    assert order == sorted(order)
    assert all(each[0]["box"][3] < 0.97 for each in places)
    assert boxes["gross_total"][-1]["page"] == pages


def test_a_carried_sum_is_printed_at_the_foot_and_at_the_head_of_the_next_page(
    printer: Printer, tmp_path: Path
) -> None:
    spec = long_invoice()
    look = next(
        seed
        for seed in range(50)
        if "data-carried" in printer.html(spec, Style(layout="din", language="deu", look=seed), 1)
    )
    printed = printer.print(spec, Style(layout="din", language="deu", look=look), tmp_path / "carried.pdf", 1)
    last = max(number for number in range(60) if printed.truth["boxes"][f"lines.{number}.total"][0]["page"] == 1)
    carried = sum((line.total for line in spec.lines[: last + 1]), Decimal(0))
    with pypdfium2.PdfDocument(printed.path) as pdf:
        pages = [re.sub(r"[.,\s]", "", pdf[number].get_textpage().get_text_range()) for number in (0, 1)]
    assert all(str(carried).replace(".", "") in page for page in pages)


def test_the_same_seed_prints_the_same_bytes(printer: Printer, tmp_path: Path) -> None:
    for kind in (random_invoice, random_pod):
        for paper in ("clean", "scan"):
            spec, style = kind(31, paper)
            one = printer.print(spec, style, tmp_path / "one.pdf", 5)
            other = printer.print(spec, style, tmp_path / "other.pdf", 5)
            assert one.path.read_bytes() == other.path.read_bytes()
            assert {**one.truth, "file": ""} == {**other.truth, "file": ""}


def test_a_clean_paper_carries_the_day_of_the_document_not_of_its_printing(printer: Printer, tmp_path: Path) -> None:
    spec, style = random_invoice(31, "clean")
    with pikepdf.open(printer.print(spec, style, tmp_path / "dated.pdf", 5).path) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith(f"D:{spec.issue_date:%Y%m%d}")


def test_nothing_runs_off_the_sheet(printer: Printer) -> None:
    for seed in range(1000, 1060):
        spec, style = random_invoice(seed, "clean")
        for name, places in printer.lay_out(spec, style, seed).truth["boxes"].items():
            assert all(0 <= edge <= 1 for place in places for edge in place["box"]), (seed, style.layout, name)


def test_a_hybrid_invoice_holds_its_data_in_the_profile_en_16931(printer: Printer, tmp_path: Path) -> None:
    done = 0
    for seed in range(40, 46):
        spec, style = random_invoice(seed, "hybrid")
        printed = printer.print(spec, style, tmp_path / f"{seed}.pdf", seed)
        _, xml = facturx.get_xml_from_pdf(printed.path.read_bytes(), check_xsd=True)
        tree = etree.fromstring(xml)
        assert facturx.get_level(tree) == "en16931"

        def value(name: str, tree: Any = tree) -> str:
            return str(tree.findall(f".//{{*}}{name}")[-1].text)

        assert value("GrandTotalAmount") == printed.truth["fields"]["gross_total"]
        assert value("DuePayableAmount") == printed.truth["fields"]["payable_amount"]
        assert len(tree.findall(".//{*}IncludedSupplyChainTradeLineItem")) == len(spec.lines)
        done += 1
    assert done == 6


def test_a_hybrid_invoice_is_the_same_twice(printer: Printer, tmp_path: Path) -> None:
    spec, style = random_invoice(41, "hybrid")
    one, other = (printer.print(spec, style, tmp_path / name, 1).path for name in ("a.pdf", "b.pdf"))
    assert one.read_bytes() == other.read_bytes()
    # Two prints within one second would be equal even with the time of printing in them.
    with pikepdf.open(one) as pdf:
        assert str(pdf.docinfo["/ModDate"]).startswith(f"D:{spec.issue_date:%Y%m%d}")


def ink(path: Path, box: tuple[float, ...], page: int = 0) -> float:
    """The share of dark pixels in a box of a page."""
    with pypdfium2.PdfDocument(path) as pdf:
        image = np.asarray(pdf[page].render(scale=2, grayscale=True).to_pil())
    height, width = image.shape
    part = image[int(box[1] * height) : int(box[3] * height) + 1, int(box[0] * width) : int(box[2] * width) + 1]
    return float((part < np.median(part) - 60).mean())


@pytest.mark.parametrize("how", ["office", "photo"])
def test_a_scan_is_a_picture_only_and_its_boxes_hold_ink(how: str, printer: Printer, tmp_path: Path) -> None:
    spec, style = random_invoice(51, "scan", "deu")
    style = style.model_copy(update={"layout": "din", "scan": SCANS[how], "terms_page": False})
    printed = printer.print(spec, style, tmp_path / "scan.pdf", 2)
    with pypdfium2.PdfDocument(printed.path) as pdf:
        assert pdf[0].get_textpage().count_chars() == 0
    for name in ("invoice_number", "gross_total", "buyer_name"):
        place = printed.truth["boxes"][name][0]
        assert ink(printed.path, place["box"], place["page"] - 1) > 0.03, name


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_scan_can_be_an_image_file(suffix: str, printer: Printer, tmp_path: Path) -> None:
    style = Style(layout="grid", language="deu", paper="scan", scan=Scan(dpi=72), look=3)
    printed = printer.print(long_invoice(), style, tmp_path / f"scan{suffix}", 2)
    with Image.open(printed.path) as image:
        assert image.size[1] == pytest.approx(842, abs=2)
        frames = getattr(image, "n_frames", 1)
    further = tmp_path / f"scan-2{suffix}"
    assert frames >= 2 if suffix == ".tif" else further.exists()


def test_wrong_sums_are_printed_as_stated(printer: Printer, tmp_path: Path) -> None:
    spec = long_invoice(2).model_copy(update={"stated": Stated(gross_total=Decimal("999.99"))})
    printed = printer.print(spec, Style(layout="modern", language="deu", look=4), tmp_path / "wrong.pdf", 1)
    assert printed.truth["fields"]["gross_total"] == "999.99"
    assert "999,99" in printed.truth["boxes"]["gross_total"][0]["text"].replace(".", ",")


def test_a_credit_note_names_the_invoice_it_corrects(printer: Printer, tmp_path: Path) -> None:
    spec = long_invoice(2).model_copy(update={"kind": "credit_note", "preceding_invoice": "RE-77"})
    for layout in INVOICE_LAYOUTS:
        printed = printer.print(spec, Style(layout=layout, language="deu"), tmp_path / "credit.pdf", 1)
        assert printed.truth["type"] == "credit_note"
        assert "preceding_invoice_reference" in printed.truth["visible"], layout


@pytest.mark.parametrize("layout", POD_LAYOUTS)
def test_hand_quantities_signature_and_stamp_are_drawn_where_the_truth_says(
    layout: str, printer: Printer, tmp_path: Path
) -> None:
    spec, _ = random_pod(3, "clean", "deu")
    line = spec.lines[0].model_copy(
        update={"shipped": Decimal(40), "received": Decimal(38), "rejected": Decimal(2), "reason": "nass"}
    )
    update = {
        "lines": (line,), "signature": "signed", "signer_name": "Petra Schöll", "stamp": "WARE ERHALTEN\n3.3.2026",
        "damage_note": "Folie gerissen", "delivered_date": datetime.date(2026, 3, 3),
    }  # fmt: skip
    printed = printer.print(spec.model_copy(update=update), Style(layout=layout, language="deu"), tmp_path / "p.pdf", 3)
    assert printed.truth["lines"][0]["received_quantity"] == "38"
    names = ("lines.0.received_quantity", "lines.0.rejected_quantity", "lines.0.reject_reason", "signature", "stamp")
    for name in (*names, "signer_name", "damage_note", "delivered_date"):
        box = printed.truth["boxes"][name][0]["box"]
        assert ink(printed.path, box) > 0.02, name


def test_no_signature_leaves_no_mark_and_a_smudge_is_unclear(printer: Printer, tmp_path: Path) -> None:
    spec, _ = random_pod(3, "clean", "deu")
    style = Style(layout="tally", language="deu")
    empty = spec.model_copy(update={"signature": "none", "stamp": None, "signer_name": ""})
    absent = printer.print(empty, style, tmp_path / "none.pdf", 3).truth
    assert absent["fields"]["signature"] == "absent"
    assert "signature" not in absent["boxes"]
    smudge = spec.model_copy(update={"signature": "smudge"})
    unclear = printer.print(smudge, style, tmp_path / "smudge.pdf", 3).truth
    assert unclear["fields"]["signature"] == "unclear"
    assert unclear["boxes"]["signature"]


def test_a_layout_without_printing_gives_words_with_their_fields(printer: Printer) -> None:
    spec, style = random_invoice(61, "clean")
    laid = printer.lay_out(spec, style, 1)
    number = [word.text for word in laid.words if word.field == "invoice_number"]
    assert spec.number in " ".join(number)
    assert all(0 <= edge <= 1 for word in laid.words for edge in word.box)
    assert any(word.field is None for word in laid.words)


def test_a_paper_that_makes_no_sense_is_refused(printer: Printer, tmp_path: Path) -> None:
    spec, style = random_invoice(1, "clean")
    with pytest.raises(ValueError, match="clean paper cannot be written"):
        printer.print(spec, style, tmp_path / "a.png", 1)
    slip, style = random_pod(1, "clean")
    with pytest.raises(ValueError, match="Only an invoice has a hybrid form"):
        printer.print(slip, style.model_copy(update={"paper": "hybrid"}), tmp_path / "a.pdf", 1)


def test_the_command_writes_papers_truth_and_a_contact_sheet(
    tmp_path: Path, printer: Printer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One Chromium is enough, and Playwright allows one session a thread.
    class Shared:
        def __enter__(self) -> Printer:
            return printer

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr("models.synthetic.__main__.Printer", Shared)
    out = tmp_path / "Belege für Prüfung"
    main(["--out", str(out), "--count", "4", "--seed", "1"])
    truths = [json.loads(line) for line in (out / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {truth["type"] for truth in truths} >= {"invoice", "pod"}
    assert all((out / truth["file"]).exists() for truth in truths)
    assert (out / "gallery.html").read_text(encoding="utf-8").count("<img") == 4
    with Image.open(BytesIO(_first_picture(out))) as picture:
        assert picture.format == "JPEG"


def _first_picture(out: Path) -> bytes:
    found = re.search(r"base64,([^\"]+)", (out / "gallery.html").read_text(encoding="utf-8"))
    assert found
    return b64decode(found[1])
