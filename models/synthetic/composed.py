"""Families of layouts that are put together from blocks: where each stands, and in which forms it may be printed.

A family fixes the places; a house picks one of the forms that its family allows, and keeps it. The families written as
templates of their own (din, grid, ...) stand beside these.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from models.synthetic.look import Look
from models.synthetic.specs import Frozen

MetaForm = Literal["table", "boxes", "inline", "columns", "stacked", "sentence"]
SellerForm = Literal["address", "line", "full", "none"]
TotalsForm = Literal["right", "left", "row", "full", "boxed"]
BankForm = Literal["table", "inline", "boxes", "foot", "slip"]
TableForm = Literal["rows", "two rows", "cards"]


class Family(Frozen):
    """`head` is a CSS grid: rows of names of blocks (logo, title, seller, sender, buyer, ship, meta, refs, reach,
    amount), "." for an empty place. The other fields are the forms that a house picks from."""

    head: tuple[str, ...]
    columns: str
    meta: tuple[MetaForm, ...] = ("table", "boxes", "columns")
    seller: tuple[SellerForm, ...] = ("address", "full")
    totals: tuple[TotalsForm, ...] = ("right", "boxed")
    bank: tuple[BankForm, ...] = ("table", "inline", "foot")
    table: tuple[TableForm, ...] = ("rows",)
    totals_first: bool = False
    """The sums stand above the items, as on bills of utilities."""
    style: str = ""


@cache
def families() -> dict[str, Family]:
    with (Path(__file__).parent / "families.yaml").open(encoding="utf-8") as file:
        return {name: Family(**told) for name, told in yaml.safe_load(file).items()}


@dataclass(frozen=True)
class Plan:
    """What one house prints of its family."""

    family: Family
    meta: MetaForm
    seller: SellerForm
    totals: TotalsForm
    bank: BankForm
    table: TableForm

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names in the head, each once, in reading order."""
        return tuple(dict.fromkeys(name for row in self.family.head for name in row.split() if name != "."))

    @property
    def areas(self) -> str:
        return " ".join(f'"{row}"' for row in self.family.head)


def plan_of(name: str, look: Look) -> Plan:
    """Raises KeyError for a family that there is not."""
    family = families()[name]
    return Plan(
        family=family,
        meta=look.pick("meta form", family.meta),  # type: ignore[arg-type]
        seller=look.pick("seller form", family.seller),  # type: ignore[arg-type]
        totals=look.pick("totals form", family.totals),  # type: ignore[arg-type]
        bank=look.pick("bank form", family.bank),  # type: ignore[arg-type]
        table=look.pick("table form", family.table),  # type: ignore[arg-type]
    )
