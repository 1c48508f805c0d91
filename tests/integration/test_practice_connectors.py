"""Our connectors at the practice office, which runs as a process of its own with its habits and faults."""

import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from systems.practice_erp import SYSTEM
from systems.practice_erp.system import PracticeErpSession
from tallyman.browser.screen import Screen
from tallyman.browser.session import SessionThread
from tallyman.contracts.system import Erp, Found, VendorQuery
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import PostedInvoice
from tallyman.errors import (
    LoginFailed,
    PageChanged,
    ReadBackDiffers,
    Rejected,
    SessionLost,
    SystemDown,
    TechnicalError,
)
from tests.office import CountedPermit, RunningOffice, arming, office

__all__ = ["office"]  # the fixture

pytestmark = pytest.mark.slow

LINES = (
    {"order_line": 10, "description": "Bolt M8, größer", "quantity": "4", "unit_price": "1.255", "net": "5.02"},
    {"order_line": 20, "description": "Nut", "quantity": "0.5", "unit_price": "2", "net": "1.00"},
    {"description": "Fracht", "quantity": "1", "unit_price": "1228.54", "net": "1228.54"},
    {"description": "Verpackung", "quantity": "1", "unit_price": "0", "net": "0"},
)


@pytest.fixture(scope="module")
def session(office: RunningOffice) -> Iterator[SessionThread]:
    thread = office.session("practice_erp")
    yield thread
    thread.close()


@pytest.fixture
def erp(office: RunningOffice, session: SessionThread) -> Iterator[SessionThread]:
    """The ERP's session; whatever a test switches is put back."""
    yield session
    office.reset()


def invoice(number: str, **changes: object) -> InvoicePosting:
    values: dict[str, object] = {
        "reference": f"TM-{number}",
        "vendor": "10073",
        "vendor_name": "as the document says",
        "number": number,
        "issue_date": date(2026, 3, 4),
        "due_date": date(2026, 4, 5),
        "order": "PO-1001",
        "currency": "EUR",
        "net": Decimal("1234.56"),
        "tax": Decimal("234.57"),
        "gross": Decimal("1469.13"),
    }
    return InvoicePosting.model_validate(values | changes)


def post(erp: SessionThread, posting: InvoicePosting | DeliveryPosting, permit: CountedPermit | None = None) -> float:
    """Seconds that it took. Raises what the verb raises."""
    arm = arming(posting, permit or CountedPermit())
    started = time.monotonic()
    if isinstance(posting, InvoicePosting):
        erp.call(lambda use: use.post_invoice(posting, arm))
    else:
        erp.call(lambda use: use.confirm_delivery(posting, arm))
    return time.monotonic() - started


def found(erp: SessionThread, number: str, vendor: str = "10073") -> tuple[PostedInvoice, ...]:
    answer: Found[PostedInvoice] = erp.call(lambda use: use.find_invoice(vendor=vendor, number=number))
    assert answer.complete
    return answer.items


# -- what is found


def test_a_vendor_is_found_by_its_vat_id_which_no_screen_can_search(erp: SessionThread) -> None:
    answer = erp.call(lambda use: use.find_vendor(VendorQuery(vat_id="DE 136695976", name="unknown")))
    assert answer.complete
    (vendor,) = answer.items
    assert (vendor.number, vendor.name) == ("10073", 'Müller & Söhne "Lager" GmbH')
    assert (vendor.ibans, vendor.postcode, vendor.city) == (("DE89370400440532013000",), "20457", "Hamburg")


def test_a_vendor_is_found_by_its_name_however_it_is_written(erp: SessionThread) -> None:
    (vendor,) = erp.call(lambda use: use.find_vendor(VendorQuery(name="DELTA BEARINGS, Ltd."))).items
    assert (vendor.number, vendor.on_hold) == ("10075", True)


def test_a_vendor_that_is_not_there_is_not_found(erp: SessionThread) -> None:
    answer = erp.call(lambda use: use.find_vendor(VendorQuery(name="Delta", iban="DE02120300000000202051")))
    assert (answer.items, answer.complete) == ((), True)


@pytest.mark.parametrize("number", ["po 1001", "ab77"])
def test_an_order_is_found_by_its_number_or_by_the_vendors_reference(erp: SessionThread, number: str) -> None:
    answer = erp.call(lambda use: use.find_purchase_order(number=number))
    (order,) = answer.items
    assert answer.complete
    assert (order.number, order.vendor, order.currency, order.closed) == ("PO-1001", "10073", "EUR", False)
    assert [(line.line, line.ordered, line.unit_price) for line in order.lines] == [
        (10, Decimal(100), Decimal("1.255")),
        (20, Decimal("50.5"), Decimal(2)),
    ]


def test_a_closed_order_of_last_year_is_found_and_known_to_be_closed(erp: SessionThread) -> None:
    (order,) = erp.call(lambda use: use.find_purchase_order(number="PO-0900")).items
    assert order.closed


def test_a_part_of_an_order_number_finds_nothing(erp: SessionThread) -> None:
    assert erp.call(lambda use: use.find_purchase_order(number="PO-1")).items == ()


def test_the_open_orders_of_a_vendor_are_found(erp: SessionThread) -> None:
    orders = erp.call(lambda use: use.find_purchase_order(vendor="10073")).items
    assert [order.number for order in orders] == ["PO-1001"]
    assert erp.call(lambda use: use.find_purchase_order(vendor="10074")).items == ()


def test_an_invoice_from_before_the_screens_date_window_is_found(erp: SessionThread) -> None:
    (old,) = found(erp, "old 1", "10074")
    assert (old.number, old.date, old.currency, old.gross) == ("OLD-1", date(2026, 1, 5), "USD", Decimal(119))


def test_an_invoice_of_another_vendor_is_not_found(erp: SessionThread) -> None:
    assert found(erp, "OLD-1", "10075") == ()


def report(erp: SessionThread, since: date) -> Found[PostedInvoice]:
    answer: Found[PostedInvoice] = erp.call(lambda use: use.list_invoices(since=since))
    return answer


def test_the_report_shows_every_record_as_a_search_does_drafts_and_duplicates_too(
    office: RunningOffice, erp: SessionThread
) -> None:
    for number, vendor in (("REP-1", "10073"), ("REP-1", "10073"), ("REP-2", "10074")):
        post(erp, invoice(number, vendor=vendor, issue_date=date(2026, 3, 17), order=None, credit=vendor == "10074"))
    office.change("erp", draft_then_approve=True)
    post(erp, invoice("REP-3", issue_date=date(2026, 3, 18)))
    answer = report(erp, date(2026, 3, 17))
    assert answer.complete
    mine = [one for one in answer.items if one.number.startswith("REP-")]
    searched = [*found(erp, "REP-1"), *found(erp, "REP-2", "10074"), *found(erp, "REP-3")]
    assert mine == searched
    assert [one.state for one in mine] == ["posted", "posted", "posted", "draft"]
    assert all(one.date is not None and one.date >= date(2026, 3, 17) for one in answer.items)
    assert {one.number for one in report(erp, date(2026, 3, 18)).items} & {"REP-1", "REP-3"} == {"REP-3"}


def test_a_german_report_is_read_in_german(office: RunningOffice, erp: SessionThread) -> None:
    post(erp, invoice("REP-DE", issue_date=date(2026, 3, 11)))
    erp.discard()
    office.change("erp", language="de")
    german = office.session("practice_erp", language="de")
    try:
        (one,) = [one for one in report(german, date(2026, 3, 11)).items if one.number == "REP-DE"]
        assert (one.gross, one.date) == (Decimal("1469.13"), date(2026, 3, 11))
    finally:
        german.close()


def test_a_report_of_which_a_row_was_not_read_says_that_it_is_not_complete(
    erp: SessionThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Screen.rows
    monkeypatch.setattr(Screen, "rows", lambda screen, table: read(screen, table)[1:])
    assert not report(erp, date(2025, 1, 1)).complete


# -- what is posted


def test_an_invoice_is_posted_as_it_was_keyed(erp: SessionThread) -> None:
    permit = CountedPermit()
    post(erp, invoice("RE-2026/1", lines=LINES), permit)
    assert permit.spent == 1
    (one,) = found(erp, "re 2026 1")
    assert (one.number, one.gross, one.net, one.currency) == (
        "RE-2026/1",
        Decimal("1469.13"),
        Decimal("1234.56"),
        "EUR",
    )
    assert (one.order, one.reference, one.date) == ("PO-1001", "TM-RE-2026/1", date(2026, 3, 4))
    (order,) = erp.call(lambda use: use.find_purchase_order(number="PO-1001")).items
    assert [line.billed for line in order.lines] == [Decimal(4), Decimal("0.5")]


def test_a_credit_note_has_negative_amounts(erp: SessionThread) -> None:
    post(erp, invoice("G-1", credit=True, order=None, due_date=None))
    (one,) = found(erp, "G-1")
    assert (one.gross, one.order) == (Decimal("-1469.13"), None)


def test_a_currency_that_is_not_the_vendors_is_chosen(erp: SessionThread) -> None:
    post(erp, invoice("CHF-1", currency="CHF"))
    assert found(erp, "CHF-1")[0].currency == "CHF"


def test_a_currency_that_the_screen_does_not_offer_is_refused(erp: SessionThread) -> None:
    with pytest.raises(Rejected) as refused:
        post(erp, invoice("JPY-1", currency="JPY"))
    assert refused.value.reason is Reason.CURRENCY_MISMATCH


def test_nothing_is_clicked_when_the_screen_shows_another_value(erp: SessionThread) -> None:
    keyed, meant, permit = invoice("W-1"), invoice("W-1", gross=Decimal("1469.14")), CountedPermit()
    with pytest.raises(ReadBackDiffers, match="gross"):
        erp.call(lambda use: use.post_invoice(keyed, arming(meant, permit)))
    assert permit.spent == 0
    assert found(erp, "W-1") == ()


def test_letters_that_the_screens_charset_lacks_are_not_posted_spoilt(erp: SessionThread) -> None:
    with pytest.raises(ReadBackDiffers, match="number"):
        post(erp, invoice("Ł-1"))
    assert found(erp, "Ł-1") == ()


@pytest.mark.parametrize("pick", ["codes", "text", "popup"])
def test_the_vendor_is_chosen_whichever_way_the_screen_offers(
    office: RunningOffice, erp: SessionThread, pick: str
) -> None:
    office.change("erp", vendor_pick=pick)
    post(erp, invoice(f"P-{pick}", vendor="10074", currency="USD", order=None))
    assert len(found(erp, f"P-{pick}", "10074")) == 1


def test_a_draft_is_found_as_one(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", draft_then_approve=True)
    post(erp, invoice("D-1"))
    assert [one.state for one in found(erp, "D-1")] == ["draft"]


def test_both_of_two_equal_records_are_found(erp: SessionThread) -> None:
    post(erp, invoice("TWICE-1"))
    post(erp, invoice("TWICE-1"))
    assert len({one.record for one in found(erp, "twice1")}) == 2


QUIRKS: list[dict[str, Any]] = [
    {"ids_renamed": True, "half_rendered_s": 0.3, "hidden_twin": False},
    {"ajax_refresh": False, "mixed_charset": False, "secrets_in_urls": False, "token_per_page": False},
    {"columns_only_if_ticked": False, "totals_row": False, "substring_search": False, "drafts_hidden": False},
    {"default_window_days": 0, "success_shows_blank_form": False, "js_error_on_every_page": False},
    {"ajax_delay_s": 3.0, "date_format": "yyyy-mm-dd", "slow_s": 0.1},
    {"popup_dialog": "confirm"},
    {"popup_dialog": "alert"},
    {"popup_dialog": "alert_on_load"},
]


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: ",".join(quirk))
def test_an_invoice_is_posted_once_whatever_habits_the_screens_have(
    office: RunningOffice, erp: SessionThread, quirk: dict[str, Any]
) -> None:
    office.change("erp", **quirk)
    if "date_format" in quirk:
        erp.discard()  # the pattern is learnt at login
    number = f"Q-{QUIRKS.index(quirk)}"
    assert found(erp, number) == ()
    post(erp, invoice(number, lines=LINES))
    assert [one.gross for one in found(erp, number)] == [Decimal("1469.13")]
    if "date_format" in quirk:
        erp.discard()


def test_a_german_screen_is_keyed_in_german(office: RunningOffice, erp: SessionThread) -> None:
    erp.discard()
    office.change("erp", language="de")
    german = office.session("practice_erp", language="de")
    try:
        post(german, invoice("DE-1", lines=LINES))
        assert [(one.gross, one.date) for one in found(german, "DE-1")] == [(Decimal("1469.13"), date(2026, 3, 4))]
    finally:
        german.close()


def test_nothing_is_keyed_when_the_screens_write_numbers_otherwise(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", language="de", date_format="mm/dd/yyyy")
    erp.discard()
    permit = CountedPermit()
    with pytest.raises(PageChanged, match="language"):
        post(erp, invoice("DE-2"), permit)
    assert permit.spent == 0
    erp.discard()


# -- what goes wrong


def test_a_record_that_is_visible_late_is_found_within_the_declared_time(
    office: RunningOffice, erp: SessionThread
) -> None:
    delay = SYSTEM.capabilities.max_visibility_delay_s
    assert delay is not None
    office.change("erp", late_visibility_s=2.5)
    post(erp, invoice("LATE-1"))
    assert found(erp, "LATE-1") == ()
    time.sleep(delay)
    assert len(found(erp, "LATE-1")) == 1


REFUSALS: list[tuple[dict[str, Any], Reason]] = [
    ({"record_locked_by_other": True}, Reason.RECORD_LOCKED),
    ({"record_changed_by_other": True}, Reason.RECORD_LOCKED),
    ({"period_closed_before": "2026-03-10"}, Reason.PERIOD_CLOSED),
]


@pytest.mark.parametrize(("trait", "reason"), REFUSALS, ids=[next(iter(trait)) for trait, _ in REFUSALS])
def test_a_clear_refusal_is_told_as_one(
    office: RunningOffice, erp: SessionThread, trait: dict[str, Any], reason: Reason
) -> None:
    office.change("erp", **trait)
    with pytest.raises(Rejected) as refused:
        post(erp, invoice(f"NO-{reason}"))
    assert refused.value.reason is reason
    assert found(erp, f"NO-{reason}") == ()


def test_a_number_that_the_target_refuses_to_take_twice_is_told(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", duplicate_numbers_accepted=False)
    with pytest.raises(Rejected) as refused:
        post(erp, invoice("OLD-1", vendor="10074", currency="USD"))
    assert refused.value.reason is Reason.DUPLICATE_SUSPECTED


FAULTS: list[tuple[str, int]] = [
    ("lost_answer", 1),
    ("lost_answer_after_headers", 1),
    ("http_500_after_store", 1),
    ("http_500_before_store", 0),
]


@pytest.mark.parametrize(("fault", "stored"), FAULTS)
def test_a_fault_after_the_click_is_technical_and_stores_no_second_record(
    office: RunningOffice, erp: SessionThread, fault: str, stored: int
) -> None:
    office.change("erp", **{fault: True}, for_next=1)
    permit = CountedPermit()
    with pytest.raises(TechnicalError):
        post(erp, invoice(f"F-{fault}"), permit)
    assert permit.spent == 1
    assert len(found(erp, f"F-{fault}")) == stored


def test_an_error_page_although_it_was_stored_says_nothing(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", error_page_although_stored=True)
    post(erp, invoice("PRN-1"))
    assert len(found(erp, "PRN-1")) == 1


def test_a_lost_session_is_seen_soon_and_the_next_call_logs_in_again(office: RunningOffice, erp: SessionThread) -> None:
    found(erp, "X")
    office.expire("erp")
    started = time.monotonic()
    with pytest.raises(SessionLost):
        found(erp, "X")
    assert time.monotonic() - started < 8
    assert found(erp, "X") == ()


def test_a_screen_whose_fields_were_renamed_is_not_guessed_at(office: RunningOffice, erp: SessionThread) -> None:
    found(erp, "X")
    office.change("erp", fields_renamed=True)
    permit = CountedPermit()
    erp.call(lambda use: setattr(use._desk.tab, "timeout_ms", 1000))
    with pytest.raises(PageChanged):
        post(erp, invoice("REN-1"), permit)
    assert permit.spent == 0
    erp.discard()


def test_a_refused_password_is_told_with_the_systems_words(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", drop_password=True)
    other = office.session("practice_erp")
    try:
        with pytest.raises(LoginFailed, match="Invalid user name or password"):
            other.call(lambda use: None)
    finally:
        other.close()
    office.expire("erp")


def test_a_system_in_maintenance_is_down(office: RunningOffice, erp: SessionThread) -> None:
    office.change("erp", maintenance=True)
    with pytest.raises(SystemDown):
        found(erp, "X")


# -- deliveries


def delivery(number: str, **changes: object) -> DeliveryPosting:
    values: dict[str, object] = {
        "reference": f"TM-{number}",
        "order": "PO-1001",
        "vendor": "10073",
        "delivery_number": number,
        "delivered": date(2026, 3, 19),
        "lines": {10: Decimal(3), 20: Decimal("0.5")},
    }
    return DeliveryPosting.model_validate(values | changes)


def test_a_delivery_is_received_and_found_by_its_reference(erp: SessionThread) -> None:
    permit = CountedPermit()
    post(erp, delivery("LS 77/a"), permit)
    assert permit.spent == 1
    answer = erp.call(lambda use: use.find_receipt(order="PO-1001", reference="ls77A"))
    (receipt,) = answer.items
    assert (answer.complete, receipt.order, receipt.date) == (True, "PO-1001", date(2026, 3, 19))
    assert receipt.lines == {10: Decimal(3), 20: Decimal("0.5")}
    assert erp.call(lambda use: use.find_receipt(order="PO-1001", reference="LS 77")).items == ()


def test_a_line_that_received_nothing_is_left_empty(erp: SessionThread) -> None:
    post(erp, delivery("LS 78", lines={10: Decimal(0), 20: Decimal(1)}))
    (receipt,) = erp.call(lambda use: use.find_receipt(order="PO-1001", reference="LS 78")).items
    assert receipt.lines == {20: Decimal(1)}


NOT_RECEIVED: list[tuple[dict[str, object], Reason]] = [
    ({"lines": {20: Decimal(51)}}, Reason.RECEIVED_NOT_ORDERED),
    ({"lines": {30: Decimal(1)}}, Reason.RECEIVED_NOT_ORDERED),
    ({"order": "PO-0900", "lines": {1: Decimal(1)}}, Reason.ORDER_CLOSED),
    ({"order": "PO-77", "lines": {1: Decimal(1)}}, Reason.NO_ORDER),
]


@pytest.mark.parametrize(("changes", "reason"), NOT_RECEIVED, ids=lambda value: str(value)[:30])
def test_a_delivery_that_the_order_has_no_room_for_is_refused_before_the_click(
    erp: SessionThread, changes: dict[str, object], reason: Reason
) -> None:
    permit = CountedPermit()
    with pytest.raises(Rejected) as refused:
        post(erp, delivery("LS 80", **changes), permit)
    assert (refused.value.reason, permit.spent) == (reason, 0)


# -- files


def attach(erp: SessionThread, to: PostedInvoice, name: str) -> bool:
    attached: bool = erp.call(lambda use: use.attach_document(invoice=to, name=name, content=b"%PDF-1.4 test"))
    return attached


def test_a_file_is_attached_once_through_the_window(office: RunningOffice, erp: SessionThread) -> None:
    (old,) = found(erp, "OLD-1", "10074")
    assert not attach(erp, old, "Beleg ä.pdf")  # this office takes files on entry only
    office.change("erp", attach_phase="after_post")
    assert attach(erp, old, "Beleg ä.pdf")
    assert attach(erp, old, "Beleg ä.pdf")
    assert not attach(erp, old, "another.pdf")  # there is room for one


# -- portals


@pytest.fixture
def source(office: RunningOffice) -> Iterator[Callable[[str], SessionThread]]:
    opened: list[SessionThread] = []

    def open_source(name: str) -> SessionThread:
        opened.append(office.session(name))
        return opened[-1]

    yield open_source
    for thread in opened:
        thread.close()
    office.reset()


def test_the_carriers_proofs_are_listed_from_all_pages(source: Callable[[str], SessionThread]) -> None:
    carrier = source("practice_carrier")
    offers = carrier.call(lambda use: use.list_documents())
    assert [offer.key for offer in offers] == ["TN900"]  # the others were not scanned yet
    assert len(carrier.call(lambda use: use._rows())) == 23
    assert carrier.call(lambda use: use.fetch(offers[0])).startswith(b"%PDF")


def test_the_suppliers_invoices_of_all_dates_are_listed(source: Callable[[str], SessionThread]) -> None:
    supplier = source("practice_supplier")
    offers = supplier.call(lambda use: use.list_documents())
    assert [offer.name for offer in offers] == ["R-12.pdf", "R-77.pdf"]
    assert len({offer.key for offer in offers}) == 2
    assert supplier.call(lambda use: use.fetch(offers[0])).startswith(b"%PDF")


PORTALS = ["practice_carrier", "practice_supplier"]


@pytest.mark.parametrize("name", PORTALS)
def test_a_portal_in_maintenance_is_down_and_a_lost_session_is_told(
    office: RunningOffice, source: Callable[[str], SessionThread], name: str
) -> None:
    portal, system = source(name), name.removeprefix("practice_")
    offers = portal.call(lambda use: use.list_documents())
    office.change(system, truncated_download=True)
    with pytest.raises(TechnicalError):
        portal.call(lambda use: use.fetch(offers[0]))
    office.reset()
    portal.call(lambda use: use.list_documents())
    office.expire(system)
    with pytest.raises(SessionLost):
        portal.call(lambda use: use.fetch(offers[0]))
    office.change(system, maintenance=True)
    with pytest.raises(SystemDown):
        portal.call(lambda use: use.list_documents())


@pytest.mark.parametrize("name", PORTALS)
def test_a_portal_that_refuses_the_password_is_asked_once(
    office: RunningOffice, source: Callable[[str], SessionThread], name: str
) -> None:
    office.change(name.removeprefix("practice_"), drop_password=True)
    portal = source(name)
    for _ in range(2):
        with pytest.raises(LoginFailed, match="Invalid user name"):
            portal.call(lambda use: use.list_documents())


def test_the_session_keeps_the_contract_of_an_erp() -> None:
    assert issubclass(PracticeErpSession, Erp)
