"""Does a file hold several documents? A person splits it; none of them is posted as if it were the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.cross_checks._stack.signs import Signs
from models.cross_checks._stack.split import Split, split_of
from tallyman.domain.document import Document, Problem
from tallyman.domain.field import Source
from tallyman.domain.page import Page, Reading
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import Documents, Stack, pages_of
from tallyman.matching.say import listed

_BILLS = ("invoice", "credit_note")


@dataclass(frozen=True, kw_only=True)
class StackCheck:
    name: str = "stack"
    order: int = 20

    def apply(self, document: Document, reading: Reading) -> Document:
        """With a problem where the pages look like several documents.

        What follows an electronic invoice are its annexes, unless another bill begins there. To split such a file
        would leave its XML behind, so only a person does.
        """
        electronic = any(field.source is Source.E_INVOICE for field in document.fields.values())
        split = split_of(reading.pages)
        if not _holds_another_bill(split, reading.pages) if electronic else _is_one(split):
            return document
        problem = Problem(code=Reason.SPLIT_SUGGESTED, message=_message(split))
        stack = Stack(documents=_suggested(split), certain=split.certain and not electronic)
        return document.model_copy(update={"problems": (*document.problems, problem), "stack": stack})


def _is_one(split: Split) -> bool:
    return len(split.documents) < 2 and not split.doubtful


def _holds_another_bill(split: Split, pages: Sequence[Page]) -> bool:
    begins = {document[0] for document in split.documents[1:]}
    return any(Signs(page).title[0] in _BILLS for page in pages if page.number in begins)


def _suggested(split: Split) -> Documents:
    """What to split it into. Where only doubtful pages speak against one document, it is split at these."""
    if len(split.documents) > 1:
        return split.documents
    parts: list[tuple[int, ...]] = []
    for page in split.documents[0]:
        begins = not parts or page in split.doubtful
        parts = [*parts, (page,)] if begins else [*parts[:-1], (*parts[-1], page)]
    return tuple(parts)


def _message(split: Split) -> str:
    several = len(split.documents) > 1
    told = "This file may hold more than one document."
    if several:
        parts = listed([pages_of(pages) for pages in split.documents])
        verb = "holds" if split.certain else "seems to hold"
        told = f"This file {verb} {len(split.documents)} documents: pages {parts}."
    if split.doubtful:
        one = len(split.doubtful) == 1
        numbers = listed(map(str, split.doubtful))
        told += f" Look at {'page' if one else 'pages'} {numbers}: {'it' if one else 'they'} may begin one or go on."
    return told


CROSS_CHECK = StackCheck()
