"""Whether a sentence is supported by a passage: its facts stand in one sentence of it, it says yes or no alike, and means it.

Strict rather than generous: what is dropped is replaced by a quotation, what is let through is believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.embeddings import Embeddings

from bot.assistant.facts import denies, names, opening, opposed, states, without_quantities
from bot.assistant.material import context, usable
from bot.assistant.rows import rows
from bot.assistant.terms import asked, coverage, fold, stem, terms
from bot.knowledge.sentences import is_table_row
from bot.language import language
from bot.types import Passage

WORDS_ALONE = 0.75
"""The share of a sentence's notions that must be mentioned to support it by words alone."""
WORDS_WITH_MEANING = 0.45
"""The share that is enough when the passage's sentence is at least `SAME` in meaning."""
SAME = 0.7
"""The cosine from which two English sentences say the same."""
OWN = 0.5
"""The share that the sentence with the facts must mention with its headings; its neighbours may mention the rest."""
NEW = 0.3
"""The share that it must mention without its headings: who repeats a heading says nothing."""

LEAST = 2
"""The notions of a sentence: a single one, as in "1." or "Yes.", says nothing that can be checked."""

MARKER = re.compile(r"(?<!\s)\s*\[\d+\]")  # a run of spaces is read from its first one, once


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A sentence of a passage; `context` is what it stands under, `around` the sentences beside it."""

    text: str
    context: str
    around: str


def support(sentence: str, passages: Sequence[Passage], embeddings: Embeddings) -> Passage | None:
    """The first passage that supports a sentence; None if none does."""
    return next((passage for passage in passages if supports(sentence, passage, embeddings)), None)


def supports(sentence: str, passage: Passage, embeddings: Embeddings) -> bool:
    """Whether one passage supports a sentence. Its title and headings count as part of it."""
    claim = MARKER.sub("", sentence).strip()
    if len(asked(claim)) < LEAST or is_table_row(claim):
        return False
    return any(_supported(claim, evidence, embeddings) for evidence in _evidence(claim, passage))


def verbatim(claim: str, source: str) -> bool:
    """Whether a text says exactly this, spaces aside."""
    return _tight(claim) in _tight(source)


def _supported(claim: str, evidence: _Evidence, embeddings: Embeddings) -> bool:
    own = f"{evidence.context}\n{evidence.text}"
    if not states(own, claim) or not _named(claim, own) or _contradicts(claim, evidence.text):
        return False
    if verbatim(claim, evidence.text):
        return True
    said = without_quantities(claim)
    if coverage(said, own) < OWN or coverage(said, evidence.text) < NEW:
        return False
    covered = coverage(said, f"{own}\n{evidence.around}")
    if covered >= WORDS_ALONE:
        return True
    english = language(claim) == "en"
    return english and covered >= WORDS_WITH_MEANING and _cosine(claim, evidence.text, embeddings) >= SAME


def _contradicts(claim: str, text: str) -> bool:
    return denies(claim) != denies(text) or opposed(claim, text)


def _named(claim: str, source: str) -> bool:
    """Whether each name stands in the source; the first word, which may be no name, at least by its stem."""
    folded = fold(source)
    first = opening(claim)
    if first and fold(first) not in folded and stem(fold(first)) not in terms(source):
        return False
    return all(fold(name) in folded for name in names(claim))


def _evidence(claim: str, passage: Passage) -> list[_Evidence]:
    """Every sentence with its neighbours, and the table as the facts that concern the claim."""
    under = context(passage)
    prose = [text.strip() for text in usable(passage.text) if not is_table_row(text)]
    found = [
        _Evidence(text, under, "\n".join((*prose[max(0, i - 1) : i], *prose[i + 1 : i + 2])))
        for i, text in enumerate(prose)
    ]
    table = [row.about(claim) for row in rows(passage.text)]
    return [*found, *(_Evidence(text, under, "\n".join(prose)) for text in table if text)]


def _tight(text: str) -> str:
    return re.sub(r"\s+", "", fold(text))


def _cosine(one: str, other: str, embeddings: Embeddings) -> float:
    left, right = embeddings.embed_documents([one, other])
    return sum(a * b for a, b in zip(left, right, strict=True))
