"""The embedded engine: one process, durable after kill -9, and its folder says what is wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import ConfigError, IndexUnavailable
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Point
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.payload import point_id
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import encode
from tests.connectors.qdrant.worlds import QUESTION, HashEmbeddings, access_of, numbers, passage

ROOT = Path(__file__).parents[3]
COMPANY = access_of([["company"]])
WRITER = """
import asyncio, sys
from pathlib import Path
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.gateway import Gateway
from tests.connectors.qdrant.worlds import HashEmbeddings, passage

async def write(folder, first):
    gateway = Gateway(EdgeEngine(Path(folder)), HashEmbeddings())
    for number in range(first, first + 100_000):
        await gateway.put([passage(number, ["company"])])
        if number % 5 == 4:
            await gateway.relabel(f"source/{number}.md", frozenset({"hr"}))
        if number % 7 == 6:
            await gateway.remove(f"source/{number}.md")
        print(number, flush=True)

asyncio.run(write(sys.argv[1], int(sys.argv[2])))
"""


def test_nothing_that_was_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    """A process writes and is killed in the middle, three times; the next one finds all that was acknowledged."""
    done = -1
    for _ in range(3):
        done = _write_until_killed(tmp_path, done + 1, steps=25)
        engine = EdgeEngine(tmp_path)
        engine.open(8, "embedded")
        ids = {point_id(f"source/{number}.md", f"p{number}"): number for number in range(done + 1)}
        found = {ids[id_]: payload["labels"] for id_, payload in engine.present(list(ids)).items()}
        assert found == {n: ["hr" if n % 5 == 4 else "company"] for n in range(done + 1) if n % 7 != 6}
        engine.close()


def _write_until_killed(folder: Path, first: int, steps: int) -> int:
    """The last number that the process said it had written."""
    command = [sys.executable, "-c", WRITER, str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(steps)]
        writer.kill()
        return [*said, *(int(line) for line in writer.stdout.read().split())][-1]


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    for number in range(3):
        gateway = Gateway(EdgeEngine(tmp_path), HashEmbeddings())
        await gateway.put([passage(number, ["company"])])
        assert numbers(await gateway.search(QUESTION, COMPANY, 50)) == set(range(number + 1))
        await gateway.close()
        await gateway.close()


async def test_a_second_opener_is_told_who_holds_the_index_and_what_to_do(tmp_path: Path) -> None:
    gateway = Gateway(EdgeEngine(tmp_path), HashEmbeddings())
    with pytest.raises(IndexUnavailable) as raised:
        Gateway(EdgeEngine(tmp_path), HashEmbeddings())
    for words in (str(tmp_path), f"process {os.getpid()}: ", "; stop it (", "engine: server"):
        assert words in str(raised.value)
    await gateway.close()
    await Gateway(EdgeEngine(tmp_path), HashEmbeddings()).close()


def test_a_folder_of_another_space_is_refused_and_let_go_again(tmp_path: Path) -> None:
    engine = EdgeEngine(tmp_path)
    engine.open(8, "hash")
    engine.close()
    for size, model, words in ((8, "new", "embedding model hash"), (9, "hash", "another version")):
        with pytest.raises(ConfigError, match=words):
            EdgeEngine(tmp_path).open(size, model)
    mark = tmp_path / "shard" / "rolecall.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text("utf-8")), "encoding": "older"}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"another version of .* Rolecall; delete it and run `rolecall sync`"):
        engine.open(8, "hash")


@pytest.mark.parametrize("damage", ["rolecall.json", "edge_config.json", "segments"])
def test_a_damaged_folder_says_what_to_do(tmp_path: Path, damage: str) -> None:
    engine = EdgeEngine(tmp_path)
    engine.open(8, "hash")
    engine.upsert(_points(3))
    engine.close()
    harmed = tmp_path / "shard" / damage
    for path in [harmed] if harmed.is_file() else [one for one in harmed.rglob("*") if one.name == "segment.json"]:
        path.write_text("{", encoding="utf-8")
    with pytest.raises(IndexUnavailable, match="rolecall sync"):
        EdgeEngine(tmp_path).open(8, "hash")


def test_an_index_that_was_being_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "shard.new" / "segments").mkdir(parents=True)
    (tmp_path / "shard.new" / "segments" / "half").write_text("x", encoding="utf-8")
    engine = EdgeEngine(tmp_path)
    engine.open(8, "hash")
    assert engine.count() == 0
    engine.close()
    assert not (tmp_path / "shard.new").exists()


def test_deleted_points_leave_the_disk_when_the_index_is_closed(tmp_path: Path) -> None:
    engine = EdgeEngine(tmp_path)
    engine.open(8, "hash")
    engine.upsert(_points(3000))
    engine.remove("source/1.md", keep={_id(0)})
    engine.close()
    engine.open(8, "hash")
    assert engine.count() == 1
    assert engine._shard.info().points_count == 1
    engine.close()


def _points(count: int) -> list[Point]:
    [vectors] = encode([passage(1, ["company"])], HashEmbeddings(), SparseEncoder())
    return [Point(_id(n), vectors, {"document": "source/1.md", "labels": ["company"]}) for n in range(count)]


def _id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"
