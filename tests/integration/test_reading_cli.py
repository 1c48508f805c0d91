"""`tallyman read` and `tallyman extract`."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from ocr.reader import PagesReader
from tallyman.cli.extract import extract
from tallyman.cli.read import read
from tallyman.errors import TechnicalError, UsageError
from tallyman.platform.kept import KeptChildren, Turns
from tallyman.platform.sandbox import DEFAULT
from tests.unit.models.readers.test_e_invoice import CII
from tests.unit.models.readers.test_rules import INVOICE
from tests.unit.ocr.paper import text_pdf


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def hybrid(tmp_path: Path) -> Path:
    xml = CII.format(code="380", sign="").encode()
    return text_pdf(tmp_path / "Rechnung für März.pdf", [INVOICE], {"factur-x.xml": xml})


def test_each_file_gets_one_line_whatever_it_is(
    hybrid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7")
    extract([hybrid, tmp_path / "broken.pdf"], jsonl=True)
    good, broken = _lines(capsys)
    assert good["file"] == str(hybrid)
    assert good["type"] == "invoice"
    assert good["fields"]["gross_total"]["value"] == "235.62"
    assert good["fields"]["gross_total"]["source"] == "e_invoice"
    assert (broken["type"], broken["fields"], broken["lines"]) == ("unknown", {}, [])
    assert broken["problems"][0]["code"] == "UNREADABLE"


def test_a_machine_without_its_engine_still_reads_the_files_that_need_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "invoice.xml"
    bare.write_text(CII.format(code="380", sign=""), "utf-8")
    scan = Image.new("L", (800, 1100), 255)
    ImageDraw.Draw(scan).rectangle((100, 100, 700, 140), fill=0)
    scan.save(tmp_path / "scan.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("ocr.reader.READER", PagesReader(engine="ocr.engines.tesseract"))
    children = KeptChildren(Turns(1), DEFAULT)
    monkeypatch.setattr("ocr.reader._children", children)
    with pytest.raises(TechnicalError, match="Tesseract"):
        extract([tmp_path / "scan.png", bare], jsonl=True)
    children.close()
    unread, good = _lines(capsys)
    assert "apt-get install tesseract-ocr" in unread["problems"][0]["message"]
    assert good["fields"]["gross_total"]["value"] == "235.62"


def test_the_xml_can_be_left_out_of_account(hybrid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extract([hybrid], jsonl=True, ignore_embedded=True)
    (line,) = _lines(capsys)
    number = line["fields"]["invoice_number"]
    assert (number["value"], number["source"], number["page"]) == ("2014-03", "rule", 1)
    assert len(number["box"]) == 4


def test_a_page_that_shows_another_invoice_than_its_xml_is_told(
    hybrid: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extract([hybrid], jsonl=True)
    (line,) = _lines(capsys)
    assert {problem["code"] for problem in line["problems"]} == {"XML_DIFFERS_FROM_PAGE"}


def test_another_type_than_the_wanted_one_is_a_problem(hybrid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extract([hybrid], jsonl=True, type="pod")
    (line,) = _lines(capsys)
    assert "WRONG_DOCUMENT" in {problem["code"] for problem in line["problems"]}


def test_an_unknown_type_or_a_missing_file_is_a_wrong_command(hybrid: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="letter"):
        extract([hybrid], type="letter")
    with pytest.raises(UsageError, match=r"gone\.pdf"):
        extract([tmp_path / "gone.pdf"])
    with pytest.raises(UsageError, match=r"gone\.pdf"):
        read([tmp_path / "gone.pdf"])


def test_pages_and_words_are_told_as_json(hybrid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read([hybrid], jsonl=True)
    (line,) = _lines(capsys)
    assert line["embedded_xml"] is True
    assert line["pages"][0]["words"][0]["text"] == "Kraxi"
    assert len(line["pages"][0]["words"][0]["box"]) == 4


def test_people_get_a_table(hybrid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extract([hybrid])
    assert "RE-471102" in capsys.readouterr().out
    read([hybrid])
    assert "Kraxi GmbH" in capsys.readouterr().out
