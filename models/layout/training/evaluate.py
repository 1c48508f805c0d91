"""How right a network is on labelled pages, word by word and page by page."""

from collections.abc import Sequence

import numpy as np

from models.layout.fields import CLASSES, LINE
from models.layout.serving import LayoutReader, Network
from models.layout.training.labelled import IGNORED, LabelledPage


def word_scores(network: Network, pages: Sequence[LabelledPage]) -> dict[str, float]:
    """F1 of the words of each class, of all header classes ("header") and of all classes of items ("lines") together;
    the share of rows of which it is told rightly whether an item begins there, and of pages whose kind is right."""
    reader = LayoutReader(network)
    right, given, wanted = (np.zeros(len(CLASSES), np.int64) for _ in range(3))
    starts, kinds = [], []
    for page in pages:
        (said,) = reader.said([page.words])
        told, known = said.words.argmax(axis=1), page.classes != IGNORED
        for number in range(1, len(CLASSES)):
            right[number] += np.sum((told == number) & (page.classes == number))
            given[number] += np.sum((told == number) & known)
            wanted[number] += np.sum(page.classes == number)
        begins = page.starts
        starts += ((said.starts > 0.5) == begins)[begins != IGNORED].tolist()
        kinds.append(int(said.type.argmax()) == page.kind)
    of_line = np.array([name in LINE for name in CLASSES])
    header = ~of_line & (np.arange(len(CLASSES)) > 0)
    told_of = {name: _f1(right[n], given[n], wanted[n]) for n, name in enumerate(CLASSES) if n and wanted[n]}
    return {
        **told_of,
        "header": _f1(right[header].sum(), given[header].sum(), wanted[header].sum()),
        "lines": _f1(right[of_line].sum(), given[of_line].sum(), wanted[of_line].sum()),
        "starts": round(float(np.mean(starts)), 4) if starts else 0.0,
        "kinds": round(float(np.mean(kinds)), 4) if kinds else 0.0,
    }


def _f1(right: int, given: int, wanted: int) -> float:
    return round(2 * float(right) / float(max(1, given + wanted)), 4)
