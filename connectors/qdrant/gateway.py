"""The only way to Qdrant. It takes an Access, not a filter, and believes no point that comes back."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from langchain_core.embeddings import Embeddings

from bot.types import Access, Labels, Passage
from connectors.qdrant.engine import Engine, Found, Point
from connectors.qdrant.fusion import Hit, fuse
from connectors.qdrant.languages import languages_read
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import CANDIDATES, encode

_LOG = logging.getLogger("rolecall.index")
T = TypeVar("T")

OPTIMIZE_AFTER = 2_000
"""Passages written since opening from which the index is optimised when it is closed."""


class Gateway:
    """Searches and writes passages; implements Index and IndexWriter.

    `model` names the embedding model that the index belongs to. `believes` is the second look at each returned point.
    """

    def __init__(
        self,
        engine: Engine,
        embeddings: Embeddings,
        model: str = "embedded",
        believes: Callable[[Access, object], bool] | None = None,
    ):
        self._engine = engine
        self._believes = believes or sees
        self._written = 0
        self._embeddings = embeddings
        self._sparse = SparseEncoder()
        self._lock = threading.Lock()
        self._reads = languages_read(embeddings)
        engine.open(len(embeddings.embed_query("size")), model)

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        """The best passages that every reader may see, best first. Empty access never reaches the engine."""
        if not access.can_read or not query.strip():
            return []
        return await self._run(lambda: self._hybrid(query, access, limit))

    async def legs(self, query: str, access: Access, limit: int) -> dict[str, list[Passage]]:
        """The ranking of each leg and of both, for measuring only."""
        if not access.can_read:
            return {"bm25": [], "dense": [], "hybrid": []}
        return await self._run(lambda: self._legs(query, access, limit))

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert or replace passages; those stored already with the same text are not embedded again."""
        for passage in passages:
            if not passage.labels or not all(isinstance(label, str) and label for label in passage.labels):
                raise ValueError(f"passage {passage.id} of {passage.document}: a passage needs labels")
        await self._run(lambda: self._put(passages))

    async def relabel(self, document: str, labels: Labels) -> None:
        """Change the labels of all passages of a document."""
        if not labels:
            raise ValueError(f"{document}: a document needs labels")
        await self._run(lambda: self._engine.relabel(document, sorted(labels)))

    async def remove(self, document: str, keep: Collection[str] = ()) -> None:
        """Delete a document's passages, except those whose ids are in `keep`."""
        await self._run(lambda: self._engine.remove(document, keep))

    async def count(self) -> int:
        """How many passages there are."""
        return await self._run(self._engine.count)

    async def close(self) -> None:
        """Let go of the engine."""
        await self._run(self._close)

    async def _run(self, work: Callable[[], T]) -> T:
        def alone() -> T:
            with self._lock:
                return work()

        return await asyncio.to_thread(alone)

    def _hybrid(self, query: str, access: Access, limit: int) -> list[Passage]:
        words, meaning = self._sparse.query(query), self._embeddings.embed_query(query)
        by_words = self._seen(self._engine.by_words(words, access.readers, CANDIDATES), access)
        by_meaning = self._seen(self._engine.by_meaning(meaning, words, access.readers, 2 * CANDIDATES), access)
        return [hit.passage for hit in fuse(query, by_words, by_meaning, limit, self._reads)]

    def _legs(self, query: str, access: Access, limit: int) -> dict[str, list[Passage]]:
        words, meaning = self._sparse.query(query), self._embeddings.embed_query(query)
        by_words = self._seen(self._engine.by_words(words, access.readers, CANDIDATES), access)
        dense = self._seen(self._engine.by_meaning(meaning, None, access.readers, CANDIDATES), access)
        return {
            "bm25": [hit.passage for hit in by_words[:limit]],
            "dense": [hit.passage for hit in dense[:limit]],
            "hybrid": self._hybrid(query, access, limit),
        }

    def _seen(self, found: Sequence[Found], access: Access) -> list[Hit]:
        """The hits that every reader may see, by their own labels: a point that should not be here is dropped, loudly."""
        hits = []
        for one in found:
            if self._believes(access, one.payload.get("labels")):
                hits.append(Hit(one.id, one.score, _passage(one)))
            else:
                _LOG.error("index returned point %s outside the access it was asked under; dropped", one.id)
        return hits

    def _close(self) -> None:
        if self._written >= OPTIMIZE_AFTER:
            self._engine.optimize()
        self._engine.close()

    def _put(self, passages: Sequence[Passage]) -> None:
        known = self._engine.present([passage.id for passage in passages])
        new = [passage for passage in passages if known.get(passage.id) != _payload(passage)]
        if new:
            vectors = encode(new, self._embeddings, self._sparse)
            self._engine.upsert([Point(p.id, v, _payload(p)) for p, v in zip(new, vectors, strict=True)])
            self._written += len(new)


def sees(access: Access, labels: object) -> bool:
    """Whether every reader may see a point with these labels, which must be a list of strings to count at all."""
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        return False
    return access.sees(labels)


def _payload(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document,
        "text": passage.text,
        "labels": sorted(passage.labels),
        "title": passage.title,
        "heading": list(passage.heading),
        "page": passage.page,
        "url": passage.url,
        "modified": passage.modified.isoformat() if passage.modified else None,
    }


def _passage(found: Found) -> Passage:
    payload: Mapping[str, Any] = found.payload
    modified = payload.get("modified")
    return Passage(
        id=found.id,
        document=payload["document"],
        text=payload["text"],
        labels=frozenset(payload["labels"]),
        title=payload["title"],
        heading=tuple(payload["heading"]),
        page=payload["page"],
        url=payload["url"],
        modified=datetime.fromisoformat(modified) if modified else None,
    )
