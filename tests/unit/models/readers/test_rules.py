"""Documents whose words are all there is."""

from collections.abc import Sequence

import pytest

from models.readers.rules import READER
from ocr.lines import RawWord, in_reading_order
from tallyman.domain.document import Document
from tallyman.domain.page import Box, Mark, MarkKind, MarkState, Page, Reading, Word, WordSource

Printed = tuple[float, float, str]

INVOICE: tuple[Printed, ...] = (
    (50, 60, "Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld"),
    (50, 90, "Papierflieger-Vertriebs-GmbH"),
    (50, 104, "Rabattstr. 25"),
    (50, 118, "34567 Osterhausen"),
    (50, 180, "RECHNUNG"),
    (50, 210, "Rechnungsnummer: 2014-03"),
    (330, 210, "Rechnungsdatum:"),
    (450, 210, "11. Juli 2014"),
    (330, 224, "Ihre Bestellnummer:"),
    (450, 224, "PO-4711"),
    (50, 270, "Pos."),
    (90, 270, "Bezeichnung"),
    (330, 270, "Menge"),
    (400, 270, "Einzelpreis"),
    (500, 270, "Betrag"),
    (50, 290, "1"),
    (90, 290, "Superdrachen mit langem"),
    (340, 290, "2"),
    (410, 290, "20,00"),
    (500, 290, "40,00"),
    (90, 302, "Schwanz, rot"),
    (50, 322, "2"),
    (90, 322, "Storch"),
    (340, 322, "1.000"),
    (410, 322, "0,96"),
    (500, 322, "960,00"),
    (330, 360, "Summe netto"),
    (495, 360, "1.000,00"),
    (330, 376, "zzgl. 19% MwSt."),
    (500, 376, "190,00"),
    (330, 392, "Gesamtbetrag"),
    (495, 392, "1.190,00 EUR"),
    (50, 780, "USt-IdNr.: DE136695976"),
    (300, 780, "IBAN DE88 2008 0000 0970 3757 00"),
)

POD: tuple[Printed, ...] = (
    (50, 40, "Zollner Spedition KG"),
    (400, 40, "Ablieferungsnachweis"),
    (50, 90, "Absender"),
    (300, 90, "Empfänger"),
    (50, 104, "Kessler Elektro e.K."),
    (300, 104, "Zollner Bedarf GmbH"),
    (50, 150, "LS-Nr.:"),
    (120, 150, "LS-2025-33402"),
    (300, 150, "Ihre Bestellung: PO-62106"),
    (50, 200, "Artikel"),
    (120, 200, "Bezeichnung"),
    (300, 200, "Einheit"),
    (360, 200, "Liefermenge"),
    (450, 200, "Empfangen"),
    (50, 220, "72046"),
    (120, 220, "Faltkarton braun"),
    (300, 220, "Stk."),
    (370, 220, "8"),
    (460, 220, "7"),
    (50, 300, "Geliefert am: 02.02.2025"),
    (300, 300, "Uhrzeit: 08:10"),
    (50, 400, "Unterschrift des Empfängers"),
)


def _page(printed: Sequence[Printed], source: WordSource = WordSource.TEXT_LAYER, confidence: float = 1.0) -> Page:
    raw = []
    for x, y, text in printed:
        at = x
        for word in text.split():
            raw.append(RawWord(text=word, x0=at, y0=y, x1=at + 5 * len(word), y1=y + 10, confidence=confidence))
            at += 5 * len(word) + 3
    return Page(number=1, width=595, height=842, words=in_reading_order(raw, 595, 842), source=source, engine="test")


def _read(page: Page) -> Document:
    document = READER.read(Reading(media_type="application/pdf", pages=(page,)))
    assert document is not None
    return document


def test_an_invoice_is_read_by_labels_and_arithmetic() -> None:
    document = _read(_page(INVOICE))
    assert document.type == "invoice"
    values = {name: field.value for name, field in document.fields.items()}
    wanted = {
        "invoice_number": "2014-03",
        "issue_date": "2014-07-11",
        "purchase_order_reference": "PO-4711",
        "seller_name": "Kraxi GmbH",
        "seller_street": "Flugzeugallee 17",
        "seller_postcode": "12345",
        "seller_city": "Papierfeld",
        "seller_vat_id": "DE136695976",
        "buyer_name": "Papierflieger-Vertriebs-GmbH",
        "buyer_city": "Osterhausen",
        "net_total": "1000.00",
        "tax_total": "190.00",
        "gross_total": "1190.00",
        "iban": "DE88200800000970375700",
        "currency": "EUR",
    }
    assert {name: values.get(name) for name in wanted} == wanted


def test_a_wrapped_description_belongs_to_the_line_above() -> None:
    first, second = _read(_page(INVOICE)).lines
    assert first["description"].value == "Superdrachen mit langem Schwanz, rot"
    assert (second["quantity"].value, second["unit_price"].value, second["total"].value) == ("1000", "0.96", "960.00")


def test_every_value_shows_where_it_stands() -> None:
    document = _read(_page(INVOICE))
    gross = document.fields["gross_total"]
    assert gross.evidence.page == 1
    assert gross.evidence.box is not None
    assert gross.evidence.box.y0 * 842 == pytest.approx(392, abs=0.1)
    assert gross.raw == "1.190,00"


def test_agreement_in_arithmetic_is_worth_more_than_a_label_alone() -> None:
    agreeing = _read(_page(INVOICE)).fields["gross_total"].confidence
    wrong = tuple((x, y, "1.195,00 EUR" if "1.190" in text else text) for x, y, text in INVOICE)
    assert agreeing >= 0.9
    assert _read(_page(wrong)).fields["gross_total"].confidence < 0.7


def test_doubtful_ocr_makes_doubtful_values() -> None:
    sure = _read(_page(INVOICE)).fields["invoice_number"].confidence
    doubtful = _read(_page(INVOICE, WordSource.OCR, 0.5)).fields["invoice_number"].confidence
    assert doubtful < 0.75 * sure


def test_a_proof_of_delivery_tells_what_was_received() -> None:
    document = _read(_page(POD))
    assert document.type == "pod"
    values = {name: field.value for name, field in document.fields.items()}
    wanted = {
        "pod_number": "LS-2025-33402",
        "purchase_order_reference": "PO-62106",
        "delivered_date": "2025-02-02",
        "delivered_time": "08:10",
        "shipper_name": "Kessler Elektro e.K.",
        "consignee_name": "Zollner Bedarf GmbH",
        "carrier_name": "Zollner Spedition KG",
    }
    assert {name: values.get(name) for name in wanted} == wanted
    (line,) = document.lines
    assert (line["shipped_quantity"].value, line["received_quantity"].value) == ("8", "7")
    assert (line["item"].value, line["unit"].value) == ("72046", "H87")


def test_a_quantity_that_a_hand_wrote_is_never_trusted() -> None:
    page = _page(POD, WordSource.OCR, 0.95)
    words = tuple(_taller(word) if word.text == "7" else word for word in page.words)
    (line,) = _read(page.model_copy(update={"words": words})).lines
    assert line["received_quantity"].confidence <= 0.5
    assert line["shipped_quantity"].confidence > 0.5


def _taller(word: Word) -> Word:
    return word.model_copy(update={"box": word.box.model_copy(update={"y1": word.box.y1 + 0.006})})


def _signed(state: MarkState, label: str = "Unterschrift des Empfängers") -> Document:
    box = Box(x0=0.1, y0=0.5, x1=0.4, y1=0.56)
    mark = Mark(kind=MarkKind.SIGNATURE, state=state, box=box, score=0.8, label=label)
    return _read(_page(POD).model_copy(update={"marks": (mark,)}))


def test_a_signature_is_present_or_unclear_as_the_ink_says() -> None:
    assert _signed(MarkState.PRESENT).text("signature") == "present"
    assert _signed(MarkState.UNCLEAR).text("signature") == "unclear"


def test_the_drivers_signature_is_not_the_receivers() -> None:
    assert _signed(MarkState.PRESENT, "Unterschrift Fahrer").text("signature") is None


def test_a_credit_note_is_told_by_its_title() -> None:
    renamed = tuple((x, y, "GUTSCHRIFT" if text == "RECHNUNG" else text) for x, y, text in INVOICE)
    assert _read(_page(renamed)).type == "credit_note"


def test_a_reference_to_a_delivery_note_makes_no_proof_of_delivery() -> None:
    assert _read(_page((*INVOICE, (330, 238, "Lieferschein:"), (450, 238, "L-87")))).type == "invoice"


def test_a_page_without_a_title_is_called_unknown() -> None:
    document = _read(_page(((50, 60, "Lorem ipsum dolor"),)))
    assert document.type == "unknown"
    assert document.problems[0].code == "WRONG_DOCUMENT"


def test_pages_without_words_are_left_to_nobody() -> None:
    assert READER.read(Reading(media_type="image/png", pages=(_page(()),))) is None


def _changed(changes: dict[str, str], *more: Printed) -> Document:
    return _read(_page((*((x, y, changes.get(text, text)) for x, y, text in INVOICE), *more)))


def test_an_amount_is_never_a_document_number() -> None:
    changes = {"Rechnungsnummer: 2014-03": "Kraxi", "Gesamtbetrag": "Invoice total:", "1.190,00 EUR": "£1,190.00"}
    document = _changed(changes)
    assert document.text("invoice_number") is None


def test_a_single_digit_is_no_order_and_the_value_below_its_label_is() -> None:
    document = _changed({"Ihre Bestellnummer:": "", "PO-4711": ""}, (50, 240, "Ihre Bestellnummer:"), (200, 240, "1"),
                        (50, 253, "PO-4550"))  # fmt: skip
    assert document.text("purchase_order_reference") == "PO-4550"


def test_a_short_code_before_a_number_belongs_to_it() -> None:
    assert _changed({"PO-4711": "BE 4711"}).text("purchase_order_reference") == "BE 4711"


def test_the_number_of_the_invoice_that_is_corrected_is_not_the_credit_notes_own() -> None:
    document = _changed({"RECHNUNG": "GUTSCHRIFT", "Rechnungsnummer: 2014-03": "Gutschriftsnummer GS-91"},
                        (50, 240, "Ursprungsrechnung RE-871"))  # fmt: skip
    assert (document.text("invoice_number"), document.text("preceding_invoice")) == ("GS-91", "RE-871")


def test_a_title_above_the_sellers_address_is_not_its_name() -> None:
    address = (
        (330, 58, "Kraxi GmbH"),
        (330, 70, "Flugzeugallee 17"),
        (330, 82, "12345 Papierfeld"),
    )
    document = _changed({"Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld": ""}, (330, 46, "Rechnung"), *address)
    assert document.text("seller_name") == "Kraxi GmbH"


def test_a_delivery_address_in_one_line_is_not_the_seller() -> None:
    at = "Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld"
    document = _changed({at: "Ship to: Papier Lager, Dock 3, 34567 Osterhausen"})
    assert document.text("ship_to_name") == "Papier Lager"
    assert document.text("seller_name") is None


def test_a_vat_id_under_a_label_of_the_customer_is_the_buyers() -> None:
    document = _changed({}, (330, 238, "Kunden-USt-ID:"), (330, 247, "DE811907980"))
    assert document.text("buyer_vat_id") == "DE811907980"
    assert document.text("seller_vat_id") == "DE136695976"


def test_a_lone_vat_id_of_another_country_than_the_account_is_rather_the_buyers() -> None:
    document = _changed({"USt-IdNr.: DE136695976": "UID: ATU13585627"})
    assert document.text("seller_vat_id") is None
    assert document.fields["buyer_vat_id"].confidence <= 0.5


def test_a_letterhead_that_begins_as_the_sellers_name_makes_it_surer() -> None:
    def sure(mark: str) -> float:
        name = (330, 58, "Kraxler Elektrotechnik GmbH")
        address = (name, (330, 70, "Flugzeugallee 17"), (330, 82, "12345 Papierfeld"))
        gone = {"Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld": ""}
        return _changed(gone, *address, (100, 30, mark)).fields["seller_name"].confidence

    assert sure("Kraxler") > sure("Kranich")
    assert sure("rechnung@kraxler-elektrotechik.example") > sure("Kranich")  # misread, as small print is


def test_a_name_does_not_speak_for_itself() -> None:
    def sure(at: str, *more: Printed) -> float:
        return (
            _changed({"Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld": at}, *more).fields["seller_name"].confidence
        )

    line = "Kranich AG · Flugzeugallee 17 · 12345 Papierfeld"
    assert sure(line) < sure(line, (500, 30, "Kranich"))


def test_lines_that_add_up_make_the_totals_nearly_certain() -> None:
    assert _read(_page(INVOICE)).fields["net_total"].confidence >= 0.975


def test_a_labelled_column_of_a_clean_proof_of_delivery_is_trusted() -> None:
    (line,) = _read(_page(POD)).lines
    assert all(line[name].confidence >= 0.9 for name in ("item", "shipped_quantity", "received_quantity"))


def test_a_time_in_the_afternoon_is_told_from_one_in_the_morning() -> None:
    changed = tuple((x, y, "Time: 1:45 pm" if "Uhrzeit" in text else text) for x, y, text in POD)
    assert _read(_page(changed)).text("delivered_time") == "13:45"
