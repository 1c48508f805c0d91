"""The document model: words of pages become fields, lines and kinds of documents."""
