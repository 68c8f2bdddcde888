"""The SQL database: SQLite by default, PostgreSQL for replicas. Holds the record of documents, which the gate believes.

One class for each room's tables, all over the same engine; each table's form is described by a step in migrations/.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import ConfigError
from bot.ports import DocumentRecord
from bot.types import Labels

BUSY_TIMEOUT = 2000
"""Milliseconds that a SQLite writer waits for another one before it gives up."""
OPENINGS = 5
"""Times that a database is asked again whether it is up to date, while another process holds it to bring it there."""
_PARTING = 0.1
"""Seconds in which aiosqlite's thread can tell this event loop that it ends: after a failed connect nobody waits for it."""
_AT_ONCE = 500
"""Ids in one question: SQLite takes 999 parameters in its older versions."""

METADATA = sa.MetaData()
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("modified", sa.DateTime(timezone=True)),
    sa.Column("reason", sa.Text, nullable=False),
)


@asynccontextmanager
async def open_database(url: str, step: str = "head") -> AsyncIterator[AsyncEngine]:
    """An engine on a database that is at a migration, the newest one by default. Raises ConfigError if it cannot be opened.

    `url` is SQLAlchemy's: ``sqlite+aiosqlite:///rolecall.db``, ``postgresql+asyncpg://user@host/name``.
    """
    engine = _engine(url)
    try:
        await _bring_up_to_date(engine, step, OPENINGS)
        yield engine
    finally:
        _WRITING.pop(engine.pool, None)
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    try:
        engine = create_async_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(f"database: {error}; for example sqlite+aiosqlite:///rolecall.db") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _durable)
        sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _durable(connection: Any, _: object) -> None:
    """A commit survives power loss, readers do not wait for a writer, and a change of tables is part of its transaction."""
    connection.isolation_level = None  # else Python's driver commits before each CREATE TABLE
    cursor = connection.cursor()
    try:
        for pragma in (f"busy_timeout={BUSY_TIMEOUT}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except sqlite3.Error:
        connection.close()  # the pool does not know it yet
        raise


def _begin(connection: sa.Connection) -> None:
    """A writer takes its lock at once and waits for it; a transaction that only later turns to writing could not wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


async def _bring_up_to_date(engine: AsyncEngine, step: str, openings: int) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    wanted = ScriptDirectory.from_config(config).get_current_head() if step == "head" else step
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(revision) == wanted:
                return None
        async with writing(engine).begin() as connection:
            await connection.run_sync(_upgrade, config, step)
    except CommandError as error:
        raise ConfigError(f"database: {engine.url!r}: {error}; was it written by a newer version?") from error
    except (DBAPIError, OSError) as error:
        await asyncio.sleep(_PARTING)
        if openings > 1 and "database is locked" in str(error):
            return await _bring_up_to_date(engine, step, openings - 1)
        raise ConfigError(f"database: {engine.url!r}: {getattr(error, 'orig', error)}") from error


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that reads everything as of one moment, whatever is written meanwhile."""
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # SQLite does so anyway
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def revision(connection: sa.Connection) -> str | None:
    """The migration that a database is at."""
    return MigrationContext.configure(connection).get_current_revision()


async def described(engine: AsyncEngine) -> str:
    """Which database that is, its version, and the migration that it is at."""
    async with engine.connect() as connection:
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
        return f"{_NAMES[engine.dialect.name]} {version}, migration {await connection.run_sync(revision)}"


_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _upgrade(connection: sa.Connection, config: Config, step: str) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, step)


class Writing:
    """Transactions that write. On SQLite they take the lock at once, and those of this process one after the other.

    SQLite would let them race for the lock, so that under load an unlucky one waits for as long as it may and fails.
    """

    def __init__(self, engine: AsyncEngine):
        self._engine = engine.execution_options(writes=True)
        self._turns = asyncio.Lock()
        self._refused = -math.inf

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end of the block. Who waited while another one was refused is refused too."""
        if self._engine.dialect.name != "sqlite":
            async with self._engine.begin() as connection:
                yield connection
            return
        arrived = time.monotonic()
        async with self._turns, AsyncExitStack() as stack:
            if self._refused > arrived:
                raise sa.exc.TimeoutError("the database is locked by another process")
            try:
                connection = await stack.enter_async_context(self._engine.begin())
            except DBAPIError:
                self._refused = time.monotonic()
                raise
            yield connection


_WRITING: dict[sa.Pool, Writing] = {}


def writing(engine: AsyncEngine) -> Writing:
    """The transactions of an engine that write; the same for everybody who asks."""
    return _WRITING.setdefault(engine.pool, Writing(engine))


class SqlRecords:
    """The record of documents in SQL; implements the Records port."""

    def __init__(self, engine: AsyncEngine):
        self._engine = engine
        self._writing = writing(engine)

    async def all(self, source: str | None = None) -> dict[str, DocumentRecord]:
        """Every record, or those of one source, by document id."""
        query = sa.select(DOCUMENTS) if source is None else sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings()
            return {row["id"]: _record(row) for row in rows}

    async def labels_of(self, documents: Collection[str]) -> dict[str, Labels]:
        """The labels of those of these documents that are indexed, as they are at this moment."""
        found: dict[str, Labels] = {}
        wanted = list(documents)
        query = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.labels).where(DOCUMENTS.c.state == "indexed")
        async with self._engine.connect() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = query.where(DOCUMENTS.c.id.in_(wanted[start : start + _AT_ONCE]))
                found |= {name: frozenset(labels) for name, labels in await connection.execute(some)}
        return found

    async def save(self, *records: DocumentRecord) -> None:
        """Insert or replace records, all or none, committed when this returns."""
        values = [asdict(record) | {"labels": sorted(record.labels)} for record in records]
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(DOCUMENTS)
        new = {column.name: insert.excluded[column.name] for column in DOCUMENTS.c}
        async with self._writing.begin() as connection:
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=new), values)

    async def delete(self, document: str) -> None:
        """Forget one record."""
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.id == document))


def _record(row: Mapping[Any, Any]) -> DocumentRecord:
    modified = row["modified"]
    if modified is not None and modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)  # SQLite keeps no zone
    return DocumentRecord(**{**row, "labels": frozenset(row["labels"]), "modified": modified})
