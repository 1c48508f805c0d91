"""Sums of made-up invoices: right by default, wrong on purpose."""

import datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from models.synthetic import Adjustment, InvoiceSpec, LineSpec, Party, Stated, VatGroup


def line(quantity: str, price: str, rate: str = "19", **more: object) -> LineSpec:
    values = {"quantity": Decimal(quantity), "unit_price": Decimal(price), "vat_rate": Decimal(rate), **more}
    return LineSpec.model_validate({"description": "Bolt", **values})


def invoice(*lines: LineSpec, **more: object) -> InvoiceSpec:
    head = {"number": "1", "issue_date": datetime.date(2026, 3, 5), "seller": Party(name="A"), "buyer": Party(name="B")}
    return InvoiceSpec.model_validate({**head, "lines": lines, **more})


def test_a_line_is_rounded_half_up() -> None:
    assert line("3", "0.115").total == Decimal("0.35")
    assert line("1", "2.675").total == Decimal("2.68")


def test_a_discount_comes_off_the_line() -> None:
    discounted = line("10", "1.99", discount_percent=Decimal(15))
    assert discounted.total == Decimal("16.92")
    assert discounted.discount == Decimal("2.98")


def test_totals_balance_over_rates_discounts_and_charges() -> None:
    spec = invoice(
        line("10", "9.99"),
        line("3", "1.15", "7"),
        allowances=(Adjustment(reason="Rebate", amount=Decimal("5.00")),),
        charges=(Adjustment(reason="Freight", amount=Decimal("12.50")),),
        prepaid=Decimal("20"),
    )
    sums = spec.totals()
    assert sums.line_net_total == Decimal("103.35")
    assert sums.net_total == Decimal("110.85")
    assert [(group.rate, group.base, group.tax) for group in spec.vat()] == [
        (Decimal(19), Decimal("107.40"), Decimal("20.41")),
        (Decimal(7), Decimal("3.45"), Decimal("0.24")),
    ]
    assert sums.gross_total == sums.net_total + sums.tax_total == Decimal("131.50")
    assert sums.payable_amount == Decimal("111.50")


def test_a_document_that_does_not_balance_can_be_made_on_purpose() -> None:
    sums = invoice(line("2", "50"), stated=Stated(gross_total=Decimal("120"))).totals()
    assert (sums.net_total, sums.tax_total) == (Decimal("100.00"), Decimal("19.00"))
    assert sums.gross_total == Decimal("120.00")


def test_a_line_and_the_vat_table_can_be_wrong_on_purpose() -> None:
    wrong = VatGroup(rate=Decimal(19), base=Decimal(90), tax=Decimal("17.10"))
    spec = invoice(line("2", "50", net=Decimal("90")), stated=Stated(vat=(wrong,)))
    assert spec.totals().net_total == Decimal("90.00")
    assert spec.vat() == (wrong,)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="colour"):
        invoice(line("1", "1"), colour="red")
