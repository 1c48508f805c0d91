"""File to pages to words."""
