"""Small worlds of documents and readers, and an oracle of the access rule that shares nothing with the code under test."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings
from qdrant_client import QdrantClient

from bot.types import Access, Labels, Passage, for_everyone
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Engine
from connectors.qdrant.server import ServerEngine

LABELS = ("company", "filings", "maintenance", "hr", "fil", "Filings")
QUESTION = "turbine"
World = tuple[list[Labels], list[Labels]]
"""The labels of each document, and the labels of each reader."""


class HashEmbeddings(Embeddings):
    """Eight numbers from a hash; counts the texts it was given."""

    def __init__(self) -> None:
        self.embedded = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += len(texts)
        return [vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return vector(text)


def vector(text: str) -> list[float]:
    """A unit vector that only this text has."""
    raw = [byte / 255 + 0.01 for byte in hashlib.sha256(text.encode()).digest()[:8]]
    length = sum(value * value for value in raw) ** 0.5
    return [value / length for value in raw]


def passage(number: int, labels: Iterable[str], text: str = "") -> Passage:
    """A passage that the question finds, in a document of its own."""
    words = text or f"The turbine number {number} was inspected."
    return Passage(f"p{number}", f"source/{number}.md", words, frozenset(labels), f"Title {number}")


def shelf(place: int, documents: Sequence[Labels]) -> list[Passage]:
    """The passages of one world among many: its labels and numbers carry its place, so that the others are strangers."""
    return [
        passage(place * 10 + number, {f"{place}.{label}" for label in labels})
        for number, labels in enumerate(documents)
    ]


def numbers(passages: Iterable[Passage]) -> set[int]:
    """The numbers of these passages' documents."""
    return {int(one.document[7:-3]) for one in passages}


def oracle(documents: Sequence[Labels], readers: Iterable[Labels]) -> set[int]:
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


def worlds(count: int) -> list[World]:
    """So many generated worlds: up to five documents with labels, up to four readers, a few of whom hold none.

    Hypothesis draws the seed of each: drawing every label by itself takes five times as long.
    """
    made: list[World] = []

    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**64 - 1))
    def generate(seed: int) -> None:
        chance = random.Random(seed)
        documents = [_some(chance, at_least=1) for _ in range(chance.randint(1, 5))]
        made.append((documents, [_some(chance, at_least=chance.random() > 0.1) for _ in range(chance.randint(0, 4))]))

    generate()
    assert len(made) >= count
    return made


def _some(chance: random.Random, at_least: int) -> Labels:
    return frozenset(chance.sample(LABELS, chance.randint(at_least, 3)))
