"""A file that holds several documents: which of its pages are whose."""

from collections.abc import Iterable, Sequence

from tallyman.domain.base import Value

Documents = tuple[tuple[int, ...], ...]
"""The pages, from 1, of each document in a file. A page is in one of them or in none."""


class Stack(Value):
    """What a file would be split into.

    `certain`: a separator sheet stands before every document but the first, and nothing is doubtful.
    """

    documents: Documents
    certain: bool = False


def written(documents: Iterable[Sequence[int]]) -> str:
    """As people write it: `1-2; 3; 4, 6-7`."""
    return "; ".join(map(pages_of, documents))


def pages_of(pages: Sequence[int]) -> str:
    """The pages of one document: `4, 6-7`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
