"""The system and its session: the verbs of the contract, each handed to the module that knows its screens.

Settings (tallyman.toml, [systems.sql_ledger]):
  url              address of login.pl
  user             USER@DATASET; its language is English
  expense_account  number of the account that invoices are booked to; empty: the one that the form proposes
  tax_account      number of the tax account for amounts that fit no rate; empty: one without a rate
Secret: password.
"""

from datetime import date

from systems.sql_ledger import attachments, invoices, orders, receipts, vendors
from systems.sql_ledger.desk import Accounts, Desk
from tallyman.contracts.system import Access, Arm, Capabilities, Found, VendorQuery
from tallyman.domain.posting import DeliveryPosting, InvoicePosting
from tallyman.domain.roles import Order, PostedInvoice, Receipt, Vendor


class SqlLedgerSession:
    """One login. The program ends it when the same user logs in elsewhere."""

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
        return invoices.listed(self._desk, since)

    def find_receipt(self, *, order: str, reference: str) -> Found[Receipt]:
        return receipts.find(self._desk, order, reference)

    def post_invoice(self, posting: InvoicePosting, arm: Arm) -> None:
        invoices.post(self._desk, posting, arm)

    def confirm_delivery(self, posting: DeliveryPosting, arm: Arm) -> None:
        receipts.confirm(self._desk, posting, arm)

    def attach_document(self, *, invoice: PostedInvoice, name: str, content: bytes) -> bool:
        return attachments.attach(self._desk, invoice, name, content)


class SqlLedger:
    name = "sql_ledger"
    capabilities = Capabilities(
        title="SQL-Ledger",
        posts=True,
        duplicate_check=False,
        approval_step=False,
        attach_phase="after_post",
        delivery_number=True,
        sessions_per_user=1,
        tabs_share_state=False,  # a form carries all of its state in hidden fields
        settle_s=2.0,
        max_visibility_delay_s=330.0,  # one transaction at the end of one request; Apache ends a silent one after 300 s
    )

    def open(self, access: Access) -> SqlLedgerSession:
        """Log in. Raises LoginFailed, ConfigurationError."""
        access.check_settings("url", "user", known=("expense_account", "tax_account"))
        settings = access.settings
        accounts = Accounts(expense=settings.get("expense_account", ""), tax=settings.get("tax_account", ""))
        desk = Desk(access.tab(), settings["url"], settings["user"], accounts)
        desk.log_in(settings["user"], access.secret("password"))
        return SqlLedgerSession(desk)
