"""Which order lines may a line of paper mean?

Evidence, strongest first: the item's number, the same description, a similar description, the order's line number, and
for lines without any text the figures. Figures differ in meaning where words do not: `M8x20` is no `M8x30`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallyman.domain.compare import fold_number, fold_text
from tallyman.domain.roles import Order, OrderLine

SIMILAR = 0.6
"""Share of words or letter pairs in common from which two descriptions may be one."""
NEARLY = 0.1
"""Candidates that are less than this apart are equally likely."""
_DIGITS_APART = 0.4
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Claim:
    """A line of an invoice or of a proof of delivery that looks for its order line."""

    line: int
    item: str
    description: str
    order_line: int | None
    quantity: Decimal
    price_fits: Callable[[Decimal], bool]


@dataclass(frozen=True, eq=False)
class Slot:
    """An order line. `received` and `ordered` are what may still be billed of it, or be received of it."""

    order: Order
    line: OrderLine
    received: Decimal
    ordered: Decimal

    @property
    def goods(self) -> str:
        return fold_number(self.line.item) or fold_text(self.line.description)

    @property
    def name(self) -> str:
        return f"line {self.line.line} of order {self.order.number}"


@dataclass(frozen=True)
class Meant:
    """The order lines that are meant, interchangeable ones in order; or `doubtful` ones, and a person decides."""

    slots: tuple[Slot, ...] = ()
    doubtful: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Text:
    """A description, prepared for comparing."""

    words: frozenset[str]
    pairs: frozenset[str]
    figures: frozenset[str]

    @classmethod
    def of(cls, description: str) -> "Text":
        folded = unicodedata.normalize("NFKD", description.replace("ß", "ss")).casefold()
        words = frozenset(_WORD.findall("".join(char for char in folded if not unicodedata.combining(char))))
        joined = fold_text(description)
        pairs = frozenset(joined[at : at + 2] for at in range(len(joined) - 1))
        return cls(words, pairs, frozenset(word for word in words if any(char.isdigit() for char in word)))

    def likeness(self, other: "Text") -> float:
        """0..1: words in common of the shorter text, or letter pairs in common (Dice), whichever is more."""
        if not self.words or not other.words:
            return 0.0
        words = 0.95 * len(self.words & other.words) / min(len(self.words), len(other.words))
        pairs = self.dice(other)
        apart = not (self.figures <= other.figures or other.figures <= self.figures)
        return min(max(words, pairs), _DIGITS_APART) if apart else max(words, pairs)

    def dice(self, other: "Text") -> float:
        """0..1: the share of letter pairs in common."""
        return 2 * len(self.pairs & other.pairs) / max(len(self.pairs) + len(other.pairs), 1)


class OrderLines:
    """All order lines at hand, indexed by what a line of paper may say of them."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        self.slots = sorted(slots, key=lambda slot: (slot.order.number, slot.line.line))
        self._items: dict[str, list[Slot]] = defaultdict(list)
        self._texts: dict[str, list[Slot]] = defaultdict(list)
        self._prepared: list[tuple[Slot, Text]] | None = None
        for slot in self.slots:
            if slot.line.item:
                self._items[fold_number(slot.line.item)].append(slot)
            if folded := fold_text(slot.line.description):
                self._texts[folded].append(slot)

    def meant_by(self, claim: Claim) -> Meant:
        pool = self._by_item(claim) or self._texts.get(fold_text(claim.description)) or self._alike(claim)
        numbered = [slot for slot in (pool or self.slots) if slot.line.line == claim.order_line]
        if not pool:
            silent = [slot for slot in numbered if claim.price_fits(slot.line.unit_price) or not _says(slot, claim)]
            pool = silent or self._by_figures(claim)
        elif numbered:
            pool = numbered
        return _narrow(pool, claim)

    def _by_item(self, claim: Claim) -> list[Slot]:
        if claim.item and (pool := self._items.get(fold_number(claim.item))):
            return pool
        for word in claim.description.split():
            number = fold_number(word)
            if len(number) >= 4 and any(char.isdigit() for char in number) and number in self._items:
                return self._items[number]
        return []

    def _alike(self, claim: Claim) -> list[Slot]:
        if not claim.description:
            return []
        if self._prepared is None:
            self._prepared = [(slot, Text.of(slot.line.description)) for slot in self.slots if slot.line.description]
        text = Text.of(claim.description)
        scored = [(score, slot) for slot, other in self._prepared if (score := text.likeness(other)) >= SIMILAR]
        best = max((score for score, _ in scored), default=0.0)
        return [slot for score, slot in scored if score > best - NEARLY]

    def _by_figures(self, claim: Claim) -> list[Slot]:
        return [
            slot
            for slot in self.slots
            if not _says(slot, claim)
            and claim.price_fits(slot.line.unit_price)
            and claim.quantity in (slot.received, slot.ordered)
        ]


def _says(slot: Slot, claim: Claim) -> bool:
    """Whether both sides have words, so that words could have agreed."""
    return bool((slot.line.description or slot.line.item) and (claim.description or claim.item))


def _narrow(pool: Sequence[Slot], claim: Claim) -> Meant:
    """Among equally likely lines the price decides, then the quantity; else nobody knows."""
    priced = [slot for slot in pool if claim.price_fits(slot.line.unit_price)] or list(pool)
    if _one_kind(priced):
        return Meant(slots=tuple(priced))
    fitting = [slot for slot in priced if claim.quantity in (slot.received, slot.ordered)]
    if fitting and _one_kind(fitting):
        return Meant(slots=tuple(fitting))
    return Meant(doubtful=tuple(priced))


def _one_kind(slots: Sequence[Slot]) -> bool:
    return len({slot.goods for slot in slots}) <= 1
