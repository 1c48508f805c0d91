"""Checks of the vendor: who it is, what the target says of it, and where the money goes."""

from collections.abc import Iterator
from typing import Any

from stdnum import get_cc_module, iban
from stdnum.eu import vat as eu_vat

from tallyman.domain.compare import fold_number, fold_text
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Vendor
from tallyman.matching.identity import Text
from tallyman.matching.say import listed

SAME_NAME = 0.85
"""Letter pairs in common from which two names are one company, where not all words of one are in the other."""


def known(document: Document, facts: Facts) -> Iterator[Finding]:
    """The vendor is known, is the one that the document names, and is not on hold."""
    name = document.text("seller_name") or ""
    if not facts.vendors:
        yield _unknown(f"The target knows no vendor “{name}”.", acceptable=False)
        return
    if facts.vendor is None:
        names = listed(f"{vendor.name} ({vendor.number})" for vendor in facts.vendors)
        yield _unknown(f"“{name}” may be one of several vendors: {names}.", acceptable=False)
        return
    vendor = facts.vendor
    if not _is_meant(document, vendor):
        yield _unknown(f"“{name}” may not be {vendor.name} ({vendor.number}): neither name, VAT id nor account agree.")
    if vendor.on_hold:
        message = f"Vendor {vendor.name} ({vendor.number}) is on hold."
        yield Finding(reason=Reason.VENDOR_BLOCKED, message=message, field="seller_name")


def _is_meant(document: Document, vendor: Vendor) -> bool:
    vat_id, account = document.text("seller_vat_id"), document.text("iban")
    if vat_id and vendor.vat_id and fold_number(vat_id) == fold_number(vendor.vat_id):
        return True
    if account and fold_number(account) in map(fold_number, vendor.ibans):
        return True
    name = document.text("seller_name") or ""
    ours, theirs = Text.of(vendor.name), Text.of(name)
    if min(len(ours.words), len(theirs.words)) > 1 and (ours.words <= theirs.words or theirs.words <= ours.words):
        return True
    return fold_text(name) == fold_text(vendor.name) or ours.dice(theirs) >= SAME_NAME


def _unknown(message: str, *, acceptable: bool = True) -> Finding:
    """Without one vendor nothing can be keyed, so that a correction is needed, not a nod."""
    return Finding(reason=Reason.VENDOR_UNKNOWN, message=message, field="seller_name", acceptable=acceptable)


def vat_id(document: Document, facts: Facts) -> Iterator[Finding]:
    """The seller's VAT id has right check digits and is the vendor's. One as bad in the vendor master is only told."""
    text = document.text("seller_vat_id")
    if not text:
        return
    ours = facts.vendor.vat_id if facts.vendor else None
    equal = ours is not None and fold_number(ours) == fold_number(text)
    if not valid_vat_id(text):
        message = f"VAT id {text} fails its check digits{', as it does in the vendor master' if equal else ''}."
        yield Finding(
            reason=Reason.LOW_CONFIDENCE, message=message, field="seller_vat_id", actual=text, severity=_unless(equal)
        )
    if ours and not equal:
        message = f"VAT id {text} is not that of the vendor master, {ours}."
        yield Finding(reason=Reason.VENDOR_UNKNOWN, message=message, field="seller_vat_id", expected=ours, actual=text)


def valid_vat_id(text: str) -> bool:
    """By its country's check digits; True where we know no check for it. Format and sums as in python-stdnum."""
    number = fold_number(text)
    country = {"el": "gr"}.get(number[:2].lower(), number[:2].lower())
    if country in eu_vat.MEMBER_STATES or country == "gr":
        return bool(eu_vat.is_valid(number))
    module: Any = {"gb": get_cc_module("gb", "vat"), "ch": get_cc_module("ch", "uid")}.get(country)
    return module is None or bool(module.is_valid(number[:12] if country == "ch" else number))


def account(document: Document, facts: Facts) -> Iterator[Finding]:
    """The account on the document has right check digits and is one of the vendor's. Another one needs two persons."""
    text = document.text("iban")
    if not text:
        return
    ours = facts.vendor.ibans if facts.vendor else ()
    equal = fold_number(text) in map(fold_number, ours)
    if not iban.is_valid(fold_number(text)):
        message = f"IBAN {text} fails its check digits{', as it does in the vendor master' if equal else ''}."
        yield Finding(reason=Reason.LOW_CONFIDENCE, message=message, field="iban", actual=text, severity=_unless(equal))
    if ours and not equal:
        message = f"The document asks for payment to {text}; the vendor's account is {listed(ours, 'or')}."
        yield Finding(
            reason=Reason.BANK_CHANGED,
            message=message,
            field="iban",
            expected=listed(ours, "or"),
            actual=text,
            persons=2,
        )
    elif facts.vendor and not ours:
        message = f"The vendor master holds no account to compare {text} with."
        yield Finding(reason=Reason.BANK_CHANGED, message=message, field="iban", actual=text, severity=Severity.WARNING)


def currency(document: Document, facts: Facts) -> Iterator[Finding]:
    """The vendor's currency. An order that is named, or an open one in the currency that is billed, rules over it."""
    text, ours = document.text("currency"), facts.vendor.currency if facts.vendor else None
    ruled = any(order.currency and (facts.orders_named or order.currency == text) for order in facts.orders)
    if text and ours and text != ours and not ruled:
        message = f"{text} is billed; the vendor's currency is {ours}."
        yield Finding(reason=Reason.CURRENCY_MISMATCH, message=message, field="currency", expected=ours, actual=text)


def _unless(equal: bool) -> Severity:
    """The payment goes to the vendor master's account anyhow, so its own error is only told."""
    return Severity.WARNING if equal else Severity.ERROR
