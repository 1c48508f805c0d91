"""Who sells, who buys, where the goods go: address blocks and the labels above them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.readers._rules import values
from models.readers._rules.labels import HEADER, PARTIES, TOTALS
from models.readers._rules.sheet import Sheet, Span, find_labels
from tallyman.domain.compare import fold_text
from tallyman.domain.field import Field

_PLACE = re.compile(
    r"^(?:(?P<country>[A-Z]{1,3})[\s-]+)?(?P<postcode>\d{5}|\d{4}(?:\s?[A-Z]{2}\b)?)\s+(?P<city>[^\W\d_][^\d,;|·•]{1,40}?)"
    r"(?:,\s*(?:[A-Z]{2}|[^\W\d_]+))?$"
)
_UK = re.compile(r"^(?P<city>[^\W\d_][^\d,]{1,30}?),?\s+(?P<postcode>[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})$")
_US = re.compile(r"^(?P<city>[^\W\d_][^\d,]{1,30}?),?\s+(?P<state>[A-Z]{2})\s+(?P<postcode>\d{5}(?:-\d{4})?)$")
_PARTS = re.compile(r"\s*[·•●|]\s*|\s+[-–—*]\s+|,\s+")
_SKIP = re.compile(
    r"^(?:herrn?|frau|firma|attn|z\. ?hd|gln\b|kunden-?\s?(?:nr|nummer)|lief(?:eranten)?-\s?n|tel\b|fax|e-?mail|www|"
    r"ust|tva\b|vat\b|globale)",
    re.IGNORECASE,
)
_STREETISH = re.compile(
    r"(\d+\s*[a-zA-Z]?$|^\d+[\s,]|stra(?:ss|ß)e|str\.|\brue\b|avenue|\broad\b|street|platz|weg\b)", re.IGNORECASE
)
_ROLES = ("seller", "buyer", "ship_to")


@dataclass(frozen=True, kw_only=True)
class Block:
    """An address. `role` is by its label, if it has one; `line` says that it stood in one line."""

    role: str | None
    line: bool
    name: Span | None
    street: Span | None
    postcode: Span
    city: Span

    @property
    def key(self) -> tuple[str, str]:
        return fold_text(self.name.text if self.name else ""), self.postcode.text


def party_fields(sheets: list[Sheet]) -> dict[str, Field]:
    """Names, addresses and VAT ids of the parties, as far as they are printed."""
    blocks = [block for sheet in sheets for block in _blocks(sheet)]
    chosen = _assign(blocks)
    fields: dict[str, Field] = {}
    for role, (block, sure) in chosen.items():
        for part, span in (
            ("name", block.name),
            ("street", block.street),
            ("postcode", block.postcode),
            ("city", block.city),
        ):
            if span is not None and span.words:
                fields[f"{role}_{part}"] = span.field(f"{role}_{part}", span.text.strip(" ,;"), sure)
    fields.update(_vat_ids(sheets))
    return fields


def _blocks(sheet: Sheet) -> Iterator[Block]:
    for cell in sheet.cells:
        line = _one_line(cell)
        if line:
            yield line
            continue
        place = _place(cell)
        if place:
            block = _block_above(sheet, cell, *place)
            if block:
                yield block


def _place(span: Span) -> tuple[Span, Span] | None:
    """(postcode, city) when the span is the last line of an address."""
    text = span.text.strip(" ,;")
    for pattern in (_PLACE, _UK, _US):
        match = pattern.match(text)
        if match:
            offset = span.text.find(text)
            postcode = span.chars(match.start("postcode") + offset, match.end("postcode") + offset)
            city = span.chars(match.start("city") + offset, match.end("city") + offset)
            return (postcode, city) if postcode.words and city.words else None
    return None


def _one_line(cell: Span) -> Block | None:
    """`Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld`."""
    parts, at = [], 0
    for cut in [*_PARTS.finditer(cell.text), None]:
        end = cut.start() if cut else len(cell.text)
        span = cell.chars(at, end) if end > at else None
        if span and span.words:
            parts.append(_trimmed(span))
        at = cut.end() if cut else end
    for index, part in enumerate(parts):
        place = _place(part) if index >= 1 and part.words else None
        if place and index >= 2 and parts[0].words and parts[index - 1].words and len(parts[0].text) < 60:
            return Block(role=None, line=True, name=parts[0], street=parts[index - 1], postcode=place[0], city=place[1])
    return None


def _trimmed(span: Span) -> Span:
    words = [word for word in span.words if any(char.isalnum() for char in word.text)]
    trimmed = tuple(word.model_copy(update={"text": word.text.rstrip(",;|·•●")}) for word in words)
    return Span(page=span.page, source=span.source, words=trimmed)


def _block_above(sheet: Sheet, cell: Span, postcode: Span, city: Span) -> Block | None:
    lines: list[Span] = []
    role: str | None = None
    at = cell
    for _ in range(7):
        above = _next_up(sheet, at, reach=3.5 if at is cell else 1.8)
        if above is None or _one_line(above):
            break
        found = _role_label(above)
        if found:
            role = found
            rest = _value_part(above)
            if rest is not None:
                lines.append(rest)
            break
        if find_labels(above, HEADER) and any(char.isdigit() for char in above.text) and ":" in above.text:
            break
        lines.append(above)
        at = above
    role = role or _heading_left(sheet, lines[-1] if lines else cell)
    useful = [line for line in lines if _may_be_address(sheet, line)]
    if not useful:
        return None
    top_down = useful[::-1]
    name: Span | None = _labelled_name(sheet, useful, cell) or top_down[0]
    others = [line for line in top_down if line is not name]
    street = next((line for line in others if _STREETISH.search(line.text)), others[-1] if others else None)
    if street is None and name is not None and _STREETISH.search(name.text):
        name, street = None, name
    if street is not None:
        street = _before_comma(street)
    return Block(role=role, line=False, name=name, street=street, postcode=postcode, city=city)


def _before_comma(street: Span) -> Span:
    """`35 rue d'ici, second floor` without the second part; `10, boulevard X` whole."""
    comma = street.text.find(", ")
    if comma > 0 and re.search(r"[^\W\d_]{3}.*\d|\d.*[^\W\d_]{3}", street.text[:comma]):
        return street.chars(0, comma)
    return street


_ADDRESS_KEYS = frozenset({"name", "firma", "nom", "company", "anschrift", "adresse", "address", "strasse", "street"})


def _may_be_address(sheet: Sheet, line: Span) -> bool:
    """No key, no number of another kind; in forms of keys and values only what stands beside name and address."""
    if _SKIP.match(line.text) or line.text.rstrip().endswith(":") or not re.search(r"[^\W\d_]{2}", line.text):
        return False
    keys = [other.text for other in sheet.row_of(line) if other.box.x1 <= line.box.x0 and other.text.endswith(":")]
    return not keys or fold_text(keys[-1]) in _ADDRESS_KEYS


def _next_up(sheet: Sheet, cell: Span, reach: float) -> Span | None:
    """The line just above, starting or ending at the same edge."""
    best: Span | None = None
    for other in sheet.cells:
        gap = cell.box.y0 - other.box.y1
        if other.middle >= cell.middle - 0.3 * cell.height or gap > reach * max(cell.height, other.height):
            continue
        aligned = abs(other.box.x0 - cell.box.x0) < 0.025 or abs(other.box.x1 - cell.box.x1) < 0.01
        if aligned and (best is None or other.middle > best.middle):
            best = other
    return best


def _role_label(cell: Span) -> str | None:
    labels = [label for label in find_labels(cell, PARTIES) if label.start == 0]
    if not labels:
        return None
    rest = cell.part(labels[0].end)
    if any(char.isalnum() for word in rest.words for char in word.text) and not labels[0].span.text.endswith(":"):
        return None
    return max(labels, key=lambda label: label.weight).name


def _value_part(cell: Span) -> Span | None:
    labels = [label for label in find_labels(cell, PARTIES) if label.start == 0]
    rest = cell.part(labels[0].end)
    return rest if rest.words and any(char.isalpha() for char in rest.text) else None


def _heading_left(sheet: Sheet, top: Span) -> str | None:
    """The nearest party heading above or left of a block, as in forms of keys and values."""
    best: tuple[float, str] | None = None
    for cell in sheet.cells:
        distance = top.middle - cell.middle
        if not -0.01 <= distance <= 0.10 or cell.box.x0 > top.box.x0 + 0.02:
            continue
        role = _role_label(cell)
        distance += 0.3 * max(0.0, top.box.x0 - cell.box.x0)
        near = top.box.x0 - cell.box.x0 < 0.45 and (best is None or distance < best[0])
        if role and len(cell.words) <= 5 and near:
            best = (distance, role)
    return best[1] if best else None


_NAME_KEYS = frozenset({"name", "firma", "nom", "company"})


def _labelled_name(sheet: Sheet, lines: list[Span], cell: Span) -> Span | None:
    """In forms of keys and values, the line beside `Name:`."""
    for line in [*lines, cell]:
        for other in sheet.row_of(line):
            if other is not line and other.box.x1 <= line.box.x0 and fold_text(other.text) in _NAME_KEYS:
                return line
    return None


def _assign(blocks: list[Block]) -> dict[str, tuple[Block, float]]:
    chosen: dict[str, tuple[Block, float]] = {}
    for block in blocks:
        if block.role in _ROLES and block.role not in chosen:
            chosen[block.role] = (block, 0.8)
    sender = next((block for block in blocks if block.line and block.role is None), None)
    if sender and "seller" not in chosen:
        chosen["seller"] = (sender, 0.75)
    taken = {chosen[role][0].key[1] for role in chosen if role != "ship_to"}
    free = [block for block in blocks if block.role is None and not block.line and block.key[1] not in taken]
    if "seller" not in chosen and free and ("buyer" in chosen or len(free) > 1):
        seller = min(
            free, key=lambda block: (block.postcode.page, min(block.postcode.box.y0, 1 - block.postcode.box.y0))
        )
        chosen["seller"] = (seller, 0.5)
        free = [block for block in free if block.key[1] != seller.key[1]]
    upper = [block for block in free if block.postcode.page == 1 and block.postcode.box.y0 < 0.5]
    if "buyer" not in chosen and upper:
        chosen["buyer"] = (upper[0], 0.6)
    if "ship_to" in chosen and "buyer" in chosen and chosen["ship_to"][0].key == chosen["buyer"][0].key:
        del chosen["ship_to"]
    return chosen


def _vat_ids(sheets: list[Sheet]) -> dict[str, Field]:
    """The seller's VAT id stands in the footer, the letterhead or under the seller's heading; the buyer's says so."""
    found: dict[str, tuple[float, Field]] = {}
    for sheet in sheets:
        for cell in sheet.cells:
            for item in values.vat_ids(cell.text):
                words = cell.chars(item.start, item.end)
                if not words.words:
                    continue
                role, sure = _owner(sheet, cell)
                raw = cell.text[item.start : item.end]
                field = words.field(f"{role}_vat_id", item.value, sure * item.sure, raw)
                if sure > found.get(role, (0.0,))[0]:
                    found[role] = (sure, field)
    if "seller" in found and "buyer" in found and found["seller"][1].value == found["buyer"][1].value:
        found.pop("buyer")
    return {f"{role}_vat_id": field for role, (_, field) in found.items()}


_BUYERS = re.compile(r"(client|kunde|customer|buyer|käufer|\byour\b|\bihre\b|\bvotre\b)", re.IGNORECASE)


def _owner(sheet: Sheet, cell: Span) -> tuple[str, float]:
    row = " ".join(
        other.text for other in sheet.row_of(cell) if other.box.x0 <= cell.box.x0 and cell.box.x0 - other.box.x1 < 0.3
    )
    above = next(
        (
            other.text
            for other in sheet.cells
            if 0 < cell.box.y0 - other.box.y1 < cell.height and other.box.x0 <= cell.box.x0 <= other.box.x1
        ),
        "",
    )
    if _BUYERS.search(row) or (
        _BUYERS.search(above) and not re.search(r"[A-Z]{2}\d", above) and cell.text[:2].isupper()
    ):
        return "buyer", 0.85
    section = _section(sheet, cell)
    if section in ("buyer", "seller"):
        return section, 0.85
    return ("seller", 0.8) if section is None else ("other", 0.3)


def _section(sheet: Sheet, cell: Span) -> str | None:
    """The party heading under which a line stands."""
    best: tuple[float, str] | None = None
    for other in sheet.cells:
        distance = cell.middle - other.middle
        if 0 < distance < 0.14 and other.box.x0 <= cell.box.x0 + 0.02 and cell.box.x0 - other.box.x0 < 0.5:
            role = _role_label(other)
            if (
                role
                and len(other.words) <= 4
                and not find_labels(other, TOTALS)
                and (best is None or distance < best[0])
            ):
                best = (distance, role)
    return best[1] if best else None
