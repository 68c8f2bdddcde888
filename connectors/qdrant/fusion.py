"""One ranking from the two legs of a hybrid search, so that it is not under the better leg.

Ranks alone (RRF) give a weak leg the same say as a strong one, and lose: nDCG@10 of 0.608 where BM25 alone has 0.929.
So scores are added, each scaled by its own leg: BM25 by its best score (a passage without a word in common has 0),
cosines between their lowest and highest over the candidates. The dense leg's weight is

    trust * lead(dense) / (lead(bm25) + lead(dense))

where a leg's lead is how far its best hit is ahead of the mean of the next ones: a leg that finds twenty passages
equally good does not know. Two legs equally sure weigh the same. Trust is 1 if the embedding model reads the
language of the question; else it is small, for such a model still sees names and numbers, but hardly more. Nothing
here is learned; the constants are round numbers, and retrieval moves little around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.language import Language, language
from bot.types import Passage

FOLLOWERS = 19
"""How many hits behind the best one say how far it is ahead: a first page of twenty results."""
UNREAD = 0.2
"""Trust in the dense leg when the embedding model does not read the language of the question."""
_AFTER_LATIN = "\u0250"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that one leg found. `score` is that leg's own: BM25, or the cosine; higher is better."""

    id: str
    score: float
    passage: Passage


def fuse(
    query: str,
    bm25: Sequence[Hit],
    dense: Sequence[Hit],
    limit: int,
    reads: frozenset[Language] = frozenset({"en"}),
) -> list[Hit]:
    """Return the best `limit` of the hits of both legs, best first, each once, with the fused score (0 to 1).

    `dense` should score the candidates of both legs: one that it lacks counts as its worst. `reads` holds the
    languages that the embedding model reads.
    """
    words = _scaled(bm25, 0.0)
    meaning = _scaled(dense, min((hit.score for hit in dense), default=0.0))
    trust = 1.0 if _readable(query, reads) else UNREAD
    weight = trust * _share(_lead(meaning), _lead(words))
    hits = {hit.id: hit for hit in (*dense, *bm25)}
    scores = {id_: (1 - weight) * words.get(id_, 0.0) + weight * meaning.get(id_, 0.0) for id_ in hits}
    best = sorted(hits, key=lambda id_: (-scores[id_], -words.get(id_, 0.0), id_))[:limit]
    return [Hit(id_, scores[id_], hits[id_].passage) for id_ in best]


def _readable(query: str, reads: frozenset[Language]) -> bool:
    """Whether the model reads the question. A model that reads Japanese is taken to read other scripts as well."""
    if language(query) == "ja":
        return "ja" in reads
    letters = [character for character in query if character.isalpha()]
    latin = sum(character < _AFTER_LATIN for character in letters)
    return ("en" if 2 * latin >= len(letters) else "ja") in reads


def _scaled(leg: Sequence[Hit], low: float) -> dict[str, float]:
    """Scale the scores of a leg so that `low` becomes 0 and the best 1. Where all are `low`, all are 1."""
    high = max((hit.score for hit in leg), default=low)
    return {hit.id: (hit.score - low) / (high - low) if high > low else 1.0 for hit in leg}


def _lead(scaled: Mapping[str, float]) -> float:
    """How far the best is ahead of the followers' mean, 0 to 1; followers that are not there count as 0."""
    if not scaled:
        return 0.0
    best, *rest = sorted(scaled.values(), reverse=True)
    return best - sum(rest[:FOLLOWERS]) / FOLLOWERS


def _share(one: float, other: float) -> float:
    return one / (one + other) if one + other > 0 else 0.5
