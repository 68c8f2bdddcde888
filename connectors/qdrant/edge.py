"""Qdrant Edge: the Rust engine in this process, on a folder. One process at a time may hold it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

from bot.errors import ConfigError, IndexUnavailable
from connectors.qdrant.engine import Found, Point, Readers
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import BM25, CANDIDATES, DENSE, SENTENCES

_FINGERPRINT = "rolecall.json"


class EdgeEngine:
    """A shard in a folder."""

    def __init__(self, path: Path):
        self._path = path
        self._shard: Any = None

    def open(self, size: int, model: str) -> None:
        """Make or load the shard. Raises IndexUnavailable if another process holds it."""
        mark = self._path / _FINGERPRINT
        wanted = {"size": size, "model": model}
        if not mark.exists():
            self._make(size, wanted)
        found = json.loads(mark.read_text())
        if found != wanted:
            raise ConfigError(
                f"embeddings.name: the index in {self._path} was made by {found['model']}, not {model}; "
                "delete the folder and run `rolecall sync`"
            )
        try:
            self._shard = qdrant.EdgeShard.load(str(self._path))
        except Exception as error:  # the binding raises plain Exception
            if "WouldBlock" not in str(error):
                raise
            raise IndexUnavailable(
                f"the index in {self._path} is held by another rolecall process; stop it, or ask that process"
            ) from error

    def _make(self, size: int, wanted: Mapping[str, object]) -> None:
        """Make the shard beside its place and move it there whole: what is there after a kill is whole or not a shard."""
        beside = self._path.with_name(f"{self._path.name}.unfinished")
        for folder in (beside, self._path):
            shutil.rmtree(folder, ignore_errors=True)
        beside.mkdir(parents=True)
        shard = qdrant.EdgeShard.create(str(beside), _config(size))
        for field in ("labels", "document"):
            shard.update(qdrant.UpdateOperation.create_field_index(field, qdrant.PayloadSchemaType.Keyword))
        shard.flush()
        shard.close()
        (beside / _FINGERPRINT).write_text(json.dumps(wanted))
        beside.rename(self._path)

    def by_words(self, words: SparseVector, readers: Readers, limit: int) -> list[Found]:
        """The best points by BM25."""
        return self._query(
            qdrant.QueryRequest(limit=limit, query=_nearest(words), filter=_filter(readers), with_payload=True)
        )

    def by_meaning(
        self, meaning: Sequence[float], words: SparseVector | None, readers: Readers, limit: int
    ) -> list[Found]:
        """The best points by their closest sentence."""
        only = _filter(readers)
        vector = list(meaning)
        prefetches = [qdrant.Prefetch(limit=CANDIDATES, query=qdrant.Query.Nearest(vector, using=DENSE), filter=only)]
        if words is not None:
            prefetches.append(qdrant.Prefetch(limit=CANDIDATES, query=_nearest(words), filter=only))
        query = qdrant.Query.Nearest([vector], using=SENTENCES)
        return self._query(
            qdrant.QueryRequest(limit=limit, prefetches=prefetches, query=query, filter=only, with_payload=True)
        )

    def _query(self, request: Any) -> list[Found]:
        return [Found(str(hit.id), float(hit.score), hit.payload or {}) for hit in self._shard.query(request)]

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points."""
        made = [
            qdrant.Point(
                point.id,
                {
                    BM25: qdrant.SparseVector(point.vectors.bm25.indices, point.vectors.bm25.values),
                    DENSE: point.vectors.dense,
                    SENTENCES: point.vectors.sentences,
                },
                dict(point.payload),
            )
            for point in points
        ]
        self._shard.update(qdrant.UpdateOperation.upsert_points(made))
        self._shard.flush()

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored."""
        found = self._shard.retrieve(list(ids), with_payload=True, with_vector=False)
        return {str(record.id): record.payload or {} for record in found}

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""
        update = qdrant.UpdateOperation.set_payload_by_filter(_of(document), {"labels": list(labels)})
        self._shard.update(update)
        self._shard.flush()

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""
        kept = [qdrant.HasIdCondition(set(keep))] if keep else []
        self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(_of(document, kept)))
        self._shard.flush()

    def count(self) -> int:
        """How many points there are."""
        return int(self._shard.count(qdrant.CountRequest()))

    def optimize(self) -> None:
        """Merge segments and build the graph."""
        self._shard.optimize()

    def close(self) -> None:
        """Let go of the folder."""
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None


def _config(size: int) -> Any:
    half = qdrant.VectorStorageDatatype.Float16
    scored = qdrant.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10)
    many = qdrant.MultiVectorConfig(qdrant.MultiVectorComparator.MaxSim)
    dot = qdrant.Distance.Dot
    return qdrant.EdgeConfig(
        vectors={
            DENSE: qdrant.EdgeVectorParams(size=size, distance=dot, datatype=half),
            SENTENCES: qdrant.EdgeVectorParams(
                size=size, distance=dot, datatype=half, multivector_config=many, hnsw_config=scored
            ),
        },
        sparse_vectors={BM25: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
    )


def _nearest(words: SparseVector) -> Any:
    return qdrant.Query.Nearest(qdrant.SparseVector(words.indices, words.values), using=BM25)


def _filter(readers: Readers) -> Any:
    conditions: list[Any] = [qdrant.FieldCondition("labels", match=qdrant.MatchAny(sorted(one))) for one in readers]
    return qdrant.Filter(must=conditions)


def _of(document: str, but: Sequence[Any] = ()) -> Any:
    wanted = qdrant.FieldCondition("document", match=qdrant.MatchValue(document))
    return qdrant.Filter(must=[wanted], must_not=list(but) or None)
