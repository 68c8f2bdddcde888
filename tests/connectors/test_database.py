"""The record in SQL: what is saved is there after a crash, and a database is always at the newest step."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import connectors.chat.slack.installations
import connectors.chat.teams.store
import connectors.inbox
import connectors.journal  # noqa: F401 - each of them knows tables
from bot.errors import ConfigError
from bot.ports import DocumentRecord
from connectors.database import METADATA, SqlRecords, open_database
from tests.connectors.databases import database_url

RECORD = DocumentRecord(
    "hb/a.md",
    "hb",
    "規程",
    frozenset({"hr", "company"}),
    "h",
    "f",
    "indexed",
    3,
    "https://x/a.md",
    datetime(2025, 4, 1, 9, 30, tzinfo=UTC),
    "",
)


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'rolecall.db'}"


async def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as engine:
        records = SqlRecords(engine)
        await records.save(RECORD)
        await records.save(other := replace(RECORD, id="sap/b.csv", source="sap", modified=None))
        await records.save(changed := replace(RECORD, title="new", labels=frozenset({"hr"})))
    async with open_database(url(tmp_path)) as engine:
        records = SqlRecords(engine)
        assert await records.all() == {changed.id: changed, other.id: other}
        assert await records.all("sap") == {other.id: other}
        await records.delete(changed.id)
        assert await records.all() == {other.id: other}


async def test_only_what_is_indexed_has_labels(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as engine:
        records = SqlRecords(engine)
        for state in ("indexing", "indexed", "removing", "failed"):
            await records.save(replace(RECORD, id=state, state=state))
        names = ["indexing", "indexed", "removing", "failed", *(f"unknown{i}" for i in range(2000))]
        assert await records.labels_of(names) == {"indexed": RECORD.labels}
        assert await records.labels_of([]) == {}


async def test_the_steps_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    for name in ("inbox", "journal", "sync_runs"):
        importlib.import_module(f"connectors.{name}")  # each brings its tables

    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)

    async with open_database(url(tmp_path)) as engine, engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_sqlite_is_durable_and_does_not_block_readers(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as engine, engine.connect() as connection:
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", 2, 2000, 1]


async def test_many_may_open_and_write_at_once(tmp_path: Path) -> None:
    async def one(number: int) -> None:
        async with open_database(url(tmp_path)) as engine:
            for i in range(5):
                await SqlRecords(engine).save(replace(RECORD, id=f"{number}/{i}"))

    await asyncio.gather(*(one(number) for number in range(4)))
    async with open_database(url(tmp_path)) as engine:
        assert len(await SqlRecords(engine).all()) == 20


OPENING = """
import asyncio, os, sqlite3, sys
import sqlalchemy as sa
from connectors.database import open_database

def stop(connection, cursor, statement, *rest):
    if statement.startswith(sys.argv[2]):
        os.kill(os.getpid(), 9)

sa.event.listen(sa.Engine, "after_cursor_execute", stop)

async def main():
    async with open_database(sys.argv[1]):
        pass

asyncio.run(main())
"""


@pytest.mark.parametrize("statement", ["\nCREATE TABLE", "CREATE INDEX", "INSERT INTO alembic_version"])
async def test_a_kill_between_two_steps_leaves_a_database_that_opens(tmp_path: Path, statement: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OPENING, url(tmp_path), statement)
    assert await process.wait() == -9
    async with open_database(url(tmp_path)) as engine:
        await SqlRecords(engine).save(RECORD)


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as engine, engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"9999.*was it written by a newer version"):
        async with open_database(url(tmp_path)):
            pass


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("rolecall.db", "database: .* for example sqlite"),
        ("oracle7://x", "database: .*oracle7"),
        ("sqlite+aiosqlite:////no/such/folder/x.db", "unable to open database file"),
        (f"sqlite+aiosqlite:///{__file__}", "file is not a database"),
    ],
)
async def test_a_wrong_url_is_told_in_one_line(wrong: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as raised:
        async with open_database(wrong):
            pass
    assert "\n" not in str(raised.value)


async def test_a_password_is_not_told() -> None:
    with pytest.raises(ConfigError) as raised:
        async with open_database("sqlite+aiosqlite://user:canary@host/x.db"):
            pass
    assert "canary" not in str(raised.value)


PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


async def test_the_password_of_the_database_changes_as_the_page_says_and_no_user_is_ever_without_access(
    tmp_path: Path,
) -> None:
    """The second user works beside the first, on tables of either, and goes on when the first may not come in any more."""
    first, place = f"u{uuid.uuid4().hex[:8]}", database_url("postgresql", tmp_path)
    (row,) = re.findall(r"^\| the database's password \|.*$", PAGE.read_text(encoding="utf-8"), re.M)
    make, act, leave = (one.replace("rolecall", first) for one in re.findall(r"`((?:CREATE|ALTER) [^`]+)`", row))

    async def order(*statements: str) -> None:
        async with open_database(place, "0001") as superuser, superuser.connect() as connection:
            autonomous = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                await autonomous.exec_driver_sql(statement)

    def as_user(name: str) -> str:
        return place.replace("://postgres@", f"://{name}@")

    name = place.partition("@/")[2].partition("?")[0]
    fresh = f"{name}_own"
    await order(f"CREATE ROLE {first} LOGIN", f"CREATE DATABASE {fresh} OWNER {first}")
    place_of_first, place_of_second = (as_user(one).replace(f"/{name}?", f"/{fresh}?") for one in (first, f"{first}_2"))
    async with open_database(place_of_first, "0007") as old:
        await SqlRecords(old).save(RECORD)
        await order(make, act)
        async with open_database(place_of_second) as new:
            await SqlRecords(new).save(replace(RECORD, title="by the second"))
            assert (await SqlRecords(old).all())[RECORD.id].title == "by the second"
    await order(leave)
    with pytest.raises(ConfigError, match="not permitted to log in"):
        async with open_database(place_of_first):
            pass
    async with open_database(place_of_second) as new:
        await SqlRecords(new).delete(RECORD.id)
