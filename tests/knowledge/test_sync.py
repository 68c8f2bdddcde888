"""Sync: what is read, embedded, relabelled and removed, what a reader can see meanwhile, and what a crash leaves."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from bot.errors import ConfigError, IndexUnavailable, UnreadableDocument
from bot.knowledge.sync import BATCH, SyncReport, forget, sync
from bot.ports import Listed
from bot.types import Document, Labels, Passage, Section
from tests.fakes import FakeRecords

HR = frozenset({"hr"})
FILINGS = frozenset({"filings"})


@dataclass
class FakeSource:
    """Documents in memory: text, labels, and a fingerprint that counts the writes. What has no text cannot be read."""

    texts: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    prints: dict[str, int] = field(default_factory=dict)
    read_ids: list[str] = field(default_factory=list)
    name: str = "hb"
    mounted: bool = True

    def write(self, name: str, text: str, labels: Labels = HR) -> None:
        self.texts[f"hb/{name}"] = text
        self.labels[f"hb/{name}"] = labels
        self.prints[f"hb/{name}"] = self.prints.get(f"hb/{name}", 0) + 1

    def list(self) -> Iterable[Listed]:
        if not self.mounted:
            raise ConfigError("sources.hb.path: is gone; nothing was deleted")
        return [Listed(name, str(self.prints[name]), self.labels[name]) for name in self.texts]

    def read(self, listed: Listed) -> Document:
        self.read_ids.append(listed.id)
        text = self.texts[listed.id]
        if not text or not listed.labels:
            raise UnreadableDocument("is damaged")
        sections = tuple(Section(part, (f"Part {i}",)) for i, part in enumerate(text.split("|")))
        return Document(listed.id, "hb", listed.id, listed.labels, sha256(text.encode()).hexdigest(), sections)


@dataclass
class FakeWriter:
    """An index that counts what it would embed, notes what readers could see while it works, and may fail."""

    records: FakeRecords
    stored: dict[str, Passage] = field(default_factory=dict)
    embedded: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    shown: list[Mapping[str, Labels]] = field(default_factory=list)
    fails: bool = False

    async def put(self, passages: Sequence[Passage]) -> None:
        await self._called("put")
        self.embedded += [passage.text for passage in passages if passage.id not in self.stored]
        self.stored |= {passage.id: passage for passage in passages}

    async def relabel(self, document: str, labels: Labels) -> None:
        await self._called(f"relabel {document}")
        mine = [passage for passage in self.stored.values() if passage.document == document]
        self.stored |= {passage.id: replace(passage, labels=labels) for passage in mine}

    async def remove(self, document: str, keep: Collection[str] = ()) -> None:
        await self._called(f"remove {document}")
        gone = [one.id for one in self.stored.values() if one.document == document and one.id not in keep]
        for name in gone:
            del self.stored[name]

    async def _called(self, what: str) -> None:
        if self.fails:
            raise IndexUnavailable("the index cannot be reached")
        self.calls.append(what)
        self.shown.append(await self.records.labels_of(list(self.records.rows)))

    def texts(self) -> dict[str, Labels]:
        return {passage.text: passage.labels for passage in self.stored.values()}


class World:
    def __init__(self) -> None:
        self.source = FakeSource()
        self.records = FakeRecords()
        self.index = FakeWriter(self.records)
        self.source.write("pay.md", "Pay is due on Friday.|Bonus comes in May.")
        self.source.write("q1.md", "Revenue rose.", FILINGS)

    async def sync(self, again: bool = False) -> SyncReport:
        self.index.embedded.clear()
        self.index.calls.clear()
        self.index.shown.clear()
        self.source.read_ids.clear()
        return await sync(self.source, self.index, self.records, again=again)


@pytest.fixture
async def world() -> World:
    world = World()
    assert await world.sync() == SyncReport(added=2)
    return world


async def test_the_record_tells_what_the_index_holds(world: World) -> None:
    assert world.index.texts() == {"Pay is due on Friday.": HR, "Bonus comes in May.": HR, "Revenue rose.": FILINGS}
    pay = world.records.rows["hb/pay.md"]
    assert (pay.state, pay.passages, pay.labels, pay.fingerprint, len(pay.hash)) == ("indexed", 2, HR, "1", 64)


async def test_nothing_is_read_when_nothing_changed(world: World) -> None:
    assert await world.sync() == SyncReport(unchanged=2)
    assert (world.source.read_ids, world.index.calls) == ([], [])


async def test_only_changed_passages_are_embedded(world: World) -> None:
    world.source.write("pay.md", "Pay is due on Monday.|Bonus comes in May.")
    assert await world.sync() == SyncReport(changed=1, unchanged=1)
    assert world.source.read_ids == ["hb/pay.md"]
    assert world.index.embedded == ["Pay is due on Monday."]
    assert set(world.index.texts()) == {"Pay is due on Monday.", "Bonus comes in May.", "Revenue rose."}


async def test_a_touched_file_is_read_once_but_not_written(world: World) -> None:
    world.source.write("pay.md", world.source.texts["hb/pay.md"])
    assert await world.sync() == SyncReport(unchanged=2)
    assert (world.source.read_ids, world.index.calls) == (["hb/pay.md"], [])
    assert await world.sync() == SyncReport(unchanged=2)
    assert world.source.read_ids == []


async def test_deletes_propagate(world: World) -> None:
    del world.source.texts["hb/pay.md"]
    assert await world.sync() == SyncReport(deleted=1, unchanged=1)
    assert set(world.index.texts()) == {"Revenue rose."}
    assert set(world.records.rows) == {"hb/q1.md"}


async def test_other_labels_move_without_reading_or_embedding(world: World) -> None:
    world.source.labels["hb/pay.md"] = HR | FILINGS
    assert await world.sync() == SyncReport(relabelled=1, unchanged=1)
    assert (world.source.read_ids, world.index.calls) == ([], ["relabel hb/pay.md"])
    assert world.index.texts()["Pay is due on Friday."] == HR | FILINGS
    assert world.records.rows["hb/pay.md"].labels == HR | FILINGS


async def test_nobody_sees_a_document_while_its_labels_change(world: World) -> None:
    world.source.labels["hb/pay.md"] = FILINGS
    await world.sync()
    assert world.index.shown == [{"hb/q1.md": FILINGS}]


async def test_labels_are_tightened_before_anything_is_read(world: World) -> None:
    world.source.write("new.md", "News.")
    world.source.write("pay.md", "Pay is due on Monday.", FILINGS)
    assert await world.sync() == SyncReport(added=1, changed=1, unchanged=1)
    assert world.index.calls[0] == "relabel hb/pay.md"
    assert all(shown.get("hb/pay.md", FILINGS) == FILINGS for shown in world.index.shown)


async def test_labels_that_cannot_be_written_show_the_document_to_nobody(world: World) -> None:
    world.source.labels["hb/pay.md"] = FILINGS
    world.index.fails = True
    with pytest.raises(IndexUnavailable):
        await world.sync()
    assert await world.records.labels_of(["hb/pay.md"]) == {}
    world.index.fails = False
    assert await world.sync() == SyncReport(changed=1, unchanged=1)
    assert world.index.texts()["Pay is due on Friday."] == FILINGS
    assert world.index.embedded == []


async def test_a_document_that_lost_its_last_label_is_withdrawn_first(world: World) -> None:
    world.source.write("new.md", "News.")
    world.source.labels["hb/pay.md"] = frozenset()
    assert (await world.sync()).failed == {"hb/pay.md": "is damaged"}
    assert world.index.calls[0] == "remove hb/pay.md"
    assert "Pay is due on Friday." not in world.index.texts()


async def test_one_that_cannot_be_read_is_named_and_the_rest_goes_on(world: World) -> None:
    world.source.write("pay.md", "")
    world.source.write("new.md", "News.")
    report = SyncReport(added=1, unchanged=1, failed={"hb/pay.md": "is damaged"})
    assert await world.sync() == report
    assert set(world.index.texts()) == {"Revenue rose.", "News."}
    row = world.records.rows["hb/pay.md"]
    assert (row.state, row.reason, row.passages) == ("failed", "is damaged", 0)
    assert await world.sync() == SyncReport(unchanged=2, failed={"hb/pay.md": "is damaged"})
    world.source.write("pay.md", "Pay.")
    assert await world.sync() == SyncReport(changed=1, unchanged=2)


async def test_a_source_that_vanished_deletes_nothing(world: World) -> None:
    world.source.mounted = False
    with pytest.raises(ConfigError, match="nothing was deleted"):
        await world.sync()
    assert len(world.index.stored) == 3
    assert len(await world.records.labels_of(list(world.records.rows))) == 2


async def test_again_reads_everything_and_embeds_nothing_twice(world: World) -> None:
    assert await world.sync(again=True) == SyncReport(unchanged=2)
    assert (len(world.source.read_ids), world.index.embedded) == (2, [])
    world.index.stored.clear()
    assert await world.sync(again=True) == SyncReport(unchanged=2)
    assert len(world.index.stored) == 3


async def test_a_source_that_the_settings_no_longer_name_is_forgotten(world: World) -> None:
    await world.records.save(replace(world.records.rows["hb/q1.md"], id="wiki/q1.md", source="wiki"))
    assert await forget("hb", world.index, world.records) == SyncReport(deleted=2)
    assert set(world.records.rows) == {"wiki/q1.md"}
    assert world.index.stored == {}


async def test_many_documents_are_embedded_together_and_a_long_one_in_parts(world: World) -> None:
    for number in range(BATCH * 2):
        world.source.write(f"{number}.md", f"Text number {number}.")
    await world.sync()
    assert world.index.calls.count("put") == 2
    world.source.write("long.md", "|".join(f"Part {number}." for number in range(BATCH * 2 + 1)))
    await world.sync()
    assert world.index.calls.count("put") == 3


async def test_the_next_batch_is_read_while_one_is_embedded(world: World) -> None:
    for number in range(BATCH * 3):
        world.source.write(f"{number}.md", f"Text number {number}.")
    read_meanwhile = threading.Event()
    loop = asyncio.get_running_loop()

    class Slow(FakeWriter):
        async def put(self, passages: Sequence[Passage]) -> None:
            before = len(world.source.read_ids)
            until = loop.time() + 5
            while len(world.source.read_ids) == before < BATCH * 3 and loop.time() < until:
                await asyncio.sleep(0.001)
                if len(world.source.read_ids) > before:
                    read_meanwhile.set()
            await super().put(passages)

    await sync(world.source, Slow(world.records), world.records)
    assert read_meanwhile.is_set()


async def test_progress_ends_at_the_total(world: World) -> None:
    world.source.write("bad.md", "")
    world.source.write("new.md", "News.")
    heard: list[tuple[int, int, str]] = []
    await sync(world.source, world.index, world.records, lambda *step: heard.append(step))
    assert [(done, total) for done, total, _ in heard] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for *_, name in heard} == set(world.source.texts)


async def test_an_index_that_fails_midway_is_repaired_by_the_next_run() -> None:
    world = World()
    world.index.fails = True
    with pytest.raises(IndexUnavailable):
        await world.sync()
    assert await world.records.labels_of(list(world.records.rows)) == {}
    world.index.fails = False
    assert await world.sync() == SyncReport(changed=2)
    assert len(world.index.stored) == 3


async def test_a_kill_at_any_moment_is_repaired(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.knowledge.kills", str(tmp_path), "10"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
