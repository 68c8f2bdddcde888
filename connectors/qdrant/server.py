"""A Qdrant server or cluster by URL, through qdrant-client; its in-memory mode serves the conformance tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from bot.errors import ConfigError, IndexUnavailable
from connectors.qdrant.engine import Found, Point, Readers
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import BM25, CANDIDATES, DENSE, SENTENCES

TIMEOUT = 5
"""Seconds that a question to the server may take."""
T = TypeVar("T")


def connect(url: str, key: str | None, collection: str) -> ServerEngine:
    """An engine on a server; nothing is sent before it is opened."""
    return ServerEngine(QdrantClient(url=url, api_key=key, timeout=TIMEOUT, check_compatibility=False), collection)


class ServerEngine:
    """One collection on a server."""

    def __init__(self, client: QdrantClient, collection: str = "rolecall"):
        self._client = client
        self._name = collection

    def open(self, size: int, model: str) -> None:
        """Make the collection, or check that this model made it."""
        if not self._reached(lambda: self._client.collection_exists(self._name)):
            self._reached(lambda: self._create(size, model))
            return
        found = (self._reached(lambda: self._client.get_collection(self._name)).config.metadata or {}).get("model")
        if found != model:
            raise ConfigError(
                f"index.collection: {self._name} was made by the embedding model {found}, not {model}; "
                "name another collection and run `rolecall sync`"
            )

    def by_words(self, words: SparseVector, readers: Readers, limit: int) -> list[Found]:
        """The best points by BM25."""
        return self._query(query=_sparse(words), using=BM25, query_filter=_filter(readers), limit=limit)

    def by_meaning(
        self, meaning: Sequence[float], words: SparseVector | None, readers: Readers, limit: int
    ) -> list[Found]:
        """The best points by their closest sentence."""
        only, vector = _filter(readers), list(meaning)
        prefetch = [models.Prefetch(query=vector, using=DENSE, filter=only, limit=CANDIDATES)]
        if words is not None:
            prefetch.append(models.Prefetch(query=_sparse(words), using=BM25, filter=only, limit=CANDIDATES))
        return self._query(prefetch=prefetch, query=[vector], using=SENTENCES, query_filter=only, limit=limit)

    def _query(self, **request: Any) -> list[Found]:
        answer = self._reached(lambda: self._client.query_points(self._name, with_payload=True, **request))
        return [Found(str(hit.id), hit.score, hit.payload or {}) for hit in answer.points]

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points."""
        made = [
            models.PointStruct(
                id=point.id,
                vector={
                    BM25: _sparse(point.vectors.bm25),
                    DENSE: point.vectors.dense,
                    SENTENCES: point.vectors.sentences,
                },
                payload=dict(point.payload),
            )
            for point in points
        ]
        self._reached(lambda: self._client.upsert(self._name, made, wait=True))

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored."""
        found = self._reached(lambda: self._client.retrieve(self._name, list(ids), with_payload=True))
        return {str(record.id): record.payload or {} for record in found}

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""
        of = models.FilterSelector(filter=_of(document))
        self._reached(lambda: self._client.set_payload(self._name, {"labels": list(labels)}, points=of, wait=True))

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""
        of = models.FilterSelector(filter=_of(document, keep))
        self._reached(lambda: self._client.delete(self._name, of, wait=True))

    def count(self) -> int:
        """How many points there are."""
        return self._reached(lambda: self._client.count(self._name)).count

    def optimize(self) -> None:
        """A server does so by itself."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _create(self, size: int, model: str) -> None:
        half = models.Datatype.FLOAT16
        many = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        scored = models.HnswConfigDiff(m=0)
        dot = models.Distance.DOT
        self._client.create_collection(
            self._name,
            vectors_config={
                DENSE: models.VectorParams(size=size, distance=dot, datatype=half),
                SENTENCES: models.VectorParams(
                    size=size, distance=dot, datatype=half, multivector_config=many, hnsw_config=scored
                ),
            },
            sparse_vectors_config={BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata={"model": model},
        )
        for field in ("labels", "document"):
            self._client.create_payload_index(self._name, field, models.PayloadSchemaType.KEYWORD, wait=True)

    def _reached(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (ApiException, QdrantException, OSError) as error:
            raise IndexUnavailable(f"the Qdrant server does not answer: {str(error).splitlines()[0]}") from error


def _sparse(words: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)


def _filter(readers: Readers) -> models.Filter:
    conditions = [models.FieldCondition(key="labels", match=models.MatchAny(any=sorted(one))) for one in readers]
    return models.Filter(must=list(conditions))


def _of(document: str, but: Collection[str] = ()) -> models.Filter:
    wanted = models.FieldCondition(key="document", match=models.MatchValue(value=document))
    return models.Filter(must=[wanted], must_not=[models.HasIdCondition(has_id=list(but))] if but else None)
