"""Builds the house from rolecall.yaml: first its parts, then the house of them. Only the command line looks in here."""
