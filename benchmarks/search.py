"""Filtered hybrid search at 5,000 and 50,000 passages: Rolecall on Qdrant Edge against qdrant-client's local mode.

Both hold the same made-up passages and vectors, and answer the same questions for a room of two readers who share about
a fifth of the passages. Local mode runs the hybrid query of Qdrant's tutorials (two filtered prefetches, fused by rank).
Rolecall's time is that of the whole gateway: words of the question, both legs, scores by sentence, the second look
at each point, fusion; only the embedding model is left out on both sides. Run: python -m benchmarks.search
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from qdrant_client import QdrantClient, models
from rich.console import Console
from rich.table import Table

from bot.types import Passage, for_everyone
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Point
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.payload import payload_of, point_id
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import Vectors

SIZES = (5_000, 50_000)
TARGET = 100
"""How many times faster the median question is to be at 50,000 passages."""
WIDTH = 384
SENTENCES = 4
BATCH = 1_000
QUESTIONS = 200
LOCAL_QUESTIONS = {5_000: 20, 50_000: 6}
LABELS = ("company", "filings", "sap", "maintenance", "hr")
ROOM = for_everyone([frozenset({"company", "filings"}), frozenset({"company", "hr"})])
BEST = 8
_WORDS = [f"{start}{middle}{end}" for start in "bdfgklmnprst" for middle in ("al", "er", "in", "o") for end in
          ("ma", "nel", "rik", "so", "tun", "va", "wick", "xor", "yes", "zed") for _ in "1"]  # fmt: skip


class MadeUpEmbeddings(Embeddings):
    """Directions at random, the same for the same text."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a text."""
        [vector] = _unit(np.random.default_rng(list(text.encode())), 1)
        return [float(value) for value in vector]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one engine needed: seconds to store all passages, and milliseconds for each question."""

    ingest: float
    ms: Sequence[float]

    @property
    def median(self) -> float:
        """Half of the questions are faster."""
        return statistics.median(self.ms)

    @property
    def slow(self) -> float:
        """Nineteen of twenty questions are faster."""
        return float(np.percentile(self.ms, 95))


def points(count: int) -> Iterator[list[Point]]:
    """So many passages of about sixty words from a vocabulary with common and rare words, in batches."""
    chance, encoder = np.random.default_rng(7), SparseEncoder()
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        ranks = chance.zipf(1.2, (len(numbers), 60)) % len(_WORDS)
        texts = [" ".join(_WORDS[rank] for rank in row) for row in ranks]
        vectors = _unit(chance, len(numbers) * (SENTENCES + 1)).reshape(len(numbers), SENTENCES + 1, WIDTH).tolist()
        yield [
            _point(number, text, Vectors(words, made[0], made[1:]))
            for number, text, words, made in zip(numbers, texts, encoder.documents(texts), vectors, strict=True)
        ]


def _point(number: int, text: str, vectors: Vectors) -> Point:
    label = LABELS[number % len(LABELS)]
    passage = Passage(f"p{number}", f"made/{number // 10}.md", text, frozenset({label}), f"Document {number // 10}")
    return Point(point_id(passage.document, passage.id), vectors, payload_of(passage))


def _unit(chance: np.random.Generator, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vectors = chance.standard_normal((count, WIDTH), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def questions(count: int) -> list[str]:
    """Questions of six words."""
    chance = np.random.default_rng(11)
    return [" ".join(_WORDS[rank] for rank in chance.zipf(1.2, 6) % len(_WORDS)) for _ in range(count)]


async def rolecall(count: int, folder: Path) -> Measured:
    """The gateway on Edge."""
    engine = EdgeEngine(folder)
    gateway = Gateway(engine, MadeUpEmbeddings(), "made up")
    ingest = _timed(engine.upsert, points(count))
    await gateway.close()
    gateway = Gateway(engine, MadeUpEmbeddings(), "made up")
    asked = questions(QUESTIONS)
    ms = []
    for question in [*asked[:5], *asked]:
        gateway._meaning(question)
        started = time.perf_counter()
        found = await gateway.search(question, ROOM, BEST)
        ms.append((time.perf_counter() - started) * 1000)
        assert len(found) == BEST
        assert all(ROOM.sees(passage.labels) for passage in found)
    await gateway.close()
    return Measured(ingest, ms[5:])


def local(count: int) -> Measured:
    """qdrant-client's local mode, in memory."""
    client = QdrantClient(":memory:")
    client.create_collection(
        "made",
        vectors_config={"dense": models.VectorParams(size=WIDTH, distance=models.Distance.DOT)},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    ingest = _timed(lambda batch: client.upsert("made", [_plain(point) for point in batch]), points(count))
    ask = _asking(client)
    ms = []
    for question in questions(LOCAL_QUESTIONS[count]):
        vector = MadeUpEmbeddings().embed_query(question)
        started = time.perf_counter()
        found = ask(question, vector)
        ms.append((time.perf_counter() - started) * 1000)
        assert len(found) == BEST
        assert all(ROOM.sees((point.payload or {})["labels"]) for point in found)
    return Measured(ingest, ms)


def _timed(store: Callable[[list[Point]], object], batches: Iterator[list[Point]]) -> float:
    """Seconds that storing takes, without those of making the passages."""
    seconds = 0.0
    for batch in batches:
        started = time.perf_counter()
        store(batch)
        seconds += time.perf_counter() - started
    return seconds


def _plain(point: Point) -> models.PointStruct:
    words = point.vectors.bm25
    sparse = models.SparseVector(indices=words.indices, values=words.values)
    return models.PointStruct(
        id=point.id, vector={"dense": point.vectors.dense, "bm25": sparse}, payload=dict(point.payload)
    )


def _asking(client: QdrantClient) -> Callable[[str, list[float]], list[models.ScoredPoint]]:
    encoder = SparseEncoder()
    allowed = models.Filter(
        must=[models.FieldCondition(key="labels", match=models.MatchAny(any=sorted(labels))) for labels in ROOM.readers]
    )

    def ask(question: str, vector: list[float]) -> list[models.ScoredPoint]:
        words = encoder.query(question)
        sparse = models.SparseVector(indices=words.indices, values=words.values)
        legs = [
            models.Prefetch(query=vector, using="dense", filter=allowed, limit=100),
            models.Prefetch(query=sparse, using="bm25", filter=allowed, limit=100),
        ]
        by_rank = models.FusionQuery(fusion=models.Fusion.RRF)
        return client.query_points("made", prefetch=legs, query=by_rank, query_filter=allowed, limit=BEST).points

    return ask


def table(results: dict[int, tuple[Measured, Measured]]) -> Table:
    """One row for each size and engine."""
    made = Table(title="Filtered hybrid search, one question after the other")
    for column in ("passages", "engine", "stored in s", "p50 ms", "p95 ms", "times faster"):
        made.add_column(column, justify="left" if column == "engine" else "right")
    for size, (plain, ours) in results.items():
        made.add_row(f"{size:,}", "qdrant-client local mode", f"{plain.ingest:.1f}", *_ms(plain), "1")
        times = f"{plain.median / ours.median:.0f}"
        made.add_row(f"{size:,}", "Rolecall on Qdrant Edge", f"{ours.ingest:.1f}", *_ms(ours), times, end_section=True)
    return made


def _ms(measured: Measured) -> tuple[str, str]:
    return f"{measured.median:,.1f}", f"{measured.slow:,.1f}"


def main() -> None:
    """Measure, print the table, and leave with 1 if the target is missed."""
    warnings.filterwarnings("ignore", message="Local mode is not recommended", category=UserWarning)
    console = Console()
    results = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder, console.status(f"{size:,} passages"):
            results[size] = (local(size), asyncio.run(rolecall(size, Path(folder))))
    console.print(table(results))
    plain, ours = results[SIZES[-1]]
    times = plain.median / ours.median
    console.print(f"At {SIZES[-1]:,} passages: {times:.0f} times faster; the target is {TARGET}.")
    sys.exit(0 if times >= TARGET else 1)


if __name__ == "__main__":
    main()
