"""One turn: choose a specialist, search, answer, and check each sentence before it is shown."""
