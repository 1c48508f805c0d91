"""The check of invoices and credit notes."""

from collections.abc import Iterator, Sequence

from models.documents import common_checks, common_money, common_party
from tallyman.domain.compare import fold_number
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.field import FieldSpec, Source
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.matching.problems import problem_findings
from tallyman.matching.roles import date_of, number_of

KEYED = (
    "invoice_number",
    "issue_date",
    "due_date",
    "purchase_order_reference",
    "preceding_invoice",
    "seller_name",
    "iban",
    "currency",
    "net_total",
    "tax_total",
    "gross_total",
)
KEYED_IN_LINES = tuple((name, common_checks.LINE_CONFIDENCE) for name in ("quantity", "unit_price", "total"))


def check_billing(
    document: Document, facts: Facts, fields: Sequence[FieldSpec], line_fields: Sequence[FieldSpec]
) -> list[Finding]:
    """Everything that can be said of an invoice or a credit note without its orders.

    The first error is what a person is told first: whether the document can be believed, then whether it is a
    duplicate, since little else matters where it is one.
    """
    gross = number_of(document.fields.get("gross_total"))
    number, day = document.text("invoice_number") or "", date_of(document.fields.get("issue_date"))
    vendor = facts.vendor.number if facts.vendor else None
    return [
        *problem_findings(document, layout_confirmed=facts.layout_confirmed),
        *common_checks.posted_before(facts, number, gross),
        *common_checks.seen_before(facts, number, vendor, gross, day),
        *common_checks.missing(document, fields),
        *common_checks.missing_in_lines(document, line_fields),
        *common_money.amounts(document),
        *common_money.lines(document),
        *common_money.tax(document),
        *_dates(document, facts),
        *common_party.known(document, facts),
        *common_party.vat_id(document, facts),
        *common_party.account(document, facts),
        *common_party.currency(document, facts),
        *common_checks.whole_search(facts),
        *common_checks.trusted(document, facts, KEYED, KEYED_IN_LINES, _corroborated(document, facts)),
    ]


def _corroborated(document: Document, facts: Facts) -> set[str]:
    """Header fields that the target's records or the document's own arithmetic give as well."""
    found = set()
    if facts.vendor is not None:
        found.add("seller_name")
        if fold_number(document.text("iban") or "") in map(fold_number, facts.vendor.ibans):
            found.add("iban")
        if document.text("currency") == facts.vendor.currency:
            found.add("currency")
    if common_checks.orders_known(document, facts):
        found.add("purchase_order_reference")
    found |= _by_payment_code(document)
    if document.lines and not any((*common_money.amounts(document), *common_money.lines(document))):
        found |= {"net_total", "tax_total", "gross_total"}
    return found


def _by_payment_code(document: Document) -> set[str]:
    """A gross total that the payment code asks for as well."""
    paid, gross = document.fields.get("payable_amount"), document.fields.get("gross_total")
    if paid is None or gross is None or paid.source is not Source.BARCODE:
        return set()
    return {"gross_total"} if number_of(paid) == number_of(gross) else set()


def _dates(document: Document, facts: Facts) -> Iterator[Finding]:
    issued, due = (date_of(document.fields.get(name)) for name in ("issue_date", "due_date"))
    yield from common_checks.plausible("issue_date", issued, facts.today, "The date")
    if issued and due and due < issued:
        message = f"The document is due on {due}, before its date {issued}."
        yield Finding(
            reason=Reason.DATE_IMPLAUSIBLE, message=message, field="due_date", expected=str(issued), actual=str(due)
        )
