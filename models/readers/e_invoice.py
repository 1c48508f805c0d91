"""Exact data: the XML of Factur-X, ZUGFeRD, XRechnung and Order-X (CII), and of UBL invoices and credit notes."""

from dataclasses import dataclass

from tallyman.domain.document import UNKNOWN, Document, Problem
from tallyman.domain.page import Reading
from tallyman.domain.reasons import Reason
from tallyman.errors import Quarantined, Unreadable
from tallyman.platform.sandbox import call


@dataclass(frozen=True, kw_only=True)
class EInvoiceReader:
    name: str = "e_invoice"
    order: int = 10

    def read(self, reading: Reading) -> Document | None:
        """The document as the XML tells it, or None when there is no XML or it is of another kind."""
        if not reading.xml:
            return None
        try:
            told = call("models.readers._e_invoice.tree:document", {"xml": reading.xml})
        except Quarantined as error:
            return _nothing(Reason.QUARANTINED, str(error))
        except Unreadable as error:
            # A PDF whose XML is damaged still has its pages for other readers.
            return None if reading.pages else _nothing(Reason.UNREADABLE, str(error))
        if told is None:
            return (
                None
                if reading.pages
                else _nothing(Reason.WRONG_DOCUMENT, "The XML is no invoice, credit note or order.")
            )
        return Document.from_json(told)


def _nothing(code: str, message: str) -> Document:
    return Document(type=UNKNOWN, problems=(Problem(code=code, message=message),))


READER = EInvoiceReader()
