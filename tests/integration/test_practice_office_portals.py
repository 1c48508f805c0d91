"""The carrier's and the supplier's portal, the command line, and what the README promises."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.office import sample
from fixtures.office.books import seed
from fixtures.office.serving import Office, running
from fixtures.office.traits import Traits

ROOT = Path(__file__).parents[2]
QUICK = {"ajax_delay_s": 0, "today": sample.TODAY}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home, files = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("files")
    seed(home, sample.world(files), base=files)
    with running(home, QUICK) as served:
        yield served


@pytest.fixture
def carrier(office: Office) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=office.carrier, follow_redirects=True, verify=False) as client:
        client.post("/login.asp", data={"txtUser": "clerk", "txtPass": "practice-secret"})
        yield client
        client.put("/_control/traits", json=QUICK)


@pytest.fixture
def supplier(office: Office) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=office.supplier, follow_redirects=True, verify=False) as client:
        client.post("/login.pl", data={"user": "clerk", "pwd": "practice-secret"})
        yield client
        client.put("/_control/traits", json=QUICK)


def test_the_carriers_list_comes_ten_rows_a_page_and_says_how_many_pages(carrier: httpx.Client) -> None:
    pages = [carrier.get("/deliveries_rows.asp", params={"page": n, "q": ""}).text for n in (1, 2, 3)]
    assert [page.splitlines()[0] for page in pages] == ["1|3", "2|3", "3|3"]
    assert [page.count("delivery.asp") for page in pages] == [10, 10, 3]
    assert "TN900" in carrier.get("/deliveries_rows.asp", params={"q": "tn900"}).text
    carrier.post("/_control/traits", json={"ajax_pages": False})
    assert carrier.get("/deliveries.asp").text.count("delivery.asp") == 23


def test_a_proof_of_delivery_can_be_downloaded_once_it_is_there(carrier: httpx.Client) -> None:
    assert "03/20/2026 14:05" in carrier.get("/delivery.asp", params={"waybill": "TN900"}).text
    pod = carrier.get("/pod.asp", params={"waybill": "TN900"})
    assert pod.content.startswith(b"%PDF")
    assert pod.headers["content-disposition"].startswith("attachment")
    assert "not yet available" in carrier.get("/delivery.asp", params={"waybill": "TN101"}).text
    assert "not yet available" in carrier.get("/pod.asp", params={"waybill": "TN101"}).text


def test_a_download_can_break_off_half_way(carrier: httpx.Client) -> None:
    carrier.post("/_control/traits", json={"truncated_download": True, "for_next": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        carrier.get("/pod.asp", params={"waybill": "TN900"})
    assert carrier.get("/pod.asp", params={"waybill": "TN900"}).content.startswith(b"%PDF")


def test_the_suppliers_list_stands_in_an_iframe_and_starts_with_recent_invoices(supplier: httpx.Client) -> None:
    frame = re.search(r'<iframe name="list" src="([^"]+)"', supplier.get("/portal.pl").text)
    assert frame is not None
    recent = supplier.get(frame.group(1).replace("&amp;", "&")).text
    assert "R-77" in recent
    assert "R-12" not in recent
    everything = supplier.get("/invoices.pl", params={"period": "all"}).text
    assert "R-12" in everything
    link = re.search(r"/document.pl\?id=\d+", everything)
    assert link is not None
    assert supplier.get(link.group(0)).content.startswith(b"%PDF")
    supplier.post("/_control/traits", json={"pdf_inline": True, "iframes": False})
    assert supplier.get(link.group(0)).headers["content-disposition"].startswith("inline")
    assert "iframe" not in supplier.get("/portal.pl").text


def test_a_fault_of_one_system_leaves_the_others_alone(office: Office, carrier: httpx.Client) -> None:
    carrier.post("/_control/traits", json={"http_500": True})
    assert carrier.get("/deliveries.asp").status_code == 500
    assert httpx.get(f"{office.supplier}/login.pl", verify=False).status_code == 200


def test_the_office_starts_from_the_command_line_and_its_books_can_be_audited(tmp_path: Path) -> None:
    base = tmp_path / "Büro home"
    base.mkdir()
    subprocess.run([sys.executable, "-m", "fixtures.office.sample", base], check=True, cwd=ROOT)
    (base / "traits.json").write_text('{"today": "2026-03-20", "carrier": {"maintenance": true}}')
    (base / "expected.json").write_text('{"invoices": [{"vendor": "10074", "number": "GONE", "gross": "1"}]}')
    office = subprocess.Popen(
        [sys.executable, "-m", "fixtures.office", "--home", base / "home", "--world", base / "world.json",
         "--traits", base / "traits.json"],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    with office:
        assert office.stdout is not None
        urls = json.loads(office.stdout.readline())
        codes = {system: httpx.get(url, verify=False).status_code for system, url in urls.items()}
        office.send_signal(signal.SIGTERM)
    assert codes == {"erp": 200, "carrier": 503, "supplier": 200}
    assert office.returncode == 0
    audited = subprocess.run(
        [sys.executable, "-m", "fixtures.office.books", "audit", "--home", base / "home", "--expected",
         base / "expected.json"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert audited.returncode == 1
    assert json.loads(audited.stdout)["lost"][0]["number"] == "GONE"


def test_the_readme_lists_every_switch_with_its_default() -> None:
    readme = (ROOT / "fixtures/office/README.md").read_text(encoding="utf-8")
    assert Traits.model_fields, "a scan that finds nothing proves nothing"
    for name, field in Traits.model_fields.items():
        default = json.dumps(field.default)
        assert re.search(rf"^\| [^|]* \| `{name}` \| `{re.escape(default)}` \| ", readme, re.MULTILINE), name
