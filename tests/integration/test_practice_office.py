"""The practice office through its own HTTP: what every screen does and how each group of traits behaves."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.office import sample
from fixtures.office.audit import Expected, audit
from fixtures.office.books import seed
from fixtures.office.notation import NotationError, read_amount
from fixtures.office.serving import Office, running
from fixtures.office.traits import Traits, merged

QUICK = {"rows_streamed_s": 0, "ajax_delay_s": 0, "frames_late_ms": 0, "today": sample.TODAY}
CLIENTS: list[httpx.Client] = []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture
def office(served: Office, tmp_path: Path) -> Iterator[Office]:
    """The one running office, with fresh books and switches."""
    home = served.desks["erp"].home
    for file in home.glob("*.db*"):
        file.unlink()
    seed(home, sample.world(tmp_path), base=tmp_path)
    for desk in served.desks.values():
        desk.board.replace(merged(Traits(), QUICK))
        desk.sessions.expire_all()
    yield served
    while CLIENTS:
        CLIENTS.pop().close()


@pytest.fixture
def books(office: Office) -> Path:
    return office.desks["erp"].home


def control(url: str, **patch: object) -> dict[str, Any]:
    answer = httpx.post(f"{url}/_control/traits", json=patch, verify=False)
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


def logged_in(office: Office) -> httpx.Client:
    client = httpx.Client(base_url=office.erp, follow_redirects=True, verify=False)
    CLIENTS.append(client)
    client.post("/login.do", data={"login": "clerk", "password": "practice-secret", "action": "Login"})
    return client


def token(page: str) -> str:
    found = re.search(r'name=token value="(\w+)"', page)
    return found.group(1) if found else ""


def invoice(number: str = "R-1", **other: str) -> dict[str, str]:
    return {
        "vendor": "Delta Bearings Inc--10074", "oldvendor": "10074", "invnumber": number, "invdate": "03/18/2026",
        "duedate": "04/17/2026", "ponumber": "PO-1001", "currency": "EUR", "net": "1,000.00", "tax": "190.00",
        "gross": "1,190.00", "reference": "tally-1", "poline_1": "10", "qty_1": "8", "amount_1": "1,000.00",
        "action": "Post", **other,
    }  # fmt: skip


def post_invoice(client: httpx.Client, number: str = "R-1", **other: str) -> httpx.Response:
    form = {"token": token(client.get("/invoice_new.do").text), **invoice(number, **other)}
    return client.post("/invoice_new.do", data=form)


def post_receipt(client: httpx.Client, **other: str) -> httpx.Response:
    page = client.get("/receipt_new.do", params={"ordnumber": "PO-1001"}).text
    form = {"token": token(page), "ordnumber": "PO-1001", "receiptdate": "03/18/2026", "delivery_ref": "POD-9",
            "ship_1": "30", "ship_2": "0.5", "action": "Post"}  # fmt: skip
    return client.post("/receipt_new.do", data={**form, **other})


def found_invoices(client: httpx.Client, **fields: str) -> str:
    """The result table of an invoice search over everything, all columns ticked."""
    ticked = {f"l_{c}": "Y" for c in ("id", "invnumber", "invdate", "vendor", "ponumber", "gross", "reference", "net")}
    form = {"datefrom": "", "dateto": "", "posted": "Y", "drafts": "Y", "action": "Continue", **ticked, **fields}
    return client.get("/invoice_search.do", params=form).text.rpartition("</form>")[2]


def test_vendors_and_orders_show_what_the_world_says(office: Office) -> None:
    client = logged_in(office)
    assert "DE89370400440532013000" in client.get("/vendor.do?number=10073").text
    assert "Delta Bearings Ltd" in client.get("/vendor_search.do?vendor=delta&vendor_number=&action=Continue").text
    order = client.get("/order.do?number=PO-1001").text
    assert all(text in order for text in ("AB-77", "Bolt M8", "1.255", ">80<", "50.5"))


def test_a_receipt_reduces_the_open_quantities_at_once_and_shows_before_and_after(office: Office) -> None:
    client = logged_in(office)
    answer = post_receipt(client)
    assert 'name=ordnumber size=20 value=""' in answer.text, "the same blank form, with no word"
    order = client.get("/order.do?number=PO-1001").text
    assert ">50<" in order
    assert ">0.5<" in order
    receipt = client.get("/receipt.do?id=2").text
    assert re.findall(r">([\d.]+)</font></td>", receipt.partition("Before")[2])[:4] == ["10", "20", "30", "50"]
    found = client.get("/receipt_search.do?delivery_ref=POD-9&datefrom=&dateto=&action=Continue").text
    assert "1 receipts" in found


def test_more_than_the_open_quantity_is_refused(office: Office) -> None:
    assert "exceeds open quantity" in post_receipt(logged_in(office), ship_1="81").text


def test_an_invoice_is_stored_as_typed_and_the_same_blank_form_comes_back(office: Office) -> None:
    client = logged_in(office)
    answer = post_invoice(client, gross="999.99")
    assert 'name=invnumber size=20 value=""' in answer.text
    assert "R-1" not in answer.text
    detail = client.get("/invoice.do?id=2").text
    assert all(text in detail for text in ("R-1", "999.99", "190.00", "03/18/2026", "PO-1001", "tally-1"))
    assert ">8<" in client.get("/order.do?number=PO-1001").text, "billed"


def test_update_draws_the_form_anew_without_touching_what_was_typed(office: Office) -> None:
    client = logged_in(office)
    page = client.post("/invoice_new.do", data=invoice(action="Update", gross="abc")).text
    assert 'name=gross size=12 value="abc"' in page
    assert "10074" in page
    changed = client.post("/invoice_new.do", data=invoice(action="Update", oldvendor="10073")).text
    assert "<option selected>USD" in changed, "a changed vendor brings its currency along"


@pytest.mark.parametrize("pick", ["text", "codes", "popup"])
def test_a_vendor_can_be_picked_in_the_other_ways(office: Office, pick: str) -> None:
    control(office.erp, vendor_pick=pick)
    client = logged_in(office)
    chosen = {"text": {"vendor": "Delta Bearings"}, "codes": {"vendor": "10074"},
              "popup": {"vendor": "Delta Bearings Inc", "vendor_id": "10074"}}[pick]  # fmt: skip
    answer = post_invoice(client, **chosen).text
    if pick == "text":
        assert "Select from one of the names below" in answer
        assert "Delta Bearings Ltd--10075" in answer
        form = {"token": token(answer), **invoice(vendor="Delta Bearings"), "new_vendor": "Delta Bearings Inc--10074"}
        page = client.post("/invoice_new.do", data={**form, "action": "Continue"}).text
        assert 'value="Delta Bearings Inc"' in page
        assert 'name=vendor_id value="10074"' in page
        form = invoice(vendor="Delta Bearings Inc", vendor_id="10074", token=token(page))
        client.post("/invoice_new.do", data=form)
    assert "Delta Bearings Inc" in found_invoices(client, invnumber="R-1")


def test_a_search_starts_with_thirty_days_posted_records_and_few_columns(office: Office) -> None:
    client = logged_in(office)
    form = client.get("/invoice_search.do").text
    assert 'name=datefrom size=11 value="02/18/2026"' in form
    assert "name=posted value=Y checked" in form
    assert "name=drafts value=Y>" in form
    assert "name=l_ponumber value=Y>" in form
    default = client.get("/invoice_search.do?datefrom=02/18/2026&dateto=03/20/2026&posted=Y&action=Continue").text
    assert "OLD-1" not in default
    wide = client.get("/invoice_search.do?invnumber=ld-&posted=Y&l_invnumber=Y&l_gross=Y&action=Continue").text
    assert "OLD-1" in wide
    assert "PO-0900" not in wide
    assert wide.count("119.00") == 2, "a totals row that looks like a record"
    orders = client.get("/order_search.do?open=Y&datefrom=&dateto=&action=Continue").text
    assert "PO-1001" in orders
    assert "PO-0900" not in orders


def test_a_draft_is_hidden_until_it_is_approved(office: Office) -> None:
    control(office.erp, draft_then_approve=True)
    client = logged_in(office)
    post_invoice(client)
    assert "R-1" not in found_invoices(client, drafts="")
    assert "R-1" in found_invoices(client)
    assert "1 drafts" in client.get("/drafts.do").text
    page = client.get("/invoice.do?id=2").text
    client.post("/invoice.do", data={"token": token(page), "id": "2", "action": "Approve"})
    assert "R-1" in found_invoices(client, drafts="")


def test_an_amount_in_the_wrong_notation_becomes_another_amount_without_a_word(office: Office) -> None:
    english, german = Traits(), Traits(language="de")
    assert [read_amount(text, english) for text in ("1.234,56", "abc", "1,234.56")] == [
        Decimal("1.23"), Decimal(0), Decimal("1234.56")]  # fmt: skip
    assert [read_amount(text, german) for text in ("1.234,56", "1,234.56")] == [Decimal("1234.56"), Decimal("1.23")]
    client = logged_in(office)
    post_invoice(client, gross="1.190,00")
    assert ">1.19<" in found_invoices(client)
    control(office.erp, wrong_notation_stored_silently=False)
    assert "Invalid number" in post_invoice(client, "R-2", gross="1.190,00").text
    with pytest.raises(NotationError):
        read_amount("abc", Traits(wrong_notation_stored_silently=False))


def test_german_screens_write_and_read_german_numbers_and_dates(office: Office) -> None:
    control(office.erp, language="de")
    client = logged_in(office)
    assert "(dd.mm.yyyy)" in client.get("/invoice_new.do").text
    german = {"invdate": "18.03.2026", "duedate": "17.04.2026", "net": "1.000,00", "tax": "190,00", "gross": "1.190,00"}
    post_invoice(client, **german)
    detail = client.get("/invoice.do?id=2").text
    assert "1.190,00" in detail
    assert "18.03.2026" in detail
    control(office.erp, date_format="mm-dd-yyyy")
    assert "03-18-2026" in client.get("/invoice.do?id=2").text


def test_a_second_invoice_with_the_same_number_is_accepted_or_refused(office: Office) -> None:
    client = logged_in(office)
    post_invoice(client), post_invoice(client)
    assert found_invoices(client).count(">R-1<") == 2
    control(office.erp, duplicate_numbers_accepted=False)
    assert "already exists" in post_invoice(client).text


def test_back_and_post_again_stores_twice_unless_a_page_is_good_for_one_posting(office: Office) -> None:
    client = logged_in(office)
    form = {**invoice(), "token": token(client.get("/invoice_new.do").text)}
    client.post("/invoice_new.do", data=form), client.post("/invoice_new.do", data=form)
    assert found_invoices(client).count(">R-1<") == 2
    control(office.erp, double_click_makes_two=False)
    form = {**invoice("R-2"), "token": token(client.get("/invoice_new.do").text)}
    client.post("/invoice_new.do", data=form)
    assert "page has expired" in client.post("/invoice_new.do", data=form).text
    assert found_invoices(client).count(">R-2<") == 1


def test_a_form_without_a_token_of_the_session_is_refused(office: Office) -> None:
    assert "page has expired" in logged_in(office).post("/invoice_new.do", data=invoice(token="made-up")).text


def test_a_second_login_turns_the_first_into_a_login_form_with_status_200(office: Office) -> None:
    first, second = logged_in(office), logged_in(office)
    answer = first.get("/order.do?number=PO-1001")
    assert answer.status_code == 200
    assert not answer.history
    assert "type=password" in answer.text
    assert "Bolt M8" in second.get("/order.do?number=PO-1001").text


def test_a_session_dies_after_its_requests_and_on_demand(office: Office) -> None:
    client = logged_in(office)
    control(office.erp, session_expires_after_requests=3)
    pages = [client.get("/order.do?number=PO-1001").text for _ in range(3)]
    assert ["Bolt M8" in page for page in pages] == [True, True, False], "the login itself led to one request"
    control(office.erp, session_expires_after_requests=None)
    client = logged_in(office)
    httpx.post(f"{office.erp}/_control/expire")
    assert "type=password" in client.get("/menu.do").text


def test_the_account_locks_after_failed_logins(office: Office) -> None:
    control(office.erp, drop_password=True, lock_account_after=2)
    form = {"login": "clerk", "password": "practice-secret"}
    answers = [httpx.post(f"{office.erp}/login.do", data=form).text for _ in range(3)]
    assert "Invalid user" in answers[1]
    assert "locked" in answers[2]


@pytest.mark.parametrize(
    ("fault", "stored"),
    [("http_500_before_store", 0), ("http_500_after_store", 1), ("lost_answer", 1), ("lost_answer_after_headers", 1),
     ("error_page_although_stored", 1), ("record_locked_by_other", 0), ("record_changed_by_other", 0)],
)  # fmt: skip
def test_a_fault_for_the_next_posting_happens_once(office: Office, fault: str, stored: int) -> None:
    client = logged_in(office)
    state = control(office.erp, **{fault: True, "for_next": 1})
    assert state["passing"] == [{"traits": {fault: True}, "unit": "commits", "left": 1}]
    try:
        answer = post_invoice(client)
        assert answer.status_code == 500 or "Error!" in answer.text
    except httpx.RemoteProtocolError:
        assert fault.startswith("lost_answer")
    except httpx.ReadError:
        assert fault.startswith("lost_answer")
    assert found_invoices(client).count(">R-1<") == stored
    post_invoice(client, "R-2")
    assert ">R-2<" in found_invoices(client), "the second posting is not disturbed"


def test_a_closed_period_refuses_earlier_dates_only(office: Office) -> None:
    control(office.erp, period_closed_before="2026-03-10")
    client = logged_in(office)
    assert "period is closed" in post_invoice(client, invdate="03/09/2026").text
    assert "period is closed" in post_receipt(client, receiptdate="03/09/2026").text
    post_invoice(client, invdate="03/10/2026")
    assert ">R-1<" in found_invoices(client)


def test_what_was_posted_becomes_visible_late_everywhere_but_in_the_audit(office: Office, books: Path) -> None:
    control(office.erp, late_visibility_s=0.6)
    client = logged_in(office)
    post_invoice(client), post_receipt(client)
    order = client.get("/order.do?number=PO-1001").text
    assert ">R-1<" not in found_invoices(client)
    assert ">80<" in order
    assert audit(books, {})["posted"] == {"invoices": 1, "receipts": 1, "drafts": 0}
    time.sleep(0.7)
    assert ">R-1<" in found_invoices(client)
    assert ">50<" in client.get("/order.do?number=PO-1001").text


def test_a_portal_in_maintenance_answers_503_and_comes_back(office: Office) -> None:
    control(office.carrier, maintenance=True, for_next=2)
    codes = [httpx.get(f"{office.carrier}/login.asp").status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    assert httpx.get(f"{office.erp}/login.do").status_code == 200


def test_slow_and_half_rendered_pages_take_their_time(office: Office) -> None:
    control(office.erp, slow_s=0.2, half_rendered_s=0.2)
    started = time.monotonic()
    with httpx.stream("GET", f"{office.erp}/login.do") as answer:
        arrived = [time.monotonic() for _ in answer.iter_raw()]
    assert arrived[0] - started > 0.2
    assert arrived[-1] - arrived[0] > 0.15


def test_a_report_streams_in_and_says_where_it_ends(office: Office) -> None:
    client = logged_in(office)
    for number in range(6):
        post_invoice(client, f"R-{number}")
    control(office.erp, rows_streamed_s=0.4)
    with client.stream("GET", "/report_invoices.do?datefrom=&dateto=") as answer:
        pieces = list(answer.iter_text())
    assert len(pieces) > 2
    assert "End of report: 7 records" in pieces[-1]
    assert "R-5" not in pieces[0]
    assert all(f"R-{n}" in "".join(pieces) for n in range(6))
    assert "POD-OLD" in client.get("/report_receipts.do?datefrom=&dateto=").text


def test_charsets_are_mixed_and_only_a_meta_tag_says_so(office: Office) -> None:
    client = logged_in(office)
    form, vendors = client.get("/invoice_new.do"), client.get("/vendor_search.do?action=Continue")
    assert "Müller".encode("cp1252") in form.content
    assert b"charset=windows-1252" in form.content
    assert "Müller".encode() in vendors.content
    assert "charset" not in form.headers["content-type"]
    body = "_charset_=windows-1252&action=Post&vendor=x--10073&invnumber=%C4-1&token=" + token(form.text)
    client.post("/invoice_new.do", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert "Ä-1".encode("cp1252") in client.get("/invoice.do?id=2").content


def test_the_session_key_stands_in_every_address_and_a_script_is_missing(office: Office) -> None:
    client = logged_in(office)
    key = client.cookies["erp_session"]
    assert f"sid={key}" in client.get("/menu.do").text
    assert "Bolt M8" in httpx.get(f"{office.erp}/order.do?number=PO-1001&sid={key}").text
    assert client.get("/js/calendar.js").status_code == 404
    control(office.erp, secrets_in_urls=False, js_error_on_every_page=False)
    assert "sid=" not in client.get("/menu.do").text
    assert "calendar.js" not in client.get("/menu.do").text


def test_controls_have_no_ids_or_new_ones_at_each_load_and_can_be_renamed(office: Office) -> None:
    client = logged_in(office)
    assert " id=" not in client.get("/invoice_new.do").text
    control(office.erp, ids_renamed=True, labels_reworded=True, fields_renamed=True)
    ids = [set(re.findall(r' id="(\w+)"', client.get("/invoice_new.do").text)) for _ in range(2)]
    page = client.get("/invoice_new.do").text
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]
    assert "Supplier Document No." in page
    assert "name=docref" in page
    assert "name=linetotal_1" in page
    renamed = {"supplier_sel": "--10074", "docref": "R-7", "total_amt": "5", "linetotal_1": "5", "action": "Post"}
    client.post("/invoice_new.do", data={**renamed, "token": token(page)})
    assert ">R-7<" in found_invoices(client)


def test_a_cart_shared_by_tabs_posts_to_what_was_opened_last(office: Office, books: Path) -> None:
    control(office.erp, cart_shared_by_tabs=True)
    client = logged_in(office)
    form = {**invoice(), "token": token(client.post("/invoice_new.do", data=invoice(action="Update")).text)}
    client.post("/invoice_new.do", data=invoice(action="Update", vendor="--10073"))  # the other tab
    client.post("/invoice_new.do", data=form)
    assert audit(books, {})["unexpected"][0]["vendor"] == "10073"


def test_an_uploaded_document_is_kept_by_its_hash_and_hangs_on_the_invoice(office: Office) -> None:
    client = logged_in(office)
    window = client.post("/upload.do", files={"file": ("scan ü.pdf", b"%PDF-1.4 x")}, data={"action": "Upload"}).text
    assert "f.attachment_id.value = '1'" in window
    assert "window.close()" in window
    post_invoice(client, attachment_id="1")
    assert "scan ü.pdf".encode("cp1252") in client.get("/invoice.do?id=2").content
    assert client.get("/attachment.do?id=1").content == b"%PDF-1.4 x"
    control(office.erp, attach_phase="after_post")
    assert "Attach..." not in client.get("/invoice_new.do").text
    page = client.get("/invoice.do?id=1").text
    client.post("/invoice.do", data={"token": token(page), "id": "1", "attachment_id": "1", "action": "Save"})
    assert "attachment.do?id=1" in client.get("/invoice.do?id=1").text


def test_an_invoice_without_number_is_stored_or_refused(office: Office) -> None:
    client = logged_in(office)
    post_invoice(client, "", gross="0")
    assert client.get("/invoice.do?id=2").text.count("0.00") >= 1
    control(office.erp, empty_number_accepted=False)
    assert "required" in post_invoice(client, "").text


def test_the_control_page_names_unknown_switches_and_sets_everything_back(office: Office) -> None:
    url = f"{office.erp}/_control/traits"
    assert httpx.post(url, json={"no_such_trait": True}).status_code == 422
    assert httpx.post(url, json={"slow_s": -1}).status_code == 422
    assert httpx.post(url, json={"slow_s": 1, "for_next": 0}).status_code == 422
    assert control(office.erp, default_window_days=5)["always"]["default_window_days"] == 5
    assert control(office.erp, default_window_days=None)["always"]["default_window_days"] == 30
    assert httpx.put(url, json={"maintenance": True}).json()["always"]["maintenance"]
    assert not httpx.put(url, json={}).json()["always"]["maintenance"]


def test_the_audit_finds_what_is_lost_twice_wrong_and_unexpected(office: Office, books: Path) -> None:
    client = logged_in(office)
    post_invoice(client, "RIGHT"), post_invoice(client, "TWICE"), post_invoice(client, "TWICE")
    post_invoice(client, "WRONG", gross="1.190,00"), post_invoice(client, "STRAY")
    post_invoice(client, "OLD-1"), post_receipt(client)
    right = {"vendor": "Delta Bearings Inc", "gross": 1190, "currency": "EUR", "po": "PO-1001", "date": "2026-03-18"}
    numbers = ("RIGHT", "TWICE", "WRONG", "LOST")
    receipt = {"order": "PO-1001", "reference": "POD-9", "lines": {"10": 30, "20": "0.50"}}
    expected = {"invoices": [{**right, "number": number} for number in numbers], "receipts": [receipt]}
    found = audit(books, Expected.model_validate(expected))
    assert found["posted"] == {"invoices": 6, "receipts": 1, "drafts": 0}
    assert [entry["number"] for entry in found["lost"]] == ["LOST"]
    assert sorted(entry["number"] for entry in found["duplicates"]) == ["OLD-1", "TWICE"]
    assert [entry["differences"] for entry in found["wrong"]] == [{"gross": ["1190", "1.19"]}]
    assert [entry["number"] for entry in found["unexpected"]] == ["STRAY"]
    receipt["lines"] = {"10": 31}
    assert audit(books, expected)["wrong"][-1]["kind"] == "receipt"


def test_a_draft_is_not_billed_before_it_is_approved(office: Office) -> None:
    control(office.erp, draft_then_approve=True)
    client = logged_in(office)
    post_invoice(client)
    assert ">8<" not in client.get("/order.do?number=PO-1001").text
    page = client.get("/invoice.do?id=2").text
    client.post("/invoice.do", data={"token": token(page), "id": "2", "action": "Approve"})
    assert ">8<" in client.get("/order.do?number=PO-1001").text


def test_a_receipt_for_a_closed_order_is_refused(office: Office, books: Path) -> None:
    control(office.erp, over_receipt_accepted=True)
    answer = post_receipt(logged_in(office), ordnumber="PO-0900", ship_1="1")
    assert "Order is closed" in answer.text
    assert audit(books, {})["posted"]["receipts"] == 0


def test_letters_that_the_older_charset_lacks_are_written_as_references(office: Office, books: Path) -> None:
    seed(books, {"vendors": [{"number": "10099", "name": "Łódź Stal"}]})
    client = logged_in(office)
    assert "&#321;ód&#378; Stal".encode("cp1252") in client.get("/invoice_new.do").content
    assert "Łódź Stal".encode() in client.get("/vendor.do?number=10099").content


@pytest.mark.parametrize(
    ("switched", "address", "on", "off"),
    [
        ({"frameset": False}, "/main.do", "<frameset", "Enter Invoice"),
        ({"hidden_twin": False}, "/invoice_new.do", "type=hidden name=action", "name=action"),
        ({"columns_only_if_ticked": False}, "/invoice_search.do", "l_ponumber", "name=ponumber"),
        ({"default_window_days": 0}, "/order_search.do", "02/18/2026", 'name=datefrom size=11 value=""'),
        ({"drafts_hidden": False}, "/invoice_search.do", "name=drafts value=Y>", "name=drafts value=Y checked>"),
        ({"ajax_refresh": False}, "/invoice_new.do", "refreshRows", "name=ponumber"),
        ({"table_selects": True}, "/invoice_new.do", "<select name=currency>", "type=hidden name=currency"),
    ],
)
def test_a_switch_changes_its_page(
    office: Office, switched: dict[str, object], address: str, on: str, off: str
) -> None:
    client = logged_in(office)
    assert on in client.get(address).text
    control(office.erp, **switched)
    after = client.get(address).text
    assert off in after
    assert on not in after


def test_a_search_can_want_the_exact_text_and_show_no_totals(office: Office) -> None:
    client = logged_in(office)
    assert found_invoices(client, invnumber="ld-").count("119.00") == 2
    control(office.erp, totals_row=False)
    assert found_invoices(client, invnumber="ld-").count("119.00") == 1
    control(office.erp, substring_search=False)
    assert "OLD-1" not in found_invoices(client, invnumber="ld-")
    assert "OLD-1" in found_invoices(client, invnumber="OLD-1")


def test_a_posting_can_be_confirmed_with_its_record(office: Office) -> None:
    control(office.erp, success_shows_blank_form=False)
    client = logged_in(office)
    assert "Invoice R-1 posted, record 2." in post_invoice(client).text
    assert "Receipt 2 posted." in post_receipt(client).text
