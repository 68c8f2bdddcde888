"""One ranking from the two legs of a hybrid search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.language import language
from bot.types import Passage


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that one leg found. `score` is that leg's own: BM25, or the cosine; higher is better."""

    id: str
    score: float
    passage: Passage


def fuse(query: str, bm25: Sequence[Hit], dense: Sequence[Hit], limit: int) -> list[Hit]:
    """The best `limit` of the hits of both legs, best first, each once, with the fused score."""
    weight = 0.0 if language(query) == "ja" else 0.3
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    for part, leg in ((1 - weight, bm25), (weight, dense)):
        for hit, score in zip(leg, _scaled(leg), strict=True):
            scores[hit.id] = scores.get(hit.id, 0.0) + part * score
            hits.setdefault(hit.id, hit)
    best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:limit]
    return [Hit(id_, scores[id_], hits[id_].passage) for id_ in best]


def _scaled(leg: Sequence[Hit]) -> list[float]:
    if not leg:
        return []
    low, high = min(hit.score for hit in leg), max(hit.score for hit in leg)
    return [(hit.score - low) / (high - low) if high > low else 1.0 for hit in leg]
