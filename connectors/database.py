"""The SQL database: SQLite by default, PostgreSQL for replicas. Holds the record of documents, which the gate believes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import ConfigError
from bot.ports import DocumentRecord
from bot.types import Labels

BUSY_TIMEOUT = 2000
"""Milliseconds that a SQLite writer waits for another one before it gives up."""

METADATA = sa.MetaData()
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("source", sa.String),
    sa.Column("title", sa.String),
    sa.Column("labels", sa.JSON),
    sa.Column("hash", sa.String),
    sa.Column("fingerprint", sa.String),
    sa.Column("state", sa.String),
    sa.Column("passages", sa.Integer),
    sa.Column("url", sa.String),
    sa.Column("modified", sa.DateTime(timezone=True)),
    sa.Column("reason", sa.String),
)


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database that is at the newest migration. Raises ConfigError if it cannot be opened."""
    try:
        engine = create_async_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(f"database: {error}; for example sqlite+aiosqlite:///rolecall.db") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _durable)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
        yield engine
    except OperationalError as error:
        raise ConfigError(f"database: {engine.url!r}: {error.orig}") from error
    finally:
        await engine.dispose()


def _durable(connection: Any, _: object) -> None:
    """A commit survives power loss, and readers do not wait for a writer."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    if MigrationContext.configure(connection).get_current_revision() != head:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class SqlRecords:
    """The record of documents in SQL; implements the Records port."""

    def __init__(self, engine: AsyncEngine):
        self._engine = engine

    async def all(self, source: str | None = None) -> dict[str, DocumentRecord]:
        """Every record, or those of one source, by document id."""
        query = sa.select(DOCUMENTS) if source is None else sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings()
            return {row["id"]: _record(row) for row in rows}

    async def labels_of(self, documents: Collection[str]) -> dict[str, Labels]:
        """The labels of those of these documents that are indexed, as they are at this moment."""
        query = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.labels).where(
            DOCUMENTS.c.id.in_(list(documents)), DOCUMENTS.c.state == "indexed"
        )
        async with self._engine.connect() as connection:
            return {name: frozenset(labels) for name, labels in await connection.execute(query)}

    async def save(self, record: DocumentRecord) -> None:
        """Insert or replace one record, committed when this returns."""
        values = asdict(record) | {"labels": sorted(record.labels)}
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(DOCUMENTS)
        statement = insert.values(values).on_conflict_do_update(index_elements=["id"], set_=values)
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def delete(self, document: str) -> None:
        """Forget one record."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.id == document))


def _record(row: Mapping[Any, Any]) -> DocumentRecord:
    modified = row["modified"]
    if modified is not None and modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)  # SQLite keeps no zone
    return DocumentRecord(**{**row, "labels": frozenset(row["labels"]), "modified": modified})
