"""Other papers of a house: reminders, statements, confirmed orders, delivery notes, bills of lading, till receipts and
plain letters. They print what an invoice says in other words, and are told apart from one."""

import datetime
import random
from decimal import Decimal
from typing import Any

from models.synthetic.look import Look
from models.synthetic.specs import LetterSpec, LineSpec, cents
from models.synthetic.view import Column, InvoiceView, Pair, Row, Segment, TextLine, fill, plain

_TITLES = {"order": "order_confirmation", "other": "reminder"}
_NUMBERS = {
    "order": ("seller_order_reference", None),
    "delivery_note": ("pod_number", "pod_number"),
    "bill_of_lading": ("bill_number", "waybill_number"),
    "receipt": ("receipt_number", None),
}
_GOODS = ("position", "item_id", "description", "quantity", "unit")
_FREIGHT = ("marks_and_numbers", "packages", "description", "weight", "volume")
_OPEN = ("document_column", "issue_date", "due_date", "gross_total", "open_amount")
_ACCOUNT = ("issue_date", "document_column", "debit", "credit", "balance")
_COLUMNS = {"delivery_note": _GOODS, "bill_of_lading": _FREIGHT, "reminder": _OPEN, "statement": _ACCOUNT, "other": ()}


class LetterView(InvoiceView):
    """All texts of one letter in the look of its house, under the names that the layouts of invoices know."""

    def __init__(self, letter: LetterSpec, look: Look) -> None:
        self.kind = letter.kind
        self._dice = random.Random(f"letter/{letter.content.number}/{look.seed}")
        super().__init__(letter.content, look)
        name = _TITLES.get(letter.kind, letter.kind)
        road = letter.kind == "bill_of_lading" and look.chance("by road", 0.4)
        self.title = self.words["title_cmr" if road else f"title_{name}"] if letter.kind != "other" else ""
        self.number_field = _NUMBERS.get(letter.kind, ("", None))[1]

    @property
    def number(self) -> Pair:
        label, field_name = _NUMBERS.get(self.kind, ("customer_number", None))
        number = self.spec.number if self.kind in _NUMBERS else self.spec.buyer.customer_number or self.spec.number
        return self.pair(label, field_name, number)

    @property
    def date(self) -> Pair:
        label = "statement_date" if self.kind == "statement" else "issue_date"
        return self.pair(label, "issue_date", self.formats.date(self.spec.issue_date))

    @property
    def references(self) -> list[Pair]:
        if self.kind in ("order", "delivery_note"):
            left_out = {"preceding_invoice_reference", "due_date", "despatch_advice_reference"}
            return [pair for pair in super().references if pair.key not in left_out]
        if self.kind == "reminder":
            return [self.pair("reminder_level", None, str(self._dice.randint(1, 3)))]
        if self.kind == "bill_of_lading":
            texts = {key: self._dice.choice(_PORTS) for key in ("port_of_loading", "port_of_discharge")}
            texts["vessel"] = f"MV {self._dice.choice(_VESSELS)}"
            return [self.pair(key, None, text) for key, text in texts.items() if self.look.chance(key, 0.7)]
        return []

    @property
    def intro(self) -> TextLine:
        if self.kind == "reminder":
            return plain(self.words["reminder_intro"])
        if self.kind == "other":
            return plain(f"{self.words['dear']}, {' '.join(self.prose)}")
        return [] if self.kind in ("delivery_note", "bill_of_lading", "statement") else super().intro

    def _columns(self) -> list[Column]:
        if self.kind not in _COLUMNS:
            return super()._columns()
        left = ("description", "item_id", "position", "unit", "document_column", "issue_date", "marks_and_numbers")
        css = dict.fromkeys(left, "code") | {"description": "text"}
        return [Column(key, self.words[key], css.get(key, "num")) for key in _COLUMNS[self.kind]]

    def _rows(self) -> list[Row]:
        if self.kind in ("reminder", "statement"):
            return list(self._account())
        return super()._rows() if self.columns else []

    def _cell(self, key: str, index: int, line: LineSpec) -> TextLine:
        if self.kind == "delivery_note" and key == "quantity":
            return [("line.shipped_quantity", self.formats.quantity(line.quantity))]
        if self.kind == "delivery_note" and key == "item_id":
            return [("line.item", line.item_id)]
        if self.kind == "bill_of_lading" and key != "description":
            number = self.formats.number
            freight: dict[str, TextLine] = {
                "marks_and_numbers": plain(f"{self._dice.choice(_MARKS)} {self._dice.randint(1000, 9999999)}"),
                "packages": [("line.shipped_quantity", str(self._dice.randint(1, 60)))],
                "weight": plain(f"{number(Decimal(self._dice.randint(100, 200000)) / 10, 1)} kg"),
                "volume": plain(number(Decimal(self._dice.randint(10, 9000)) / 100, 2)),
            }
            return freight[key]
        return super()._cell(key, index, line)

    def _account(self) -> list[Row]:
        """Earlier invoices of the same house, as many as the letter has lines."""
        rows, balance = [], self._dice.choice((Decimal(0), self._amount()))
        self._opening = balance
        for index in range(min(24, len(self.spec.lines) + 1)):
            day = self.spec.issue_date - datetime.timedelta(days=self._dice.randint(10, 120))
            amount, paid = self._amount(), self._dice.random() < 0.35
            balance += -amount if paid and self.kind == "statement" else amount
            texts = {
                "document_column": f"{self._dice.choice(('RE', 'INV', 'F', ''))}{self._dice.randint(1000, 99999)}",
                "issue_date": self.formats.date(day),
                "due_date": self.formats.date(day + datetime.timedelta(days=30)),
                "gross_total": self.formats.amount(amount),
                "open_amount": self.formats.amount(amount),
                "debit": "" if paid else self.formats.amount(amount),
                "credit": self.formats.amount(amount) if paid else "",
                "balance": self.formats.amount(balance),
            }
            rows.append(Row(index=index, cells=[plain(texts[column.key]) for column in self.columns]))
        self._closing = balance
        return rows

    def _amount(self) -> Decimal:
        return cents(Decimal(self._dice.randint(1000, 999999)) / Decimal(100))

    @property
    def totals(self) -> list[Pair]:
        if self.kind == "reminder":
            fee = Decimal(self._dice.choice((0, 5, 10, 15)))
            sums = {"reminder_fee": fee, "interest": self._amount() / 50, "total_open": self._closing + fee}
            return [self._sum(key, None, cents(amount)) for key, amount in sums.items() if amount]
        if self.kind == "statement":
            pairs = [self._sum("opening_balance", None, self._opening)] if self._opening else []
            return [*pairs, self._sum("closing_balance", None, self._closing, "grand")]
        if self.kind in ("delivery_note", "bill_of_lading"):
            weight = self.formats.number(Decimal(self._dice.randint(100, 90000)) / 10, 1)
            texts = {"packages": str(self._dice.randint(1, 80)), "weight": f"{weight} kg"}
            return [self.pair(key, None, text) for key, text in texts.items() if self.look.chance(f"sum {key}", 0.7)]
        return [] if self.kind == "other" else super().totals

    @property
    def vat_table(self) -> list[list[TextLine]]:
        return super().vat_table if self.kind == "order" else []

    @property
    def amount_due(self) -> Pair | None:
        return self._sum("total_open", None, self._closing) if self.kind in ("reminder", "statement") else None

    @property
    def terms(self) -> TextLine:
        return []

    @property
    def remarks(self) -> list[str]:
        return [self.words["received_ok"]] if self.kind == "delivery_note" else []

    @property
    def bank(self) -> list[Pair]:
        return super().bank if self.kind in ("reminder", "statement", "order") else []

    @property
    def included_tax(self) -> TextLine:
        """How much of the sum is tax, as tills print it."""
        values: dict[str, Segment] = {
            "rate": (None, self.formats.percent(self.spec.vat()[0].rate)),
            "tax": ("tax_total", self.formats.amount(self.totals_of.tax_total)),
        }
        return fill(self.words["tax_included"], values)

    def till(self) -> dict[str, Any]:
        """What a till receipt has beside its lines."""
        words, dice, sums = self.words, self._dice, self.totals_of
        given = sums.gross_total.quantize(Decimal(1)) + dice.choice((1, 5, 10, 20))
        paid: list[tuple[str, Decimal]] = (
            [(words["card"], sums.gross_total)]
            if self.look.chance("by card", 0.5)
            else [(words["cash"], given), (words["change_given"], given - sums.gross_total)]
        )
        return {
            "paid": [(label, self.formats.amount(amount)) for label, amount in paid],
            "time": f"{dice.randint(7, 21):02d}:{dice.randint(0, 59):02d}",
            "cashier": f"{words['cashier']} {dice.randint(1, 40)}",
            "till": f"{words['till']} {dice.randint(1, 12)}",
        }


_PORTS = ("Rotterdam", "Hamburg", "Felixstowe", "Valencia", "Genova", "Gdynia", "Le Havre", "Antwerpen", "Shanghai")
_VESSELS = ("NORDIC PEARL", "EVER BRIGHT", "SANTA MARIA", "BALTIC DAWN", "CAPE ORION", "STELLA POLARE")
_MARKS = ("MSKU", "TGHU", "HLXU", "Nos.", "PAL", "CTN", "C/S")
