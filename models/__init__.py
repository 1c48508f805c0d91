"""What Tallyman knows of documents: their types, and the ways of turning words into fields."""
