"""Brings the index and the SQL record in step with a source, so that a stop at any moment is repaired by the next run.

The record says "indexing" or "removing" before the index is touched and "indexed" after, and the gate shows only what is
"indexed": while a document is on its way, nobody sees it. Passage ids follow from content, so only what changed is
embedded again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import UnreadableDocument
from bot.knowledge.chunking import passages
from bot.ports import DocumentRecord, IndexWriter, Listed, Records, RecordState, Source
from bot.types import Document, Passage

BATCH = 192
"""Passages that are embedded together: enough to sort them by length, few enough to lose little when stopped."""

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
    source: Source,
    index: IndexWriter,
    records: Records,
    progress: Progress = lambda done, total, name: None,
    again: bool = False,
) -> SyncReport:
    """One run over one source. `progress` hears how many documents of how many are done, and which one.

    `again` reads unchanged documents too. Raises ConfigError if the source cannot be listed (nothing is deleted then),
    IndexUnavailable if the index is gone.
    """
    listed = await asyncio.to_thread(lambda: list(source.list()))
    run = _Run(source, index, records, await records.all(source.name), len(listed), progress, again)
    await run.remove_missing({item.id for item in listed})
    await run.bring_in(await run.settle(listed))
    return run.report


async def forget(source: str, index: IndexWriter, records: Records) -> SyncReport:
    """Remove every document of a source that the settings no longer name."""
    report = SyncReport()
    for record in (await records.all(source)).values():
        await _withdraw(record, index, records)
        await records.delete(record.id)
        report.deleted += 1
    return report


async def _withdraw(record: DocumentRecord, index: IndexWriter, records: Records) -> None:
    await records.save(replace(record, state="removing"))
    await index.remove(record.id)


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
    known: dict[str, DocumentRecord]
    total: int
    progress: Progress
    again: bool
    done: int = 0
    report: SyncReport = field(default_factory=SyncReport)

    async def remove_missing(self, present: set[str]) -> None:
        """Deletes propagate: the record goes last, so that a stop in between leaves something to finish."""
        for name in sorted(set(self.known) - present):
            await _withdraw(self.known.pop(name), self.index, self.records)
            await self.records.delete(name)
            self.report.deleted += 1

    async def settle(self, listed: Sequence[Listed]) -> list[Listed]:
        """Write changed labels before anything that takes time, and return what has to be read.

        What lost its last label comes first: reading refuses it, and it is withdrawn.
        """
        stale = []
        for item in listed:
            record = self.known.get(item.id)
            if record is not None and record.state == "indexed" and item.labels:
                if record.labels != item.labels:
                    await self._relabel(record, item)
                if record.fingerprint == item.fingerprint and not self.again:
                    self.report.unchanged += record.labels == item.labels
                    self.report.relabelled += record.labels != item.labels
                    self._step(item.id)
                    continue
            stale.append(item)
        return sorted(stale, key=lambda item: bool(item.labels))

    async def _relabel(self, record: DocumentRecord, item: Listed) -> None:
        """Until the index has the new labels nobody sees the document, not even those who may before and after."""
        await self.records.save(replace(record, state="indexing", labels=record.labels & item.labels))
        await self.index.relabel(item.id, item.labels)
        self.known[item.id] = replace(record, labels=item.labels)
        await self.records.save(self.known[item.id])

    async def bring_in(self, stale: Sequence[Listed]) -> None:
        """Read, cut, embed and index; while one batch is embedded, the next one is read."""
        items = iter(stale)
        reading = asyncio.create_task(self._next_batch(items))
        try:
            while batch := await reading:
                reading = asyncio.create_task(self._next_batch(items))
                await self._index(batch)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _next_batch(self, items: Iterator[Listed]) -> list[_Ready]:
        """The next documents with enough passages together; empty at the end."""
        batch: list[_Ready] = []
        size = 0
        while size < BATCH and (item := next(items, None)) is not None:
            try:
                document = await asyncio.to_thread(self.source.read, item)
            except UnreadableDocument as error:
                await self._fail(item, str(error))
                continue
            if not await self._only_touched(item, document):
                batch.append(_Ready(item, document, await asyncio.to_thread(passages, document)))
                size += len(batch[-1].passages)
        return batch

    async def _only_touched(self, item: Listed, document: Document) -> bool:
        """Whether the source's fingerprint changed but nothing else; then only the fingerprint is written."""
        before = self.known.get(item.id)
        if before is None or before.state != "indexed" or self.again:
            return False
        if (before.hash, before.title, before.url) != (document.hash, document.title, document.url):
            return False
        await self.records.save(replace(before, fingerprint=item.fingerprint))
        self.report.unchanged += 1
        self._step(item.id)
        return True

    async def _index(self, batch: Sequence[_Ready]) -> None:
        await self.records.save(*(_record(one, "indexing") for one in batch))
        together = [passage for one in batch for passage in one.passages]
        for start in range(0, len(together), BATCH):
            await self.index.put(together[start : start + BATCH])
        for one in batch:
            await self.index.remove(one.document.id, keep={passage.id for passage in one.passages})
        await self.records.save(*(_record(one, "indexed") for one in batch))
        for one in batch:
            self._count(one)
            self._step(one.document.id)

    def _count(self, one: _Ready) -> None:
        before = self.known.get(one.document.id)
        if before is None:
            self.report.added += 1
        elif before.state == "indexed" and before.hash == one.document.hash:
            self.report.unchanged += 1
        else:
            self.report.changed += 1

    async def _fail(self, item: Listed, reason: str) -> None:
        """A document that cannot be read is not answered from: what was known of it is withdrawn."""
        before = self.known.get(item.id)
        if before is not None and before.state != "failed":
            await _withdraw(before, self.index, self.records)
        record = DocumentRecord(
            item.id,
            self.source.name,
            before.title if before else item.id,
            item.labels,
            "",
            item.fingerprint,
            "failed",
            reason=reason,
        )
        await self.records.save(record)
        self.report.failed[item.id] = reason
        self._step(item.id)

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
