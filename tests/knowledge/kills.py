"""Kills a real sync (files, parser, Edge index, SQLite) with SIGKILL at random moments, and checks what is left each time.

`python -m tests.knowledge.kills FOLDER KILLS`: exits with 0 if everything shown was right at every moment, and if the last,
undisturbed run left exactly what a fresh sync makes.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from bot.knowledge.chunking import passages
from bot.knowledge.sync import sync
from bot.ports import DocumentRecord
from bot.settings import FilesSource as FilesSettings
from bot.types import Passage
from connectors.database import SqlRecords, open_database
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.payload import point_id
from connectors.sources.files import FilesSource

LABELS = ("hr", "filings", "sap")
DOCUMENTS = 24


class CheapEmbeddings(Embeddings):
    """Vectors made of a hash; as slow as a small model, so that a kill finds something half done."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        time.sleep(len(texts) / 4000)
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        numbers = [byte - 127.5 for byte in sha256(text.encode()).digest()[:8]]
        length = sum(number * number for number in numbers) ** 0.5
        return [number / length for number in numbers]


class World:
    """A folder of documents whose files and labels keep changing, and every version that there ever was, by its hash."""

    def __init__(self, folder: Path, random: random.Random):
        self.files = folder / "files"
        self.random = random
        self.labels: dict[str, list[str]] = {}
        self.versions: dict[str, list[Passage]] = {}
        for label in LABELS:
            (self.files / label).mkdir(parents=True)
        self.change(DOCUMENTS)

    def change(self, count: int) -> None:
        """Add, change or delete some documents, and give one folder other labels."""
        for number in self.random.sample(range(DOCUMENTS), count):
            path = self.files / LABELS[number % 3] / f"{number}.md"
            if path.exists() and self.random.random() < 0.3:
                path.unlink()
                continue
            parts = (
                f"## Part {i}\nValue {self.random.randint(0, 3)} of {number}.\n"
                for i in range(self.random.randint(1, 9))
            )
            path.write_text(f"# Document {number}\n" + "\n".join(parts))
        for label in LABELS:
            extra = [other for other in LABELS if other != label and self.random.random() < 0.3]
            self.labels[f"{label}/**"] = [label, *extra]
        source = self.source()
        for item in source.list():
            document = source.read(item)
            self.versions[item.id + document.hash] = passages(document)
        source.close()

    def source(self) -> FilesSource:
        return FilesSource(FilesSettings(name="files", path="files", labels=dict(self.labels)), self.files.parent)


class Fuse:
    """Kills this process some milliseconds after the n-th write: in the middle of it, or between it and the next."""

    def __init__(self, writes: int, seconds: float):
        self.left = writes
        self.seconds = seconds

    def on(self, writer: Any) -> Any:
        """The same index or record, on this fuse."""
        return _Fused(writer, self)

    def burn(self) -> None:
        self.left -= 1
        if not self.left:
            threading.Timer(self.seconds, lambda: os.kill(os.getpid(), 9)).start()


class _Fused:
    def __init__(self, writer: Any, fuse: Fuse):
        self._writer = writer
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        self._fuse.burn()
        return getattr(self._writer, name)


async def bring_in(world: World, store: Path, fuse: Fuse) -> None:
    source = world.source()
    async with open_database(f"sqlite+aiosqlite:///{store / 'rolecall.db'}") as engine:
        gateway = Gateway(EdgeEngine(store / "index"), CheapEmbeddings())
        await sync(source, fuse.on(gateway), fuse.on(SqlRecords(engine)))
        await gateway.close()
    source.close()


async def look(world: World, store: Path) -> tuple[dict[str, DocumentRecord], int]:
    """The records and the number of points; each shown document must be in the index as one of its versions, whole."""
    async with open_database(f"sqlite+aiosqlite:///{store / 'rolecall.db'}") as database:
        records = await SqlRecords(database).all()
    engine = EdgeEngine(store / "index")
    engine.open(8, "embedded")
    for record in records.values():
        if record.state == "indexed":
            wanted = world.versions[record.id + record.hash]
            found = engine.present([point_id(passage.document, passage.id) for passage in wanted])
            assert len(wanted) == len(found) == record.passages, record
            assert all(frozenset(point["labels"]) == record.labels for point in found.values()), record
    count = engine.count()
    engine.close()
    return records, count


def in_child(work: Coroutine[None, None, object]) -> int:
    """Run something in a child and return its process. A fork has none of an engine's threads, so engines live there."""
    child = os.fork()
    if child:
        work.close()
        return child
    status = 1
    try:
        asyncio.run(work)
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def end(child: int) -> bool:
    """Wait for a child; whether it was killed."""
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), "see the traceback above"
    return bool(status)


async def compare(world: World, store: Path, fresh: Path) -> None:
    for folder in (store, fresh):
        await bring_in(world, folder, Fuse(0, 0))
    records, count = await look(world, store)
    assert (records, count) == await look(world, fresh)
    assert {record.state for record in records.values()} == {"indexed"}
    assert count == sum(record.passages for record in records.values())


def main(folder: Path, kills: int) -> None:
    chance = random.Random(kills)
    world = World(folder, chance)
    store, fresh = folder / "store", folder / "fresh"
    store.mkdir()
    fresh.mkdir()
    done = 0
    while done < kills:
        fuse = Fuse(chance.randint(1, 70), chance.uniform(0, 0.02))
        done += end(in_child(bring_in(world, store, fuse)))
        assert not end(in_child(look(world, store)))
        world.change(6)
    assert not end(in_child(compare(world, store, fresh)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
