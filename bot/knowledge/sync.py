"""Brings the index and the SQL record in step with a source, so that a stop at any moment is repaired by the next run.

The record says "indexing" or "removing" before the index is touched and "indexed" after, and the gate shows only what is
"indexed": while a document is on its way, nobody sees it. Passage ids follow from content, so only what changed is
embedded again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import UnreadableDocument
from bot.knowledge.chunking import passages
from bot.ports import DocumentRecord, IndexWriter, Listed, Records, RecordState, Source
from bot.types import Document, Passage

BATCH = 96
"""Passages that are embedded together: enough to keep the model busy, few enough to lose little when stopped."""
AHEAD = 16
"""Documents that may be read ahead of the embedding."""

Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class SyncReport:
    """What one run did. `failed` maps each document that could not be read to the reason."""

    added: int = 0
    changed: int = 0
    relabelled: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: dict[str, str] = field(default_factory=dict)


async def sync(
    source: Source, index: IndexWriter, records: Records, progress: Progress = lambda done, total, name: None
) -> SyncReport:
    """One run over one source. `progress` hears how many documents of how many are done, and which one.

    Raises ConfigError if the source cannot be listed (nothing is deleted then), IndexUnavailable if the index is gone.
    """
    listed = await asyncio.to_thread(lambda: list(source.list()))
    run = _Run(source, index, records, await records.all(source.name), len(listed), progress)
    await run.remove_missing({item.id for item in listed})
    await run.bring_in(listed)
    return run.report


@dataclass(slots=True)
class _Ready:
    """A document that is read and cut, waiting for its batch."""

    listed: Listed
    document: Document
    passages: list[Passage]


@dataclass(slots=True)
class _Run:
    source: Source
    index: IndexWriter
    records: Records
    known: Mapping[str, DocumentRecord]
    total: int
    progress: Progress
    done: int = 0
    report: SyncReport = field(default_factory=SyncReport)

    async def remove_missing(self, present: set[str]) -> None:
        """Deletes propagate: the record goes last, so that a stop in between leaves something to finish."""
        for name in sorted(set(self.known) - present):
            await self._withdraw(self.known[name])
            await self.records.delete(name)
            self.report.deleted += 1

    async def bring_in(self, listed: Sequence[Listed]) -> None:
        """Relabel what only changed its labels, and read, cut, embed and index what is new or changed."""
        stale = [item for item in listed if not await self._settled(item)]
        queue: asyncio.Queue[_Ready | None] = asyncio.Queue(AHEAD)
        reader = asyncio.create_task(self._read_all(stale, queue))
        batch: list[_Ready] = []
        try:
            while (ready := await queue.get()) is not None:
                batch.append(ready)
                if sum(len(one.passages) for one in batch) >= BATCH:
                    await self._index(batch)
                    batch = []
            await reader
            await self._index(batch)
        finally:
            reader.cancel()

    async def _read_all(self, items: Sequence[Listed], queue: asyncio.Queue[_Ready | None]) -> None:
        """Read and cut documents in order, in a thread, while the batch before them is embedded."""
        try:
            for item in items:
                try:
                    document = await asyncio.to_thread(self.source.read, item)
                    cut = await asyncio.to_thread(passages, document)
                    await queue.put(_Ready(item, document, cut))
                except UnreadableDocument as error:
                    await self._fail(item, str(error))
        finally:
            await queue.put(None)

    async def _settled(self, item: Listed) -> bool:
        """Whether a document needs no reading; a change of labels alone is done at once."""
        record = self.known.get(item.id)
        if record is None or record.state != "indexed" or record.fingerprint != item.fingerprint or not item.labels:
            return False
        if record.labels != item.labels:
            await self.records.save(replace(record, state="indexing", labels=record.labels & item.labels))
            await self.index.relabel(item.id, item.labels)
            await self.records.save(replace(record, labels=item.labels))
            self.report.relabelled += 1
        else:
            self.report.unchanged += 1
        self._step(item.id)
        return True

    async def _index(self, batch: Sequence[_Ready]) -> None:
        if not batch:
            return
        for one in batch:
            await self.records.save(_record(one, "indexing"))
        await self.index.put([passage for one in batch for passage in one.passages])
        for one in batch:
            await self.index.remove(one.document.id, keep={passage.id for passage in one.passages})
            await self.records.save(_record(one, "indexed"))
            self._count(one)
            self._step(one.document.id)

    def _count(self, one: _Ready) -> None:
        before = self.known.get(one.document.id)
        if before is None:
            self.report.added += 1
        elif before.state == "indexed" and before.hash == one.document.hash and before.labels == one.document.labels:
            self.report.unchanged += 1
        else:
            self.report.changed += 1

    async def _fail(self, item: Listed, reason: str) -> None:
        """A document that cannot be read is not answered from: what was known of it is withdrawn."""
        before = self.known.get(item.id)
        if before is not None and before.state != "failed":
            await self._withdraw(before)
        title = before.title if before else item.id
        record = DocumentRecord(
            item.id, self.source.name, title, item.labels, "", item.fingerprint, "failed", reason=reason
        )
        await self.records.save(record)
        self.report.failed[item.id] = reason
        self._step(item.id)

    async def _withdraw(self, record: DocumentRecord) -> None:
        await self.records.save(replace(record, state="removing"))
        await self.index.remove(record.id)

    def _step(self, name: str) -> None:
        self.done += 1
        self.progress(self.done, self.total, name)


def _record(ready: _Ready, state: RecordState) -> DocumentRecord:
    document = ready.document
    return DocumentRecord(
        document.id,
        document.source,
        document.title,
        document.labels,
        document.hash,
        ready.listed.fingerprint,
        state,
        len(ready.passages),
        document.url,
        document.modified,
    )
