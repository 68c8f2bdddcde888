"""What the gateway needs of Qdrant, embedded or a server: points in, hits out, and a filter in every query."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

from bot.errors import ConfigError
from bot.types import Passage
from connectors.qdrant.filters import Only
from connectors.qdrant.sparse import SparseEncoder, SparseVector
from connectors.qdrant.vectors import Vectors, searchable, windows


@dataclass(frozen=True, slots=True)
class Space:
    """What the stored vectors mean. Vectors of another space are noise, so an index remembers its own.

    `model` names the embedding model, `size` is the length of its vectors, `encoding` stands for the way texts
    become words and windows.
    """

    model: str
    size: int
    encoding: str

    @classmethod
    def of(cls, model: str, size: int) -> Space:
        """The space of this model's vectors and today's encoding."""
        return cls(model, size, _encoding())

    def check(self, stored: Mapping[str, Any], place: str) -> None:
        """Raise ConfigError if an index was made in another space, saying what to do."""
        if stored == asdict(self):
            return
        if stored.get("model") != self.model:
            raise ConfigError(
                f"embeddings.name: {self.model}: {place} was made with the embedding model {stored.get('model')}; "
                "name that one again, or delete the index and run `rolecall sync`"
            )
        raise ConfigError(
            f"{place} was made by another version of the embedding model or of Rolecall; "
            "delete it and run `rolecall sync`"
        )


@cache
def _encoding() -> str:
    """A mark that changes when texts become other words or other windows than before."""
    seen = (SparseEncoder().documents([searchable(_SAMPLE)]), windows(_SAMPLE))
    return sha256(repr(seen).encode()).hexdigest()[:16]


_SAMPLE = Passage(
    id="",
    document="",
    text="Net revenues in 2025 rose. A320s fly.\nRoute | 1,496.5 | 7 %\n純売上高は増えた。梅雨です。",
    labels=frozenset(),
    title="Annual report",
    heading=("Revenue",),
)


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
    """One collection of points. Every call blocks, and may come from any thread; raises IndexUnavailable if it fails.

    BM25 counts how rare a word is among the points of `only` alone: a ranking tells nothing about the others.
    """

    def open(self, size: int, model: str) -> None:
        """Make or open the collection for vectors of this size. Raises ConfigError if it belongs to another `Space`."""

    def by_words(self, words: SparseVector, only: Only, limit: int) -> list[Found]:
        """The best points by BM25."""

    def by_meaning(self, meaning: Sequence[float], words: SparseVector | None, only: Only, limit: int) -> list[Found]:
        """The best points by the similarity of their closest sentence; `words` adds the candidates of the other leg."""

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The payloads of those of these ids that are stored: for writing only."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace points, durable when this returns."""

    def describe(self, payloads: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the payloads of stored points by id, and keep their vectors."""

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        """Replace the labels of a document's points."""

    def remove(self, document: str, keep: Collection[str]) -> None:
        """Delete a document's points but those in `keep`."""

    def count(self) -> int:
        """How many points there are."""

    def close(self) -> None:
        """Let go of files and connections. Closing twice does no harm."""
