"""Whether a sentence is supported by a passage: its numbers and names occur there, it says yes or no alike, and means it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.embeddings import Embeddings

from bot.assistant.terms import STOP, coverage, fold, numbers
from bot.knowledge.sentences import sentences
from bot.language import language
from bot.types import Passage

WORDS_ALONE = 0.75
"""The share of a sentence's notions that a passage must mention to support it by words alone."""
WORDS_WITH_MEANING = 0.45
"""The share that is enough when one of the passage's sentences is at least `SAME` in meaning."""
SAME = 0.7
"""The cosine from which two English sentences say the same."""

MARKER = re.compile(r"\s*\[\d+\]")
_NAME = re.compile(r"(?<![\w.])[A-Z][\w&’'-]*(?:\.[A-Z])*")
_KATAKANA = re.compile(r"[\u30a0-\u30ffー]{3,}")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|n[o']t)\b|n't\b|ない|ません|なかった|ず(?:に|、)|不可|禁止|せぬ",
    re.I,
)


def support(sentence: str, passages: Sequence[Passage], embeddings: Embeddings) -> Passage | None:
    """The first passage that supports a sentence; None if none does."""
    return next((passage for passage in passages if supports(sentence, passage, embeddings)), None)


def supports(sentence: str, passage: Passage, embeddings: Embeddings) -> bool:
    """Whether one passage supports a sentence. Its title and headings count as part of it."""
    claim = MARKER.sub("", sentence).strip()
    source = " ".join((passage.title, *passage.heading, passage.text))
    if not claim or not _same_facts(claim, source):
        return False
    if verbatim(claim, source):
        return True
    nearest = _nearest(claim, passage)
    if bool(_NEGATION.search(claim)) != bool(_NEGATION.search(nearest)):
        return False
    covered = coverage(claim, source)
    if covered >= WORDS_ALONE:
        return True
    return covered >= WORDS_WITH_MEANING and language(claim) == "en" and _cosine(claim, nearest, embeddings) >= SAME


def verbatim(claim: str, source: str) -> bool:
    """Whether the passage says exactly this, spaces aside."""
    return _tight(claim) in _tight(source)


def _tight(text: str) -> str:
    return re.sub(r"\s+", "", fold(text))


def _same_facts(claim: str, source: str) -> bool:
    """Every number and every name of the claim occurs in the source."""
    folded = fold(source)
    if not set(numbers(claim)) <= set(numbers(source)):
        return False
    return all(fold(name) in folded for name in _names(claim))


def _names(claim: str) -> list[str]:
    """Capitalised words, a common word at the start aside, and words in katakana."""
    found = [match for match in _NAME.finditer(claim) if match.group().lower() not in STOP]
    latin = [match.group().rstrip("’'-") for match in found if match.start() or _looks_like_a_name(match.group())]
    return [*latin, *_KATAKANA.findall(claim)]


def _looks_like_a_name(word: str) -> bool:
    """At the start of a sentence only capitals or digits inside the word tell a name from a word."""
    return any(char.isupper() or char.isdigit() for char in word[1:])


def _nearest(claim: str, passage: Passage) -> str:
    return max(sentences(passage.text), key=lambda one: coverage(claim, one), default="")


def _cosine(one: str, other: str, embeddings: Embeddings) -> float:
    left, right = embeddings.embed_documents([one, other])
    return sum(a * b for a, b in zip(left, right, strict=True))
