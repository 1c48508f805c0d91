"""The kinds of extensions, one Protocol a file. Each is a folder found by scan; see tallyman.registry."""
