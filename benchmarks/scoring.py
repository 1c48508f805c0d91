"""How right fields and line items are, against a truth: as values, not as strings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from tallyman.domain.compare import fold_text

OURS = {
    "order_ref": "purchase_order_reference",
    "delivery_note_ref": "despatch_advice_reference",
    "line_total": "line_net_total",
    "amount_due": "payable_amount",
    "seller_tax_no": "seller_tax_number",
    "buyer_tax_no": "buyer_tax_number",
    **{f"shipto_{part}": f"ship_to_{part}" for part in ("name", "street", "postcode", "city")},
}
"""What the truth calls a field, and what `tallyman extract` calls it, where the two differ."""
_NOT_SCORED = {"kind", "type_code", "unit"}
_AMOUNTS = {"line_total", "net_total", "tax_total", "gross_total", "amount_due", "quantity", "unit_price", "total"}
_FREE = ("_name", "_street", "_city", "description")
LINE = ("description", "quantity", "unit_price", "total")


@dataclass
class Score:
    """Right ones, given ones and wanted ones."""

    right: int = 0
    given: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.given + self.wanted) if self.given + self.wanted else 0.0


@dataclass
class Scores:
    fields: dict[str, Score] = field(default_factory=dict)
    lines: Score = field(default_factory=Score)
    documents: int = 0

    @property
    def header(self) -> Score:
        """Over all fields together."""
        every = self.fields.values()
        return Score(
            right=sum(one.right for one in every),
            given=sum(one.given for one in every),
            wanted=sum(one.wanted for one in every),
        )


def is_scored(name: str) -> bool:
    return name not in _NOT_SCORED and not name.endswith("_country")


def add(
    scores: Scores,
    known: set[str],
    truth: Mapping[str, str],
    visible: Mapping[str, bool],
    given: Mapping[str, str],
) -> None:
    """Score the header of a document. known: fields that the truth names for any document; given: by our names."""
    scores.documents += 1
    for name in sorted(known):
        score = scores.fields.setdefault(name, Score())
        value, wanted = given.get(OURS.get(name, name)), truth.get(name)
        right = value is not None and wanted is not None and same(name, value, wanted)
        if wanted is not None and visible.get(name):
            score.wanted += 1
        elif right or value is None:
            continue  # what nobody can see on the page is neither asked for nor held against anybody
        score.given += value is not None
        score.right += right


def add_lines(score: Score, truth: Sequence[Mapping[str, str]], given: Sequence[Mapping[str, str]]) -> None:
    """Score the line items of a document: one is right when all its values are. Each is found once."""
    left = list(given)
    score.given += len(left)
    score.wanted += len(truth)
    for line in truth:
        hit = next((one for one in left if _same_line(line, one)), None)
        if hit is not None:
            left.remove(hit)
            score.right += 1


def _same_line(truth: Mapping[str, str], given: Mapping[str, str]) -> bool:
    return all(name not in truth or same(name, given.get(name, ""), truth[name]) for name in LINE)


def same(name: str, one: str, other: str) -> bool:
    if name in _AMOUNTS:
        try:
            return Decimal(one) == Decimal(other)
        except InvalidOperation:
            return False
    if name.endswith(_FREE):
        return fold_text(one) == fold_text(other)
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def known_fields(truths: Sequence[Mapping[str, Mapping[str, str]]]) -> set[str]:
    """All fields that the truth names and that are scored."""
    counted = Counter(name for truth in truths for name in truth["fields"])
    return {name for name in counted if is_scored(name)}
