"""What was taken from a text layer, against the picture of the page: a person sees the picture, a program the layer.

A font may draw a 1 and call it a 9, and what covers a word takes it away for people only. So the words that the
document's own numbers, accounts, amounts, dates, currency and type rest on are spelled from the picture too. Those of
its lines are not: they must add up to its totals. A picture that shows much more than the layer says is told as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from tallyman.domain.document import Document, Problem
from tallyman.domain.field import Evidence, FieldSpec, Kind
from tallyman.domain.page import Box, Drawn, Page, Reading, Word, WordSource

CODE = "TEXT_DIFFERS_FROM_PICTURE"
_SMALL = 4.6
"""Points, the height of a word in print of 4 points: nobody reads smaller print, and whoever uses it may want that."""
Look = Callable[[Sequence[tuple[Page, Sequence[Word]]]], list[Drawn]]
"""What pictures say, as PageReader.as_drawn tells."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Words on a page, those of a line as one, that the value called `name` rests on."""

    name: str
    page: Page
    word: Word


def compared(document: Document, reading: Reading, specs: Sequence[FieldSpec], look: Look) -> Document:
    """The document with a problem for each value of which the picture shows something else, and for each page of which
    it shows much more.

    specs: the fields of the document's type; those of free text are left alone.
    """
    asked = list(_asked(document, reading, specs))
    pages = [page for page in reading.pages if page.source is WordSource.TEXT_LAYER and page.words]
    if not pages:
        return document
    words = [list(dict.fromkeys(one.word for one in asked if one.page is page)) for page in pages]
    drawn = look(list(zip(pages, words, strict=True)))
    problems = [_unsaid(page) for page, shown in zip(pages, drawn, strict=True) if shown.more]
    texts = {
        (page.number, word): text
        for page, some, shown in zip(pages, words, drawn, strict=True)
        for word, text in zip(some, shown.texts, strict=True)
    }
    differing: dict[str, Problem] = {}
    for one in asked:
        problem = _problem(one, texts[one.page.number, one.word])
        if problem is not None:
            differing.setdefault(one.name, problem)
    return document.model_copy(update={"problems": (*document.problems, *problems, *differing.values())})


def _asked(document: Document, reading: Reading, specs: Sequence[FieldSpec]) -> Iterator[_Asked]:
    kinds = {spec.name: spec.kind for spec in specs}
    places = {"type": (document.titled, False)} if document.titled is not None else {}
    for name, field in document.fields.items():
        digits = any(map(str.isdigit, field.value))
        if name in kinds and (kinds[name] is Kind.CURRENCY or (digits and kinds[name] is not Kind.TEXT)):
            places[name] = (field.evidence, digits)
    for name, (place, digits) in places.items():
        for page in reading.pages:
            if place.page == page.number and place.words is WordSource.TEXT_LAYER:
                yield from (_Asked(name=name, page=page, word=word) for word in _pieces(page, place, digits))


def _pieces(page: Page, place: Evidence, digits: bool) -> Iterator[Word]:
    """What stands in a box, the words of each line as one. digits: only where one is in it, which may be another."""
    lines: dict[int, list[Word]] = {}
    for word in page.words:
        if place.box is not None and _within(word.box, place.box):
            lines.setdefault(word.line, []).append(word)
    for words in lines.values():
        text = " ".join(word.text for word in words)
        if not digits or any(map(str.isdigit, text)):
            box = reduce(lambda one, other: one.union(other), (word.box for word in words))
            yield words[0].model_copy(update={"text": text, "box": box})


def _within(box: Box, around: Box) -> bool:
    across, down = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return around.x0 <= across <= around.x1 and around.y0 <= down <= around.y1


def _problem(asked: _Asked, text: str) -> Problem | None:
    said, box = asked.word.text, asked.word.box
    if text != said:
        shown = f'its picture shows "{text}"' if text else "nothing there can be read on its picture"
        message = f'The text of the page says "{said}", but {shown}.'
    elif (box.y1 - box.y0) * asked.page.height < _SMALL:
        message = f'"{said}" is printed so small on page {asked.page.number} that hardly anybody reads it.'
    else:
        return None
    return Problem(code=CODE, message=message, field=asked.name)


def _unsaid(page: Page) -> Problem:
    message = f"The picture of page {page.number} shows much print that the text of the page does not have."
    return Problem(code=CODE, message=message)
