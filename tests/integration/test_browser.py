"""Driving pages as they are: real Chromium, small pages made to fool a bot."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tallyman.browser import session as session_module
from tallyman.browser.session import SessionThread
from tallyman.browser.tab import Tab
from tallyman.contracts.system import Access, Capabilities
from tallyman.errors import BrowserDied, LoginFailed, NotArmed, PageChanged, SessionLost, SystemDown
from tallyman.runtime.ledger import OneClick

MAPS = {
    "form": """
screen: form
version: 1
ready: [post]
elements:
  number: {by: [{name: invnumber}, {label: Invoice Number}]}
  gross: {by: [{name: gross}, {label: Total}]}
  amount: {by: [{name: "amount_{n}"}, {column: Amount}]}
  vendor: {by: [{name: vendor}, {label: Vendor}]}
  update: {by: [{name: action, value: Update}, {text: Update}]}
  gone: {by: [{name: gone}, {label: Gone}]}
  post: {commits: true, by: [{name: action, value: Post}, {text: Post}]}
tables:
  lines: {columns: {item: Item, amount: Amount}}
""",
    "login": """
screen: login
version: 1
elements:
  password: {by: [{name: password}, {type: password}]}
""",
}
FORM = """<html><body><form method=post action=/post><table>
<tr><th align=right>Invoice Number</th><td><input name=invnumber></td></tr>
<tr><th align=right>Total:</th><td><input name=gross value="1,100.10"></td></tr>
<tr><th>Vendor</th><td><select name=vendor>
<option value="">-</option><option value="7">Bolt &amp; Nut</option></select></td></tr>
</table><table><tr><th>Item</th><th>Amount</th></tr>
<tr><td>M6</td><td><input name=amount_1></td></tr><tr><td>M8</td><td><input name=amount_2></td></tr></table>
<input type=hidden name=action value=Update>
<input type=submit name=action value="Update"><input type=submit name=action value="Post">
</form></body></html>"""


class Pages:
    """What the little server answers, by path; posts are counted."""

    def __init__(self) -> None:
        self.form = FORM
        self.posted: list[str] = []
        self.status = 200
        self.slow_s = 0.0
        self.callers: list[tuple[str, int]] = []
        """The method of each request, and the port that it came from."""
        self.cut = False
        """Close the connection after a POST was stored, without any answer."""


@pytest.fixture
def pages() -> Iterator[tuple[Pages, str]]:
    found = Pages()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept alive, as real servers do

        def do_GET(self) -> None:
            self._answer(found.form)

        def do_POST(self) -> None:
            found.posted.append(self.rfile.read(int(self.headers["content-length"])).decode())
            time.sleep(found.slow_s)
            if found.cut:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            self._answer(found.form)

        def _answer(self, text: str) -> None:
            found.callers.append((self.command, self.client_address[1]))
            self.send_response(found.status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


class Site:
    """A system with nothing but a tab."""

    name = "site"
    capabilities = Capabilities(title="Site")

    def __init__(self) -> None:
        self.logins = 0
        self.refuse = False

    def open(self, access: Access) -> "SiteSession":
        self.logins += 1
        if self.refuse:
            access.secret("password")
            raise LoginFailed
        return SiteSession(access.tab())


class SiteSession:
    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def close(self) -> None:
        pass


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def thread(tmp_path: Path, site: Site) -> Iterator[SessionThread]:
    for name, text in MAPS.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    found = SessionThread(site, tmp_path, {}, lambda name: name, screen_timeout_s=3)
    yield found
    found.close()


@pytest.fixture
def use(thread: SessionThread, pages: tuple[Pages, str]) -> Callable[[Callable[[Tab], Any]], Any]:
    """Runs a function with the tab, the form's page being open."""

    def run(work: Callable[[Tab], Any]) -> Any:
        def with_page(session: SiteSession) -> Any:
            session.tab.goto(pages[1])
            return work(session.tab)

        return thread.call(with_page, timeout_s=8)

    return run


Use = Callable[[Callable[[Tab], Any]], Any]


def test_a_control_is_found_by_two_contracts_beside_a_hidden_twin(use: Use) -> None:
    def work(tab: Tab) -> tuple[str, str]:
        form = tab.screen("form")
        form.fill("number", "INV-7")
        form.fill("amount", "25.00", n=2)
        form.choose("vendor", "Bolt & Nut")
        rows = form.rows("lines")
        assert [row.cells for row in rows] == [{"item": "M6", "amount": ""}, {"item": "M8", "amount": "25.00"}]
        return form.value("number"), form.value("vendor")

    assert use(work) == ("INV-7", "Bolt & Nut")


LISTENING = """<script>
told = [];
for (const kind of ["input", "change"])
  addEventListener(kind, (e) => told.push(kind + " " + e.target.name + " " + e.target.value + " " + e.isTrusted), true);
</script>"""


def test_a_page_hears_of_what_is_typed_as_from_a_keyboard(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = FORM.replace("name=invnumber", "name=invnumber value=old maxlength=6") + LISTENING

    def work(tab: Tab) -> tuple[list[str], str]:
        form = tab.screen("form")
        form.fill("number", "INV-7")
        form.fill("gross", "1,100.10")  # it holds that already: nothing is typed, the page hears nothing
        form.fill("amount", "25.00", 1)
        form.fill("number", "")
        form.fill("number", "longer than it takes")
        return tab.frame(None).evaluate("told"), form.value("number")

    told, left = use(work)
    assert told[:3] == ["input invnumber INV-7 true", "change invnumber INV-7 true", "input amount_1 25.00 true"]
    assert not [one for one in told if "gross" in one]
    assert left == "longer"


def test_what_lies_under_something_else_is_not_pressed(use: Use, pages: tuple[Pages, str]) -> None:
    curtain = "<div style='position:fixed;top:0;left:0;width:100%;height:100%'></div>"
    pages[0].form = FORM + curtain
    with pytest.raises(SystemDown):
        use(lambda tab: tab.screen("form").press("update"))
    assert pages[0].posted == []


def test_labels_that_changed_places_under_the_same_names_stop_the_bot(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = FORM.replace("Invoice Number", "x").replace("Total:", "Invoice Number").replace(">x<", ">Total:<")
    with pytest.raises(PageChanged, match="different elements"):
        use(lambda tab: tab.screen("form").fill("number", "INV-7"))


def test_an_element_that_is_not_there_is_named(use: Use) -> None:
    with pytest.raises(PageChanged, match=r"'gone' of screen 'form'"):
        use(lambda tab: tab.screen("form").value("gone"))


def test_a_hidden_field_beside_the_cells_of_a_row_disturbs_no_column(use: Use, pages: tuple[Pages, str]) -> None:
    nested = "<table><tr><td></td></tr><tr><td></td><input type=hidden name=x></tr></table>"
    pages[0].form = FORM.replace("<tr><td>M6</td><td>", f"<tr><td>M6{nested}</td><td>")

    def work(tab: Tab) -> str:
        form = tab.screen("form")
        form.fill("amount", "5", 1)
        return form.value("amount", 1)

    assert use(work) == "5"


def test_a_column_that_is_missing_is_no_empty_table(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = FORM.replace("<th>Amount</th>", "<th>Net</th>")
    with pytest.raises(PageChanged, match="Amount"):
        use(lambda tab: tab.screen("form").rows("lines"))


def test_a_committing_control_is_not_pressed_without_a_permit(use: Use, pages: tuple[Pages, str]) -> None:
    with pytest.raises(PageChanged, match="permit"):
        use(lambda tab: tab.screen("form").press("post"))
    assert pages[0].posted == []


def test_a_permit_is_good_for_one_click(use: Use, pages: tuple[Pages, str]) -> None:
    def work(tab: Tab) -> None:
        permit = OneClick()
        tab.screen("form").commit("post", permit)
        tab.screen("form").commit("post", permit)

    with pytest.raises(NotArmed):
        use(work)
    assert len(pages[0].posted) == 1


def test_a_connection_that_is_cut_after_the_click_sends_nothing_twice(use: Use, pages: tuple[Pages, str]) -> None:
    def work(tab: Tab) -> None:
        form = tab.screen("form")
        form.press("update")  # so that there is a connection that was kept alive
        pages[0].cut = True
        tab.screen("form").commit("post", OneClick())

    with pytest.raises(SystemDown):
        use(work)
    assert len(pages[0].posted) == 2
    assert "action=Post" in pages[0].posted[1]


def test_each_click_has_a_connection_of_its_own_which_no_server_closes_meanwhile(
    use: Use, pages: tuple[Pages, str]
) -> None:
    def work(tab: Tab) -> None:
        for _ in range(2):
            tab.fetch(pages[1])
            tab.screen("form").commit("post", OneClick())

    use(work)
    clicks = [port for method, port in pages[0].callers if method == "POST"]
    assert len(clicks) == 2
    assert all([port for _, port in pages[0].callers].count(port) == 1 for port in clicks)


IN_A_FRAME = "<html><frameset cols=*><frame name=main src=/form></frameset></html>"


@pytest.mark.parametrize("slow_s", [3.05, 4])
def test_an_answer_that_takes_longer_than_we_wait_sends_nothing_twice(
    tmp_path: Path, pages: tuple[Pages, str], slow_s: float
) -> None:
    (tmp_path / "form.yaml").write_text(MAPS["form"].replace("version: 1", "version: 1\nframe: main"))
    thread = SessionThread(Site(), tmp_path, {}, str, screen_timeout_s=3)
    pages[0].slow_s = slow_s

    def work(session: SiteSession) -> None:
        pages[0].form, form = IN_A_FRAME, pages[0].form
        session.tab.goto(pages[1])
        pages[0].form = form
        session.tab.frame("main").goto(pages[1])
        with contextlib.suppress(SystemDown):
            session.tab.screen("form").commit("post", OneClick())
        session.tab.goto(pages[1])  # as a session does that logs out
        session.tab.wait(lambda: False, timeout_s=2)

    try:
        thread.call(work)
    finally:
        thread.close()
    assert len(pages[0].posted) == 1


COMMITTING = """
import sys
from pathlib import Path
from tallyman.browser.session import SessionThread
from tallyman.runtime.ledger import OneClick
from tests.integration.test_browser import Site

def work(session):
    session.tab.goto(sys.argv[2])
    session.tab.screen("form").commit("post", OneClick())

SessionThread(Site(), Path(sys.argv[1]), {}, str).call(work)
"""


def test_a_worker_that_is_killed_while_it_waits_for_the_answer_has_sent_one_request(
    tmp_path: Path, pages: tuple[Pages, str]
) -> None:
    """A request that a browser holds back for us is sent by it when we go away: so it must never hold one."""
    for name, text in MAPS.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    pages[0].slow_s = 2
    command = [sys.executable, "-c", COMMITTING, str(tmp_path), pages[1]]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as worker:
        for _ in range(600):
            if pages[0].posted:
                break
            time.sleep(0.05)
        worker.kill()
        worker.wait()
    time.sleep(1)
    assert len(pages[0].posted) == 1


def test_the_answer_of_the_one_request_is_what_the_screen_shows(use: Use, pages: tuple[Pages, str]) -> None:
    def work(tab: Tab) -> tuple[str, str]:
        form = tab.screen("form")
        pages[0].form = "<html><body>Posted as 77</body></html>"
        form.commit("post", OneClick())
        return form.text(), tab.url

    text, url = use(work)
    assert text == "Posted as 77"
    assert url.endswith("/post")
    assert len(pages[0].posted) == 1


def test_a_script_that_submits_twice_stores_one_record(use: Use, pages: tuple[Pages, str]) -> None:
    twice = '<form onsubmit="const f = this; setTimeout(() => f.submit(), 150)" '
    pages[0].form = FORM.replace("<form ", twice)
    pages[0].slow_s = 0.5
    with contextlib.suppress(SystemDown):
        use(lambda tab: tab.screen("form").commit("post", OneClick()))
    time.sleep(0.5)
    assert len(pages[0].posted) == 1


def test_the_same_blank_form_is_known_to_be_a_new_document(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].slow_s = 0.7

    def work(tab: Tab) -> str:
        form = tab.screen("form")
        form.fill("number", "INV-7")
        form.press("update")
        return tab.screen("form").value("number")

    assert use(work) == ""


def test_a_message_that_nobody_expected_is_dismissed_and_stops_the_bot(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = FORM.replace("<form ", "<form onsubmit=\"return confirm('Really pay twice?')\" ")
    with pytest.raises((PageChanged, SystemDown)):
        use(lambda tab: tab.screen("form").press("update"))
    assert pages[0].posted == []


def test_an_expected_message_is_accepted(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = FORM.replace("<form ", "<form onsubmit=\"return confirm('Update the form?')\" ")

    def work(tab: Tab) -> None:
        with tab.expecting_dialog("update the form"):
            tab.screen("form").press("update")

    use(work)
    assert len(pages[0].posted) == 1


def test_a_login_form_in_place_of_the_screen_is_a_lost_session(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].form = "<form><input type=password name=password></form>"
    with pytest.raises(SessionLost):
        use(lambda tab: tab.screen("form"))


def test_a_server_error_is_told_as_such(use: Use, pages: tuple[Pages, str]) -> None:
    pages[0].status = 503
    with pytest.raises(SystemDown, match="503"):
        use(lambda tab: None)


def test_a_system_that_can_not_be_reached_is_told_as_such(thread: SessionThread, free_port: int) -> None:
    with pytest.raises(SystemDown, match="reached"):
        thread.call(lambda session: session.tab.goto(f"http://127.0.0.1:{free_port}/"))


def test_a_page_that_hangs_is_ended_from_outside_and_the_next_call_works(use: Use) -> None:
    with pytest.raises((BrowserDied, SystemDown)):
        use(lambda tab: tab._page.evaluate("while (true) {}"))
    assert use(lambda tab: tab.screen("form").value("gross")) == "1,100.10"


def test_a_refused_password_is_not_tried_again_soon(
    thread: SessionThread, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.refuse = True
    for _ in range(3):
        with pytest.raises(LoginFailed):
            thread.call(lambda session: None)
    assert site.logins == 1
    monkeypatch.setattr(session_module, "LOGIN_PAUSE_S", 0.0)
    with pytest.raises(LoginFailed):
        thread.call(lambda session: None)
    assert site.logins == 2


def test_no_browser_outlives_a_worker_that_was_killed() -> None:
    script = (
        "import time; from tallyman.browser.host import BrowserHost\n"
        "host = BrowserHost(); print(host._profile.name, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        profile = worker.stdout.readline().strip()
        assert _processes(profile)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    for _ in range(100):
        if not _processes(profile):
            return
        time.sleep(0.05)
    pytest.fail("Chromium lives on")


def _processes(profile: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if profile.encode() in (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:
            pass
    return found
