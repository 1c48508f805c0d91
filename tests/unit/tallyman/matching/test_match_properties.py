"""What holds for every invoice."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallyman.domain.reasons import Reason
from tallyman.domain.roles import Billed, BilledLine, Order, OrderLine
from tallyman.domain.tolerances import Tolerances
from tallyman.matching import match_invoice

D = Decimal
WORDS = ("Bearing", "Pump", "Oil filter", "Schraube", "Dichtung", "Kabel grün", "Hose", "Bolt", "Paper", "Toner")
prices = st.decimals(min_value="0.01", max_value="900", places=2)
quantities = st.integers(min_value=1, max_value=500)


@st.composite
def order_lines(draw: st.DrawFn, at: int) -> OrderLine:
    ordered = draw(quantities)
    received = draw(st.integers(min_value=1, max_value=ordered))
    return OrderLine(
        line=at,
        item=f"ART-{at:04}",
        description=f"{draw(st.sampled_from(WORDS))} {at}",
        ordered=D(ordered),
        received=D(received),
        billed=D(draw(st.integers(min_value=0, max_value=received - 1))),
        unit_price=draw(prices),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    count = draw(st.integers(min_value=1, max_value=8))
    return Order(
        number="4711", vendor="V1", currency="EUR", lines=tuple(draw(order_lines(at)) for at in range(1, count + 1))
    )


def invoice_of(order: Order, *, items: bool, extra: int = 0) -> Billed:
    """All that is received and not billed; the first line bills `extra` more."""
    lines = []
    for at, line in enumerate(order.lines, start=1):
        quantity = line.received - (line.billed or 0) + (extra if at == 1 else 0)
        lines.append(
            BilledLine(
                line=at,
                item=line.item if items else "",
                description=line.description,
                quantity=quantity,
                unit_price=line.unit_price,
                net=round(quantity * line.unit_price, 2),
            )
        )
    return bill(lines)


def bill(lines: list[BilledLine], **more: Any) -> Billed:
    net = sum((line.net for line in lines), D(0))
    values = {"number": "R-1", "vendor": "V1", "order_numbers": ("4711",), "currency": "EUR", **more}
    return Billed.model_validate({"net": net, "tax": 0, "gross": net, "lines": lines, **values})


@given(order=orders(), items=st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_received_and_not_billed_always_matches(order: Order, items: bool) -> None:
    result = match_invoice(invoice_of(order, items=items), [order], Tolerances(), orders_named=True)
    assert result.findings == ()
    assert [part.order_line for part in result.allocations] == [line.line for line in order.lines]
    by_value = invoice_of(order, items=items).model_copy(update={"lines": ()})
    assert match_invoice(by_value, [order], Tolerances(), orders_named=True).clean


@given(order=orders(), items=st.booleans(), extra=st.integers(min_value=1, max_value=50))
@settings(max_examples=60, deadline=None)
def test_one_more_never_matches(order: Order, items: bool, extra: int) -> None:
    result = match_invoice(invoice_of(order, items=items, extra=extra), [order], Tolerances(), orders_named=True)
    assert Reason.BILLED_NOT_RECEIVED in {finding.reason for finding in result.findings}
    assert not result.clean


@given(order=orders(), dearer=st.decimals(min_value="0.06", max_value="5", places=2))
@settings(max_examples=60, deadline=None)
def test_a_higher_price_never_matches(order: Order, dearer: Decimal) -> None:
    good = invoice_of(order, items=True)
    first = good.lines[0]
    raised = first.model_copy(
        update={"unit_price": first.unit_price + dearer, "net": first.net + round(first.quantity * dearer, 2)}
    )
    result = match_invoice(bill([raised, *good.lines[1:]]), [order], Tolerances(), orders_named=True)
    assert Reason.PRICE_VARIANCE in {finding.reason for finding in result.findings}


@given(order=orders(), extra=st.integers(min_value=0, max_value=3), items=st.booleans(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_sequence_of_lines_and_orders_changes_nothing(
    order: Order, extra: int, items: bool, data: st.DataObject
) -> None:
    billed = invoice_of(order, items=items, extra=extra).model_copy(update={"order_numbers": ("4711", "4712")})
    other = order.model_copy(update={"number": "4712", "lines": order.lines[::-1]})
    shuffled = billed.model_copy(update={"lines": tuple(data.draw(st.permutations(billed.lines)))})
    turned = order.model_copy(update={"lines": tuple(data.draw(st.permutations(order.lines)))})
    one = match_invoice(billed, [order, other], Tolerances(), orders_named=True)
    assert one == match_invoice(shuffled, [other, turned], Tolerances(), orders_named=True)
    assert one == match_invoice(billed, [order, other], Tolerances(), orders_named=True)


@given(order=orders(), extra=st.integers(min_value=0, max_value=30), items=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_parts_add_up_to_the_invoice(order: Order, extra: int, items: bool) -> None:
    """Nothing that is billed gets lost, and nothing is added, whether it matches or not."""
    billed = invoice_of(order, items=items, extra=extra)
    result = match_invoice(billed, [order], Tolerances(), orders_named=True)
    assert sum(part.quantity for part in result.allocations) == sum(line.quantity for line in billed.lines)
    assert sum(part.net for part in result.allocations) == billed.net
