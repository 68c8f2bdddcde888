"""From sources to documents to passages."""
