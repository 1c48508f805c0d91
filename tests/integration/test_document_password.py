"""A protected document: a person gives its password, it is read, and the password is found nowhere in clear."""

import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pikepdf
import pytest

from tallyman.domain.case import CaseState
from tallyman.domain.document import UNKNOWN, Document
from tallyman.domain.finding import Finding, Verdict
from tallyman.domain.reasons import Reason
from tallyman.errors import UsageError
from tallyman.platform.config import Home
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT
from tallyman.runtime.desk import Desk
from tallyman.runtime.requests import give_password
from tallyman.store import audit, cases, reviews
from tests.integration.reviewing import desk_over
from tests.integration.test_office import office
from tests.integration.test_stacks_are_split import bench
from tests.unit.ocr.paper import text_pdf

SECRET = "Größe-4711"


@pytest.fixture
def locked(tmp_path: Path) -> bytes:
    path = text_pdf(tmp_path / "a.pdf", [((60.0, 80.0, "Rechnung"), (60.0, 100.0, "Summe 12,00"))])
    out = io.BytesIO()
    with pikepdf.open(path) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user=SECRET))
    return out.getvalue()


def waiting(desk: Desk, content: bytes) -> tuple[int, str]:
    """A case that asks for its password, as a run leaves it behind: (item, hash)."""
    sha256 = desk.blobs.put(content)
    with desk.database.transaction() as connection:
        case = cases.take_in(
            connection, bot="invoices", source="folder", key="k", name="a.pdf", sha256=sha256, run="r", attended=False
        )
        assert case is not None
        finding = Finding(reason=Reason.PASSWORD_NEEDED, message="It is locked.", acceptable=False)
        cases.remember_document(connection, case.id, Document(type=UNKNOWN))
        cases.move(connection, case.id, CaseState.IN_REVIEW, "It is locked.")
        return reviews.open_item(connection, case.id, "case:x", Verdict.of([finding]).findings), sha256


def everywhere(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(home.rglob("*")) if file.is_file())


def test_a_document_is_read_with_the_password_that_a_person_gave(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, sha256 = waiting(desk, locked)
        before = desk.readings.take(sha256)
        assert before["ok"]["problems"][0]["code"] == Reason.PASSWORD_NEEDED
        client = desk.client()
        with pytest.raises(UsageError):
            give_password(desk, client, item, "", "eva")
        give_password(desk, client, item, SECRET, "eva")
        client.close()
        after = desk.readings.take(sha256)
        assert [sheet["number"] for sheet in after["ok"]["sheets"]] == [1]
        with desk.database.transaction() as connection:
            assert cases.get(connection, reviews.get(connection, item).case).state is CaseState.OPEN
            assert audit.verify(connection) is None
    stored = everywhere(home)
    assert SECRET.encode() not in stored
    assert json.dumps(SECRET)[1:-1].encode() not in stored


def test_what_was_read_ahead_without_the_password_is_not_believed_afterwards(home: Path, locked: bytes) -> None:
    """This worker has fetched the file; another one has asked for its password, which this one is to use now."""
    with bench(home) as (desk, worker):
        item, sha256 = waiting(desk, locked)
        assert desk.readings.ahead(sha256).result()["ok"]["problems"]
        give_password(desk, worker.client, item, SECRET, "eva")
        until = time.monotonic() + 60
        while worker.client.unfinished():
            assert time.monotonic() < until
            time.sleep(0.05)
        with desk.database.transaction() as connection:
            read = cases.document(connection, reviews.get(connection, item).case)
        assert read is not None
        assert [sheet.number for sheet in read.sheets] == [1]


def test_an_item_that_asks_for_something_else_takes_no_password(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, _ = waiting(desk, locked)
        client = desk.client()
        give_password(desk, client, item, SECRET, "eva")
        with pytest.raises(UsageError, match="decided already"):
            give_password(desk, client, item, SECRET, "otto")
        client.close()


def test_a_tab_that_is_stale_changes_no_password(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, sha256 = waiting(desk, locked)
        client = desk.client()
        with pytest.raises(UsageError, match="decided already"):
            give_password(desk, client, item, "typed before another decided", "otto", seen=1)
        assert desk.vault.document_password(sha256) is None
        give_password(desk, client, item, SECRET, "eva", seen=0)
        for seen in (0, None):
            with pytest.raises(UsageError, match="decided already"):
                give_password(desk, client, item, "wrong", "otto", seen=seen)
        assert desk.vault.document_password(sha256) == SECRET
        client.close()


def test_the_office_asks_for_the_password_in_a_field_that_hides_it(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, sha256 = waiting(desk, locked)
    with office(home, {}) as world:
        page = world.get(f"/review/{item}").text
        assert re.search(r'<input type="password" name="password"[^>]*autocomplete="off"', page)
        answer = world.post(item, "password", password=SECRET)
        assert answer.status_code == 303
        assert SECRET not in str(answer.headers)
        assert SECRET not in world.get(f"/review/{item}").text
        assert world.desk.vault.document_password(sha256) == SECRET


def test_a_page_that_a_password_opened_is_shown_and_stays_nowhere(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, sha256 = waiting(desk, locked)
        desk.vault.set_document_password(sha256, SECRET)
        with desk.database.transaction() as connection:
            case = reviews.get(connection, item).case
    with office(home, {}) as world:
        answer = world.get(f"/cases/{case}/page/1.png")
        assert answer.content.startswith(b"\x89PNG")
        assert answer.headers["cache-control"] == "no-store"
    assert b"\x89PNG" not in everywhere(home)


def test_the_command_reads_the_password_from_stdin(home: Path, locked: bytes) -> None:
    with desk_over(home) as desk:
        item, sha256 = waiting(desk, locked)
    words = [sys.executable, "-m", "tallyman.cli", "review", "password", str(item), "--by", "eva"]
    done = subprocess.run(words, input=f"{SECRET}\n", capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert Vault(Home(home).vault).document_password(sha256) == SECRET


def test_two_that_store_at_once_lose_no_secret(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from tallyman.platform.vault import Vault\n"
    program += "for n in range(30): Vault(Path(sys.argv[1])).set(f'{sys.argv[2]}{n}', 'x')"
    file = tmp_path / "vault.json"
    Vault(file).set("first", "x")
    running = [subprocess.Popen([sys.executable, "-c", program, str(file), name], cwd=ROOT) for name in "ab"]
    assert [one.wait(100) for one in running] == [0, 0]
    assert len(Vault(file).names()) == 61
