"""The procedure for a proof of delivery: read, find its order, check, match, then receive the goods or ask a person."""

from datetime import date

from tallyman.contracts.bot import Clerk, Outcome, RunInputs
from tallyman.domain.case import Case
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts
from tallyman.domain.roles import Receipt
from tallyman.matching.delivery import match_delivery
from tallyman.matching.payload import delivery_posting
from tallyman.matching.problems import not_ours
from tallyman.matching.roles import delivery_from, order_numbers


class Deliveries:
    name = "deliveries"
    inputs = RunInputs

    def run(self, clerk: Clerk, case: Case) -> Outcome:
        document = clerk.read(case)
        if document.type != "pod":
            return self._not_ours(clerk, case, document)
        facts = self._look_up(clerk, case, document)
        delivery = delivery_from(document)
        match = match_delivery(delivery, facts.orders, clerk.tolerances)
        findings = [*clerk.check(document, facts), *match.findings]
        verdict = clerk.decide(document, facts, findings)
        if not verdict.post:
            return clerk.ask(case, document, verdict)
        reference = f"TM-{case.sha256[:12]}"
        return clerk.confirm_delivery(case, document, delivery_posting(delivery, match, reference))

    def _not_ours(self, clerk: Clerk, case: Case, document: Document) -> Outcome:
        facts = Facts(today=date.fromisoformat(clerk.today()))
        findings = clerk.check(document, facts) if document.type == "unknown" else []
        if not findings:
            told = f"This is no proof of delivery but: {document.type.replace('_', ' ')}."
            findings = not_ours(document, told)
        return clerk.ask(case, document, clerk.decide(document, facts, findings))

    def _look_up(self, clerk: Clerk, case: Case, document: Document) -> Facts:
        numbers = order_numbers(document)
        answers = [clerk.erp.find_purchase_order(number=number) for number in numbers]
        vendors = sorted({order.vendor for answer in answers for order in answer.items})
        for vendor in vendors:
            clerk.reserve(vendor)
        if vendors:  # again: another case may have received goods between the look and the reservation
            answers = [clerk.erp.find_purchase_order(number=number) for number in numbers]
        orders = {order.number: order for answer in answers for order in answer.items}
        party = next(iter(orders), None)
        number = document.text("pod_number") or document.text("waybill_number")
        receipts: tuple[Receipt, ...] = ()
        complete = all(answer.complete for answer in answers)
        if number and party:
            found = clerk.erp.find_receipt(order=party, reference=number)
            receipts, complete = found.items, complete and found.complete
        places = clerk.confirmed_places(document)
        return Facts(
            today=date.fromisoformat(clerk.today()),
            orders=tuple(orders.values()),
            orders_named=bool(numbers),
            receipts=receipts,
            sightings=clerk.sightings(case, document, party),
            layout_confirmed=bool(places),
            confirmed_places=places,
            complete=complete,
        )


BOT = Deliveries()
