"""The card of a release: what it was made of, what it is for, how right it is, and where it is known to fail."""

from typing import Any

from models.layout.training.printed import CALIBRATED_ON, HELD_OUT
from tallyman.contracts.trainer import TrainingPlan


def card(figures: dict[str, Any], plan: TrainingPlan, pages: int) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures["fields"].items())
    counts = figures["type_counts"]
    kinds = "\n".join(f"| {name} | {value} | {counts[name]} |" for name, value in figures["types"].items())
    unseen = ", ".join(sorted(HELD_OUT - CALIBRATED_ON))
    languages = "\n".join(f"| {name} | {value} |" for name, value in figures["languages"].items())
    return f"""# The document model

Reads fields and line items of invoices, credit notes and proofs of delivery from words and where they stand on a page.
It tells the type of a document and which rows of a table begin an item.

**Made of** {plan.documents:,} documents that Tallyman printed itself ({pages:,} pages; seed {plan.seed}, {plan.steps:,}
batches), in English, German, French, Spanish, Italian, Dutch and Polish. Names, numbers and goods on them are made up.
No document of anybody else is part of it. Licence: that of the project.

**For** suggestions that a person confirms, and for values that the checks and the confirmed history of a supplier back.
Not for posting on its word alone, and not for papers other than those named.

**Measured on** printed documents of families of layouts that it never saw ({unseen}):
our own documents, so real ones are harder.

| figure | value |
|---|---|
| F1 of header fields | {figures["header_f1"]} |
| F1 of line items | {figures["lines_f1"]} |
| document type right | {figures["type_accuracy"]} |
| values that can be taken at a precision of .995 | {figures["coverage_at_995"]} |
| milliseconds a page on one core | {figures["ms_per_page"]} |

| field | F1 |
|---|---|
{rows}

| document type | right | documents |
|---|---|---|
{kinds}

| language | F1 of header fields |
|---|---|
{languages}

Not measured: receipts, line items of proofs of delivery, anything written by hand.

**Known to fail** on handwriting, on labels in other languages, on tables whose items stand in several columns of items,
and on values that stand apart from any label in layouts unlike all those printed. Its confidences hold for
papers like those; on a layout unlike all of them they promise too much.
"""
