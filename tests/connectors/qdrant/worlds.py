"""Small worlds of documents and readers, and an oracle of the access rule that shares nothing with the code under test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from langchain_core.embeddings import Embeddings
from qdrant_client import QdrantClient

from bot.types import Access, Passage, for_everyone
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Engine
from connectors.qdrant.server import ServerEngine

LABELS = ("company", "filings", "maintenance", "hr", "fil", "Filings")
QUESTION = "turbine"


class CountingEmbeddings(Embeddings):
    """Eight numbers from a hash; counts the texts it was given."""

    def __init__(self) -> None:
        self.embedded = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += len(texts)
        return [_vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return _vector(text)


def _vector(text: str) -> list[float]:
    raw = [byte / 255 + 0.01 for byte in hashlib.sha256(text.encode()).digest()[:8]]
    length = sum(value * value for value in raw) ** 0.5
    return [value / length for value in raw]


def passage(number: int, labels: Iterable[str], text: str = "") -> Passage:
    """A passage that the question finds. Ids are UUIDs, as Qdrant wants them."""
    name = f"00000000-0000-0000-0000-{number:012d}"
    words = text or f"The turbine number {number} was inspected."
    return Passage(name, f"source/{number}.md", words, frozenset(labels), f"Title {number}")


def oracle(documents: Sequence[frozenset[str]], readers: Iterable[frozenset[str]]) -> set[int]:
    """The numbers of the documents that every reader may see, counted out one label at a time."""
    people = [sorted(reader) for reader in readers]
    visible = set()
    for number, carried in enumerate(documents):
        votes = [any(label == one for label in carried for one in reader) for reader in people]
        if votes and False not in votes:
            visible.add(number)
    return visible


def access_of(readers: Iterable[Iterable[str]]) -> Access:
    """The access of these readers."""
    return for_everyone([frozenset(reader) for reader in readers])


def make_engine(kind: str, folder: Path) -> Engine:
    """An engine of a kind: edge or local."""
    return EdgeEngine(folder / "index") if kind == "edge" else ServerEngine(QdrantClient(":memory:"))
