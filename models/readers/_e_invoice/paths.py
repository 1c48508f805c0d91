"""Where each field stands in CII (Factur-X, ZUGFeRD 1 and 2, XRechnung, Order-X) and in UBL.

Steps are local names: the versions differ in namespaces far more than in names. Several paths are tried in order.
`A[schemeID=VA]` asks for an attribute.
"""

Paths = dict[str, tuple[str, ...]]

_AGREEMENT = ("ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement")
_DELIVERY = ("ApplicableHeaderTradeDelivery", "ApplicableSupplyChainTradeDelivery")
_SETTLEMENT = ("ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement")
_SUMS = ("SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation")
_TRANSACTIONS = ("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
_HEADERS = ("ExchangedDocument", "HeaderExchangedDocument")


def _deal(sections: tuple[str, ...], *tails: str) -> tuple[str, ...]:
    """All old and new spellings of a path below the transaction."""
    return tuple(f"{_TRANSACTIONS[age]}/{sections[age]}/{tail}" for tail in tails for age in (0, 1))


def _header(tail: str) -> tuple[str, ...]:
    return tuple(f"{head}/{tail}" for head in _HEADERS)


def _sum(name: str) -> tuple[str, ...]:
    return tuple(f"{_TRANSACTIONS[age]}/{_SETTLEMENT[age]}/{_SUMS[age]}/{name}" for age in (0, 1))


def _cii_party(prefix: str, sections: tuple[str, ...], party: str) -> Paths:
    address = f"{party}/PostalTradeAddress"
    return {
        f"{prefix}_name": _deal(sections, f"{party}/Name"),
        f"{prefix}_street": _deal(sections, f"{address}/LineOne", f"{address}/StreetName"),
        f"{prefix}_postcode": _deal(sections, f"{address}/PostcodeCode"),
        f"{prefix}_city": _deal(sections, f"{address}/CityName"),
        f"{prefix}_country": _deal(sections, f"{address}/CountryID"),
    }


def _cii_tax(prefix: str, sections: tuple[str, ...], party: str) -> Paths:
    return {
        f"{prefix}_vat_id": _deal(sections, f"{party}/SpecifiedTaxRegistration/ID[schemeID=VA]"),
        f"{prefix}_tax_number": _deal(sections, f"{party}/SpecifiedTaxRegistration/ID[schemeID=FC]"),
    }


CII: Paths = {
    "invoice_number": _header("ID"),
    "type_code": _header("TypeCode"),
    "issue_date": _header("IssueDateTime/DateTimeString"),
    "due_date": _deal(_SETTLEMENT, "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString"),
    "purchase_order_reference": _deal(
        _AGREEMENT, "BuyerOrderReferencedDocument/IssuerAssignedID", "BuyerOrderReferencedDocument/ID"
    ),
    "despatch_advice_reference": _deal(
        _DELIVERY,
        "DespatchAdviceReferencedDocument/IssuerAssignedID",
        "DeliveryNoteReferencedDocument/IssuerAssignedID",
        "DespatchAdviceReferencedDocument/ID",
        "DeliveryNoteReferencedDocument/ID",
    ),
    "delivery_date": _deal(_DELIVERY, "ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString"),
    "preceding_invoice": _deal(
        _SETTLEMENT, "InvoiceReferencedDocument/IssuerAssignedID", "InvoiceReferencedDocument/ID"
    ),
    **_cii_party("seller", _AGREEMENT, "SellerTradeParty"),
    **_cii_party("buyer", _AGREEMENT, "BuyerTradeParty"),
    **_cii_tax("seller", _AGREEMENT, "SellerTradeParty"),
    **_cii_tax("buyer", _AGREEMENT, "BuyerTradeParty"),
    **_cii_party("ship_to", _DELIVERY, "ShipToTradeParty"),
    "iban": _deal(_SETTLEMENT, "SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID"),
    "currency": _deal(_SETTLEMENT, "InvoiceCurrencyCode", "OrderCurrencyCode"),
    "line_net_total": _sum("LineTotalAmount"),
    "net_total": _sum("TaxBasisTotalAmount"),
    "tax_total": _sum("TaxTotalAmount"),
    "gross_total": _sum("GrandTotalAmount"),
    "payable_amount": _sum("DuePayableAmount"),
}
CII_LINES = tuple(f"{deal}/IncludedSupplyChainTradeLineItem" for deal in _TRANSACTIONS)
_OLD = "SpecifiedSupplyChainTrade"
CII_LINE: Paths = {
    "line_number": ("AssociatedDocumentLineDocument/LineID",),
    "description": ("SpecifiedTradeProduct/Name",),
    "seller_item_id": ("SpecifiedTradeProduct/SellerAssignedID",),
    "quantity": (
        "SpecifiedLineTradeDelivery/BilledQuantity",
        f"{_OLD}Delivery/BilledQuantity",
        "SpecifiedLineTradeDelivery/AgreedQuantity",
        "SpecifiedLineTradeDelivery/RequestedQuantity",
    ),
    "unit_price": (
        "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",
        f"{_OLD}Agreement/NetPriceProductTradePrice/ChargeAmount",
    ),
    "total": (
        "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
        f"{_OLD}Settlement/SpecifiedTradeSettlementMonetarySummation/LineTotalAmount",
    ),
    "vat_rate": (
        "SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
        f"{_OLD}Settlement/ApplicableTradeTax/ApplicablePercent",
    ),
}


def _ubl_party(prefix: str, party: str) -> Paths:
    tax = f"{party}/PartyTaxScheme"
    return {
        f"{prefix}_name": (f"{party}/PartyLegalEntity/RegistrationName", f"{party}/PartyName/Name"),
        **_ubl_address(prefix, f"{party}/PostalAddress"),
        f"{prefix}_vat_id": (f"{tax}(VAT)/CompanyID",),
        f"{prefix}_tax_number": (f"{tax}(FC)/CompanyID", f"{tax}(TAX)/CompanyID"),
    }


def _ubl_address(prefix: str, address: str) -> Paths:
    return {
        f"{prefix}_street": (f"{address}/StreetName", f"{address}/AddressLine/Line"),
        f"{prefix}_postcode": (f"{address}/PostalZone",),
        f"{prefix}_city": (f"{address}/CityName",),
        f"{prefix}_country": (f"{address}/Country/IdentificationCode",),
    }


UBL: Paths = {
    "invoice_number": ("ID",),
    "type_code": ("InvoiceTypeCode", "CreditNoteTypeCode"),
    "issue_date": ("IssueDate",),
    "due_date": ("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"),
    "purchase_order_reference": ("OrderReference/ID",),
    "despatch_advice_reference": ("DespatchDocumentReference/ID",),
    "delivery_date": ("Delivery/ActualDeliveryDate",),
    "preceding_invoice": ("BillingReference/InvoiceDocumentReference/ID",),
    **_ubl_party("seller", "AccountingSupplierParty/Party"),
    **_ubl_party("buyer", "AccountingCustomerParty/Party"),
    "ship_to_name": ("Delivery/DeliveryParty/PartyName/Name",),
    **_ubl_address("ship_to", "Delivery/DeliveryLocation/Address"),
    "iban": ("PaymentMeans/PayeeFinancialAccount/ID",),
    "currency": ("DocumentCurrencyCode",),
    "line_net_total": ("LegalMonetaryTotal/LineExtensionAmount",),
    "net_total": ("LegalMonetaryTotal/TaxExclusiveAmount",),
    "tax_total": ("TaxTotal/TaxAmount",),
    "gross_total": ("LegalMonetaryTotal/TaxInclusiveAmount",),
    "payable_amount": ("LegalMonetaryTotal/PayableAmount",),
}
UBL_LINES = ("InvoiceLine", "CreditNoteLine")
UBL_LINE: Paths = {
    "line_number": ("ID",),
    "description": ("Item/Name", "Item/Description"),
    "seller_item_id": ("Item/SellersItemIdentification/ID",),
    "quantity": ("InvoicedQuantity", "CreditedQuantity"),
    "unit_price": ("Price/PriceAmount",),
    "total": ("LineExtensionAmount",),
    "vat_rate": ("Item/ClassifiedTaxCategory/Percent",),
}
