"""When each source was last synced, in SQL: what an alarm about stale documents needs."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import SyncRun
from connectors.database import METADATA, writing

SYNC_RUNS = sa.Table(
    "sync_runs",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("finished", sa.Float, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
)


class SqlSyncRuns:
    """The last run of each source."""

    def __init__(self, engine: AsyncEngine):
        self._engine = engine
        self._writing = writing(engine)

    async def save(self, run: SyncRun) -> None:
        """Put a run in the place of the source's last one."""
        values = asdict(run)
        async with self._writing.begin() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(SYNC_RUNS)
            upsert = insert.values(values).on_conflict_do_update(index_elements=["source"], set_=values)
            await connection.execute(upsert)

    async def all(self) -> list[SyncRun]:
        """The last run of each source, by name."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(SYNC_RUNS).order_by(SYNC_RUNS.c.source))).mappings()
            return [SyncRun(**row) for row in rows]
