"""The kinds of extensions, one Protocol a file. An extension is a folder that is found by scan; see tallyman.registry."""
