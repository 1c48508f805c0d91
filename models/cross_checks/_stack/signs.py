"""What a page tells about being the first of a document or a further one."""

import re
from dataclasses import dataclass
from functools import cached_property

from models import values
from models.readers._rules.header import header_fields, identifiers_strict, labelled
from models.readers._rules.kind import Title, title_of
from models.readers._rules.labels import HEADER, POD
from models.readers._rules.sheet import Sheet, sheets_of
from models.readers._rules.totals import total_fields
from tallyman.domain.compare import alike_number, fold_text
from tallyman.domain.document import UNKNOWN
from tallyman.domain.page import Page

SEPARATOR = "TALLYMAN-SEPARATOR"
"""The text of a code, of any kind, on a sheet that parts two documents and belongs to neither."""
_BLANK_WORDS = 3
_BLANK_INK = 0.003
"""A few lines of writing cover more; dust, a stamp's corner and what shows through cover less."""
_SEPARATOR_WORDS = 20
_TITLED = 0.6
_READ = 0.4
_SLIP = "pod"
_EDGE = 0.14
"""The parts of a page, from its upper and lower edge, where houses print what is the same on all their pages."""
_NUMBER_LENGTH = 5
_ID = re.compile(r"\b(?:ATU|CHE-?|FR[0-9A-Z]{2}|(?:AT|BE|DE|ES|GB|IE|IT|LU|NL|PL|PT)[A-Z]?)\s?[\d.]{8,12}[A-Z]?\b")
_PAGE = re.compile(
    r"\b(?:page|pg|seite|blatt|pagina|página|pág|pag|strona|bladzijde|blz)\b[.:\s]{0,3}(?:n[r°o]\.?\s*)?"
    r"(\d{1,3})(?:\s*(?:of|von|de|sur|di|van|z|/)\s*(\d{1,3}))?(?!\d)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"[-–(\s]*(\d{1,3})\s*(?:/|of|von|de|sur|di|van|z)\s*(\d{1,3})[-–)\s]*|[-–]\s*(\d{1,3})\s*()[-–]", re.IGNORECASE
)
_CARRIED = frozenset(
    map(
        fold_text,
        (
            "Carried forward", "Brought forward", "Subtotal carried forward", "Subtotal brought forward",
            "Continued", "Continued overleaf", "Übertrag", "Vortrag", "Übertrag auf nächste Seite",
            "Übertrag von vorheriger Seite", "Übertrag von Seite", "Fortsetzung", "À reporter", "Report",
            "Report page précédente", "Sous-total à reporter", "Sous-total reporté", "Suma anterior",
            "Suma y sigue", "A riportare", "Riporto", "Transport", "Over te brengen", "Do przeniesienia",
            "Z przeniesienia",
        ),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Signs:
    """One page, and what it shows; each is looked for once, when it is first asked for."""

    page: Page

    @cached_property
    def sheet(self) -> Sheet:
        return sheets_of((self.page,))[0]

    @cached_property
    def separator(self) -> bool:
        """A sheet with the code and hardly more. A stranger may print the code on a page of his own: that stays one."""
        return self.has_separator_code and self._words <= _SEPARATOR_WORDS

    @cached_property
    def has_separator_code(self) -> bool:
        return any(code.text.strip() == SEPARATOR for code in self.page.barcodes)

    @cached_property
    def blank(self) -> bool:
        """A back: hardly a word, and no code."""
        return self._words <= _BLANK_WORDS and not self.page.barcodes and not self.unread

    @cached_property
    def unread(self) -> bool:
        """Whether something stands on it of which hardly a word was read: a hand's writing, a foreign script."""
        picture = self.page.picture
        return self._words <= _BLANK_WORDS and picture is not None and picture.ink > _BLANK_INK

    @cached_property
    def _words(self) -> int:
        return sum(sum(char.isalnum() for char in word.text) > 1 for word in self.page.words)

    @cached_property
    def number(self) -> tuple[int, int | None] | None:
        """(2, 3) for "Page 2 of 3", (2, None) for "Seite 2"; None where the page does not tell."""
        told = [match for cell in self.sheet.cells if (match := _PAGE.search(cell.text))]
        edge = [cell for cell in self.sheet.cells if cell.box.y0 < _EDGE or cell.box.y1 > 1 - _EDGE]
        told += [match for cell in edge if (match := _BARE.fullmatch(cell.text))]
        groups = [[group for group in match.groups() if group is not None] for match in told]
        pairs = [(int(at), int(of[0]) if of and of[0] else None) for at, *of in groups]
        pairs = [(at, of) for at, of in pairs if at >= 1 and (of is None or at <= of)]
        return max(pairs, key=lambda pair: pair[1] is not None, default=None)

    @cached_property
    def title(self) -> tuple[str, float]:
        """The kind of document that the page's title names, and how surely it is a title."""
        if self.fine_print:  # it speaks of invoices and deliveries, and is none
            return UNKNOWN, 0.0
        title = title_of([self.sheet]) if self.sheet.cells else Title()
        return (title.kind, title.sure) if title.sure >= _TITLED else (UNKNOWN, title.sure)

    @cached_property
    def own_numbers(self) -> frozenset[str]:
        """Numbers that the page calls its document's own, without what OCR mixes up."""
        found = [field for name, field in header_fields([self.sheet], HEADER).items() if name == "invoice_number"]
        if self.title[0] == _SLIP:  # on other papers the delivery note's number is a reference
            found += labelled([self.sheet], POD, {"pod_number": identifiers_strict}).values()
        return frozenset(alike_number(field.value) for field in found if field.confidence > _READ)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Everything on the page that may be the number of a document."""
        words = (alike_number(word.text) for word in self.page.words if any(char.isdigit() for char in word.text))
        return frozenset(word for word in words if len(word) >= _NUMBER_LENGTH)

    @cached_property
    def ids(self) -> frozenset[str]:
        """Accounts and tax numbers: a house's own are on most of its pages."""
        found = set()
        for cell in self.sheet.cells:
            found |= {alike_number(each.value) for each in values.ibans(cell.text) if each.sure == 1.0}
            found |= {alike_number(match.group()) for match in _ID.finditer(cell.text)}
        return frozenset(found)

    @cached_property
    def carried(self) -> bool:
        """Whether a sum is carried over from the page before or to the next one."""
        return any(fold_text(re.sub(r"[\d.,:€$]+.*", "", cell.text)) in _CARRIED for cell in self.sheet.cells)

    @cached_property
    def totalled(self) -> bool:
        return "gross_total" in total_fields([self.sheet])

    @cached_property
    def fine_print(self) -> bool:
        """Many words and hardly a figure: terms and conditions."""
        words = self.page.words
        return len(words) > 250 and sum(any(char.isdigit() for char in word.text) for word in words) < 0.08 * len(words)
