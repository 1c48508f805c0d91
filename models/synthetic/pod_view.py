"""A proof of delivery as a layout sees it: the printed texts, and what the receiver's hand put on them."""

from decimal import Decimal
from typing import Any

from markupsafe import Markup

from models.synthetic import barcodes, handwriting
from models.synthetic.formats import decimals
from models.synthetic.handwriting import Hand
from models.synthetic.look import Look
from models.synthetic.specs import PodLine, PodSpec
from models.synthetic.view import COLUMN_CSS, Column, Pair, TextLine, party_lines


class PodView:
    """All texts and inks of one proof of delivery. `seed` is that of the receiver's hand."""

    def __init__(self, spec: PodSpec, look: Look, seed: int) -> None:
        self.spec, self.look, self.seed = spec, look, seed
        self.words, self.formats = look.words, look.formats
        self.hand = Hand(f"{seed}/{spec.signer_name}")
        home = spec.shipper.country
        self.shipper = party_lines(spec.shipper, "shipper", look, home)
        self.consignee = party_lines(spec.consignee, "consignee", look, home)
        self.carrier = party_lines(spec.carrier, "carrier", look, home) if spec.carrier else []
        self.title = self.words["title_pod"]

    def pair(self, key: str, field: str | None, text: str) -> Pair:
        return Pair(key, self.look.label(key), [(field, text)])

    @property
    def meta(self) -> list[Pair]:
        """The printed head: numbers, dates, who drives."""
        spec = self.spec
        texts: list[tuple[str, str | None, str]] = [
            ("pod_number", "pod_number", spec.number),
            ("pod_date", None, self.formats.date(spec.issue_date) if spec.issue_date else ""),
            ("waybill_number", "waybill_number", spec.waybill),
            ("purchase_order_reference", "purchase_order_reference", spec.purchase_order_reference),
            ("driver", "driver", spec.driver),
            ("vehicle", None, spec.vehicle),
            ("packages", None, str(spec.packages) if spec.packages else ""),
            ("weight", None, f"{self.formats.quantity(spec.weight_kg)} kg" if spec.weight_kg else ""),
        ]
        return [self.pair(key, field, text) for key, field, text in texts if text]

    def only(self, *keys: str) -> list[Pair]:
        """The named pairs of the head, in this order, those absent left out."""
        by_key = {pair.key: pair for pair in self.meta}
        return [by_key[key] for key in keys if key in by_key]

    def rest(self, *keys: str) -> list[Pair]:
        """The pairs of the head that are not named."""
        return [pair for pair in self.meta if pair.key not in keys]

    @property
    def _judged(self) -> bool:
        return any(line.rejected is not None or line.reason for line in self.spec.lines)

    def columns(self, received: bool) -> list[Column]:
        """The table's columns; without `received`, the hand strikes printed quantities out and writes beside them."""
        keys = ["item", "description", "unit", "shipped_quantity"]
        keys += ["received_quantity"] if received else []
        keys += ["rejected_quantity", "reject_reason"] if self._judged or received else []
        return [Column(key, self.words.get(key, key), {"item": "code", **COLUMN_CSS}.get(key, "num")) for key in keys]

    def cells(self, index: int, received: bool) -> list[Markup]:
        """The cells of one line, in the order of the columns."""
        line = self.spec.lines[index]
        return [self._cell(column.key, index, line, received) for column in self.columns(received)]

    def _cell(self, key: str, index: int, line: PodLine, received: bool) -> Markup:
        if key == "received_quantity":
            return self._received(index, line)
        if key == "rejected_quantity":
            return self._number(key, line.rejected, index)
        if key == "reject_reason":
            ink = self.hand.write(line.reason, 9, 150).svg(f"line.{key}", line.reason, index) if line.reason else ""
            return Markup('<span class="hand">{}</span>').format(ink)
        texts = {
            "item": line.item,
            "description": line.description,
            "unit": self.look.units.get(line.unit, line.unit),
            "shipped_quantity": self.formats.quantity(line.shipped),
        }
        printed = Markup('<span data-field="line.{}" data-line="{}">{}</span>').format(key, index, texts[key])
        struck = key == "shipped_quantity" and not received and line.received is not None
        return self._struck(printed, texts[key], index, line) if struck else printed

    def _number(self, key: str, value: Decimal | None, index: int) -> Markup:
        if value is None:
            return Markup('<span class="hand"></span>')
        text = self.by_hand(value)
        return Markup('<span class="hand">{}</span>').format(self.hand.write(text, 13).svg(f"line.{key}", text, index))

    def _received(self, index: int, line: PodLine) -> Markup:
        if line.received is not None:
            return self._number("received_quantity", line.received, index)
        ticks = self.spec.signature == "signed" and Hand(f"{self.seed}/ticks").slant > 0.1
        ink = self.hand.tick(12).svg("line.received_tick", "tick", index) if ticks else ""
        return Markup('<span class="hand">{}</span>').format(ink)

    def _struck(self, printed: Markup, text: str, index: int, line: PodLine) -> Markup:
        number = self.by_hand(line.received if line.received is not None else line.shipped)
        strike = self.hand.strike(8 + 7 * len(text)).svg(style="left:-3px;top:35%")
        beside = self.hand.write(number, 13).svg(
            "line.received_quantity", number, index, "left:calc(100% + 6px);top:-4px"
        )
        return Markup('<span class="struck">{}{}{}</span>').format(printed, strike, beside)

    def by_hand(self, value: Decimal) -> str:
        """A number as a hand writes it: no more decimals than it has, no separators of thousands."""
        return f"{value:.{decimals(value)}f}".replace(".", self.formats.decimal)

    def written(self, field: str) -> Markup:
        """A field that the receiver fills in by hand; nothing where it was left empty."""
        spec = self.spec
        texts = {
            "delivered_date": self._short_date(),
            "delivered_time": self.formats.time(spec.delivered_time) if spec.delivered_time else "",
            "signer_name": spec.signer_name,
            "damage_note": spec.damage_note or "",
        }
        width = {"damage_note": 330, "signer_name": 150}.get(field, 95)
        text = texts[field]
        shown = text.upper() if field == "signer_name" and self.look.chance("capitals", 0.5) else text
        return self.hand.write(shown, 12, width).svg(field, text) if text else Markup("")

    def _short_date(self) -> str:
        day = self.spec.delivered_date
        if day is None:
            return ""
        if self.formats.locale.startswith("de"):
            return f"{day.day}.{day.month}.{day:%y}" if self.seed % 2 else f"{day:%d.%m.%Y}"
        if self.formats.locale == "pl_PL":
            return f"{day:%d.%m.%Y}" if self.seed % 2 else f"{day:%d.%m.%y}"
        if self.formats.locale == "nl_NL":
            return f"{day.day}-{day.month}-{day:%y}"
        return f"{day:%m/%d/%y}" if self.formats.locale == "en_US" else f"{day:%d/%m/%y}"

    @property
    def signature(self) -> Markup:
        """What stands in the signature's place."""
        name = self.spec.signer_name or "A B"
        inks = {
            "signed": lambda: self.hand.signature(name, 165).svg("signature", "present"),
            "initialled": lambda: self.hand.paraph(name, 90).svg("signature", "present"),
            "written": lambda: self.hand.write(name, 15, 165).svg("signature", "present"),
            "smudge": lambda: handwriting.smudge(self.seed, 120, 34),
            "blot": lambda: handwriting.blot(self.seed, 120, 40),
            "tick": lambda: self.hand.tick(self.seed % 3 * 5 + 13).svg("signature", "unclear"),
            "cross": lambda: self.hand.write("x", self.seed % 3 * 7 + 16).svg("signature", "unclear"),
            "dash": lambda: self.hand.strike(self.seed % 4 * 20 + 60).svg("signature", "unclear"),
            "typed": lambda: Markup('<span class="ink">{}</span>').format(name),
            "crease": lambda: handwriting.crease(self.seed, 260, 40),
        }
        draw = inks.get(self.spec.signature)
        return draw() if draw else Markup("")

    @property
    def driver_signature(self) -> Markup:
        """The driver's signature: not the receiver's, and so no field."""
        return Hand(f"{self.seed}/driver").signature(self.spec.driver, 110).svg() if self.spec.driver else Markup("")

    @property
    def stamp(self) -> Markup:
        return handwriting.stamp(self.spec.stamp, self.seed) if self.spec.stamp else Markup("")

    @property
    def good_order(self) -> Markup:
        """The box before "received in good order": ticked where the receiver took everything as printed."""
        clean = self.spec.damage_note is None and not self._judged and all(x.received is None for x in self.spec.lines)
        ticked = clean and self.spec.signature == "signed"
        ink = self.hand.tick(13).svg("good_order", "yes", style="left:0;top:-4px") if ticked else ""
        return Markup('<span class="check">{}</span>').format(ink)

    @property
    def bars(self) -> Markup:
        return barcodes.bars(self.spec.waybill or self.spec.number)

    def text(self, line: TextLine) -> str:
        return "".join(text for _, text in line)

    def context(self) -> dict[str, Any]:
        """What the templates of proofs of delivery are given."""
        return {"v": self, "look": self.look, "words": self.words, "spec": self.spec}
