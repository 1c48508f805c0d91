"""What is wrong with a proof of delivery in itself and against the facts."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from models.documents.pod.checks import check
from tallyman.domain.document import Document
from tallyman.domain.facts import Facts, Sighting
from tallyman.domain.field import Evidence, Field, Source
from tallyman.domain.finding import Finding
from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Receipt

GOOD = {
    "pod_number": "L-77",
    "purchase_order_reference": "4711",
    "delivered_date": "2025-05-30",
    "signature": "present",
}


def found(changes: Mapping[str, str | None] | None = None, received: float = 1.0, **more: Any) -> list[Finding]:
    def field(name: str, value: str, confidence: float = 1.0) -> Field:
        evidence = Evidence(page=1)
        return Field(name=name, value=value, raw=value, confidence=confidence, source=Source.MODEL, evidence=evidence)

    values = {name: value for name, value in {**GOOD, **(changes or {})}.items() if value is not None}
    line = {"item": field("item", "A-1"), "received_quantity": field("received_quantity", "10", received)}
    document = Document(type="pod", fields={name: field(name, value) for name, value in values.items()}, lines=(line,))
    facts = {"today": date(2025, 6, 2), "layout_confirmed": True, **more}
    return check(document, Facts.model_validate(facts))


def test_nothing_is_wrong_with_a_good_proof_of_delivery() -> None:
    assert found() == []


@pytest.mark.parametrize("name", ["pod_number", "delivered_date"])
def test_number_and_date_must_be_there(name: str) -> None:
    (finding,) = found({name: None})
    assert (finding.reason, finding.acceptable) == (Reason.FIELD_MISSING, False)


def test_the_waybills_number_does_as_well() -> None:
    assert found({"pod_number": None, "waybill_number": "W-1"}) == []


def test_goods_can_not_have_come_in_the_future() -> None:
    assert [each.reason for each in found({"delivered_date": "2025-06-04"})] == [Reason.DATE_IMPLAUSIBLE]


def test_a_quantity_by_hand_must_be_sure() -> None:
    (finding,) = found(received=0.8)
    assert (finding.reason, finding.line, finding.field) == (Reason.LOW_CONFIDENCE, 1, "received_quantity")


def test_a_new_layout_goes_to_a_person() -> None:
    assert [each.reason for each in found(layout_confirmed=False)] == [Reason.LOW_CONFIDENCE]


def test_the_order_holds_this_receipt_already() -> None:
    (finding,) = found(receipts=(Receipt(order="4711", reference="l 77", record="G-5"),))
    assert finding.reason is Reason.DUPLICATE_SUSPECTED
    assert finding.message == "Order 4711 holds a receipt for l 77 already (G-5)."
    assert found(receipts=(Receipt(order="4711", reference="L-78"),)) == []


def test_the_number_was_seen_before() -> None:
    seen = Sighting(case="c", file="b.pdf", number="L-77", vendor=None, gross=None, issue_date=None, state="POSTED")
    assert [each.reason for each in found(sightings=(seen,))] == [Reason.DUPLICATE_SUSPECTED]
