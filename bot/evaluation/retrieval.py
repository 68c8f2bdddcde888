"""Measures retrieval on a question set in BEIR form, by the shipped way: passages, index, legs, hybrid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.errors import ConfigError
from bot.evaluation.beir import QuestionSet, Text, read_set
from bot.knowledge.chunking import passages
from bot.types import Access, Document, Passage, Section, for_everyone

Progress = Callable[[str, int, int], None]
"""Told the step (`index` or `questions`), how much is done, and how much there is."""

CUT = 10
DEPTH = 100
"""How many passages of each leg are looked at: documents rank by their best passage."""
LABEL = "evaluation"
_DOCUMENTS = 200
_AT_ONCE = 8


class EvaluatedIndex(Protocol):
    """A temporary index with the shipped legs."""

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert passages."""

    async def legs(self, query: str, access: Access, limit: int) -> Mapping[str, Sequence[Passage]]:
        """Rank by each leg (`bm25`, `dense`) and by both (`hybrid`), best first."""


async def evaluate(
    folder: Path, index: EvaluatedIndex, limit: int | None = None, progress: Progress | None = None
) -> dict[str, dict[str, float]]:
    """Return `{leg: {"ndcg@10", "recall@10", "mrr"}}`, each the mean over the judged questions.

    `limit` takes only the first so many of them. The index has to be empty and must belong to nobody else.
    Raises ConfigError for a folder that is not in BEIR form.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit: {limit}: takes 1 or more")
    told = progress or (lambda step, done, total: None)
    questions = read_set(folder)
    await _fill(index, questions.corpus, told)
    found = await _ask(index, questions, list(questions.gains)[:limit], told)
    return {leg: _means(rows) for leg, rows in found.items()}


def document_of(text: Text) -> Document:
    """Make a document of a corpus entry, as a source would deliver it."""
    return Document(text.id, LABEL, text.title, frozenset({LABEL}), "", (Section(text.text),))


def metrics(ranking: Sequence[str], gains: Mapping[str, float]) -> dict[str, float]:
    """Score one ranking of documents against their gains.

    nDCG with linear gain and log2 discount (Järvelin and Kekäläinen 2002, as trec_eval computes it); reciprocal
    rank over the whole ranking.
    """
    best = sorted(gains.values(), reverse=True)
    ideal = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(best[:CUT]))
    got = sum(gains.get(document, 0.0) / math.log2(rank + 2) for rank, document in enumerate(ranking[:CUT]))
    first = next((rank for rank, document in enumerate(ranking, 1) if document in gains), None)
    return {
        f"ndcg@{CUT}": got / ideal,
        f"recall@{CUT}": len(gains.keys() & set(ranking[:CUT])) / len(gains),
        "mrr": 1 / first if first else 0.0,
    }


async def _fill(index: EvaluatedIndex, corpus: Sequence[Text], told: Progress) -> None:
    for start in range(0, len(corpus), _DOCUMENTS):
        batch = corpus[start : start + _DOCUMENTS]
        await index.put([passage for text in batch for passage in passages(document_of(text))])
        told("index", start + len(batch), len(corpus))


async def _ask(
    index: EvaluatedIndex, questions: QuestionSet, ids: Sequence[str], told: Progress
) -> dict[str, list[dict[str, float]]]:
    access = for_everyone([frozenset({LABEL})])
    scores: dict[str, list[dict[str, float]]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        batch = ids[start : start + _AT_ONCE]
        answers = await asyncio.gather(*(index.legs(questions.questions[id_], access, DEPTH) for id_ in batch))
        for id_, legs in zip(batch, answers, strict=True):
            for leg, hits in legs.items():
                scores.setdefault(leg, []).append(metrics(_documents(hits), questions.gains[id_]))
        told("questions", start + len(batch), len(ids))
    return scores


def _documents(hits: Iterable[Passage]) -> list[str]:
    return list(dict.fromkeys(hit.document for hit in hits))


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
