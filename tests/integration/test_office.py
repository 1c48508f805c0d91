"""The office over real HTTP: what pages show, what a decision does, and what is refused."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import sync_playwright

from tallyman.browser.host import find_chromium
from tallyman.domain.case import CaseState, DecisionKind, ReviewState
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.errors import ConfigurationError, SystemDown
from tallyman.office.serve import serve, server
from tallyman.runtime import requests
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import FAILURES, Breakers
from tallyman.store import cases, reviews
from tests.integration import reviewing

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@dataclass
class World:
    """An office at work, and what is in it."""

    desk: Desk
    made: dict[str, Any]
    url: str
    browser: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.browser.get(path, headers=headers)

    def post(self, item: int, decision: str, **form: str) -> httpx.Response:
        """What a browser sends from the item's page."""
        return self.post_from(item, decision, {"Sec-Fetch-Site": "same-origin"}, **form)

    def post_from(self, item: int, decision: str, headers: dict[str, str], **form: str) -> httpx.Response:
        """As `post`, with the headers that say where the form was."""
        page = self.get(f"/review/{item}").text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        sent = {**hidden, "by": "Anna Berg", "decision": decision, **form}
        return self.browser.post(f"/review/{item}", data=sent, headers=headers)

    def item(self, name: str) -> Any:
        with self.desk.database.transaction() as connection:
            return reviews.get(connection, self.made[name])

    def state(self, case: str) -> CaseState:
        with self.desk.database.transaction() as connection:
            return cases.get(connection, self.made[case].id).state


@contextmanager
def office(folder: Path, made: dict[str, Any]) -> Iterator[World]:
    with reviewing.desk_over(folder) as desk:
        running = server(desk, "127.0.0.1", 0)
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as browser:
            yield World(desk, made, url, browser)
        running.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A home with an item of each sort, filled once; each test that decides works on a copy."""
    folder = tmp_path_factory.mktemp("filled") / "Büro home"
    folder.mkdir()
    with reviewing.desk_over(folder) as desk:
        return folder, reviewing.fill(desk)


@pytest.fixture(scope="module")
def shown(filled: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One office for all tests that change nothing."""
    folder = shutil.copytree(filled[0], tmp_path_factory.mktemp("shown") / "Büro home")
    with office(folder, filled[1]) as opened:
        yield opened


@pytest.fixture
def world(filled: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[World]:
    """An office of one's own."""
    folder = shutil.copytree(filled[0], tmp_path / "Büro home")
    with office(folder, filled[1]) as opened:
        yield opened


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split()).replace("\u00a0", " ")


@pytest.mark.parametrize(
    "path",
    ["/", "/review", "/review?q=zzz", "/cases", "/cases?state=POSTED", "/postings", "/runs", "/schedules", "/systems"],
)
def test_every_list_answers_in_both_languages(shown: World, path: str) -> None:
    for speech in ("en", "de"):
        answer = shown.get(path, **{"Accept-Language": speech})
        assert answer.status_code == 200
        assert f'<html lang="{speech}">' in answer.text


def test_a_system_that_is_left_alone_is_shown_with_its_cause(world: World) -> None:
    breakers = Breakers(world.desk.database)
    for _ in range(FAILURES):
        with pytest.raises(SystemDown), breakers.around("practice_erp"):
            raise SystemDown("No answer <b>today</b>.")
    page = world.get("/systems")
    assert "practice_erp left alone" in words(page.text)
    assert "No answer &lt;b&gt;today&lt;/b&gt;." in page.text
    assert "Left alone since it failed too often" in words(world.get("/").text)
    assert "in Ruhe gelassen" in words(world.get("/systems", **{"Accept-Language": "de"}).text)


@pytest.mark.parametrize("name", ["price", "bank", "missing", "damaged", "unknown", "source"])
def test_every_item_has_a_page(shown: World, name: str) -> None:
    answer = shown.get(f"/review/{shown.made[name]}")
    assert answer.status_code == 200
    assert "Why this is here" in answer.text


def test_the_queue_can_be_narrowed_and_searched(shown: World) -> None:
    assert "Bank account changed" in words(shown.get("/review?reason=BANK_CHANGED").text.split("<tbody>")[1])
    rows = shown.get("/review?q=RE-2026+bürobedarf").text.split("<tbody>")[1].split("</tbody>")[0]
    assert rows.count("<tr>") == 1
    assert "Nothing fits" not in rows
    assert "<tbody>" not in shown.get("/review?q=100%25").text, "a percent sign is no wildcard"


def test_an_item_shows_why_and_says_what_its_buttons_do(shown: World) -> None:
    text = words(shown.get(f"/review/{shown.made['price']}").text)
    assert "the order says 8.49 EUR" in text
    assert "Accept and post to Practice ERP, 1,284.50 EUR" in text
    german = words(shown.get(f"/review/{shown.made['price']}", **{"Accept-Language": "de-DE"}).text)
    assert "Annehmen und in Practice ERP buchen, 1.284,50 EUR" in german


def test_doubtful_fields_stand_first_and_have_a_box_on_the_page(shown: World) -> None:
    html = shown.get(f"/review/{shown.made['price']}").text
    names = re.findall(r'<label for="f-(\w+)"', html)
    assert names[0] == "gross_total"
    assert re.search(r'<rect id="box-gross_total" class="doubtful" x="[\d.]+"', html)


def test_a_page_is_shown_as_our_own_picture_and_made_once(world: World) -> None:
    path = f"/cases/{world.made['price_case'].id}/page/1.png"
    assert world.get(path).content.startswith(b"\x89PNG")
    kept = list((world.desk.home.path / "renders").rglob("*.png"))
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o777 == 0o600
    kept[0].write_bytes(b"\x89PNG\r\n\x1a\nkept")
    assert world.get(path).content.endswith(b"kept"), "it came from the store, not from the file again"


def test_a_page_that_can_not_be_shown_is_told_without_a_stack_trace(shown: World) -> None:
    with shown.desk.database.transaction() as connection:
        case = reviews.get(connection, shown.made["damaged"]).case
    answer = shown.get(f"/cases/{case}/page/1.png")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_picture_needs_no_vault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.desk.vault.set("practice_erp.password", "x")
    monkeypatch.setenv("TALLYMAN_VAULT_KEY", Fernet.generate_key().decode())
    answer = world.get(f"/cases/{world.made['price_case'].id}/page/1.png")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")


def test_a_picture_that_the_disk_has_no_room_for_is_shown_all_the_same(world: World) -> None:
    (world.desk.home.path / "renders").write_text("no folder can be made here")
    answer = world.get(f"/cases/{world.made['price_case'].id}/page/1.png")
    assert answer.content.startswith(b"\x89PNG")


def test_accepting_sends_the_case_on_and_opens_the_next_item(world: World) -> None:
    answer = world.post(world.made["price"], "accept", note="agreed by phone")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/review/{world.made['bank']}?after={world.made['price']}"
    assert world.state("price_case") is CaseState.OPEN
    assert world.item("price").decisions[0].note == "agreed by phone"
    assert "Anna%20Berg" in answer.headers["set-cookie"]


def test_only_changed_values_are_sent_as_corrections(world: World) -> None:
    shown = {"gross_total": "1,284.50", "invoice_number": "RE-3", "line.1.quantity": "20", "issue_date": "2026-03-05"}
    world.post(world.made["missing"], "correct", **shown, due_date="2026-04-04", net_total="1,079.42")
    assert world.item("missing").decisions[0].corrections == {"due_date": "2026-04-04", "net_total": "1079.42"}


def test_an_unchanged_form_corrects_nothing_when_all_its_inputs_are_sent_back(shown: World) -> None:
    for speech in ("en-GB", "de-DE"):
        html = shown.get(f"/review/{shown.made['price']}", **{"Accept-Language": speech}).text
        inputs = dict(re.findall(r'<input form="decision" id="[^"]+" name="([^"]+)" type="\w+" value="([^"]*)"', html))
        assert len(inputs) > 10
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": speech}
        answer = shown.post_from(shown.made["price"], "correct", headers, **inputs)
        assert answer.status_code == 422, answer.text
    assert shown.item("price").state is ReviewState.NEW


def test_a_value_that_can_not_be_read_comes_back_as_it_was_typed(shown: World) -> None:
    answer = shown.post(shown.made["price"], "correct", gross_total="1.284,50", note="keep this")
    assert answer.status_code == 422
    assert "is no number" in words(answer.text)
    assert 'value="1.284,50"' in answer.text
    assert 'value="keep this"' in answer.text
    assert shown.item("price").state is ReviewState.NEW


def test_accepting_with_changed_values_is_refused_since_they_would_be_lost(shown: World) -> None:
    assert shown.post(shown.made["price"], "accept", gross_total="1.00").status_code == 422
    assert shown.item("price").state is ReviewState.NEW


def test_what_must_be_corrected_can_not_be_accepted(shown: World) -> None:
    assert 'value="accept"' not in shown.get(f"/review/{shown.made['missing']}").text
    assert shown.post(shown.made["missing"], "accept").status_code == 422
    assert shown.item("missing").state is ReviewState.NEW


def test_an_unreadable_document_can_be_keyed_by_hand_as_a_type(world: World) -> None:
    item = world.made["damaged"]
    html = world.get(f"/review/{item}?as_type=invoice").text
    assert '<input type="hidden" name="type" value="invoice">' in html
    values = {"type": "invoice", "invoice_number": "RE-9", "gross_total": "12.00"}
    assert world.post(item, "correct", **values).status_code == 303
    expected = {"type": "invoice", "invoice_number": "RE-9", "gross_total": "12.00"}
    assert world.item("damaged").decisions[0].corrections == expected


def test_two_persons_are_needed_for_a_bank_account(world: World) -> None:
    item = world.made["bank"]
    assert "Two different persons must accept this" in world.get(f"/review/{item}").text
    world.post(item, "accept", by="Anna Berg")
    assert world.item("bank").state is ReviewState.ESCALATED
    world.post(item, "accept", by="ANNA  berg")
    assert world.item("bank").state is ReviewState.ESCALATED, "the same person typed differently"
    world.post(item, "accept", by="Ben Roth")
    assert world.item("bank").state is ReviewState.DECIDED


def test_a_person_says_what_the_target_shows(world: World) -> None:
    item = world.made["unknown"]
    assert world.post(item, "posted").status_code == 422, "a record has a number"
    assert world.post(item, "not_posted").status_code == 422, "posting again needs a confirmation"
    assert world.post(item, "accept").status_code == 422, "that button is not offered"
    assert world.post(item, "posted", record="AP-77").status_code == 303
    assert reviewing.states(world.desk, world.made["unknown_posting"]) == "POSTED"


def test_proven_absent_means_post_again(world: World) -> None:
    assert world.post(world.made["unknown"], "not_posted", sure="yes").status_code == 303
    assert reviewing.states(world.desk, world.made["unknown_posting"]) == "NOT_POSTED"
    assert world.state("unknown_case") is CaseState.OPEN


def test_a_form_sent_twice_decides_once(world: World) -> None:
    item = world.made["price"]
    page = world.get(f"/review/{item}").text
    form = {**dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)), "by": "Anna", "decision": "reject"}
    answers = []

    def send() -> None:
        answer = httpx.post(f"{world.url}/review/{item}", data=form, headers={"Origin": world.url}, trust_env=False)
        answers.append(answer)

    both = [threading.Thread(target=send) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(world.item("price").decisions) == 1
    assert sorted(answer.status_code for answer in answers) in ([303, 409], [303, 422])
    assert "was decided by Anna" in words(world.get(f"/review/{item}").text)


def test_a_decision_of_a_colleague_meanwhile_is_told(world: World) -> None:
    item = world.made["bank"]
    page = world.get(f"/review/{item}").text
    token = re.findall(r'name="token" value="([^"]*)"', page)[0]
    client = world.desk.client()
    requests.decide(world.desk, client, item, DecisionKind.ACCEPT, "Ben Roth")
    client.close()
    form = {"token": token, "seen": "0", "by": "Anna", "decision": "accept"}
    answer = world.browser.post(f"/review/{item}", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 409
    assert len(world.item("bank").decisions) == 1


def test_an_item_without_a_document_is_closed(world: World) -> None:
    assert world.post(world.made["source"], "close").status_code == 303
    assert world.item("source").state is ReviewState.DECIDED


def test_a_case_tells_everything_that_happened(shown: World) -> None:
    html = shown.get(f"/cases/{shown.made['posted_case'].id}").text
    assert "Armed: the one click may happen" in html
    assert "AP-118" in html
    picture = re.findall(r'src="(/cases/[^"]+/posting/\d+\.png)"', html)[0]
    assert shown.get(picture).headers["content-type"] == "image/png"


def test_words_of_a_document_never_become_html(world: World) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    case = reviewing.take(world.desk, b"evil", f"{evil}.pdf", reviewing.invoice(invoice_number=evil, seller_name=evil))
    finding = Finding(reason=Reason.VENDOR_UNKNOWN, message=evil, field="seller_name", actual=evil)
    item = reviewing.ask(world.desk, case, finding)
    for path in ("/review", f"/review/{item}", f"/cases/{case.id}", "/cases", f"/review?q={evil}"):
        html = world.get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80"]
)
def test_another_name_for_this_machine_is_refused(shown: World, host: str) -> None:
    assert shown.get("/review", Host=host).status_code == 421


def test_localhost_is_a_name_of_ours(shown: World) -> None:
    assert shown.get("/review", Host=shown.url.replace("http://127.0.0.1", "localhost")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X-Nothing": "said"},
    ],
)
def test_a_form_from_elsewhere_changes_nothing(shown: World, headers: dict[str, str]) -> None:
    assert shown.post_from(shown.made["price"], "reject", headers).status_code == 403
    assert shown.item("price").state is ReviewState.NEW


def test_a_form_without_our_token_changes_nothing(shown: World) -> None:
    answer = shown.post(shown.made["price"], "reject", token="guessed")
    assert answer.status_code == 403
    assert "Open the page again" in answer.text
    assert shown.item("price").state is ReviewState.NEW


def test_every_answer_forbids_scripts_and_frames_from_elsewhere(shown: World) -> None:
    for path in ("/", "/static/office.css", "/nowhere", f"/cases/{shown.made['price_case'].id}/page/1.png"):
        headers = shown.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert "style=" not in shown.get(f"/review/{shown.made['price']}").text


@pytest.mark.parametrize("path", ["/nowhere", "/review/999", "/cases/none", "/cases/none/page/1.png", "/docs"])
def test_what_is_not_there_is_told_on_a_page(shown: World, path: str) -> None:
    answer = shown.get(path)
    assert answer.status_code == 404
    assert "To the review queue" in answer.text


@pytest.mark.parametrize("path", ["/review/abc", "/review?page=0", "/cases/x/page/0.png"])
def test_a_mistake_in_an_address_is_told_on_a_page(shown: World, path: str) -> None:
    answer = shown.get(path)
    assert answer.status_code in (400, 404, 422)
    assert "<html" in answer.text


def test_a_defect_shows_no_stack_trace_and_is_logged(shown: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr("tallyman.office.app._log", SimpleNamespace(error=lambda *_, **values: told.append(values)))
    monkeypatch.setattr("tallyman.office.look.run_list", lambda *_, **__: 1 / 0)
    answer = shown.get("/runs")
    assert answer.status_code == 500
    assert "tallyman.log" in answer.text
    assert "ZeroDivision" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert [type(one["exc_info"]) for one in told] == [ZeroDivisionError]


def test_the_office_listens_to_this_machine_only(shown: World) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::", "example.org"):
        with pytest.raises(ConfigurationError, match="only this machine"):
            serve(shown.desk, host, 8700)


def test_a_clerk_opens_the_queue_looks_and_decides_in_a_browser(world: World) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(find_chromium()), args=FLAGS)
        page = chromium.new_context(locale="de-DE").new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{world.url}/review")
        page.get_by_role("link", name="Preis weicht ab").click()
        picture = page.locator(".sheet img")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 1000
        page.get_by_label("Brutto", exact=True).focus()
        assert "lit" in (page.locator("#box-gross_total").get_attribute("class") or "")
        page.get_by_label("Ihr Name").fill("Änne Groß")
        page.get_by_role("button", name="Annehmen und in Practice ERP buchen, 1.284,50").click()
        page.get_by_role("status").get_by_text("Angenommen von Änne Groß").wait_for()
        assert page.get_by_label("Ihr Name").input_value() == "Änne Groß", "the name is remembered"
        assert complaints == [], "the content security policy blocks nothing of ours"
        chromium.close()
    assert world.item("price").decisions[0].by == "Änne Groß"
