"""Ways of reading fields, one file or folder each; found by scan."""
