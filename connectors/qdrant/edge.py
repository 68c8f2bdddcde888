"""Qdrant Edge: the Rust engine in this process, on a folder that one process at a time may hold.

Every search is exact: there is no HNSW graph to build, and none that could miss a passage under a narrow filter. At
50,000 passages that takes milliseconds; whoever has many more wants a server. What is written is in Qdrant's
write-ahead log, and flushed to the disk, before a call returns.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import qdrant_edge as qdrant

from bot.errors import IndexHeld, IndexUnavailable
from connectors.qdrant.engine import Found, Point, Space
from connectors.qdrant.filters import DOCUMENT, LABELS, Only
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import BM25, CANDIDATES, DENSE, SENTENCES

OPTIMIZE_AFTER = 20_000
"""Points written after which segments are rebuilt at once, not only at closing. It stops the process for seconds."""
_SPACE = "rolecall.json"
_ANEW = "delete it and run `rolecall sync`"


class EdgeEngine:
    """A shard in `path`/shard, beside a lock that says which process holds it."""

    def __init__(self, path: Path):
        self._path = path
        self._shard: Any = None
        self._lock: TextIO | None = None
        self._changing = threading.Lock()
        self._changed = 0

    def open(self, size: int, model: str) -> None:
        """Make or load the shard. Raises IndexUnavailable if another process holds it or its files are damaged."""
        self._path.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(self._path)
        try:
            self._shard = self._load(Space.of(model, size))
        finally:
            if self._shard is None:
                self._let_go()

    def by_words(self, words: SparseVector, only: Only, limit: int) -> list[Found]:
        """The best points by BM25."""
        native = self._filter(only)
        request = qdrant.QueryRequest(
            limit=limit, query=_nearest(words), filter=native, params=_rarity(native), with_payload=True
        )
        return self._query(request)

    def by_meaning(self, meaning: Sequence[float], words: SparseVector | None, only: Only, limit: int) -> list[Found]:
        """The best points by their closest sentence."""
        native, vector = self._filter(only), list(meaning)
        dense = qdrant.Query.Nearest(vector, using=DENSE)
        exact = qdrant.SearchParams(exact=True)
        prefetches = [qdrant.Prefetch(limit=CANDIDATES, query=dense, filter=native, params=exact)]
        if words is not None:
            rarity = _rarity(native)
            prefetches.append(qdrant.Prefetch(limit=CANDIDATES, query=_nearest(words), filter=native, params=rarity))
        query = qdrant.Query.Nearest([vector], using=SENTENCES)
        request = qdrant.QueryRequest(
            limit=limit, prefetches=prefetches, query=query, filter=native, params=exact, with_payload=True
        )
        return self._query(request)

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored."""
        with self._reached():
            records = self._opened().retrieve(list(ids), with_payload=True, with_vector=False)
        return {str(record.id): record.payload or {} for record in records}

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points."""
        self._change([qdrant.UpdateOperation.upsert_points([_native(point) for point in points])], len(points))

    def describe(self, payloads: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace payloads."""
        overwrite = qdrant.UpdateOperation.overwrite_payload
        self._change([overwrite([id_], dict(payload)) for id_, payload in payloads.items()], len(payloads))

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""
        self._change([qdrant.UpdateOperation.set_payload_by_filter(_of(document), {LABELS: list(labels)})])

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""
        kept = [qdrant.HasIdCondition(set(keep))] if keep else []
        self._change([qdrant.UpdateOperation.delete_points_by_filter(_of(document, kept))])

    def count(self) -> int:
        """How many points there are."""
        with self._reached():
            return int(self._opened().count(qdrant.CountRequest()))

    def close(self) -> None:
        """Rebuild segments if that is due, flush, and let go of the folder."""
        with self._changing:
            shard, self._shard = self._shard, None
            if shard is not None:
                with self._reached():
                    if self._changed:
                        shard.optimize()
                    shard.flush()
                    shard.close()
            self._let_go()

    def _load(self, space: Space) -> Any:
        shard = self._path / "shard"
        if not shard.exists():
            _create(shard, space)
        place = f"the index in {self._path}"
        try:
            stored = json.loads((shard / _SPACE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexUnavailable(f"{place} is damaged ({error}); {_ANEW}") from error
        space.check(stored, place)
        try:
            return qdrant.EdgeShard.load(str(shard))
        except Exception as error:  # the engine raises nothing narrower, whatever is wrong with its files
            raise IndexUnavailable(f"{place} cannot be loaded ({error}); if that lasts, {_ANEW}") from error

    def _filter(self, only: Only) -> Any:
        conditions: list[Any] = [
            qdrant.FieldCondition(LABELS, match=qdrant.MatchAny(list(group))) for group in only.groups
        ]
        return qdrant.Filter(must=conditions)

    def _query(self, request: Any) -> list[Found]:
        with self._reached():
            hits = self._opened().query(request)
        return [Found(str(hit.id), float(hit.score), hit.payload or {}) for hit in hits]

    def _change(self, operations: Sequence[Any], points: int = 1) -> None:
        with self._changing, self._reached():
            shard = self._opened()
            for operation in operations:
                shard.update(operation)
            shard.flush()
            self._changed += points
            if self._changed >= OPTIMIZE_AFTER:
                shard.optimize()
                self._changed = 0

    def _opened(self) -> Any:
        if self._shard is None:
            raise IndexUnavailable(f"the index in {self._path} is closed")
        return self._shard

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """What goes wrong in Qdrant comes as plain Exception; anything narrower is a mistake of the caller."""
        try:
            yield
        except Exception as error:
            if type(error) is not Exception:
                raise
            raise IndexUnavailable(f"the index in {self._path} cannot be used: {error}") from error


def _hold(path: Path) -> TextIO:
    """Lock the folder for this process until the file is closed; the kernel lets go if the process dies."""
    lock = (path / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "it did not say which"
        lock.close()
        raise IndexHeld(
            f"the index in {path} is held by another rolecall process; stop it ({holder}) and try again, or keep the "
            "index on a Qdrant server (index: {engine: server}), which many may use at once",
            holder,
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()}: {' '.join(Path(sys.argv[0]).name.split() + sys.argv[1:2])}")
    lock.flush()
    return lock


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every process from the index as long as the block runs. Raises IndexUnavailable if one has it."""
    lock = _hold(path)
    try:
        yield
    finally:
        lock.close()


def _create(shard: Path, space: Space) -> None:
    """Make an empty shard, whole or not at all: it gets its name when it is finished."""
    making = shard.with_name("shard.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    made = qdrant.EdgeShard.create(str(making), _config(space.size))
    for field in (LABELS, DOCUMENT):
        made.update(qdrant.UpdateOperation.create_field_index(field, qdrant.PayloadSchemaType.Keyword))
    made.flush()
    made.close()
    (making / _SPACE).write_text(json.dumps(asdict(space)), encoding="utf-8")
    making.rename(shard)


def _config(size: int) -> Any:
    half = qdrant.VectorStorageDatatype.Float16
    no_graph = qdrant.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10)
    many = qdrant.MultiVectorConfig(qdrant.MultiVectorComparator.MaxSim)
    dot = qdrant.Distance.Dot
    return qdrant.EdgeConfig(
        vectors={
            DENSE: qdrant.EdgeVectorParams(size=size, distance=dot, datatype=half, hnsw_config=no_graph),
            SENTENCES: qdrant.EdgeVectorParams(
                size=size, distance=dot, datatype=half, multivector_config=many, hnsw_config=no_graph
            ),
        },
        sparse_vectors={BM25: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
    )


def _native(point: Point) -> Any:
    vectors: dict[str, Any] = {
        BM25: qdrant.SparseVector(point.vectors.bm25.indices, point.vectors.bm25.values),
        DENSE: point.vectors.dense,
        SENTENCES: point.vectors.sentences,
    }
    return qdrant.Point(point.id, vectors, dict(point.payload))


def _nearest(words: SparseVector) -> Any:
    return qdrant.Query.Nearest(qdrant.SparseVector(words.indices, words.values), using=BM25)


def _rarity(native: Any) -> Any:
    return qdrant.SearchParams(idf=qdrant.IdfParams(corpus=native))


def _of(document: str, but: Sequence[Any] = ()) -> Any:
    wanted = qdrant.FieldCondition(DOCUMENT, match=qdrant.MatchValue(document))
    return qdrant.Filter(must=[wanted], must_not=list(but) or None)
