"""Does this page begin a document? The odds, from what it and the document so far show."""

from collections.abc import Sequence

from models.cross_checks._stack.signs import Signs
from tallyman.domain.document import UNKNOWN

WEIGHTS = {
    "bias": -1.23,
    "first": 1.86,
    "only": 0.47,
    "follows": -2.34,
    "follows_of": -5.00,
    "last_unfinished": -0.54,
    "last_finished": 1.68,
    "titled": 4.44,
    "same_number": -1.24,
    "other_number": 3.35,
    "number_repeated": -1.17,
    "other_kind": 0.30,
    "carried": -1.78,
    "other_house": 1.09,
    "totalled": 2.26,
    "untotalled": -0.60,
    "fine_print": -2.02,
    "other_size": 1.49,
}
"""Logistic regression on printed papers laid one behind the other and on every other file of the real invoices, with
page numbers, titles and document numbers left out at random, since not every house prints them. Two are set by hand:
that a page calls itself the next one of as many is nearly proof; and after an invoice without a total so far, a page
that shows nothing of a beginning goes on."""
_TOTALS = frozenset({"invoice", "credit_note"})


def evidence(so_far: Sequence[Signs], page: Signs) -> dict[str, float]:
    """What speaks for or against a new document at `page`, by name, 0..1. so_far: the pages of the one before."""
    last = so_far[-1]
    at, of = page.number or (None, None)
    last_at, last_of = last.number or (None, None)
    follows = at is not None and last_at is not None and at == last_at + 1 and (of is None or of == last_of)
    own = frozenset().union(*(signs.own_numbers for signs in so_far))
    ids = frozenset().union(*(signs.ids for signs in so_far))
    kinds = {signs.title[0] for signs in so_far} - {UNKNOWN}
    kind, titled = page.title
    repeated = bool(own & page.numbers)
    return {
        "bias": 1.0,
        "first": float(at == 1),
        "only": float(at == 1 and of == 1),
        "follows": float(follows),
        "follows_of": float(follows and of is not None),
        "last_unfinished": float(last_of is not None and last_at is not None and last_at < last_of and not follows),
        "last_finished": float(last_of is not None and last_at == last_of),
        "titled": max(0.0, 2 * titled - 1),
        "same_number": float(bool(own & page.own_numbers)),
        "other_number": float(bool(own and page.own_numbers) and not own & page.own_numbers),
        "number_repeated": float(repeated),
        "other_kind": float(kind != UNKNOWN and bool(kinds) and kind not in kinds),
        "carried": float(page.carried and last.carried),
        "other_house": float(bool(ids and page.ids) and not ids & page.ids),
        "totalled": float(kind != UNKNOWN and not repeated and any(signs.totalled for signs in so_far)),
        "untotalled": float(bool(kinds & _TOTALS) and not any(signs.totalled for signs in so_far)),
        "fine_print": float(page.fine_print),
        "other_size": float(abs(page.page.width - last.page.width) + abs(page.page.height - last.page.height) > 20),
    }
