"""The procedure for a vendor invoice: read, look up, check, match, then post it or ask a person."""

from datetime import date

from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.contracts.system import VendorQuery
from tallyman.domain.case import Case
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Order, PostedInvoice, Vendor
from tallyman.matching.invoice import match_invoice
from tallyman.matching.payload import invoice_posting
from tallyman.matching.problems import not_ours
from tallyman.matching.roles import billed_from, order_numbers
from tallyman.matching.vendor import choose_vendors


class Invoices:
    name = "invoices"
    inputs = RunInputs

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        document = clerk.read(case)
        if document.type not in ("invoice", "credit_note"):
            return self._not_ours(clerk, case, document)
        facts, preceding = self._look_up(clerk, case, document)
        billed = billed_from(document, facts.vendor)
        match = match_invoice(billed, facts.orders, clerk.tolerances, orders_named=facts.orders_named, posted=preceding)
        findings = [*clerk.check(document, facts), *match.findings]
        verdict = clerk.decide(document, facts, findings)
        if not verdict.post or facts.vendor is None:
            return clerk.ask(case, document, verdict)
        posting = invoice_posting(billed, document, facts.vendor, match.allocations, _reference(case))
        return clerk.post_invoice(case, document, posting)

    def _not_ours(self, clerk: Clerk, case: Case, document: Document) -> Outcome:
        facts = Facts(today=date.fromisoformat(clerk.today()))
        findings = clerk.check(document, facts)
        if not any(finding.reason in _SAYS_WHY for finding in findings):
            told = f"This is no invoice but: {document.type.replace('_', ' ')}."
            findings = not_ours(document, told)
        return clerk.ask(case, document, clerk.decide(document, facts, findings))

    def _look_up(self, clerk: Clerk, case: Case, document: Document) -> tuple[Facts, tuple[PostedInvoice, ...]]:
        found = clerk.erp.find_vendor(
            VendorQuery(
                name=document.text("seller_name"), vat_id=document.text("seller_vat_id"), iban=document.text("iban")
            )
        )
        vendors = choose_vendors(document, found.items)
        vendor = vendors[0] if len(vendors) == 1 else None
        if vendor is not None:
            clerk.reserve(vendor.number)
        sightings = clerk.sightings(case, document, vendor.number if vendor else None)
        places = clerk.confirmed_places(document)
        today = date.fromisoformat(clerk.today())
        if vendor is None:
            facts = Facts(
                today=today,
                vendors=vendors,
                sightings=sightings,
                layout_confirmed=bool(places),
                confirmed_places=places,
                complete=found.complete,
                orders_named=bool(order_numbers(document)),
            )
            return facts, ()
        orders, named, complete = self._orders(clerk, document, vendor)
        posted, searched = self._posted(clerk, case, vendor, document.text("invoice_number"))
        preceding, searched_preceding = self._posted(clerk, case, vendor, document.text("preceding_invoice"))
        facts = Facts(
            today=today,
            vendors=vendors,
            orders=clerk.with_billings(orders),
            orders_named=named,
            posted=posted,
            sightings=sightings,
            layout_confirmed=bool(places),
            confirmed_places=places,
            complete=found.complete and complete and searched and searched_preceding,
        )
        return facts, preceding

    def _orders(self, clerk: Clerk, document: Document, vendor: Vendor) -> tuple[tuple[Order, ...], bool, bool]:
        """The orders that the invoice names, else the vendor's open ones; whether named; whether all were seen."""
        numbers = order_numbers(document)
        if not numbers:
            found = clerk.erp.find_purchase_order(vendor=vendor.number)
            return found.items, False, found.complete
        answers = [clerk.erp.find_purchase_order(number=number) for number in numbers]
        orders = {(order.vendor, order.number): order for answer in answers for order in answer.items}
        return tuple(orders.values()), True, all(answer.complete for answer in answers)

    def _posted(
        self, clerk: Clerk, case: Case, vendor: Vendor, number: str | None
    ) -> tuple[tuple[PostedInvoice, ...], bool]:
        """What the target holds under a number; what this very case posted before is not a duplicate of itself."""
        if not number:
            return (), True
        found = clerk.erp.find_invoice(vendor=vendor.number, number=number)
        return tuple(one for one in found.items if one.reference != _reference(case)), found.complete


_SAYS_WHY = {Reason.WRONG_DOCUMENT, Reason.UNREADABLE, Reason.PASSWORD_NEEDED, Reason.QUARANTINED}


def _reference(case: Case) -> str:
    """Our reference in the target: short, unique, and the same in every run of the case."""
    return f"TM-{case.sha256[:12]}"


BOT = Invoices()
