"""Totals: labelled amounts, chosen together so that net and tax make gross."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from models import values
from models.readers._rules.labels import TOTALS
from models.readers._rules.sheet import Label, Sheet, Span, find_labels
from tallyman.domain.field import Field

_CENT = Decimal("0.01")
_KEEP = 8


@dataclass(frozen=True, kw_only=True)
class Candidate:
    name: str
    amount: Decimal
    raw: str
    span: Span
    score: float

    def field(self, confidence: float, name: str | None = None) -> Field:
        return self.span.field(name or self.name, format(self.amount, "f"), confidence, raw=self.raw)


def total_fields(sheets: list[Sheet], lines: Sequence[dict[str, Field]] = ()) -> dict[str, Field]:
    """Totals of an invoice, as far as they are printed. Agreement in arithmetic raises the confidence."""
    found: dict[str, list[Candidate]] = {}
    for candidate in labelled_totals(sheets):
        found.setdefault(candidate.name, []).append(candidate)
    for name, items in found.items():
        found[name] = sorted(items, key=lambda item: -item.score)[:_KEEP]
    chosen, agree = _choose(found)
    proof = _proof(chosen, lines) if agree else 0.0
    fields = {
        name: item.field(max(proof, min(0.95, item.score + 0.12)) if agree else min(item.score, 0.75) * 0.85)
        for name, item in chosen.items()
    }
    _add_split_tax(fields, chosen, found)
    _add_others(fields, chosen, found, agree)
    return fields


def _proof(chosen: dict[str, Candidate], lines: Sequence[dict[str, Field]]) -> float:
    """How sure sums are that agree. No tax means that net equals gross, which proves little; lines that add up do."""
    total = sum((line["total"].amount for line in lines if "total" in line), Decimal(0))
    if lines and abs(total - chosen["net_total"].amount) <= _CENT:
        return 0.98
    return 0.95 if chosen["tax_total"].amount else 0.8


def labelled_totals(sheets: Sequence[Sheet]) -> Iterator[Candidate]:
    """Amounts that stand beside or below what a total is called, each under the name of that total."""
    for sheet in sheets:
        late = 0.03 * (sheet.page.number - 1) / max(1, len(sheets))
        for cell in sheet.cells:
            for label in find_labels(cell, TOTALS):
                for candidate in _values(sheet, label):
                    boost = 0.05 * cell.box.y0 + late
                    yield Candidate(
                        name=label.name,
                        amount=candidate.amount,
                        raw=candidate.raw,
                        span=candidate.span,
                        score=min(0.9, candidate.score + boost),
                    )


def _values(sheet: Sheet, label: Label) -> Iterator[Candidate]:
    """The last amount of the row is the sum; a label with no amount in its row heads a column."""
    rest = label.cell.part(label.end)
    right = [rest, *sheet.right_of(label.cell)] if rest.words else list(sheet.right_of(label.cell))
    row = [item for span in right for item in _amounts(label.name, span)]
    if row:
        score = label.weight * 0.85
        yield _scored(row[-1], score if len(row) == 1 else score - 0.08)
        if len(row) > 1 and label.name != "tax_total":
            yield _scored(row[0], score - 0.15)
        return
    column = list(_column(sheet, label))
    if column:
        yield _scored(column[0], label.weight * 0.7)
    if len(column) > 1:  # as where each rate of VAT has its row, and the last row is their sum
        yield _scored(column[-1], label.weight * 0.6)


def _column(sheet: Sheet, label: Label) -> Iterator[Candidate]:
    """The amounts under a label, one below the other."""
    box = label.span.box
    while cells := list(sheet.below(box))[:1]:
        under = [item for item in _amounts(label.name, cells[0]) if _under(item.span, label.span)]
        if not under:
            return
        yield under[0]
        box = under[0].span.box


def _under(span: Span, label: Span) -> bool:
    return min(span.box.x1, label.box.x1 + 0.03) > max(span.box.x0, label.box.x0 - 0.03)


def _amounts(name: str, span: Span) -> Iterator[Candidate]:
    for found in values.amounts(span.text):
        words = span.chars(found.start, found.end)
        if words.words:
            raw = span.text[found.start : found.end]
            yield Candidate(name=name, amount=Decimal(found.value), raw=raw, span=words, score=0.0)


def _scored(item: Candidate, score: float) -> Candidate:
    return Candidate(name=item.name, amount=item.amount, raw=item.raw, span=item.span, score=score)


def _choose(found: dict[str, list[Candidate]]) -> tuple[dict[str, Candidate], bool]:
    """Net, tax and gross that add up, if there are such; else the best of each."""
    nets = found.get("net_total", []) + [_renamed(item, "net_total") for item in found.get("line_net_total", [])]
    taxes = found.get("tax_total", [])
    grosses = found.get("gross_total", []) + [_renamed(item, "gross_total") for item in found.get("payable_amount", [])]
    best: tuple[float, tuple[Candidate, Candidate, Candidate]] | None = None
    for net, tax, gross in product(nets[: 2 * _KEEP], taxes, grosses[: 2 * _KEEP]):
        if (
            abs(net.amount + tax.amount - gross.amount) > _CENT
            or gross.amount == 0
            or abs(tax.amount) > abs(net.amount)
        ):
            continue
        score = net.score + tax.score + gross.score + (0.4 if tax.amount else 0.0)
        if best is None or score > best[0]:
            best = (score, (net, tax, gross))
    if best:
        return {item.name: item for item in best[1]}, True
    chosen = {name: found[name][0] for name in ("net_total", "tax_total", "gross_total") if found.get(name)}
    return chosen, False


def _renamed(item: Candidate, name: str) -> Candidate:
    return Candidate(name=name, amount=item.amount, raw=item.raw, span=item.span, score=item.score - 0.15)


def _add_split_tax(fields: dict[str, Field], chosen: dict[str, Candidate], found: dict[str, list[Candidate]]) -> None:
    """VAT that is printed only per rate: its sum, when net and gross confirm it."""
    net, gross = chosen.get("net_total"), chosen.get("gross_total")
    if (
        not net
        or not gross
        or abs(net.amount + (chosen["tax_total"].amount if "tax_total" in chosen else 0) - gross.amount) <= _CENT
    ):
        return
    parts = _distinct(found.get("tax_total", []))
    if len(parts) < 2 or abs(sum((item.amount for item in parts), net.amount) - gross.amount) > _CENT:
        fields.pop("tax_total", None)
        return
    box = parts[0].span.box
    for item in parts[1:]:
        box = box.union(item.span.box)
    raw = " + ".join(item.raw for item in parts)
    total = format(sum((item.amount for item in parts), Decimal(0)), "f")
    field = parts[0].span.field("tax_total", total, 0.85, raw)
    fields["tax_total"] = field.model_copy(update={"evidence": field.evidence.model_copy(update={"box": box})})
    for name in ("net_total", "gross_total"):
        fields[name] = chosen[name].field(0.9)


def _distinct(items: list[Candidate]) -> list[Candidate]:
    seen = {(item.span.page, item.span.box.x0, item.span.box.y0): item for item in items}
    return list(seen.values())


def _add_others(
    fields: dict[str, Field], chosen: dict[str, Candidate], found: dict[str, list[Candidate]], agree: bool
) -> None:
    """Amount due and sum of the lines; where they are not printed apart, gross and net stand for them."""
    due, lines = found.get("payable_amount"), found.get("line_net_total")
    prepaid = found.get("prepaid", [])
    if due:
        fields["payable_amount"] = _confirmed(due, [item.amount for item in prepaid], chosen.get("gross_total"))
    elif "gross_total" in chosen and not any(item.amount for item in prepaid):
        fields["payable_amount"] = chosen["gross_total"].field(0.85 if agree else 0.4, "payable_amount")
    if lines:
        fields["line_net_total"] = lines[0].field(lines[0].score)
    elif "net_total" in chosen:
        fields["line_net_total"] = chosen["net_total"].field(0.85 if agree else 0.4, "line_net_total")


def _confirmed(due: list[Candidate], prepaid: list[Decimal], gross: Candidate | None) -> Field:
    if gross:
        for item in due:
            if any(abs(gross.amount - abs(paid) - item.amount) <= _CENT for paid in [Decimal(0), *prepaid]):
                return item.field(min(0.97, item.score + 0.12))
    return due[0].field(min(due[0].score, 0.7) * 0.85)
