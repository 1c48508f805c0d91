"""Exact fields from the XML of e-invoices."""

import pytest

from models.readers.e_invoice import READER
from tallyman.domain.document import Document
from tallyman.domain.field import Source
from tallyman.domain.page import Box, Page, Reading, Word, WordSource

CII = """<?xml version="1.0" encoding="UTF-8"?>
<r:CrossIndustryInvoice xmlns:r="urn:r" xmlns="urn:ram" xmlns:u="urn:udt">
 <ExchangedDocument><ID> RE-471102 </ID><TypeCode>{code}</TypeCode>
  <IssueDateTime><u:DateTimeString format="102">20250305</u:DateTimeString></IssueDateTime></ExchangedDocument>
 <SupplyChainTradeTransaction>
  <IncludedSupplyChainTradeLineItem>
   <AssociatedDocumentLineDocument><LineID>1</LineID></AssociatedDocumentLineDocument>
   <SpecifiedTradeProduct>
    <SellerAssignedID>TB100A4</SellerAssignedID><Name>Trennblätter A4</Name></SpecifiedTradeProduct>
   <SpecifiedLineTradeAgreement><NetPriceProductTradePrice><ChargeAmount>9.9000</ChargeAmount>
    </NetPriceProductTradePrice></SpecifiedLineTradeAgreement>
   <SpecifiedLineTradeDelivery><BilledQuantity unitCode="H87">20.0000</BilledQuantity></SpecifiedLineTradeDelivery>
   <SpecifiedLineTradeSettlement><ApplicableTradeTax>
    <RateApplicablePercent>19</RateApplicablePercent></ApplicableTradeTax>
    <SpecifiedTradeSettlementLineMonetarySummation><LineTotalAmount>198.00</LineTotalAmount>
    </SpecifiedTradeSettlementLineMonetarySummation></SpecifiedLineTradeSettlement>
  </IncludedSupplyChainTradeLineItem>
  <ApplicableHeaderTradeAgreement>
   <SellerTradeParty><Name>Lieferant GmbH</Name>
    <PostalTradeAddress><PostcodeCode>80333</PostcodeCode><LineOne>Lieferantenstraße 20</LineOne>
     <CityName>München</CityName>
     <CountryID>DE</CountryID></PostalTradeAddress>
    <SpecifiedTaxRegistration><ID schemeID="FC">201/113/40209</ID></SpecifiedTaxRegistration>
    <SpecifiedTaxRegistration><ID schemeID="VA">DE123456789</ID></SpecifiedTaxRegistration></SellerTradeParty>
   <BuyerTradeParty><Name>Kunden AG</Name></BuyerTradeParty>
   <BuyerOrderReferencedDocument><IssuerAssignedID>PO 4711</IssuerAssignedID></BuyerOrderReferencedDocument>
  </ApplicableHeaderTradeAgreement>
  <ApplicableHeaderTradeDelivery/>
  <ApplicableHeaderTradeSettlement><InvoiceCurrencyCode>EUR</InvoiceCurrencyCode>
   <SpecifiedTradeSettlementPaymentMeans><PayerPartyDebtorFinancialAccount><IBANID>DE02120300000000202051</IBANID>
    </PayerPartyDebtorFinancialAccount><PayeePartyCreditorFinancialAccount><IBANID>DE88200800000970375700</IBANID>
    </PayeePartyCreditorFinancialAccount></SpecifiedTradeSettlementPaymentMeans>
   <SpecifiedTradeSettlementHeaderMonetarySummation><LineTotalAmount>198.00</LineTotalAmount>
    <TaxBasisTotalAmount>{sign}198.00</TaxBasisTotalAmount><TaxTotalAmount currencyID="USD">41.00</TaxTotalAmount>
    <TaxTotalAmount currencyID="EUR">{sign}37.62</TaxTotalAmount><GrandTotalAmount>{sign}235.62</GrandTotalAmount>
    <DuePayableAmount>{sign}235.62</DuePayableAmount></SpecifiedTradeSettlementHeaderMonetarySummation>
  </ApplicableHeaderTradeSettlement>
 </SupplyChainTradeTransaction>
</r:CrossIndustryInvoice>"""

UBL = """<{root} xmlns="urn:oasis:{root}-2" xmlns:b="urn:cbc" xmlns:a="urn:cac">
 <b:ID>CN-9</b:ID><b:IssueDate>2025-03-05</b:IssueDate><b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
 <a:BillingReference><a:InvoiceDocumentReference><b:ID>RE-1</b:ID></a:InvoiceDocumentReference></a:BillingReference>
 <a:AccountingSupplierParty><a:Party><a:PartyName><b:Name>Trade name</b:Name></a:PartyName>
  <a:PartyTaxScheme><b:CompanyID>201/1</b:CompanyID><a:TaxScheme><b:ID>FC</b:ID></a:TaxScheme></a:PartyTaxScheme>
  <a:PartyTaxScheme><b:CompanyID>DE123456789</b:CompanyID><a:TaxScheme><b:ID>VAT</b:ID></a:TaxScheme></a:PartyTaxScheme>
  <a:PartyLegalEntity><b:RegistrationName>Lieferant GmbH</b:RegistrationName></a:PartyLegalEntity></a:Party>
 </a:AccountingSupplierParty>
 <a:TaxTotal><b:TaxAmount currencyID="EUR">1.90</b:TaxAmount></a:TaxTotal>
 <a:LegalMonetaryTotal><b:TaxInclusiveAmount currencyID="EUR">11.90</b:TaxInclusiveAmount></a:LegalMonetaryTotal>
 <a:{line}><b:ID>1</b:ID><b:{quantity} unitCode="C62">2</b:{quantity}>
  <b:LineExtensionAmount currencyID="EUR">10.00</b:LineExtensionAmount><a:Item><b:Name>Nut</b:Name></a:Item>
  <a:Price><b:PriceAmount currencyID="EUR">5.00</b:PriceAmount></a:Price></a:{line}>
</{root}>"""


def _read(xml: str, pages: tuple[Page, ...] = ()) -> Document:
    document = READER.read(Reading(media_type="application/pdf", pages=pages, xml=xml))
    assert document is not None
    return document


def _cii(code: str = "380", sign: str = "") -> str:
    return CII.format(code=code, sign=sign)


def _page(*lines: str) -> Page:
    box = Box(x0=0.1, y0=0.1, x1=0.2, y1=0.11)
    words = tuple(
        Word(text=text, box=box, confidence=1.0, line=number)
        for number, line in enumerate(lines)
        for text in line.split()
    )
    return Page(number=1, width=595, height=842, words=words, source=WordSource.TEXT_LAYER, engine="test")


def test_all_values_are_canonical_and_point_into_the_xml() -> None:
    document = _read(_cii())
    values = {name: field.value for name, field in document.fields.items()}
    assert document.type == "invoice"
    assert values["invoice_number"] == "RE-471102"
    assert values["issue_date"] == "2025-03-05"
    assert values["seller_street"] == "Lieferantenstraße 20"
    assert (values["seller_vat_id"], values["seller_tax_number"]) == ("DE123456789", "201/113/40209")
    assert values["purchase_order_reference"] == "PO 4711"
    assert values["gross_total"] == "235.62"
    assert document.exact()
    assert document.fields["issue_date"].raw == "20250305"
    assert document.fields["issue_date"].source is Source.E_INVOICE
    assert "DateTimeString" in (document.fields["issue_date"].evidence.path or "")


def test_a_line_has_its_quantity_unit_price_and_rate() -> None:
    (line,) = _read(_cii()).lines
    values = {name: field.value for name, field in line.items()}
    assert values == {
        "line_number": "1",
        "description": "Trennblätter A4",
        "seller_item_id": "TB100A4",
        "quantity": "20.0000",
        "unit": "H87",
        "unit_price": "9.9000",
        "total": "198.00",
        "vat_rate": "19",
    }


def test_the_account_is_the_sellers_not_the_one_that_is_debited() -> None:
    assert _read(_cii()).text("iban") == "DE88200800000970375700"


def test_vat_is_taken_in_the_currency_of_the_invoice() -> None:
    assert _read(_cii()).text("tax_total") == "37.62"


@pytest.mark.parametrize(
    ("code", "sign", "kind"),
    [
        ("380", "", "invoice"),
        ("751", "", "invoice"),
        ("384", "", "invoice"),
        ("384", "-", "credit_note"),
        ("380", "-", "credit_note"),
        ("381", "", "credit_note"),
        ("396", "", "credit_note"),
    ],
)
def test_what_gives_money_back_is_a_credit_note(code: str, sign: str, kind: str) -> None:
    assert _read(_cii(code, sign)).type == kind


def test_an_order_x_is_an_order() -> None:
    xml = _cii("220").replace("CrossIndustryInvoice", "SCRDMCCBDACIOMessageStructure")
    assert _read(xml).type == "order"


def test_a_ubl_invoice_is_read() -> None:
    document = _read(UBL.format(root="Invoice", line="InvoiceLine", quantity="InvoicedQuantity"))
    assert document.type == "invoice"
    assert document.text("seller_name") == "Lieferant GmbH"
    assert (document.text("seller_vat_id"), document.text("seller_tax_number")) == ("DE123456789", "201/1")
    assert document.text("gross_total") == "11.90"
    assert {name: field.value for name, field in document.lines[0].items()}["unit_price"] == "5.00"


def test_a_ubl_credit_note_names_the_invoice_it_corrects() -> None:
    document = _read(UBL.format(root="CreditNote", line="CreditNoteLine", quantity="CreditedQuantity"))
    assert document.type == "credit_note"
    assert document.text("preceding_invoice") == "RE-1"
    assert document.lines[0]["quantity"].value == "2"


def test_a_doctype_sets_the_file_aside() -> None:
    xml = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]>' + _cii().split("?>", 1)[1]
    document = _read(xml)
    assert not document.fields
    assert document.problems[0].code == "QUARANTINED"


def test_xml_that_is_no_invoice_leaves_the_pages_to_other_readers() -> None:
    reading = Reading(media_type="application/pdf", pages=(_page("Rechnung"),), xml="<other/>")
    assert READER.read(reading) is None
