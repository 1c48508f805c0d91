"""Second looks at what a reader understood, one file or folder each; found by scan."""
