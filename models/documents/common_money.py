"""Checks of an invoice's arithmetic."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tallyman.domain.document import Document
from tallyman.domain.finding import Finding, Severity
from tallyman.domain.reasons import Reason
from tallyman.domain.tolerances import Tolerances
from tallyman.matching.roles import billed_line, number_of, totals
from tallyman.matching.say import CENT, money, plain

_TAX = Tolerances().tax


def amounts(document: Document) -> Iterator[Finding]:
    """A net and a gross total are there or follow, none is zero, and net and VAT give gross."""
    net, _, gross = totals(document)
    currency = document.text("currency") or ""
    if net is None and gross is not None:
        message = "The net total is missing, and no VAT total tells it."
        yield Finding(reason=Reason.FIELD_MISSING, message=message, field="net_total", acceptable=False)
    if gross == 0:
        message = "The gross total is zero; there is nothing to post."
        yield Finding(reason=Reason.FIELD_MISSING, message=message, field="gross_total", acceptable=False)
    given = [number_of(document.fields.get(name)) for name in ("net_total", "tax_total", "gross_total")]
    if any(amount is None for amount in given):
        return
    stated_net, stated_tax, stated_gross = (amount or Decimal(0) for amount in given)
    if abs(stated_net + stated_tax - stated_gross) > CENT:
        message = (
            f"Net {money(stated_net, currency)} and VAT {money(stated_tax, currency)} give "
            f"{money(stated_net + stated_tax, currency)}, not {money(stated_gross, currency)}."
        )
        yield _unbalanced(message, "gross_total", stated_net + stated_tax, stated_gross)


def lines(document: Document) -> Iterator[Finding]:
    """Each line's amount, and the sum of the lines.

    Where the document states the sum of its lines, what the net total is above or below it is an allowance or a charge
    on the whole document, and told. Where it does not, a difference may be a line that was not read.
    """
    read = [line for at, each in enumerate(document.lines, start=1) if (line := billed_line(at, each))]
    if not read:
        return
    currency = document.text("currency") or ""
    for line in read:
        product, slack = line.quantity * line.unit_price, max(CENT, abs(line.quantity) * CENT / 2)
        says = money(line.net, currency)
        if abs(product - line.net) > slack:
            message = (
                f"Line {line.line}: {plain(line.quantity)} at {money(line.unit_price, currency)} is "
                f"{money(product, currency)}, the line says {says}: a discount or a price per pack?"
            )
            yield _unbalanced(message, "total", product, line.net, line.line, Severity.WARNING)
    total, slack = sum((line.net for line in read), Decimal(0)), CENT * len(read)
    stated, net = number_of(document.fields.get("line_net_total")), totals(document)[0]
    if stated is not None and abs(total - stated) > slack:
        message = f"The lines add up to {money(total, currency)}, not to {money(stated, currency)}."
        yield _unbalanced(message, "line_net_total", total, stated)
    elif stated is not None and net is not None and abs(stated - net) > slack:
        what = "a charge" if abs(net) > abs(stated) else "an allowance"
        message = f"The net total holds {what} of {money(abs(net - stated), currency)} on the whole document."
        yield _unbalanced(message, "net_total", stated, net, severity=Severity.WARNING)
    elif stated is None and net is not None and abs(total - net) > slack:
        message = f"The lines add up to {money(total, currency)}, the net total is {money(net, currency)}."
        yield _unbalanced(message, "net_total", total, net)


def tax(document: Document) -> Iterator[Finding]:
    """VAT by the rates of the lines, where every line has one and the lines are the whole net total."""
    stated, net = number_of(document.fields.get("tax_total")), totals(document)[0]
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for at, each in enumerate(document.lines, start=1):
        line, rate = billed_line(at, each), number_of(each.get("vat_rate"))
        if line is None:
            continue
        if rate is None:
            return
        bases[rate] += line.net
    if not bases or stated is None or net is None or abs(sum(bases.values()) - net) > CENT:
        return
    expected = sum((round(base * rate / 100, 2) for rate, base in bases.items()), Decimal(0))
    if abs(expected - stated) <= CENT * len(document.lines) or _TAX.allows(expected, stated):
        return
    currency = document.text("currency") or ""
    parts = ", ".join(f"{plain(rate)} % of {money(base, currency)}" for rate, base in sorted(bases.items()))
    message = f"VAT by the lines is {money(expected, currency)} ({parts}), the document says {money(stated, currency)}."
    yield Finding(
        reason=Reason.TAX_MISMATCH, message=message, field="tax_total", expected=str(expected), actual=str(stated)
    )


def _unbalanced(
    message: str,
    field: str,
    expected: Decimal,
    actual: Decimal,
    line: int | None = None,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(
        reason=Reason.NOT_BALANCED,
        message=message,
        field=field,
        line=line,
        expected=plain(expected),
        actual=plain(actual),
        severity=severity,
    )
