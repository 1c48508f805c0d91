"""Document types, one folder each; found by scan."""
