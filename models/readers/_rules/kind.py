"""Which type of document this is, by the words of its title."""

import re
from dataclasses import dataclass

from models.readers._rules.sheet import Sheet, Span
from tallyman.domain.document import UNKNOWN

_TITLES: tuple[tuple[str, str, float], ...] = (
    (
        "credit_note",
        r"credit (?:note|memo|advice)|gutschrift|rechnungskorrektur|stornorechnung|avoir|note de crédit",
        1.0,
    ),
    (
        "pod",
        r"proof of delivery|delivery (?:note|receipt)|goods delivery note|ablieferbeleg|abliefer(?:ungs)?nachweis",
        1.0,
    ),
    ("pod", r"lieferschein|bon de livraison|preuve de livraison|récépissé de livraison|empfangsbestätigung|cmr", 0.9),
    ("order", r"purchase order|bestellung|bon de commande|order response|order change", 0.8),
    ("invoice", r"(?:tax |sales |vat |commercial )?invoice|\w*rechnung|facture", 0.9),
)
_LABELLED = re.compile(
    r"\b(?:date|datum|vom \d|no|nr|n°|number|nummer|address|adresse|anschrift|your|ihre?|votre)\b", re.I
)
_SENTENCE = re.compile(
    r"\s*(?:\(\d{3}\))?\s*(?:(?:nr|no|n°|#)[.:]?)?\s*\S*\d\S*\s+(?:vom|von|dated|of|du)\s+\d", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Title:
    """`kind` is the name of a document type or "unknown"; `span` are the words that say so; `sure` is 0..1."""

    kind: str = UNKNOWN
    sure: float = 0.0
    span: Span | None = None


def title_of(sheets: list[Sheet]) -> Title:
    """What looks most like a title: it stands alone, is large, is near the top, and does not run up the margin."""
    best, score = Title(), 0.0
    usual = _usual_height(sheets)
    for sheet in sheets[:1]:
        for cell in filter(sheet.is_level, sheet.cells):
            text = _closed_up(cell)
            for kind, pattern, weight in _TITLES:
                match = re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)
                if match is None:
                    continue
                value = weight * _prominence(text, match, cell.height / usual, cell.box.y0)
                if _is_label(sheet, cell):
                    value *= 0.4
                if value > score:
                    score = value
                    words = cell.chars(*match.span()) if text == cell.text else cell
                    best = Title(kind=kind, sure=min(0.97, value), span=words)
    return best


def is_title(text: str) -> bool:
    """Whether a line is nothing but a title and perhaps a number: `Rechnung`, `Avoir 094485`."""
    for _, pattern, _ in _TITLES:
        match = re.match(rf"(?:{pattern})(?!\w)", text, re.IGNORECASE)
        if match and len(text) < 45 and not re.search(r"[^\W\d_]{4}.*[^\W\d_]{4}", text[match.end() :]):
            return True
    return False


def _closed_up(cell: Span) -> str:
    """`I N V O I C E` is one word."""
    letters = [word.text for word in cell.words]
    return "".join(letters) if len(letters) > 4 and all(len(letter) == 1 for letter in letters) else cell.text


def _is_label(sheet: Sheet, cell: Span) -> bool:
    """`Lieferschein:` and `Bestellung | 4711` name a reference, not the document."""
    if cell.text.rstrip().endswith(":"):
        return True
    beside = next(iter(sheet.right_of(cell)), None)
    return beside is not None and len(cell.words) <= 3 and any(char.isdigit() for char in beside.text[:12])


def _usual_height(sheets: list[Sheet]) -> float:
    heights = sorted(cell.height for sheet in sheets[:1] for cell in sheet.cells)
    return max(heights[len(heights) // 2], 1e-4) if heights else 1.0


def _prominence(text: str, match: "re.Match[str]", size: float, top: float) -> float:
    """A heading counts most; a mere label (`Lieferschein-Nr.: 5`) or a word in a sentence counts little."""
    rest = (text[: match.start()] + text[match.end() :]).strip(" :.#-")
    value = 0.55
    if not rest:
        value = 0.9
    elif _SENTENCE.match(text[match.end() :]):
        value = 0.95
    elif match.start() == 0 and len(text) < 60:
        value = 0.6 if _LABELLED.search(rest) else 0.75
    elif len(text) > 60:
        value = 0.25
    value += 0.12 if size > 1.35 else 0.0
    return value - (0.25 if top > 0.5 else 0.0)
