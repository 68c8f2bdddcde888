"""Finds the sentences of passages that answer a question, or that there are none: no model, every word is the document's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.embeddings import Embeddings

from bot.assistant.terms import coverage, terms
from bot.knowledge.sentences import is_table_row, sentences
from bot.language import language
from bot.types import Passage

PASSAGES = 5
"""How many of the best passages are read for sentences."""
RANK_COST = 0.12
"""What a passage's sentences lose for each place behind the best passage, in shares of the question's terms."""
NEIGHBOUR = 0.2
"""What a sentence gains from the one before and behind it: an answer often follows the sentence that names its subject."""
MEANING = 0.5
"""The weight of meaning against words, where the embedding reads the language."""
EMBEDDED = 16
"""How many of the best sentences by words are compared by meaning."""
LONGEST = 400
"""Characters of a sentence that are compared by meaning."""
COVERED = 0.6
"""The share of a question that one passage must mention. JSQuAD valid: 97 % of the answerable questions lie above, 92 % of
those asked over other subjects below."""
CLOSE = 0.55
"""The cosine from which a sentence counts as an answer by meaning, if it also covers `PARTLY` of the question."""
PARTLY = 0.34


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it is shown, and the passage that it stands in."""

    text: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    rank: int
    place: int
    text: str
    terms: frozenset[str]


def quotes(question: str, passages: Sequence[Passage], most: int, embeddings: Embeddings) -> list[Quote]:
    """At most `most` sentences that answer the question, best passage first; empty if the passages do not answer it."""
    candidates = _candidates(passages[:PASSAGES])
    if not candidates:
        return []
    words = _words(question, candidates)
    closeness = _closeness(question, candidates, words, embeddings)
    if not _answered(question, passages[:PASSAGES], candidates, closeness):
        return []
    scores = _scores(candidates, words, closeness)
    best = sorted(range(len(candidates)), key=lambda i: (-scores[i], i))[:most]
    chosen = [candidates[i] for i in _in_reading_order(best, candidates)]
    return [Quote(_shown(one.text, one.passage), one.passage) for one in chosen]


def context(passage: Passage) -> str:
    """What a passage says about itself beside its text."""
    return " ".join((passage.title, *passage.heading))


def _candidates(passages: Sequence[Passage]) -> list[_Candidate]:
    found: list[_Candidate] = []
    seen: set[str] = set()
    for rank, passage in enumerate(passages):
        header = _header(passage.text)
        for place, raw in enumerate(sentences(passage.text)):
            text = raw.strip()
            if text and text != header and text not in seen:
                seen.add(text)
                found.append(_Candidate(passage, rank, place, text, frozenset(terms(text))))
    return found


def _closeness(
    question: str, candidates: Sequence[_Candidate], words: Sequence[float], embeddings: Embeddings
) -> list[float]:
    """The cosine of the best candidates by words to the question; zero for the others, and where the default embedding
    does not read the language."""
    closeness = [0.0] * len(candidates)
    if language(question) != "en":
        return closeness
    best = sorted(range(len(candidates)), key=lambda i: (-words[i] + RANK_COST * candidates[i].rank, i))[:EMBEDDED]
    texts = [f"{context(candidates[i].passage)}: {candidates[i].text}"[:LONGEST] for i in best]
    wanted, *vectors = embeddings.embed_documents([question, *texts])
    for i, vector in zip(best, vectors, strict=True):
        closeness[i] = sum(a * b for a, b in zip(wanted, vector, strict=True))
    return closeness


def _answered(
    question: str, passages: Sequence[Passage], candidates: Sequence[_Candidate], closeness: Sequence[float]
) -> bool:
    covered = [coverage(question, f"{context(passage)} {passage.text}") for passage in passages]
    if max(covered) >= COVERED:
        return True
    close = [covered[c.rank] for c, value in zip(candidates, closeness, strict=True) if value >= CLOSE]
    return any(value >= PARTLY for value in close)


def _words(question: str, candidates: Sequence[_Candidate]) -> list[float]:
    """The share of the question's terms in each sentence; terms that are rare among the candidates count more."""
    wanted = terms(question)
    known = Counter(term for one in candidates for term in one.terms & wanted)
    count = len(candidates)
    rarity = {term: math.log(1 + (count - known[term] + 0.5) / (known[term] + 0.5)) for term in wanted}
    total = sum(rarity.values()) or 1.0
    return [sum(rarity[term] for term in one.terms & wanted) / total for one in candidates]


def _scores(candidates: Sequence[_Candidate], words: Sequence[float], closeness: Sequence[float]) -> list[float]:
    """Words and meaning, shifted by the neighbours and the passage's rank."""
    scores = []
    for i, one in enumerate(candidates):
        around = [j for j in (i - 1, i + 1) if 0 <= j < len(candidates) and candidates[j].passage is one.passage]
        near = sum(words[j] for j in around)
        scores.append(words[i] + NEIGHBOUR * near + MEANING * closeness[i] - RANK_COST * one.rank)
    return scores


def _in_reading_order(best: Sequence[int], candidates: Sequence[_Candidate]) -> list[int]:
    """The passage of the best sentence first, and sentences of one passage as they stand in it."""
    order: dict[str, int] = {}
    for i in best:
        order.setdefault(candidates[i].passage.id, len(order))
    return sorted(best, key=lambda i: (order[candidates[i].passage.id], candidates[i].place))


def _header(text: str) -> str:
    """The header row of a passage that is a table: its first row, if it holds no amounts of its own."""
    rows = [line.strip() for line in text.splitlines() if is_table_row(line)]
    return rows[0] if len(rows) > 1 else ""


def _shown(text: str, passage: Passage) -> str:
    """A sentence as people read it: a table row gets the names of its columns."""
    if not is_table_row(text):
        return " ".join(text.split())
    names, cells = _cells(_header(passage.text)), _cells(text)
    if len(names) == len(cells) - 1:
        names = ["", *names]
    if len(names) != len(cells):
        return f"{cells[0]}: {'; '.join(cells[1:])}" if len(cells) > 1 else text
    pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(names[1:], cells[1:], strict=True) if cell]
    return f"{cells[0]} ({'; '.join(pairs)})" if pairs else cells[0]


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")] if row else []
