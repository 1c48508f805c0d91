"""One folder for each; found by scan. See ARCHITECTURE.md."""
