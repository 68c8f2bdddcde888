"""What the agents may do: one file, one tool, one function that makes it."""
