"""The Teams door, on botbuilder-core, which is imported nowhere else. Payloads are plain dicts."""
