"""The real command line, the real browser, the practice office."""
