"""Runs code that nobody trusts: bubblewrap, or else Landlock, or else not at all. A self-test decides, no version does."""
