"""Prints invoices and proofs of delivery with known truth: clean, hybrid, or as a bad scan.

with Printer() as printer:
    printed = printer.print(spec, Style(layout="din", language="deu"), Path("rechnung.pdf"), seed=7)
printed.truth["fields"]["invoice_number"]
"""

from models.synthetic.printer import Laid, NoChromiumError, Printed, PrintedWord, Printer, print_document, write_truth
from models.synthetic.sampling import random_invoice, random_pod, random_scan
from models.synthetic.specs import Adjustment, InvoiceSpec, LineSpec, Party, PodLine, PodSpec, Stated, Totals, VatGroup
from models.synthetic.style import INVOICE_LAYOUTS, POD_LAYOUTS, SCANS, Scan, Style

__all__ = [
    "INVOICE_LAYOUTS", "POD_LAYOUTS", "SCANS", "Adjustment", "InvoiceSpec", "Laid", "LineSpec", "NoChromiumError",
    "Party", "PodLine", "PodSpec", "Printed", "PrintedWord", "Printer", "Scan", "Stated", "Style", "Totals", "VatGroup",
    "print_document", "random_invoice", "random_pod", "random_scan", "write_truth",
]  # fmt: skip
