"""Prints invoices and proofs of delivery with known truth, clean or as a bad scan."""
