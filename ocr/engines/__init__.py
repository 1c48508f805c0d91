"""OCR engines, one file each; found by scan."""
