"""The system and its session: the verbs of the contract, each handed to the module that knows its screens.

Settings (tallyman.toml, [systems.practice_erp]):
  url       address of the ERP
  user      the clerk's login
  language  how its screens write numbers: "en" (the default) 1,234.56 or "de" 1.234,56
Secret: password.
"""

from datetime import date

from systems.practice_erp import attachments, invoices, orders, receipts, reports, vendors
from systems.practice_erp.desk import Desk
from tallyman.contracts.system import Access, Arm, Capabilities, Found, VendorQuery
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor


class PracticeErpSession:
    """One login. A second login of the same user ends it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def close(self) -> None:
        self._desk.log_out()

    def find_vendor(self, query: VendorQuery) -> Found[Vendor]:
        return vendors.find(self._desk, query)

    def find_purchase_order(self, *, number: str | None = None, vendor: str | None = None) -> Found[Order]:
        return orders.find(self._desk, number, vendor)

    def find_invoice(self, *, vendor: str, number: str) -> Found[PostedInvoice]:
        return invoices.find(self._desk, vendor, number)

    def list_invoices(self, *, since: date) -> Found[PostedInvoice]:
        return reports.invoices(self._desk, since)

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        return receipts.find(self._desk, order, reference)

    def post_invoice(self, posting: InvoicePosting, arm: Arm) -> None:
        invoices.post(self._desk, posting, arm)

    def confirm_delivery(self, posting: DeliveryPosting, arm: Arm) -> None:
        receipts.confirm(self._desk, posting, arm)

    def attach_document(self, *, invoice: PostedInvoice, name: str, content: bytes) -> bool:
        return attachments.attach(self._desk, invoice, name, content)


class PracticeErp:
    name = "practice_erp"
    capabilities = Capabilities(
        title="Meridian Merchant (practice)",
        posts=True,
        duplicate_check=False,
        approval_step=False,
        attach_phase="after_post",
        delivery_number=True,
        sessions_per_user=1,
        tabs_share_state=True,
        settle_s=1.0,
        max_visibility_delay_s=3.0,
        date_pattern="%m/%d/%Y",
        encoding="windows-1252",  # of the invoice screens
    )

    def open(self, access: Access) -> PracticeErpSession:
        """Log in. Raises LoginFailed, ConfigurationError."""
        access.check_settings("url", "user", known=("language",))
        settings = access.settings
        desk = Desk(access.tab(), settings["url"], settings.get("language", "en"))
        desk.log_in(settings["user"], access.secret("password"))
        return PracticeErpSession(desk)
