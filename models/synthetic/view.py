"""An invoice as a layout sees it: every text written out, every text that is a field's value marked with its name.

A segment is (field name or None, text); a text line is a list of segments. Layouts only arrange them.
"""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from babel import Locale

from models.synthetic import extras
from models.synthetic.formats import city_line, decimals
from models.synthetic.look import Look
from models.synthetic.small_print import small_print
from models.synthetic.specs import Adjustment, InvoiceSpec, LineSpec, Party

Segment = tuple[str | None, str]
TextLine = list[Segment]


@dataclass(frozen=True)
class Pair:
    """A label and the value beside or below it."""

    key: str
    label: str
    value: TextLine
    css: str = ""


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    css: str


@dataclass(frozen=True)
class Row:
    """One line of the table: its cells in the order of the columns, small print, and the sum of lines up to it."""

    index: int
    cells: list[TextLine]
    running: str = ""
    group: str = ""
    detail: TextLine = field(default_factory=list)


def fill(template: str, values: dict[str, Segment]) -> TextLine:
    """The segments of a sentence such as "Payable by {due}." with its values put in."""
    line: TextLine = []
    for text, name, _, _ in string.Formatter().parse(template):
        if text:
            line.append((None, text))
        if name:
            line.append(values[name])
    return line


def plain(text: str) -> TextLine:
    return [(None, text)]


def party_lines(party: Party, prefix: str, look: Look, home: str, own: bool = False) -> list[TextLine]:
    """Name and address, a text line each; the country only where it is not `home`."""
    lines: list[TextLine] = [[(f"{prefix}_name", party.name)]]
    if party.contact and not own:
        lines.append(plain(party.contact))
    if party.street:
        lines.append([(f"{prefix}_street", party.street)])
    if party.city:
        lines.append(city_line(party, prefix))
    if look.wide:
        return _loosened(lines, party, prefix, look)
    if party.country != home:
        language = look.formats.locale.split("_")[0]
        lines.append(plain(Locale(language).territories.get(party.country, party.country)))
    return lines


_NUMBERS = ("GLN", "GLN:", "ILN", "EORI", "ID", "SIRET", "KvK", "No.")
_EXTRAS = (
    "1st floor", "Building C", "Dept. 4", "Hinterhaus", "Abteilung Einkauf", "Zone B", "Bât. A2", "BP 4711",
    "P.O. Box 9", "c/o Lager 2", "Warehouse 7", "2. OG", "Apt. 12", "Service comptabilité", "Accounts Payable",
    "Planta 3", "Scala B", "t.a.v. crediteuren", "lok. 14",
)  # fmt: skip


def _loosened(lines: list[TextLine], party: Party, prefix: str, look: Look) -> list[TextLine]:
    """An address with what houses add to it: floors and departments, countries, regions, phones."""

    def has(what: str, share: float) -> bool:
        return look.chance(f"{prefix} {what}", share)

    if has("number line", 0.12):
        number = f"{look.pick(f'{prefix} numbers', _NUMBERS)} {extras.digits(f'{party.name}{prefix}', 13)}"
        lines.insert(0 if has("number above", 0.3) else len(lines), plain(number))
    if has("extra line", 0.2):
        lines.insert(2 if has("extra below", 0.3) else 1, plain(look.pick(f"{prefix} extra", _EXTRAS)))
    if has("joined", 0.12) and len(lines) > 2:
        lines[-2:] = [[*lines[-2], (None, look.pick("join", (", ", " - ", " \u00b7 "))), *lines[-1]]]
    language = look.formats.locale.split("_")[0]
    country = Locale(language).territories.get(party.country, party.country)
    if has("country behind", 0.08):
        lines[-1] = [*lines[-1], (None, f", {party.country}")]
    elif has("country", 0.25):
        lines.append(plain(country.upper() if has("country in capitals", 0.4) else country))
    if has("phone", 0.12):
        lines.append(plain(look.pick("phone sign", ("", "Tel. ", "T ", "\u260e ")) + party.phone))
    if has("mail", 0.08):
        lines.append([("seller_email" if prefix == "seller" else None, party.email)])
    return lines


def sender_line(party: Party, between: str = " \u00b7 ") -> TextLine:
    """The seller's address in one line, as it stands above the address in a window envelope."""
    line: TextLine = [("seller_name", party.name), (None, between), ("seller_street", party.street)]
    return [*line, (None, between), *city_line(party, "seller")]


class InvoiceView:
    """All texts of one invoice in the look of its house."""

    def __init__(self, spec: InvoiceSpec, look: Look) -> None:
        self.spec, self.look = spec, look
        self.words, self.formats = look.words, look.formats
        self.totals_of = spec.totals()
        self.credit = spec.kind == "credit_note"
        self.title = self.words["title_credit_note" if self.credit else "title_invoice"]
        self.number_field: str | None = "invoice_number"
        home = spec.seller.country
        self.seller = party_lines(spec.seller, "seller", look, home, own=True)
        self.buyer = party_lines(spec.buyer, "buyer", look, home)
        self.ship_to = party_lines(spec.ship_to, "ship_to", look, home) if spec.ship_to else []
        self.between = look.pick("between", (" \u00b7 ", " - ", " | ", ", ", " \u2022 ")) if look.wide else " \u00b7 "
        self.sender = sender_line(spec.seller, self.between)
        self.columns = self._columns()
        self.rows = self._rows()

    @property
    def title_line(self) -> TextLine:
        """The title as a sentence: "Invoice no. 17 of 3 May"."""
        values: dict[str, Segment] = {
            "title": (None, self.title),
            "number": (self.number_field, self.number.value[0][1]),
            "date": ("issue_date", self.formats.date(self.spec.issue_date)),
        }
        return fill(self.words["title_line"], values)

    def pair(self, key: str, field_name: str | None, text: str, css: str = "") -> Pair:
        return Pair(key, self.look.label(key), [(field_name, text)], css)

    @property
    def number(self) -> Pair:
        key = "credit_note_number" if self.credit else "invoice_number"
        return self.pair(key, "invoice_number", self.spec.number)

    @property
    def date(self) -> Pair:
        return self.pair("issue_date", "issue_date", self.formats.date(self.spec.issue_date))

    @property
    def references(self) -> list[Pair]:
        """Numbers and dates of the head other than the document's own."""
        spec, pairs = self.spec, []
        texts = {
            "purchase_order_reference": spec.purchase_order_reference,
            "despatch_advice_reference": spec.despatch_advice_reference,
            "preceding_invoice_reference": spec.preceding_invoice,
            "delivery_date": self.formats.date(spec.delivery_date) if spec.delivery_date else "",
            "due_date": self.formats.date(spec.due_date) if spec.due_date and self.due_in_head else "",
            "buyer_vat_id": spec.buyer.vat_id,
        }
        if spec.buyer.customer_number:
            pairs.append(self.pair("customer_number", None, spec.buyer.customer_number))
        pairs += [self.pair(key, key, text) for key, text in texts.items() if text]
        if spec.seller.contact and self.look.chance("contact in head", 0.5):
            pairs.append(self.pair("contact", None, spec.seller.contact))
        pairs += [Pair("extra", label, plain(text)) for label, text in extras.references(spec, self.look)]
        if self.formats.place == "none":
            pairs.append(Pair("currency", self.currency_label + self.look.suffix, [("currency", spec.currency)]))
        return pairs

    @property
    def due_in_head(self) -> bool:
        return self.look.chance("due date in head", 0.7)

    @property
    def currency_label(self) -> str:
        return self.words.get("currency") or CURRENCY_WORDS[self.formats.locale[:2]]

    @property
    def meta(self) -> list[Pair]:
        """Number, date and references, in the order of the house."""
        pairs = [self.number, self.date, *self.references]
        if self.look.chance("date first", 0.3):
            pairs[0], pairs[1] = pairs[1], pairs[0]
        return pairs

    @property
    def intro(self) -> TextLine:
        return plain(self.words["intro_credit" if self.credit else "intro"])

    def _columns(self) -> list[Column]:
        look, keys = self.look, ["description", "quantity"]
        keys += ["unit"] if look.unit_column else []
        keys += ["unit_price"]
        keys += ["discount"] if any(line.discount_percent for line in self.spec.lines) else []
        keys += ["vat_rate"] if look.vat_column or len(self.spec.vat()) > 1 else []
        if look.chance("quantity first", 0.25):
            keys = [key for key in keys if key in ("quantity", "unit")] + [
                key for key in keys if key not in ("quantity", "unit")
            ]
        head = (["position"] if look.show_position else []) + (["item_id"] if look.show_item_id else [])
        head += ["item"] if look.wide and look.chance("buyer's item id", 0.12) else []
        keys = [*head, *keys, "line_total"]
        labels = {key: self.words[key] for key in keys}
        if self.formats.place == "none" or look.chance("currency in heading", 0.2):
            labels["line_total"] += f" {self.spec.currency}"
        return [Column(key, labels[key], COLUMN_CSS.get(key, "num")) for key in keys]

    def _rows(self) -> list[Row]:
        rows, running, group = [], Decimal(0), ""
        for index, line in enumerate(self.spec.lines):
            running += line.total
            rows.append(
                Row(
                    index=index,
                    cells=[self._cell(column.key, index, line) for column in self.columns],
                    running=self.formats.amount(running),
                    group=line.group if line.group != group else "",
                    detail=self._detail(line),
                )
            )
            group = line.group
        return rows

    def _cell(self, key: str, index: int, line: LineSpec) -> TextLine:
        formats, unit = self.formats, self.look.units.get(line.unit, line.unit)
        quantity: Segment = ("line.quantity", formats.quantity(line.quantity))
        cells: dict[str, TextLine] = {
            "position": plain(str((index + 1) * (10 if self.look.chance("tens", 0.2) else 1))),
            "item_id": [("line.seller_item_id", line.item_id)],
            "item": plain(extras.code(f"{line.item_id}/{index}")),
            "description": [("line.description", line.description)],
            "quantity": [quantity] if self.look.unit_column else [quantity, (None, " "), ("line.unit", unit)],
            "unit": [("line.unit", unit)],
            "unit_price": [("line.unit_price", formats.price(line.unit_price))],
            "discount": plain(formats.percent(line.discount_percent) if line.discount_percent else ""),
            "vat_rate": [("line.vat_rate", self._rate(line.vat_rate))],
            "line_total": [("line.total", self._row_amount(line.total))],
        }
        return cells[key]

    def _rate(self, rate: Decimal) -> str:
        """A rate in a row; the sign may stand in the heading alone."""
        if self.look.wide and self.look.chance("bare rates", 0.3):
            return self.formats.number(
                rate, max(decimals(rate), int(self.look.pick("places of rates", ("0", "0", "1", "2"))))
            )
        return self.formats.percent(rate)

    def _row_amount(self, amount: Decimal) -> str:
        return self.formats.money(amount) if self.look.chance("currency in rows", 0.25) else self.formats.amount(amount)

    def _detail(self, line: LineSpec) -> TextLine:
        detail = plain(line.detail) if line.detail else []
        if line.item_id and not self.look.show_item_id and self.look.chance("item id in detail", 0.7):
            head: TextLine = [(None, f"{self.look.label('item_id')} "), ("line.seller_item_id", line.item_id)]
            detail = [*head, *([(None, "  ")] if detail else []), *detail]
        if self.look.wide:
            detail = [*detail, *plain(extras.row_note(self.spec, self.look, line.item_id))]
        return detail

    @property
    def totals(self) -> list[Pair]:
        """The sums under the table, from the sum of lines to the amount to pay."""
        spec, sums, pairs = self.spec, self.totals_of, []
        adjusted = bool(spec.allowances or spec.charges)
        if adjusted:
            pairs.append(self._sum("line_net_total", "line_net_total", sums.line_net_total))
        pairs += [self._adjustment(each, -1) for each in spec.allowances]
        pairs += [self._adjustment(each, 1) for each in spec.charges]
        pairs.append(self._sum("net_total", "net_total", sums.net_total))
        pairs += self._tax_rows()
        last = "credit_amount" if self.credit and self.look.chance("credit wording", 0.5) else "gross_total"
        pairs.append(self._sum(last, "gross_total", sums.gross_total, "grand"))
        if spec.prepaid:
            pairs.append(self._sum("prepaid", None, -spec.prepaid))
        if spec.prepaid or sums.payable_amount != sums.gross_total or self.look.chance("payable row", 0.3):
            pairs.append(self._sum("payable_amount", "payable_amount", sums.payable_amount, "grand"))
        return pairs + [Pair("extra", label, plain(text)) for label, text in extras.weights(spec, self.look)]

    def _sum(self, key: str, field_name: str | None, amount: Decimal, css: str = "") -> Pair:
        return self.pair(key, field_name, self.formats.money(amount), css)

    def _adjustment(self, each: Adjustment, sign: int) -> Pair:
        return Pair("adjustment", each.reason, plain(self.formats.money(sign * each.amount)))

    @property
    def splits_tax(self) -> bool:
        """Whether each rate has its own row under the sums (else one row, and perhaps a table of its own)."""
        return self.look.chance("tax rows", 0.75)

    def _tax_rows(self) -> Iterable[Pair]:
        groups = self.spec.vat()
        for number, group in enumerate(groups if self.splits_tax else ()):
            values: dict[str, Segment] = {
                "rate": (f"vat.{number}.rate", self.formats.percent(group.rate)),
                "base": (f"vat.{number}.base", self.formats.amount(group.base)),
            }
            label = fill(self.words["vat_row"] + self.look.suffix, values)
            name = "tax_total" if len(groups) == 1 else f"vat.{number}.tax"
            yield TaxPair("vat_row", "", [(name, self.formats.money(group.tax))], "tax", label)
        if not self.splits_tax or (len(groups) > 1 and self.look.chance("tax sum", 0.5)):
            yield self._sum("tax_total", "tax_total", self.totals_of.tax_total)

    @property
    def amount_due(self) -> Pair | None:
        """The sum to pay, where a house prints it large; None on papers that ask for none."""
        return self._sum("payable_amount", "payable_amount", self.totals_of.payable_amount)

    @property
    def vat_table(self) -> list[list[TextLine]]:
        """The VAT breakdown as rows of rate, base and tax; empty where the house prints none."""
        groups = self.spec.vat()
        if self.splits_tax and not self.look.chance("tax table", 0.25):
            return []
        rows: list[list[TextLine]] = []
        for number, group in enumerate(groups):
            rate, base, tax = f"vat.{number}.rate", f"vat.{number}.base", f"vat.{number}.tax"
            rows.append(
                [
                    [(rate, self.formats.percent(group.rate))],
                    [(base, self.formats.amount(group.base))],
                    [(tax, self.formats.amount(group.tax))],
                ]
            )
        return rows

    @property
    def terms(self) -> TextLine:
        """The sentence about payment."""
        spec = self.spec
        if spec.payment_terms:
            return plain(spec.payment_terms)
        if self.credit:
            return plain(self.words["credit_terms"])
        if spec.due_date is None:
            return plain(self.words["pay_open"])
        if self.due_in_head and self.look.chance("no sentence", 0.3):
            return []
        values: dict[str, Segment] = {
            "due": ("due_date", self.formats.date(spec.due_date)),
            "payable": ("payable_amount", self.formats.money(self.totals_of.payable_amount)),
            "number": ("invoice_number", spec.number),
        }
        return fill(self.words["pay_by"], values)

    @property
    def remarks(self) -> list[str]:
        """Notes of the seller and what the law wants printed."""
        remarks = [self.spec.notes] if self.spec.notes else []
        untaxed = all(not group.rate for group in self.spec.vat())
        if untaxed and self.spec.seller.country != "US":
            remarks.append(self.words["reverse_charge"])
        return remarks + extras.sentences(self.spec, self.look)

    @property
    def prose(self) -> tuple[str, ...]:
        """Three paragraphs on which no field of the document stands, though numbers and dates may."""
        return small_print(self.spec.language, self.look.seed)[:3]

    @property
    def bank(self) -> list[Pair]:
        seller = self.spec.seller
        pairs = [self.pair("bank", None, seller.bank)] if seller.bank else []
        iban = seller.iban
        if self.look.chance("grouped iban", 0.8):
            iban = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
        pairs += [self.pair("iban", "iban", iban)] if iban else []
        return pairs + ([self.pair("bic", "bic", seller.bic)] if seller.bic else [])

    @property
    def legal(self) -> list[Pair]:
        """Tax ids and registration of the seller."""
        seller = self.spec.seller
        pairs = [self.pair("seller_vat_id", "seller_vat_id", self._vat_id(seller.vat_id))] if seller.vat_id else []
        if seller.tax_number:
            pairs.append(self.pair("seller_tax_number", "seller_tax_number", seller.tax_number))
        return pairs + ([self.pair("registration", None, seller.registration)] if seller.registration else [])

    def _vat_id(self, vat_id: str) -> str:
        return f"{vat_id[:2]} {vat_id[2:]}" if self.look.chance("spaced vat id", 0.25) else vat_id

    @property
    def reach(self) -> list[Pair]:
        """How to reach the seller."""
        seller = self.spec.seller
        texts = {"phone": seller.phone, "email": seller.email, "website": seller.website}
        return [self.pair(key, "seller_email" if key == "email" else None, text) for key, text in texts.items() if text]

    @property
    def footer(self) -> list[list[TextLine]]:
        """The foot of the letter in columns: address, reach, bank, law."""
        blocks: Sequence[list[Pair]] = (self.reach, self.bank, self.legal)
        columns = [[[(None, f"{pair.label} "), *pair.value] for pair in block] for block in blocks if block]
        return [list(self.seller), *columns]

    def context(self) -> dict[str, Any]:
        """What the templates of invoices are given."""
        return {"v": self, "look": self.look, "words": self.words, "spec": self.spec}


@dataclass(frozen=True)
class TaxPair(Pair):
    """A row of tax whose label holds values itself."""

    label_line: TextLine = field(default_factory=list)


CURRENCY_WORDS = {
    "en": "Currency", "de": "W\u00e4hrung", "fr": "Devise", "es": "Moneda", "it": "Valuta", "nl": "Valuta",
    "pl": "Waluta",
}  # fmt: skip
COLUMN_CSS = {"description": "text", "item_id": "code", "item": "code", "position": "pos", "unit": "unit"}
