"""Words by what they mean to the router, the same in English and Japanese: what it learns in one serves the other."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

LEXICON = Path(__file__).with_name("concepts.yaml")


def concepts(text: str) -> list[str]:
    """Name the concepts that a text mentions, in the order of their first mention. `text` is NFKC and casefolded."""
    found = ((match.start(), name) for name, pattern in _lexicon().items() if (match := pattern.search(text)))
    return [name for _, name in sorted(found)]


@cache
def _lexicon() -> dict[str, re.Pattern[str]]:
    lists: dict[str, dict[str, str]] = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    return {name: _pattern(words["en"].split(", "), words["ja"].split(", ")) for name, words in lists.items()}


def _pattern(english: list[str], japanese: list[str]) -> re.Pattern[str]:
    """English words may not touch other Latin letters; a Japanese neighbour is fine."""
    whole = f"(?<![a-z])(?:{'|'.join(english)})(?![a-z])"
    return re.compile("|".join([whole, *japanese]), re.MULTILINE)
