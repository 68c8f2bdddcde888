"""The only way to Qdrant. It takes an Access, not a filter, and believes no point that comes back."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from unicodedata import normalize

from langchain_core.embeddings import Embeddings

from bot.types import Access, Labels, Passage
from connectors.qdrant.engine import Engine, Found, Point
from connectors.qdrant.filters import LABELS, Filters, Recheck, checked_labels, may_see, only_for
from connectors.qdrant.fusion import Hit, fuse
from connectors.qdrant.languages import languages_read
from connectors.qdrant.payload import passage_of, payload_of, point_id, same_text
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import CANDIDATES, encode, searchable

Rerank = Callable[[str, Sequence[str]], Sequence[float]]
"""How well each text answers the question; only the order means anything."""

_LOG = logging.getLogger("rolecall.index")
RERANKED = 32
"""Hits that a reranker reads with the question: it is slow, and the answer is rarely further down."""
QUERIES = 512
"""Questions whose vectors are kept. Vectors only: what a question found is never kept."""


class Gateway:
    """Searches and writes passages; implements Index and IndexWriter.

    The index is opened at once: raises IndexUnavailable, or ConfigError if another embedding model made it. `filters`
    and `recheck` are the two layers of the access rule.
    """

    def __init__(
        self,
        engine: Engine,
        embeddings: Embeddings,
        model: str = "embedded",
        *,
        filters: Filters = only_for,
        recheck: Recheck = may_see,
        rerank: Rerank | None = None,
    ):
        self._engine = engine
        self._embeddings = embeddings
        self._filters = filters
        self._recheck = recheck
        self._rerank = rerank
        self._sparse = SparseEncoder()
        self._meaning = lru_cache(QUERIES)(embeddings.embed_query)
        self._writing = threading.Lock()
        engine.open(len(self._meaning("size")), model)
        self._reads = languages_read(embeddings)

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        """The best passages that every reader may see, best first. Empty access never reaches the engine."""
        if not access.can_read or not query.strip() or limit < 1:
            return []
        return await asyncio.to_thread(self._hybrid, normalize("NFKC", query), access, limit)

    async def legs(self, query: str, access: Access, limit: int) -> dict[str, list[Passage]]:
        """The ranking of each leg (`bm25`, `dense`) and of the `hybrid`, for measuring only."""
        if not access.can_read or not query.strip() or limit < 1:
            return {"bm25": [], "dense": [], "hybrid": []}
        return await asyncio.to_thread(self._legs, normalize("NFKC", query), access, limit)

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert or replace passages; those that are stored with the same text are not embedded again.

        Raises ValueError, before anything is written, for a passage whose labels are none or no labels.
        """
        for passage in passages:
            checked_labels(passage.labels, f"passage {passage.id} of {passage.document}")
        await asyncio.to_thread(self._put, passages)

    async def relabel(self, document: str, labels: Labels) -> None:
        """Change the labels of all passages of a document. Raises ValueError for labels that are none."""
        wanted = checked_labels(labels, document)
        await asyncio.to_thread(self._write, lambda: self._engine.relabel(document, wanted))

    async def remove(self, document: str, keep: Collection[str] = ()) -> None:
        """Delete a document's passages, except those whose ids are in `keep`."""
        kept = [point_id(document, id_) for id_ in keep]
        await asyncio.to_thread(self._write, lambda: self._engine.remove(document, kept))

    async def count(self) -> int:
        """How many passages there are."""
        return await asyncio.to_thread(self._engine.count)

    async def close(self) -> None:
        """Let go of the engine, once what is being written is written."""
        await asyncio.to_thread(self._write, self._engine.close)

    def _hybrid(self, query: str, access: Access, limit: int) -> list[Passage]:
        words = self._by_words(query, access)
        meaning = self._by_meaning(query, access, 2 * CANDIDATES, both=True)
        if self._rerank is None:
            return [hit.passage for hit in fuse(query, words, meaning, limit, self._reads)]
        hits = fuse(query, words, meaning, max(limit, RERANKED), self._reads)
        read = self._rerank(query, [searchable(hit.passage) for hit in hits[:RERANKED]])
        order = sorted(range(len(read)), key=lambda place: -read[place])
        return [hit.passage for hit in ([hits[place] for place in order] + hits[RERANKED:])[:limit]]

    def _legs(self, query: str, access: Access, limit: int) -> dict[str, list[Passage]]:
        words = self._by_words(query, access)
        dense = self._by_meaning(query, access, CANDIDATES, both=False)
        return {
            "bm25": [hit.passage for hit in words[:limit]],
            "dense": [hit.passage for hit in dense[:limit]],
            "hybrid": self._hybrid(query, access, limit),
        }

    def _by_words(self, query: str, access: Access) -> list[Hit]:
        words = self._sparse.query(query)
        if not words.indices:
            return []
        return self._seen(self._engine.by_words(words, self._filters(access), CANDIDATES), access)

    def _by_meaning(self, query: str, access: Access, limit: int, both: bool) -> list[Hit]:
        words = self._sparse.query(query)
        candidates = words if both and words.indices else None
        found = self._engine.by_meaning(self._meaning(query), candidates, self._filters(access), limit)
        return self._seen(found, access)

    def _seen(self, found: Sequence[Found], access: Access) -> list[Hit]:
        """The hits that every reader may see, by their own labels: a point that should not be here is dropped, loudly."""
        hits = []
        for one in found:
            passage = passage_of(one.payload) if self._recheck(access, one.payload.get(LABELS)) else None
            if passage is not None:
                hits.append(Hit(one.id, one.score, passage))
            else:
                _LOG.error("ALARM: the index returned point %s, which these readers may not see; dropped", one.id)
        return hits

    def _write(self, work: Callable[[], None]) -> None:
        with self._writing:
            work()

    def _put(self, passages: Sequence[Passage]) -> None:
        with self._writing:
            wanted = {point_id(passage.document, passage.id): passage for passage in passages}
            stored = self._engine.present(list(wanted))
            new = {id_: passage for id_, passage in wanted.items() if not same_text(stored.get(id_), passage)}
            payloads = {id_: payload_of(passage) for id_, passage in wanted.items()}
            told = {id_: made for id_, made in payloads.items() if id_ not in new and stored[id_] != made}
            if told:
                self._engine.describe(told)
            if new:
                vectors = encode(list(new.values()), self._embeddings, self._sparse)
                self._engine.upsert([Point(id_, v, payloads[id_]) for id_, v in zip(new, vectors, strict=True)])
