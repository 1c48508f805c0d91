"""Papers that the document model learns from: laid out in Chromium, each word with what it is."""

from collections.abc import Iterator

import numpy as np
import pytest

from models.layout.fields import CLASSES, TYPES
from models.layout.training.printed import HELD_OUT, pages_of
from models.synthetic import Printer
from models.synthetic.composed import families
from models.synthetic.sampling import LETTERS, random_invoice, random_paper
from models.synthetic.specs import LetterSpec
from models.synthetic.style import INVOICE_LAYOUTS, POD_LAYOUTS

LANGUAGES = ("eng", "deu", "fra", "spa", "ita", "nld", "pol")


@pytest.fixture(scope="module")
def printer() -> Iterator[Printer]:
    with Printer() as printer:
        yield printer


def names(page: object) -> set[str]:
    return {CLASSES[number] for number in np.unique(page.classes) if number > 0}  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(set(LETTERS)))
def test_every_kind_of_letter_is_laid_out_in_every_language(printer: Printer, kind: str, language: str) -> None:
    content, style = random_invoice(LANGUAGES.index(language) + 7, "clean", language)
    layout = "till" if kind == "receipt" else "window"
    size = "Roll" if kind == "receipt" else "A4"
    style = style.model_copy(update={"wide": True, "layout": layout, "page_size": size, "terms_page": False})
    laid = printer.lay_out(LetterSpec.model_validate({"kind": kind, "content": content}), style, 1)
    pages = pages_of(laid)
    found = set().union(*(names(page) for page in pages))
    assert {TYPES[page.kind] for page in pages} == {kind}
    assert len(pages[0].words) > 20
    assert {"receipt": "gross_total", "delivery_note": "pod_number"}.get(kind, "buyer_name") in found
    assert "invoice_number" not in found


@pytest.mark.parametrize("layout", [*INVOICE_LAYOUTS, *families()])
def test_in_every_family_of_layouts_the_fields_that_matter_are_marked(printer: Printer, layout: str) -> None:
    spec, style = random_invoice(3, "clean", "deu")
    laid = printer.lay_out(spec, style.model_copy(update={"wide": True, "layout": layout}), 1)
    found = set().union(*(names(page) for page in pages_of(laid)))
    assert found >= {
        "invoice_number", "issue_date", "gross_total", "net_total", "seller_name", "buyer_name", "line.description",
        "line.quantity", "line.unit_price", "line.total",
    }  # fmt: skip


def test_what_is_measured_on_is_learned_from_nowhere() -> None:
    assert set(HELD_OUT) <= {*INVOICE_LAYOUTS, *POD_LAYOUTS, *families()}
    assert len({*INVOICE_LAYOUTS, *POD_LAYOUTS, *families()} - HELD_OUT) >= 20


def test_the_same_seed_gives_the_same_paper(printer: Printer) -> None:
    one, two = (printer.lay_out(*random_paper(11), 11) for _ in range(2))
    assert one == two
