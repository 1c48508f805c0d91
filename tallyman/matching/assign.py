"""Shares the quantities of an invoice or a delivery out over the order lines that they may mean."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallyman.matching.identity import Claim, Slot


@dataclass(frozen=True)
class Share:
    """`quantity` of a claim goes to a slot."""

    claim: Claim
    slot: Slot
    quantity: Decimal


def share_out(claims: Sequence[tuple[Claim, tuple[Slot, ...]]]) -> list[Share]:
    """Every claim in full: first where its quantity fits exactly, then what is received, then what is ordered.

    What is left over after that goes to the claim's first slot, where the caller finds it to be too much. Each claim
    has at least one slot. The outcome does not depend on the order of the claims.
    """
    return _Sharing(claims).run()


class _Sharing:
    def __init__(self, claims: Sequence[tuple[Claim, tuple[Slot, ...]]]) -> None:
        self._claims = sorted(claims, key=lambda pair: (len(pair[1]), pair[0].line))
        self._left = {id(claim): claim.quantity for claim, _ in self._claims}
        self._taken: dict[int, Decimal] = defaultdict(Decimal)
        self._shares: dict[tuple[int, int], Share] = {}

    def run(self) -> list[Share]:
        for claim, slots in self._claims:
            exact = [slot for slot in slots if not self._taken[id(slot)] and slot.received == claim.quantity]
            self._take(claim, exact[:1], lambda slot: slot.received)
        for claim, slots in self._claims:
            self._take(claim, slots, lambda slot: slot.received)
        for claim, slots in self._claims:
            self._take(claim, slots, lambda slot: slot.ordered)
        for claim, slots in self._claims:
            self._take(claim, slots[:1], lambda _: None)
        return sorted(self._shares.values(), key=_position)

    def _take(self, claim: Claim, slots: Sequence[Slot], room: Callable[[Slot], Decimal | None]) -> None:
        for slot in slots:
            left, limit = self._left[id(claim)], room(slot)
            quantity = left if limit is None else min(left, limit - self._taken[id(slot)])
            if quantity <= 0:
                continue
            before = self._shares.get((id(claim), id(slot)))
            self._shares[id(claim), id(slot)] = Share(claim, slot, quantity + (before.quantity if before else 0))
            self._left[id(claim)] -= quantity
            self._taken[id(slot)] += quantity


def _position(share: Share) -> tuple[int, str, int]:
    return share.claim.line, share.slot.order.number, share.slot.line.line
