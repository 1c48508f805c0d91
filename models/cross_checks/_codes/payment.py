"""Payment codes: EPC 069-12 (SEPA credit transfer, GiroCode) and the Swiss QR-bill."""

import re
from decimal import Decimal

from stdnum import iban, iso11649
from stdnum.ch import esr

from tallyman.domain.base import Value

_AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,2})?")
_MOST_NAME = 70
_MOST_TEXT = 140


class Payment(Value):
    """What a payment code asks for. `amount` is None where the payer fills it in; `reference` is the structured one
    or the text for the payee, in capitals only where its kind says so."""

    payee: str
    iban: str
    amount: Decimal | None = None
    currency: str = "EUR"
    reference: str = ""


def payment_of(text: str) -> Payment | None:
    """The payment that a code asks for, or None where it is no payment code or breaks its own rules.

    An account or a reference whose check digits fail makes the whole code worthless: it is not believed in parts.
    """
    rows = [row.strip() for row in text.split("\n")]
    if rows[0] == "BCD":
        return _epc(rows)
    return _swiss(rows) if rows[0] == "SPC" else None


def _epc(rows: list[str]) -> Payment | None:
    """Service tag, version, character set, SCT, BIC, name, IBAN, amount, purpose, reference, text, information.

    EPC069-12 version 3.1: rows after the amount may be missing; reference (ISO 11649) and text exclude each other.
    """
    _, version, characters, service, _, name, account, amount, _, reference, text, *_ = (*rows, *[""] * 11)
    sized = re.fullmatch(rf"EUR({_AMOUNT.pattern})", amount) if amount else None
    if version not in ("001", "002") or not characters.isdigit() or service != "SCT" or (amount and sized is None):
        return None
    if not name or not iban.is_valid(account) or (reference and not _reference_holds(reference)):
        return None
    return Payment(
        payee=name[:_MOST_NAME],
        iban=iban.compact(account),
        amount=Decimal(sized[1]) if sized else None,
        reference=(reference or text)[:_MOST_TEXT],
    )


def _reference_holds(reference: str) -> bool:
    """A creditor reference by its check digits; what national schemes put there has none that we could prove."""
    return not reference.upper().startswith("RF") or bool(iso11649.is_valid(reference))


def _swiss(rows: list[str]) -> Payment | None:
    """31 rows and more, by the Swiss Implementation Guidelines for the QR-bill, 2.2 and 2.3.

    A QR-IBAN (institution 30000 to 31999) goes with a QR reference, another IBAN with a creditor reference or none.
    """
    if len(rows) < 31 or not re.fullmatch(r"02\d\d", rows[1]) or rows[2] != "1" or rows[30] != "EPD":
        return None
    account, name, amount, currency, kind, reference, text = (
        rows[3], rows[5], rows[18], rows[19], rows[27], rows[28], rows[29],
    )  # fmt: skip
    if not iban.is_valid(account) or account[:2].upper() not in ("CH", "LI") or currency not in ("CHF", "EUR"):
        return None
    by_qr = "30000" <= iban.compact(account)[4:9] <= "31999"
    proven = {
        "QRR": by_qr and len(reference) == 27 and esr.is_valid(reference),
        "SCOR": not by_qr and iso11649.is_valid(reference),
        "NON": not by_qr and not reference,
    }
    if not proven.get(kind) or not name or (amount and not _AMOUNT.fullmatch(amount)):
        return None
    return Payment(
        payee=name[:_MOST_NAME],
        iban=iban.compact(account),
        amount=Decimal(amount) if amount else None,
        currency=currency,
        reference=(reference or text)[:_MOST_TEXT],
    )
