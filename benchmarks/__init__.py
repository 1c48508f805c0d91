"""Each prints a table against a named peer or limit, and as its last line one JSON object of its figures."""
