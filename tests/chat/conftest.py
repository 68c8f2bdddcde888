"""What the tests of every chat platform share."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from connectors.database import open_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database that is up to date: a file to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "rolecall.db"

    async def make() -> None:
        async with open_database(f"sqlite+aiosqlite:///{path}"):
            pass

    asyncio.run(make())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path
