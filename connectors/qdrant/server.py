"""A Qdrant server or cluster by URL (Qdrant 1.19 or newer), through qdrant-client; its local mode joins the tests.

The 1.19 is for BM25 statistics over the visible points only. What fails is IndexUnavailable, and is never asked again
in another way.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from bot.errors import IndexUnavailable
from connectors.qdrant.engine import Found, Point, Space
from connectors.qdrant.filters import DOCUMENT, LABELS, Only
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import BM25, CANDIDATES, DENSE, SENTENCES

TIMEOUT = 5
"""Seconds that a question to the server may take."""
WRITE_TIMEOUT = 60
"""Seconds that the server may take to store one batch."""
_FAILURES = (ApiException, QdrantException, OSError, json.JSONDecodeError, AssertionError)
"""What qdrant-client raises for a server that fails or talks nonsense: it asserts that an answer holds a result."""
_LOG = logging.getLogger("rolecall.index")
T = TypeVar("T")


def connect(url: str, key: str | None, collection: str, timeout: int = TIMEOUT) -> ServerEngine:
    """An engine on a server; nothing is sent before it is opened."""
    return ServerEngine(QdrantClient(url=url, api_key=key, timeout=timeout, check_compatibility=False), collection)


class ServerEngine:
    """One collection on a server. A key that may only read is enough for everything but opening an empty one and writing."""

    def __init__(self, client: QdrantClient, collection: str = "rolecall"):
        self._client = client
        self._name = collection

    def open(self, size: int, model: str) -> None:
        """Make the collection, or check that it belongs to this space."""
        space = Space.of(model, size)
        if self._reached(lambda: self._client.collection_exists(self._name)):
            stored = self._reached(lambda: self._client.get_collection(self._name)).config.metadata or {}
            space.check(stored, f"the collection {self._name}")
        else:
            made = self._reached(lambda: self._made(space))
            if not made:
                raise IndexUnavailable(
                    f"the Qdrant server has no collection {self._name} yet, and this key may only read; "
                    "run `rolecall sync` with the key that writes first"
                )

    def by_words(self, words: SparseVector, only: Only, limit: int) -> list[Found]:
        """The best points by BM25."""
        native = self._filter(only)
        return self._query(
            query=_sparse(words), using=BM25, query_filter=native, search_params=_rarity(native), limit=limit
        )

    def by_meaning(self, meaning: Sequence[float], words: SparseVector | None, only: Only, limit: int) -> list[Found]:
        """The best points by their closest sentence."""
        native, vector = self._filter(only), list(meaning)
        prefetch = [models.Prefetch(query=vector, using=DENSE, filter=native, limit=CANDIDATES)]
        if words is not None:
            rarity = _rarity(native)
            prefetch.append(
                models.Prefetch(query=_sparse(words), using=BM25, filter=native, params=rarity, limit=CANDIDATES)
            )
        return self._query(prefetch=prefetch, query=[vector], using=SENTENCES, query_filter=native, limit=limit)

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored."""
        records = self._reached(lambda: self._client.retrieve(self._name, list(ids), with_payload=True))
        return {str(record.id): record.payload or {} for record in records}

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points."""
        made = [_native(point) for point in points]
        self._reached(lambda: self._client.upsert(self._name, made, wait=True, timeout=WRITE_TIMEOUT))

    def describe(self, payloads: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace payloads."""
        operations = [
            models.OverwritePayloadOperation(overwrite_payload=models.SetPayload(payload=dict(payload), points=[id_]))
            for id_, payload in payloads.items()
        ]
        self._reached(
            lambda: self._client.batch_update_points(self._name, operations, wait=True, timeout=WRITE_TIMEOUT)
        )

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""
        change = {LABELS: list(labels)}
        of = models.FilterSelector(filter=_of(document))
        self._reached(lambda: self._client.set_payload(self._name, change, points=of, wait=True, timeout=WRITE_TIMEOUT))

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""
        of = models.FilterSelector(filter=_of(document, keep))
        self._reached(lambda: self._client.delete(self._name, of, wait=True, timeout=WRITE_TIMEOUT))

    def count(self) -> int:
        """How many points there are."""
        return self._reached(lambda: self._client.count(self._name)).count

    def may_write(self) -> bool:
        """Whether the key may write, tried on a point that nobody has. The bot needs one that may only read."""
        nobody = models.PointIdsList(points=[str(uuid.uuid4())])
        try:
            self._client.delete(self._name, nobody, wait=True)
        except UnexpectedResponse as error:
            if error.status_code in (401, 403):
                return False
            raise IndexUnavailable(f"the Qdrant server does not say whether the key may write: {error}") from error
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _filter(self, only: Only) -> models.Filter:
        return models.Filter(
            must=[models.FieldCondition(key=LABELS, match=models.MatchAny(any=list(one))) for one in only.groups]
        )

    def _query(self, **request: Any) -> list[Found]:
        answer = self._reached(lambda: self._client.query_points(self._name, with_payload=True, **request))
        return [Found(str(hit.id), hit.score, hit.payload or {}) for hit in answer.points]

    def _made(self, space: Space) -> bool:
        """Make the collection; False if the key may not."""
        try:
            self._create(space)
        except UnexpectedResponse as error:
            if error.status_code == 403:
                return False
            raise
        return True

    def _create(self, space: Space) -> None:
        half, dot = models.Datatype.FLOAT16, models.Distance.DOT
        many = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        only_scored = models.HnswConfigDiff(m=0)
        self._client.create_collection(
            self._name,
            vectors_config={
                DENSE: models.VectorParams(size=space.size, distance=dot, datatype=half),
                SENTENCES: models.VectorParams(
                    size=space.size, distance=dot, datatype=half, multivector_config=many, hnsw_config=only_scored
                ),
            },
            sparse_vectors_config={BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata=asdict(space),
            timeout=WRITE_TIMEOUT,
        )
        tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        keyword = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)
        for field, schema in ((LABELS, tenant), (DOCUMENT, keyword)):
            self._client.create_payload_index(self._name, field, schema, wait=True)

    def _reached(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except _FAILURES as error:
            _LOG.error("ALARM: Qdrant, collection %s: %s", self._name, error)
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise IndexUnavailable(f"the Qdrant server does not answer: {reason}") from error


def _native(point: Point) -> models.PointStruct:
    vectors = point.vectors
    return models.PointStruct(
        id=point.id,
        vector={BM25: _sparse(vectors.bm25), DENSE: vectors.dense, SENTENCES: vectors.sentences},
        payload=dict(point.payload),
    )


def _sparse(words: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)


def _rarity(native: models.Filter) -> models.SearchParams:
    return models.SearchParams(idf=models.IdfCorpusParams(corpus=native))


def _of(document: str, but: Collection[str] = ()) -> models.Filter:
    wanted = models.FieldCondition(key=DOCUMENT, match=models.MatchValue(value=document))
    return models.Filter(must=[wanted], must_not=[models.HasIdCondition(has_id=list(but))] if but else None)
