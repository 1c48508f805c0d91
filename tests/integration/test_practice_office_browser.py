"""The practice office in a real browser: what only frames, scripts, windows and clicks can show."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Frame, Page, sync_playwright

from fixtures.office import sample
from fixtures.office.audit import audit
from fixtures.office.books import seed
from fixtures.office.serving import Office, running
from fixtures.office.traits import Traits, merged

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-first-run", "--disable-gpu"]  # fmt: skip
QUICK = {"rows_streamed_s": 0.3, "ajax_delay_s": 0.1, "frames_late_ms": 100, "today": sample.TODAY}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Debian's own where there is one, else the one that Playwright brings.
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    seed(tmp_path / "home", sample.world(tmp_path), base=tmp_path)
    with running(tmp_path / "home", QUICK) as served:
        yield served


@pytest.fixture
def page(browser: Browser, office: Office) -> Iterator[Page]:
    """The ERP's frameset, logged in."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(f"{office.erp}/login.do")
    page.fill("[name=login]", "clerk")
    page.fill("[name=password]", "practice-secret")
    page.click("[value=Login]")
    yield page
    context.close()


def window(page: Page, name: str) -> Frame:
    """A frame that the script attaches late; it bears its name only once it has loaded something."""
    for _ in range(100):
        frame = page.frame(name)
        if frame is not None:
            frame.wait_for_load_state()
            return frame
        page.wait_for_timeout(50)
    raise AssertionError(f"The frameset never got its {name}.")


def main_window(page: Page) -> Frame:
    return window(page, "main_window")


def choose(page: Page, entry: str) -> Frame:
    frame, menu = main_window(page), window(page, "menu_window")
    path = str(menu.get_attribute(f"a:has-text('{entry}')", "href")).partition("?")[0]
    menu.click(f"text={entry}")
    frame.wait_for_url(f"**{path}*")
    return frame


def filled(page: Page, number: str) -> Frame:
    """The invoice form with a vendor chosen, which redraws it, and a number and an amount typed."""
    frame = choose(page, "Enter Invoice")
    with page.expect_event("framenavigated", predicate=lambda changed: changed is frame):
        frame.select_option("[name=vendor]", "Delta Bearings Inc--10074")
    frame.wait_for_load_state()
    frame.fill("[name=invnumber]", number)
    frame.fill("[name=gross]", "5.00")
    return frame


def settled(page: Page, office: Office) -> int:
    """How many invoices were posted, after the browser had time to do something more."""
    page.wait_for_timeout(700)
    return audit(office.desks["erp"].home, {})["posted"]["invoices"]


def switch(office: Office, **traits: object) -> None:
    office.desks["erp"].board.change(traits)


def test_the_screens_live_in_frames_with_names_and_every_page_has_a_script_error(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    choose(page, "Vendors")
    assert [frame.name for frame in page.frames] == ["", "menu_window", "title_window", "main_window"]
    assert set(errors) == {"initCalendar is not defined"}


def test_an_order_number_refreshes_the_rows_and_the_same_blank_form_follows_a_posting(
    page: Page, office: Office
) -> None:
    frame = filled(page, "R-1")
    assert frame.input_value("[name=currency]") == "USD", "the vendor's"
    frame.fill("[name=ponumber]", "PO-1001")
    frame.press("[name=ponumber]", "Tab")
    frame.wait_for_function("document.getElementsByTagName('blink')[0].style.visibility == 'hidden'")
    assert frame.input_value("[name=description_2]") == "Nut"
    frame.fill("[name=reference]", "Ä ł €")
    frame.click("[value=Post]")
    frame.wait_for_function("document.main && document.main.invnumber.value == ''")
    assert settled(page, office) == 1
    detail = httpx.Client(base_url=office.erp, verify=False)
    with detail:
        detail.post("/login.do", data={"login": "clerk2", "password": "practice-secret"})
        text = detail.get("/invoice.do?id=2").content.decode("cp1252")
    assert "Ä &amp;#322; €" in text, "what windows-1252 lacks is stored as a reference to it"


def test_the_upload_window_writes_into_its_opener_and_closes_itself(page: Page, tmp_path: Path) -> None:
    frame = filled(page, "R-1")
    with page.expect_popup() as opened:
        frame.click("[value='Attach...']")
    window = opened.value
    window.set_input_files("[name=file]", tmp_path / "pod.pdf")
    with window.expect_event("close"):
        window.click("[value=Upload]", no_wait_after=True)
    assert frame.input_value("[name=attachment_id]") == "1"
    assert frame.input_value("[name=attachment_name]") == "pod.pdf"


def test_the_look_up_window_writes_the_vendor_into_its_opener(page: Page, office: Office) -> None:
    switch(office, vendor_pick="popup")
    frame = choose(page, "Enter Invoice")
    with page.expect_popup() as opened:
        frame.click("[value='...']")
    window = opened.value
    with window.expect_event("close"):
        window.click("text=Müller", no_wait_after=True)
    assert frame.input_value("[name=vendor_id]") == "10073"
    assert frame.input_value("[name=vendor]") == 'Müller & Söhne "Lager" GmbH'


def test_a_double_click_makes_two(page: Page, office: Office) -> None:
    filled(page, "R-1").dblclick("[value=Post]")
    assert settled(page, office) == 2


def test_a_double_click_makes_one_where_a_page_is_good_for_one_posting(page: Page, office: Office) -> None:
    switch(office, double_click_makes_two=False)
    filled(page, "R-1").dblclick("[value=Post]")
    assert settled(page, office) == 1


def test_chromium_sends_a_posting_again_by_itself_when_its_answer_is_lost(page: Page, office: Office) -> None:
    """Not the office's doing: it cuts a kept-alive connection after one click, and the browser repeats the request."""
    frame = filled(page, "R-1")
    office.desks["erp"].board.change({"lost_answer": True}, for_next=1)
    frame.click("[value=Post]", no_wait_after=True)
    assert settled(page, office) == 2


def test_an_answer_cut_after_its_headers_is_not_sent_again(page: Page, office: Office) -> None:
    frame = filled(page, "R-1")
    office.desks["erp"].board.change({"lost_answer_after_headers": True}, for_next=1)
    frame.click("[value=Post]", no_wait_after=True)
    assert settled(page, office) == 1


@pytest.mark.parametrize(("answer", "posted"), [("accept", 1), ("dismiss", 0)])
def test_post_can_ask_first(page: Page, office: Office, answer: str, posted: int) -> None:
    switch(office, popup_dialog="confirm")
    asked: list[str] = []

    def answered(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if answer == "accept" else dialog.dismiss()

    page.on("dialog", answered)
    filled(page, "R-1").click("[value=Post]")
    assert settled(page, office) == posted
    assert asked == ["Post this document?"]


def test_a_second_login_shows_a_login_form_inside_the_frame(page: Page, office: Office) -> None:
    main_window(page)
    form = {"login": "clerk", "password": "practice-secret"}
    httpx.post(f"{office.erp}/login.do", data=form, verify=False)
    frame = choose(page, "Enter Invoice")
    assert frame.locator("[type=password]").count() == 1
    assert page.frame("menu_window") is not None


def test_a_currency_can_be_a_table_of_links_over_a_hidden_input(page: Page, office: Office) -> None:
    switch(office, table_selects=True)
    frame = choose(page, "Enter Invoice")
    frame.click("text=CHF")
    assert frame.locator("[name=currency]").input_value() == "CHF"


def test_a_report_is_short_before_it_is_complete(page: Page, office: Office) -> None:
    more = [{**sample.INVOICES[0], "number": f"OLD-{n}"} for n in range(2, 41)]
    seed(office.desks["erp"].home, {"invoices": more})
    switch(office, rows_streamed_s=1.5)
    frame = choose(page, "Reports")
    form = frame.locator("form[name=report1]")
    form.locator("[name=datefrom]").fill("")
    form.locator("[value=Print]").click(no_wait_after=True)
    frame.wait_for_selector("td:has-text('OLD-1')")
    early = frame.locator("td:has-text('OLD-')").count()
    frame.wait_for_selector("text=End of report: 40 records")
    assert early < frame.locator("td:has-text('OLD-')").count() == 40


def test_next_is_disabled_on_the_carriers_last_page(browser: Browser, office: Office) -> None:
    office.desks["carrier"].board.replace(merged(Traits(), QUICK))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{office.carrier}/")
        page.fill("[name=txtUser]", "clerk")
        page.fill("[name=txtPass]", "practice-secret")
        page.click("[name=btnLogin]")
        page.wait_for_url("**/deliveries.asp*")
        seen: set[str] = set()
        for turn in range(3):
            page.wait_for_function("document.getElementsByTagName('blink')[0].style.visibility == 'hidden'")
            page.wait_for_function(f"page == {turn + 1} && document.links.length > 1")
            seen |= set(page.locator("a[href*=waybill]").all_inner_texts())
            assert page.is_disabled("[name=next]") == (turn == 2)
            if turn < 2:
                page.click("[name=next]")
        assert len(seen) == 23
