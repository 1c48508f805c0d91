"""E-mails and ZIP files at a source: each document in them is a case, once, whatever happens in between."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ocr.reader import PagesReader
from tallyman.contracts.system import Access, Capabilities, Offer
from tallyman.domain.page import Part
from tallyman.errors import TechnicalError
from tallyman.registry import ROOT
from tallyman.runtime.desk import Desk
from tallyman.runtime.requests import start_run
from tallyman.store import cases
from tallyman.store.tables import offers
from tests.integration.test_back_pressure import begin, intake_bench, run_row, until

PDF = b"%PDF-1.7 "


def mail() -> bytes:
    """Two documents, an attachment that can't be read, and what belongs to a signature."""
    message = EmailMessage()
    message["From"] = "sender@example.com"
    message["Date"] = "Mon, 02 Nov 2026 08:00:00 +0100"
    message.set_content("Please find two invoices.")
    message.add_attachment(PDF + b"one", "application", "pdf", filename="../../one.pdf")
    message.add_attachment(PDF + b"two", "application", "octet-stream", filename="two")
    message.add_attachment(b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "a", "b", filename="three.docx")
    logo = b"\x89PNG\r\n\x1a\n"
    message.add_attachment(logo, "image", "png", cid="<logo>", disposition="inline", filename="logo.png")
    message.set_boundary("the-same-each-time")
    return message.as_bytes()


def zipped(*contents: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"{number}.pdf"), content)
    return out.getvalue()


class Post:
    """A source with these files."""

    name = "pile"
    capabilities = Capabilities(title="Post", needs_browser=False)

    def __init__(self, **files: bytes) -> None:
        self._files = files

    def open(self, access: Access) -> "Post":
        return self

    def list_documents(self) -> list[Offer]:
        return [Offer(key=key, name=f"{key}.file") for key in self._files]

    def fetch(self, offer: Offer) -> bytes:
        return self._files[offer.key]

    def close(self) -> None:
        pass


def taken_in(home: Path, **files: bytes) -> tuple[dict[str, str], dict[str, str], Any]:
    """{file: content} of the cases, {key: name} of the offers, and the run's row, after one run (or its end)."""
    with intake_bench(home) as (desk, worker, _, bot):
        desk.registry.systems["pile"] = Post(**files)
        bot.may.set()
        begin(desk, worker)
        until(lambda: not worker.client.unfinished())
        return *_stored(desk), run_row(desk)


def _stored(desk: Desk) -> tuple[dict[str, str], dict[str, str]]:
    with desk.database.transaction() as connection:
        found = {
            case["file"]: desk.blobs.get(case["sha256"]).decode("latin-1") for case in cases.of_run(connection, "run-1")
        }
        named = {row.key: row.name for row in connection.execute(select(offers.c.key, offers.c.name))}
    return found, named


def test_each_document_of_an_e_mail_is_a_case_and_what_was_left_out_is_said(home: Path) -> None:
    found, named, row = taken_in(home, mail=mail())
    assert list(found) == ["mail.file / one.pdf", "mail.file / two", "mail.file / three.docx"]
    assert list(found.values())[:2] == ["%PDF-1.7 one", "%PDF-1.7 two"]
    assert named == {
        "mail#1": "mail.file / one.pdf",
        "mail#2": "mail.file / two",
        "mail#3": "mail.file / three.docx",
        "mail": "mail.file (3 documents; 1 left out: logo.png (a small picture in the text))",
    }
    assert (row["offered"], row["taken"], row["repeated"]) == (3, 3, 0)


def test_a_document_that_came_before_is_counted_and_not_run_again(home: Path) -> None:
    found, _, row = taken_in(home, alone=PDF + b"one", packed=zipped(PDF + b"one", PDF + b"two"), last=zipped(PDF))
    assert list(found) == ["alone.file", "packed.file / 1.pdf", "last.file / 0.pdf"]
    assert (row["offered"], row["taken"], row["repeated"]) == (4, 3, 1)


def test_a_container_in_which_nothing_can_be_read_is_one_case_that_a_person_sees(home: Path) -> None:
    letter = EmailMessage()
    letter["From"] = "a@example.com"
    letter.set_content("Where is my money?")
    damaged, texts = zipped(PDF)[:-20], zipped(b"hello", b"world")
    found, named, _ = taken_in(home, letter=letter.as_bytes(), damaged=damaged, texts=texts)
    assert list(found) == ["letter.file", "damaged.file", "texts.file"]
    assert set(named) == {"letter", "damaged", "texts"}


def test_a_known_container_is_not_fetched_again(home: Path) -> None:
    taken_in(home, mail=mail())
    with intake_bench(home) as (desk, worker, _, bot):
        desk.registry.systems["pile"] = Post(mail=b"something else")
        bot.may.set()
        with desk.database.transaction() as connection:
            start_run(connection, worker.client, "invoices", "run-2", "eva")
        until(lambda: not worker.client.unfinished())
        with desk.database.transaction() as connection:
            assert cases.of_run(connection, "run-2") == []


@pytest.mark.parametrize("point", ["intake.stored:1", "intake.taken:1"])
def test_a_crash_while_a_container_is_taken_in_loses_and_doubles_nothing(home: Path, point: str) -> None:
    program = "from tests.integration.test_containers import crash; crash()"
    environment = {**os.environ, "TALLYMAN_HOME": str(home), "TALLYMAN_CRASH_AT": point}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL
    with intake_bench(home) as (desk, worker, _, bot):
        assert len(_stored(desk)[0]) == (3 if point == "intake.taken:1" else 0), "all of them or none"
        desk.registry.systems["pile"] = Post(mail=mail())
        bot.may.set()
        until(lambda: not worker.client.unfinished())
        found, named = _stored(desk)
    assert list(found) == ["mail.file / one.pdf", "mail.file / two", "mail.file / three.docx"]
    assert set(named) == {"mail", "mail#1", "mail#2", "mail#3"}


def crash() -> None:
    """The process that is killed: see above."""
    taken_in(Path(os.environ["TALLYMAN_HOME"]), mail=mail())


def test_a_container_that_the_machine_can_not_open_now_keeps_back_nothing_behind_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = PagesReader.parts

    def ended(self: PagesReader, file: Path) -> tuple[Part, ...]:
        if file.read_bytes().startswith(b"PK"):
            raise TechnicalError("The child process that reads files ended without an answer (SIGKILL).")
        return parts(self, file)

    monkeypatch.setattr(PagesReader, "parts", ended)
    found, named, row = taken_in(home, first=zipped(PDF), second=PDF + b"one")
    assert list(found) == ["second.file"]
    assert list(named) == ["second"], "the first one is offered again in the next run"
    assert "SIGKILL" in "".join(row.problems)
