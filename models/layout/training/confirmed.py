"""Documents whose values a person confirmed, as labelled pages: the values are found again among the words."""

from collections.abc import Mapping

import numpy as np

from models.layout.fields import CLASSES, HEADER, TYPES
from models.layout.memory import spots_of
from models.layout.numbers import NAMES, Numbers
from models.layout.page import PageWords, words_of
from models.layout.training.labelled import IGNORED, LabelledPage
from tallyman.domain.compare import fold_text
from tallyman.domain.page import Reading

_AMOUNT = NAMES.index("amount")


def pages_of(
    reading: Reading, kind: str, values: Mapping[str, str], group: str, *, complete: bool
) -> list[LabelledPage]:
    """kind: one of TYPES. values: by field of HEADER, as `tallyman extract` gives them. group: whose document it is.

    complete: whether all that stands in the document was confirmed; else nothing is learned from the rows with other
    amounts, which may be items and sums.
    """
    pages = [words_of(page, len(reading.pages)) for page in reading.pages]
    return [_page(page, kind, values, group, complete) for page in pages if len(page)]


def _page(page: PageWords, kind: str, values: Mapping[str, str], group: str, complete: bool) -> LabelledPage:
    classes = np.zeros(len(page), np.int64)
    if not complete:
        amounts = Numbers(page).kinds[:, _AMOUNT] > 0
        classes[np.isin(page.rows.row, page.rows.row[amounts])] = IGNORED
    for spot in spots_of([page], month_first=False):
        for name, value in values.items():
            if HEADER.get(name) is spot.kind and fold_text(spot.run.value) == fold_text(value):
                classes[list(spot.run.places)] = CLASSES.index(name)
    return LabelledPage(
        words=page,
        classes=classes,
        item=np.full(len(page), -1, np.int64),
        kind=TYPES.index(kind),
        role=IGNORED,
        group=group,
    )
