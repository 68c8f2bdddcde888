"""Strict YAML: a file is checked against a pydantic model, and each mistake names file, line, key and valid choices."""
