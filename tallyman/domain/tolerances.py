"""How far two amounts may be apart. A difference is within a tolerance only if both the percent and the value hold."""

from decimal import Decimal

from pydantic import Field as Constraint

from tallyman.domain.base import Value


class Tolerance(Value):
    """`percent` of the expected amount and `value` in the document's currency (or unit): the smaller one counts."""

    percent: Decimal = Constraint(default=Decimal(0), ge=0)
    value: Decimal = Constraint(default=Decimal(0), ge=0)

    def allows(self, expected: Decimal, actual: Decimal) -> bool:
        difference = abs(actual - expected)
        return difference <= self.value and difference <= abs(expected) * self.percent / 100


class Tolerances(Value):
    """The tolerances of a match, by kind. The defaults forgive rounding and nothing else."""

    unit_price: Tolerance = Tolerance(percent=Decimal("0.5"), value=Decimal("0.05"))
    quantity: Tolerance = Tolerance()
    line_amount: Tolerance = Tolerance(percent=Decimal("0.5"), value=Decimal("0.50"))
    over_billing: Tolerance = Tolerance(percent=Decimal("0.5"), value=Decimal("1.00"))
    tax: Tolerance = Tolerance(percent=Decimal("1"), value=Decimal("0.05"))
