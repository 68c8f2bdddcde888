"""Documents: where they come from, the record of them, and searching."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.types import Access, Document, Labels, Passage


class Index(Protocol):
    """Searching. There is no search without an Access."""

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        """The best passages that every reader may see, best first; no scores, no counts. Empty access: none."""


class IndexWriter(Protocol):
    """Writing, which only sync does. Each call is durable when it returns."""

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert or replace passages by id."""

    async def relabel(self, document: str, labels: Labels) -> None:
        """Change the labels of all passages of a document without embedding anything again."""

    async def remove(self, document: str, keep: Collection[str] = ()) -> None:
        """Delete a document's passages, except those whose ids are in `keep`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document that a source offers, before it is read. `fingerprint` changes when the content may have."""

    id: str
    fingerprint: str
    labels: Labels


class Source(Protocol):
    """An outside system that holds documents."""

    name: str

    def list(self) -> Iterable[Listed]:
        """Everything there is now. A document that is missing here has been deleted."""

    def read(self, listed: Listed) -> Document:
        """Parse one document. Raises UnreadableDocument with the reason; never harms this process."""


RecordState = Literal["indexing", "indexed", "removing", "failed"]


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The SQL row of a document: the truth about its labels, which the gate checks right before posting."""

    id: str
    source: str
    title: str
    labels: Labels
    hash: str
    fingerprint: str
    state: RecordState
    passages: int = 0
    url: str = ""
    modified: datetime | None = None
    reason: str = ""


class Records(Protocol):
    """The SQL record of documents."""

    async def all(self, source: str | None = None) -> dict[str, DocumentRecord]:
        """Every record, or those of one source, by document id."""

    async def labels_of(self, documents: Collection[str]) -> Mapping[str, Labels]:
        """The current labels of those of these documents that are indexed; others are absent."""

    async def save(self, *records: DocumentRecord) -> None:
        """Insert or replace records, all or none, committed when this returns."""

    async def delete(self, document: str) -> None:
        """Forget one record."""


@dataclass(frozen=True, slots=True)
class SyncRun:
    """The last run of a source's sync that came to its end; counts are of documents."""

    source: str
    finished: float
    added: int
    changed: int
    deleted: int
    failed: int
