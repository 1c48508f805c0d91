"""Families of layouts that are put together from blocks: where each stands, and in which forms it may be printed.

A family fixes the places; a house picks one of the forms that its family allows, and keeps it. The families written as
templates of their own (din, grid, ...) stand beside these.
"""

from dataclasses import dataclass
from typing import Literal

from models.synthetic.look import Look

MetaForm = Literal["table", "boxes", "inline", "columns", "stacked", "sentence"]
SellerForm = Literal["address", "line", "full", "none"]
TotalsForm = Literal["right", "left", "row", "full", "boxed"]
BankForm = Literal["table", "inline", "boxes", "foot", "slip"]
TableForm = Literal["rows", "two rows", "cards"]


@dataclass(frozen=True)
class Family:
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


FAMILIES: dict[str, Family] = {
    "ledgerhead": Family(("logo title", "seller meta", "buyer ship"), "1fr 1fr"),
    "leftblock": Family(("title logo", "buyer meta", "ship seller"), "3fr 2fr", meta=("table", "stacked")),
    "crown": Family(
        ("seller seller", "title meta", "buyer ship"), "1fr 1fr", seller=("line", "full"), meta=("columns", "table"),
        style=".b-seller { text-align: center; border-bottom: 1pt solid var(--accent); padding-bottom: 2mm }",
    ),
    "window": Family(
        ("sender logo", "buyer meta", "title title", "refs refs"), "3fr 2fr", seller=("none",), bank=("foot", "slip"),
        meta=("table", "stacked"), style=".b-buyer { min-height: 30mm }",
    ),
    "triptych": Family(
        ("logo logo title", "seller buyer meta"), "1fr 1fr 1fr", meta=("table", "stacked"), totals=("right", "full")
    ),
    "inverse": Family(("meta logo", "buyer seller", "title title"), "1fr 1fr", totals=("left", "boxed")),
    "ribbon": Family(
        ("title title title", "meta meta meta", "seller buyer ship"), "1fr 1fr 1fr", meta=("boxes", "columns"),
        style=".b-meta { background: #eef1f4; padding: 2mm } .b-title h1 { background: var(--accent); color: #fff; padding: 2mm }",
    ),
    "statement": Family(
        ("seller title", "buyer meta", "amount amount"), "1fr 1fr", totals=("row", "full"), totals_first=True,
        bank=("inline", "slip"), table=("rows", "two rows"),
    ),
    "centred": Family(
        ("logo", "seller", "title", "meta", "buyer", "ship"), "1fr", meta=("sentence", "inline"), seller=("line", "address"),
        style=".b-logo, .b-seller, .b-title, .b-meta { text-align: center }",
    ),
    "flank": Family(
        ("buyer logo", "buyer seller", "title meta"), "2fr 1fr", seller=("full",), meta=("stacked", "table"),
        style=".b-seller, .b-meta { font-size: .86em; border-left: .6pt solid #999; padding-left: 3mm }",
    ),
    "dense": Family(
        ("seller logo", "buyer ship", "title .", "meta meta"), "1fr 1fr", meta=("inline", "columns"), table=("two rows",),
        totals=("full", "row"), style=".heads { font-size: .86em } .lines { font-size: .82em }",
    ),
    "airy": Family(
        ("title logo", "amount .", "seller buyer", "meta meta"), "1fr 1fr", meta=("boxes", "inline"), table=("cards", "rows"),
        totals=("right", "left"), style=".heads { row-gap: 9mm }",
    ),
    "telegraph": Family(
        ("title seller", "refs refs", "buyer ."), "1fr 1fr", meta=("sentence", "stacked"), seller=("full", "address"),
        bank=("inline",), style="body { font-family: 'Liberation Mono', monospace } .lines th { border-bottom: .6pt dashed #222 }",
    ),
    "eastern": Family(
        ("logo meta", "title title", "seller buyer", "ship refs"), "1fr 1fr", seller=("full",), meta=("stacked", "table"),
        totals=("boxed", "row"), bank=("inline", "table"), style=".b-title h1 { text-align: center }",
    ),
    "southern": Family(
        ("logo buyer", "seller buyer", "title title", "meta meta"), "1fr 1fr", meta=("columns", "boxes"), totals=("row", "right"),
        bank=("boxes", "inline"), style=".b-buyer { border: .6pt solid #444; padding: 3mm }",
    ),
    "docket": Family(
        ("logo title", "meta buyer", "meta ship"), "1fr 1fr", seller=("none",), meta=("boxes",), bank=("foot",),
        style=".b-meta .boxes { grid-template-columns: 1fr }",
    ),
}  # fmt: skip


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
    family = FAMILIES[name]
    return Plan(
        family=family,
        meta=look.pick("meta form", family.meta),  # type: ignore[arg-type]
        seller=look.pick("seller form", family.seller),  # type: ignore[arg-type]
        totals=look.pick("totals form", family.totals),  # type: ignore[arg-type]
        bank=look.pick("bank form", family.bank),  # type: ignore[arg-type]
        table=look.pick("table form", family.table),  # type: ignore[arg-type]
    )
