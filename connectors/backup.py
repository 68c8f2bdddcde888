"""Backup and restore: every SQL table as lines of JSON, whatever the database, and the embedded index beside them.

A backup of SQLite can be restored into PostgreSQL and the other way round: that is also how one moves.
"""

from __future__ import annotations

import base64
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import ConfigError
from connectors.database import open_database, revision, snapshot, writing

FORMAT = 1
_AT_ONCE = 500
"""Rows that are read or written together."""
_OWN = "alembic_version"


async def back_up(engine: AsyncEngine, index: Path | None, target: Path) -> dict[str, int]:
    """Write everything to a ``.tar.gz``; returns the number of rows by table. The tables are as of one moment.

    `index` is the folder of the embedded index, which nobody may hold meanwhile; None leaves it out.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        rows = {}
        async with snapshot(engine) as connection:
            tables = await connection.run_sync(_tables)
            for table in tables:
                rows[table.name] = await _dump(connection, table, Path(folder) / f"{table.name}.jsonl")
            manifest = {
                "format": FORMAT,
                "revision": await connection.run_sync(revision),
                "at": time.time(),
                "rows": rows,
            }
        _pack(Path(folder), manifest, index, target)
    return rows


async def restore(source: Path, url: str, index: Path | None) -> dict[str, int]:
    """Read a backup into an empty database, at the step it was made at, and bring it up to date from there.

    Raises ConfigError if the file is no backup, or if there is something already.
    """
    with _unpacked(source) as folder:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest.get("format") != FORMAT:
            raise ConfigError(f"{source}: a backup of format {manifest.get('format')!r}; this Rolecall reads {FORMAT}")
        _require_no_index(folder, index)
        async with open_database(url, str(manifest["revision"])) as engine, writing(engine).begin() as connection:
            tables = await connection.run_sync(_tables)
            await _require_empty(connection, tables, source)
            for table in tables:
                await _load(connection, table, folder / "tables" / f"{table.name}.jsonl")
        async with open_database(url):
            pass  # the steps that are newer than the backup
        _unpack_index(folder, index)
    rows: dict[str, int] = manifest["rows"]
    return rows


def _pack(folder: Path, manifest: dict[str, Any], index: Path | None, target: Path) -> None:
    """One archive of all that was written; it gets its name when it is whole."""
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    written = folder / "whole.tar.gz"
    with tarfile.open(written, "w:gz") as archive:
        archive.add(folder / "manifest.json", "manifest.json")
        for name in manifest["rows"]:
            archive.add(folder / f"{name}.jsonl", f"tables/{name}.jsonl")
        if index is not None and index.exists():
            archive.add(index, "index", filter=lambda info: None if info.name == "index/lock" else info)
    written.chmod(0o600)  # it holds what people asked and were told
    written.replace(target)


def _require_no_index(folder: Path, index: Path | None) -> None:
    if index is not None and (folder / "index").exists() and index.exists() and any(index.iterdir()):
        raise ConfigError(f"{index}: there is an index already; move it away first")


def _unpack_index(folder: Path, index: Path | None) -> None:
    if index is not None and (folder / "index").exists():
        index.parent.mkdir(parents=True, exist_ok=True)
        if index.exists():
            index.rmdir()
        (folder / "index").rename(index)


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """Every table of ours as the database has it, those that others refer to first."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _OWN]


async def _dump(connection: AsyncConnection, table: sa.Table, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        async with connection.stream(sa.select(table).order_by(*table.primary_key)) as rows:
            async for row in rows.mappings():
                file.write(json.dumps(dict(row), ensure_ascii=False, default=_plain) + "\n")
                count += 1
    return count


async def _require_empty(connection: AsyncConnection, tables: list[sa.Table], source: Path) -> None:
    for table in tables:
        if table.name == "audit_head":
            await connection.execute(sa.delete(table))  # the head of the empty audit
        elif await connection.scalar(sa.select(sa.exists(sa.select(table)))):
            raise ConfigError(f"{source}: the database is not empty ({table.name} has rows); restore into an empty one")


async def _load(connection: AsyncConnection, table: sa.Table, path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        rows: list[dict[str, Any]] = []
        for line in file:
            rows.append({name: _typed(table.c[name], value) for name, value in json.loads(line).items()})
            if len(rows) == _AT_ONCE:
                await connection.execute(sa.insert(table), rows)
                rows = []
        if rows:
            await connection.execute(sa.insert(table), rows)
    if connection.dialect.name == "postgresql":
        await _count_on(connection, table)


async def _count_on(connection: AsyncConnection, table: sa.Table) -> None:
    """Let PostgreSQL's own numbers go on behind those that were restored."""
    key = next(iter(table.primary_key))
    sequence = await connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, key.name)))
    if sequence and len(table.primary_key) == 1:
        highest = sa.select(sa.func.coalesce(sa.func.max(key), 0) + 1).scalar_subquery()
        await connection.execute(sa.select(sa.func.setval(sequence, highest, False)))


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    """The files of a backup, beside it. Raises ConfigError if it is none."""
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".restore-") as folder:
        try:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(folder, filter="data")
        except (OSError, tarfile.TarError, EOFError) as error:
            raise ConfigError(f"{source}: is no backup that can be read: {error}") from error
        if not (Path(folder) / "manifest.json").exists():
            raise ConfigError(f"{source}: is no backup: it holds no manifest.json")
        yield Path(folder)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} does not go into a backup")


def _typed(column: sa.Column[Any], value: Any) -> Any:
    if value is not None and isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(value)
    if value is not None and isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(value)
    return value
