"""What the gateway needs of Qdrant, embedded or a server: points in, hits out, and a filter in every query."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.types import Labels
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import Vectors

Readers = frozenset[Labels]
"""A conjunction: a point must share a label with each of these sets. Never empty, and none of them is."""


@dataclass(frozen=True, slots=True)
class Point:
    """A passage as it is stored."""

    id: str
    vectors: Vectors
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A stored point that a query returned. `payload` is what the engine says it is: not yet believed."""

    id: str
    score: float
    payload: Mapping[str, Any]


class Engine(Protocol):
    """One collection of passages. Every call blocks; the gateway calls from a thread."""

    def open(self, size: int, model: str) -> None:
        """Make or open the collection for vectors of this size. Raises ConfigError if another model made it."""

    def by_words(self, words: SparseVector, readers: Readers, limit: int) -> list[Found]:
        """The best points by BM25."""

    def by_meaning(
        self, meaning: Sequence[float], words: SparseVector | None, readers: Readers, limit: int
    ) -> list[Found]:
        """The best points by the similarity of their closest sentence; `words` adds the candidates of the other leg."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points, durable when this returns."""

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored."""

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""

    def count(self) -> int:
        """How many points there are."""

    def optimize(self) -> None:
        """Make searching fast again after many writes; may take a while."""

    def close(self) -> None:
        """Let go of files and connections."""
