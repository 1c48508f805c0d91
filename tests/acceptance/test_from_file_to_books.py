"""Whole journeys by the command line: files in a folder, the practice ERP, a person; and days that go wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from models.synthetic import InvoiceSpec, LineSpec, Party
from models.synthetic.hybrid import cii
from tallyman.registry import ROOT
from tests.office import QUICK, RunningOffice, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SELLER = Party(
    name="Eichkamp Verbindungstechnik GmbH",
    street="Werkstraße 4",
    postcode="58095",
    city="Hagen",
    country="DE",
    vat_id="DE136695976",
    iban="DE89370400440532013000",
)
BUYER = Party(name="Weserlicht Stores GmbH", street="Kai 1", postcode="28195", city="Bremen", country="DE")
LINES = [
    {"line": 10, "item": "A1", "description": "Bolt M8", "ordered": "100", "received": "100", "unit_price": "1.25"},
    {"line": 20, "item": "A2", "description": "Nut M8", "ordered": "40", "received": "40", "unit_price": "0.50"},
]
VENDOR = {
    "number": "10073",
    "currency": "EUR",
    **SELLER.model_dump(include={"name", "vat_id", "iban", "city", "country"}),
}
WORLD = {
    "vendors": [VENDOR],
    "orders": [
        {"number": number, "vendor": "10073", "date": "2026-03-02", "lines": LINES} for number in ("PO-1001", "PO-1002")
    ],
}


def invoice(number: str = "RE-7", order: str = "PO-1001", price: str = "1.25") -> InvoiceSpec:
    lines = (
        LineSpec(description="Bolt M8", item_id="A1", quantity=Decimal(100), unit_price=Decimal(price)),
        LineSpec(description="Nut M8", item_id="A2", quantity=Decimal(40), unit_price=Decimal("0.50")),
    )
    return InvoiceSpec(
        number=number,
        issue_date=date(2026, 3, 16),
        due_date=date(2026, 4, 15),
        seller=SELLER,
        buyer=BUYER,
        purchase_order_reference=order,
        lines=lines,
    )


RIGHT = {"vendor": "10073", "currency": "EUR", "po": "PO-1001", "date": "2026-03-16", "gross": "172.55"}


class Installation:
    """A home, an inbox and the practice ERP; commands run as processes, as a user runs them."""

    def __init__(self, folder: Path, office: RunningOffice) -> None:
        self.office = office
        self.home = folder / "Büro home"
        self.inbox = folder / "Eingang für Rechnungen"
        self.inbox.mkdir(parents=True)
        self.home.mkdir()
        self.env = os.environ | {"TALLYMAN_HOME": str(self.home)}
        self.configure(office.urls["erp"])
        self.command("secret", "set", "practice_erp.password", told="practice-secret\n")
        self.command("secret", "set", "practice_supplier.password", told="practice-secret\n")

    def configure(self, erp: str, sources: str = '"folder"') -> None:
        (self.home / "tallyman.toml").write_text(
            f"""
retry_waits_s = []
[bots.invoices]
sources = [{sources}]
[systems.practice_erp]
url = "{erp}"
user = "clerk"
[systems.practice_supplier]
url = "{self.office.urls["supplier"]}"
user = "clerk"
[systems.folder]
path = "{self.inbox}"
""",
            "utf-8",
        )

    def put(self, name: str, content: bytes) -> None:
        file = self.inbox / name
        file.write_bytes(content)
        os.utime(file, (time.time() - 60, time.time() - 60))

    def command(self, *words: str, told: str = "", code: int = 0) -> str:
        """Run `tallyman ...` and give what it printed. No user ever sees a stack trace."""
        done = subprocess.run(
            [sys.executable, "-m", "tallyman.cli", *words],
            env=self.env,
            input=told,
            capture_output=True,
            text=True,
            timeout=110,
            cwd=ROOT,
        )
        assert "Traceback" not in done.stderr + done.stdout
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout if code == 0 else done.stderr

    def run(self, code: int = 0) -> list[dict[str, Any]]:
        """Run the bot and give its documents."""
        told = self.command("run", "invoices", "--wait", "--json", code=code)
        found: list[dict[str, Any]] = json.loads(told)["documents"] if code == 0 else []
        return found

    def queue(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.command("review", "list", "--json"))
        return found

    def books(self, *numbers: str) -> dict[str, Any]:
        """The ERP's own books against the invoices that should be in them."""
        return self.office.audit({"invoices": [RIGHT | {"number": number} for number in numbers], "receipts": []})


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    process, office = start(tmp_path / "office", WORLD, QUICK)
    yield Installation(tmp_path, office)
    process.terminate()
    process.wait(10)
    process.stdout.close()


def clean(books: dict[str, Any]) -> bool:
    return not any(books[fault] for fault in ("lost", "duplicates", "wrong", "unexpected"))


def test_an_invoice_in_a_folder_is_posted_once_however_often_it_comes(installation: Installation) -> None:
    installation.put("März.xml", cii(invoice()))
    assert [one["state"] for one in installation.run()] == ["POSTED"]
    assert clean(installation.books("RE-7"))
    installation.put("the same again.xml", cii(invoice()))
    installation.put("number typed differently.xml", cii(invoice(number="RE 7")))
    again = installation.run()
    assert [(one["file"], one["state"]) for one in again] == [("number typed differently.xml", "IN_REVIEW")]
    assert installation.queue()[0]["reason"] == "DUPLICATE_SUSPECTED"
    assert clean(installation.books("RE-7"))
    assert "whole" in installation.command("audit", "verify")


def test_a_price_above_the_order_is_posted_only_after_a_person_has_accepted_it(installation: Installation) -> None:
    installation.put("teurer.xml", cii(invoice(price="1.45")))
    installation.run()
    item = installation.queue()[0]
    assert item["reason"] == "PRICE_VARIANCE"
    assert installation.books()["posted"]["invoices"] == 0
    worker = subprocess.Popen(
        [sys.executable, "-m", "tallyman.cli", "worker"], env=installation.env, stdout=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        installation.command("review", "decide", str(item["id"]), "accept", "--by", "eva", "--note", "agreed by phone")
        refused = installation.command("review", "decide", str(item["id"]), "accept", "--by", "otto", code=2)
        assert "decided already" in refused
        for _ in range(200):
            if installation.books()["posted"]["invoices"]:
                break
            time.sleep(0.3)
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    right = RIGHT | {"number": "RE-7", "gross": "196.35"}
    assert clean(installation.office.audit({"invoices": [right], "receipts": []}))


def test_files_that_are_no_invoices_each_end_in_review_with_their_reason(
    installation: Installation, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="x", owner="y"))
        page = pdf.pages[0]
        for _ in range(9_999):
            pdf.pages.append(page)
        pdf.save(tmp_path / "long.pdf")
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    files = {
        "empty.pdf": (b"", "UNREADABLE"),
        "cut off.pdf": ((tmp_path / "locked.pdf").read_bytes()[:200], "UNREADABLE"),
        "locked.pdf": ((tmp_path / "locked.pdf").read_bytes(), "PASSWORD_NEEDED"),
        "long.pdf": ((tmp_path / "long.pdf").read_bytes(), "QUARANTINED"),
        "program.pdf": (b"MZ\x90\x00" + bytes(300), "UNREADABLE"),
        "bomb.xml": (bomb, "QUARANTINED"),
    }
    for name, (content, _) in files.items():
        installation.put(name, content)
    assert {one["state"] for one in installation.run()} == {"IN_REVIEW"}
    reasons = {item["file"]: item["reason"] for item in installation.queue()}
    assert reasons.pop("long.pdf") in ("QUARANTINED", "UNREADABLE")
    assert reasons == {name: reason for name, (_, reason) in files.items() if name != "long.pdf"}
    assert clean(installation.books())


def test_an_erp_that_can_not_be_reached_leaves_the_case_with_a_person_who_can_start_it_again(
    installation: Installation, free_port: int
) -> None:
    installation.put("a.xml", cii(invoice()))
    installation.configure(f"http://127.0.0.1:{free_port}")
    assert [one["state"] for one in installation.run()] == ["IN_REVIEW"]
    item = installation.queue()[0]
    assert item["reason"] == "SYSTEM_DOWN"
    installation.configure(installation.office.urls["erp"])
    installation.command("review", "decide", str(item["id"]), "accept", "--by", "eva")
    installation.run()
    assert clean(installation.books("RE-7"))


def test_a_refused_password_is_tried_once_and_told(installation: Installation) -> None:
    for number in ("RE-7", "RE-8"):
        installation.put(f"{number}.xml", cii(invoice(number=number)))
    installation.command("secret", "set", "practice_erp.password", told="wrong\n")
    assert {one["state"] for one in installation.run()} == {"IN_REVIEW"}
    assert {item["reason"] for item in installation.queue()} == {"LOGIN_FAILED"}
    assert clean(installation.books())


def test_a_portal_in_maintenance_is_told_and_the_other_source_is_worked_off(installation: Installation) -> None:
    installation.put("a.xml", cii(invoice()))
    installation.configure(installation.office.urls["erp"], '"practice_supplier", "folder"')
    installation.office.change("supplier", maintenance=True)
    told = installation.command("run", "invoices", "--wait", code=5)
    assert "practice_supplier" in told
    assert "SYSTEM_DOWN" in {item["reason"] for item in installation.queue()}
    assert clean(installation.books("RE-7"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_posts_nothing_and_loses_nothing(installation: Installation) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(installation.home)], check=True)
    try:
        installation.configure(installation.office.urls["erp"])
        installation.command("secret", "set", "practice_erp.password", told="practice-secret\n")
        filler = installation.home / "filler"
        installation.command("review", "list")
        installation.put("a.xml", cii(invoice()))
        space = os.statvfs(installation.home).f_bavail * os.statvfs(installation.home).f_frsize
        filler.write_bytes(bytes(max(space - 40_000, 0)))
        full = subprocess.run(
            [sys.executable, "-m", "tallyman.cli", "run", "invoices", "--wait"],
            env=installation.env,
            capture_output=True,
            text=True,
            timeout=110,
            cwd=ROOT,
        )
        assert full.returncode != 0
        assert "Traceback" not in full.stderr
        assert installation.books()["posted"]["invoices"] == 0
        filler.unlink()
        installation.run()
        assert clean(installation.books("RE-7"))
    finally:
        subprocess.run(["umount", "-l", str(installation.home)], check=True)
