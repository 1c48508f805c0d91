"""A file's pages parted into documents."""

from collections.abc import Sequence
from math import exp

from models.cross_checks._stack.pairs import WEIGHTS, evidence
from models.cross_checks._stack.signs import Signs
from tallyman.domain.base import Value
from tallyman.domain.page import Page

_BEGINS = 0.5
_SURE = 0.85


class Split(Value):
    """Where documents begin in a file.

    `documents` are their pages (from 1) in order: blank backs are with the page before them, separator sheets and
    their backs with no document. `doubtful` are pages of which it is not sure whether they begin a document, both
    ways. `certain`: a separator sheet stands before every document but the first, and every page could be read.
    """

    documents: tuple[tuple[int, ...], ...]
    doubtful: tuple[int, ...] = ()
    certain: bool = False


def split_of(pages: Sequence[Page]) -> Split:
    """The documents of a file. Pages after a separator sheet begin one for certain; where there are such sheets,
    nothing else is taken for a beginning, however it looks, but told as doubtful."""
    every = [Signs(page) for page in pages]
    separated = any(signs.separator for signs in every)
    documents: list[list[int]] = []
    so_far: list[Signs] = []
    doubtful = []
    for signs in every:
        number = signs.page.number
        if signs.separator:
            so_far = []
            continue
        if signs.blank:
            if so_far:
                documents[-1].append(number)
            continue
        odds = begins(so_far, signs) if so_far else 1.0
        if (
            signs.has_separator_code
            or (signs.unread and len(every) > 1)
            or (so_far and (odds >= _BEGINS if separated else 1 - _SURE < odds < _SURE))
        ):
            doubtful.append(number)
        if not so_far or (odds >= _BEGINS and not separated):
            documents.append([])
            so_far = []
        documents[-1].append(number)
        so_far.append(signs)
    certain = separated and not doubtful and not any(page.problem for page in pages)  # it may be a separator
    return Split(documents=tuple(map(tuple, documents)), doubtful=tuple(doubtful), certain=certain)


def begins(so_far: Sequence[Signs], page: Signs) -> float:
    """The odds, 0..1, that a page begins a document. so_far: the pages of the document before it, at least one."""
    total = sum(WEIGHTS[name] * value for name, value in evidence(so_far, page).items())
    return 1 / (1 + exp(-total))
