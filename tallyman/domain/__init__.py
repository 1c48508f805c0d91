"""What is true without a computer: documents, money, orders, verdicts, postings. No I/O, no libraries but pydantic."""
