"""Who sells, who buys, where the goods go: address blocks and the labels above them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models import values
from models.readers._rules.kind import is_title
from models.readers._rules.labels import HEADER, PARTIES, TOTALS
from models.readers._rules.sheet import Area, Sheet, Span, find_labels
from tallyman.domain.compare import fold_text
from tallyman.domain.field import Field

_PLACE = re.compile(
    r"^(?:(?:A|AT|B|BE|CH|CZ|D|DE|DK|E|ES|F|FR|FL|I|IT|L|LU|NL|PL|SE)[\s-]+)?"
    r"(?P<postcode>\d{5}|\d{4}-\d{3}|\d{2}-\d{3}|\d{3} \d{2}|\d{4}(?:\s?[A-Z]{2}\b)?)\s+"
    r"(?P<city>[^\W\d_][^\d,;|·•]{1,40}?)(?:,\s*(?:[A-Z]{2}|[^\W\d_]+))?$"
)
_UK = re.compile(
    r"^(?P<city>[^\W\d_][^\d,]{1,30}?),?\s+(?P<postcode>[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|"
    r"[A-Z]\d[\dW] ?[A-Z\d]{4}|[A-Z]\d[A-Z] ?\d[A-Z]\d)$"
)
_US = re.compile(r"^(?P<city>[^\W\d_][^\d,]{1,30}?),?\s+(?P<state>[A-Z]{2})\s+(?P<postcode>\d{5}(?:-\d{4})?)$")
_PARTS = re.compile(r"\s*[·•●|]\s*|\s+/\s+|\s+[-–—*]\s+|,\s+")
_SKIP = re.compile(
    r"^(?:herrn?|frau|firma|attn|z\. ?hd|gln\b|kunden-?\s?(?:nr|nummer)|lief(?:eranten)?-\s?n|tel\b|fax|e-?mail|www|"
    r"ust|tva\b|vat\b|globale|(?:nummer|number|numéro|name|nom)$)",
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

    @property
    def place(self) -> tuple[str, str]:
        return fold_text(self.street.text if self.street else ""), self.postcode.text


def party_fields(sheets: list[Sheet], areas: Sequence[Area] = (), iban: Field | None = None) -> dict[str, Field]:
    """Names, addresses and VAT ids of the parties, as far as they are printed.

    areas: line tables, where no address stands. iban: the seller's account, whose country is mostly the seller's.
    """
    blocks = [block for sheet in sheets for block in _blocks(sheet, areas)]
    chosen = {role: (block, _surer(role, block, sure, sheets)) for role, (block, sure) in _assign(blocks).items()}
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
    fields.update(_vat_ids(sheets, iban))
    return fields


def _surer(role: str, block: Block, sure: float, sheets: list[Sheet]) -> float:
    """A seller's name stands on its paper more than once: in the letterhead, the footer, the domain of its mail."""
    if role != "seller" or block.name is None:
        return sure
    name = fold_text(block.name.text)
    words = [fold_text(word.text) for word in block.name.words]
    places = {word.box for word in block.name.words}
    telling = {word for word in (words[0], max(words, key=len)) if len(word) >= 5}
    for sheet in sheets:
        for cell in sheet.cells:
            if cell.page == block.name.page and places & {word.box for word in cell.words}:
                continue  # it is where the name was found
            text = fold_text(cell.text)
            of_mail = re.search(r"@|www\.", cell.text) and any(word in text for word in telling)
            if name in text or text in telling or of_mail:
                return min(0.93, sure + 0.18)
    return sure


def _blocks(sheet: Sheet, areas: Sequence[Area]) -> Iterator[Block]:
    for cell in sheet.cells:
        if any(area.holds(cell) for area in areas):
            continue
        line = _one_line(cell) or _street_and_place(sheet, cell)
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
    """`Kraxi GmbH · Flugzeugallee 17 · 12345 Papierfeld`, perhaps after `Ship to:`."""
    labels = [label for label in find_labels(cell, PARTIES) if label.start == 0]
    role = max(labels, key=lambda label: label.weight).name if labels else None
    parts = _parts(cell.part(labels[0].end) if labels else cell)
    for index, part in enumerate(parts):
        place = _place(part) if index >= 2 and part.words else None
        if place and parts[0].words and parts[index - 1].words and len(parts[0].text) < 60:
            return Block(role=role, line=True, name=parts[0], street=parts[index - 1], postcode=place[0], city=place[1])
    return None


def _street_and_place(sheet: Sheet, cell: Span) -> Block | None:
    """A letterhead: `22 Foundry Lane · Birmingham B7 4AX` and the name in a line of its own above it."""
    parts = _parts(cell)
    place = _place(parts[1]) if len(parts) == 2 and parts[1].words else None
    if place is None or cell.box.y0 > 0.25 or not _STREETISH.search(parts[0].text):
        return None
    centre = (cell.box.x0 + cell.box.x1) / 2
    for above in sorted(sheet.cells, key=lambda other: -other.middle):
        near = 0 < cell.middle - above.middle < 4 * max(cell.height, above.height)
        level = abs((above.box.x0 + above.box.x1) / 2 - centre) < 0.03 or abs(above.box.x0 - cell.box.x0) < 0.02
        if near and level and not is_title(above.text) and _may_be_address(sheet, above):
            return Block(role=None, line=True, name=above, street=parts[0], postcode=place[0], city=place[1])
    return None


def _parts(cell: Span) -> list[Span]:
    parts, at = [], 0
    for cut in [*_PARTS.finditer(cell.text), None]:
        end = cut.start() if cut else len(cell.text)
        span = cell.chars(at, end) if end > at else None
        if span and span.words:
            parts.append(_trimmed(span))
        at = cut.end() if cut else end
    return parts


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
        if _ends_address(above):
            break
        lines.append(above)
        at = above
    role = role or _heading_left(sheet, lines[-1] if lines else cell)
    useful = [line for line in lines if _may_be_address(sheet, line)]
    if not useful:
        return None
    top_down = useful[::-1]
    name: Span | None = _labelled_name(sheet, useful, cell)
    if name is None:
        name, top_down = _wrapped_name(top_down)
    others = [line for line in top_down if line is not name]
    street = next((line for line in others if _STREETISH.search(line.text)), others[-1] if others else None)
    if street is None and name is not None and _STREETISH.search(name.text):
        name, street = None, name
    if street is not None:
        street = _before_comma(street)
    return Block(role=role, line=False, name=name, street=street, postcode=postcode, city=city)


def _ends_address(line: Span) -> bool:
    """What stands above an address without a heading: the title, a label, a number."""
    labels = find_labels(line, HEADER)
    if labels and (labels[0].end - labels[0].start == len(line.words) or _labelled_number(line)):
        return True
    number = any(char.isdigit() for char in line.text) and not re.search(r"[^\W\d_]{2}", line.text)
    return number or is_title(line.text) or any(True for _ in values.vat_ids(line.text))


def _labelled_number(line: Span) -> bool:
    return ":" in line.text and any(char.isdigit() for char in line.text)


LEGAL_FORM = re.compile(
    r"(?:^|\W)(?:gmbh|mbh|ag|kg|ohg|e\.? ?k\.?|ug|se|gbr|eg|kgaa|ltd\.?|limited|llp|plc|dac|inc\.?|llc|corp\.?|sas?|"
    r"s\.?a\.?r\.?l\.?|sàrl|eurl|z ?o\.? ?o\.?|o\.o\.|b\.?v\.?|s\.?r\.?l\.?|s\.?p\.?a\.?)$",
    re.IGNORECASE,
)


def _wrapped_name(lines: list[Span]) -> tuple[Span, list[Span]]:
    """(the name, the lines from it on): a logo repeats the name's beginning; a legal form may end it a line below."""
    if len(lines) > 2 and _is_logo(lines[0], lines[1]):
        lines = lines[1:]
    first = lines[0]
    if len(lines) < 3 or LEGAL_FORM.search(first.text) or not LEGAL_FORM.search(lines[1].text):
        return first, lines
    if len(lines[1].words) > 2 or _STREETISH.search(lines[1].text):
        return first, lines
    name = Span(page=first.page, source=first.source, words=(*first.words, *lines[1].words))
    return name, [name, *lines[2:]]


def _is_logo(line: Span, name: Span) -> bool:
    """`AC` or `Aubrac` above `Aubrac Cartonnages AG`."""
    logo, whole = fold_text(line.text), fold_text(name.text)
    initials = fold_text("".join(word.text[0] for word in name.words))
    return (
        whole.startswith(logo) or initials.startswith(logo) or (len(logo) <= 3 and bool(LEGAL_FORM.search(name.text)))
    )


def _before_comma(street: Span) -> Span:
    """`35 rue d'ici, second floor` without the second part; `10, boulevard X` whole."""
    comma = street.text.find(", ")
    if comma > 0 and re.search(r"[^\W\d_]{3}.*\d|\d.*[^\W\d_]{3}", street.text[:comma]):
        return street.chars(0, comma)
    return street


_ADDRESS_KEYS = frozenset({"name", "firma", "nom", "company", "anschrift", "adresse", "address", "strasse", "street"})


def _may_be_address(sheet: Sheet, line: Span) -> bool:
    """No key, no number of another kind; in forms of keys and values only what stands beside name and address."""
    key = re.match(r"([^\W\d_][^:/\d]{1,25}?)\s?:\s", line.text)
    if key and fold_text(key[1]) not in _ADDRESS_KEYS:
        return False
    if (
        _SKIP.match(line.text)
        or is_title(line.text)
        or line.text.rstrip().endswith(":")
        or not (re.search(r"[^\W\d_]{2}", line.text) or LEGAL_FORM.search(line.text))
    ):
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
    taken = {chosen[role][0].place for role in chosen if role != "ship_to"}
    free = [block for block in blocks if block.role is None and not block.line and block.place not in taken]
    if "seller" not in chosen and free and ("buyer" in chosen or len(free) > 1):
        seller = min(
            free, key=lambda block: (block.postcode.page, min(block.postcode.box.y0, 1 - block.postcode.box.y0))
        )
        chosen["seller"] = (seller, 0.5)
        free = [block for block in free if block.place != seller.place]
    upper = [block for block in free if block.postcode.page == 1 and block.postcode.box.y0 < 0.5]
    if "buyer" not in chosen and upper:
        chosen["buyer"] = (upper[0], 0.6)
    if "ship_to" in chosen and "buyer" in chosen and chosen["ship_to"][0].key == chosen["buyer"][0].key:
        del chosen["ship_to"]
    return chosen


def _vat_ids(sheets: list[Sheet], iban: Field | None) -> dict[str, Field]:
    """The seller's VAT id stands in the footer, the letterhead or under the seller's heading; the buyer's says so."""
    found: dict[str, tuple[float, Field]] = {}
    for sheet in sheets:
        for cell in sheet.cells:
            accounts = [(item.start, item.end) for item in values.ibans(cell.text) if item.sure == 1.0]
            for item in values.vat_ids(cell.text):
                words = cell.chars(item.start, item.end)
                if not words.words or any(start <= item.start < end for start, end in accounts):
                    continue
                role, sure = _owner(sheet, cell, item.start)
                raw = cell.text[item.start : item.end]
                # Check digits fail on samples; what the label says holds all the same.
                proven = 1.0 if item.sure == 1.0 else 0.9
                field = words.field(f"{role}_vat_id", item.value, sure * proven, raw)
                if sure > found.get(role, (0.0,))[0]:
                    found[role] = (sure, field)
    if "seller" in found and "buyer" in found and found["seller"][1].value == found["buyer"][1].value:
        found.pop("buyer")
    return {f"{role}_vat_id": field for role, (_, field) in _by_country(found, iban).items()}


def _by_country(found: dict[str, tuple[float, Field]], iban: Field | None) -> dict[str, tuple[float, Field]]:
    """A lone VAT id of another country than the seller's account is rather the buyer's."""
    if set(found) != {"seller"} or iban is None:
        return found
    sure, field = found["seller"]
    countries = {field.value[:2], iban.value[:2]}
    if len(countries) == 1 or countries <= {"GR", "EL"} or iban.confidence < 0.6:
        return found
    buyer = field.model_copy(update={"name": "buyer_vat_id", "confidence": 0.5})
    return {"buyer": (sure, buyer)}


_BUYERS = re.compile(r"(client|kunde|customer|buyer|käufer|\byour\b|\bihre\b|\bvotre\b)", re.IGNORECASE)
_SURE_LABEL = 0.93


def _owner(sheet: Sheet, cell: Span, start: int) -> tuple[str, float]:
    """Whose VAT id stands at `start` of a cell: by the words before it, above it, or by the heading of its block."""
    before = cell.text[max(0, start - 40) : start]
    row = " ".join(
        other.text for other in sheet.row_of(cell) if other.box.x1 <= cell.box.x0 and cell.box.x0 - other.box.x1 < 0.3
    )
    if _BUYERS.search(before) or (not re.search(r"\w", before) and _BUYERS.search(row)):
        return "buyer", _SURE_LABEL
    if not re.search(r"\w", before) and _BUYERS.search(_just_above(sheet, cell)):
        return "buyer", 0.9
    section = _section(sheet, cell)
    if section in ("buyer", "seller"):
        return section, 0.9
    return ("seller", 0.85) if section is None else ("other", 0.3)


def _just_above(sheet: Sheet, cell: Span) -> str:
    """The label above a value; a line with a VAT id of its own labels nothing below it."""
    for other in sheet.cells:
        gap = cell.box.y0 - other.box.y1
        across = min(cell.box.x1, other.box.x1) - max(cell.box.x0, other.box.x0)
        if other.middle < cell.middle and -0.5 * cell.height < gap < 1.2 * cell.height and across > 0:
            return "" if any(True for _ in values.vat_ids(other.text)) else other.text
    return ""


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
