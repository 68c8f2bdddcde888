"""The audit and the memory of conversations in SQL; implements the Journal port. The audit's rows form a chain (chain.py)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.ports import AuditEntry, Opinion, Remembered
from bot.types import Citation, Exchange
from connectors import chain, messages
from connectors.chain import AUDIT, Keys, Verified
from connectors.database import METADATA, snapshot, writing

_AT_ONCE = 500
EXCHANGES = sa.Table(
    "exchanges",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("conversation", sa.Text, nullable=False, index=True),
    sa.Column("only", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("documents", sa.JSON, nullable=False),
    sa.Column("answer_id", sa.Text, nullable=False, server_default="", index=True),
    sa.Column("sources", sa.JSON, nullable=False, server_default="[]"),
)
OPINIONS = sa.Table(
    "opinions",
    METADATA,
    sa.Column("answer", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


class SqlJournal:
    """Audit and memory. `key` makes the hashes HMACs; rows of before it was changed were written with one of `old` keys."""

    def __init__(self, engine: AsyncEngine, key: bytes | None = None, old: Sequence[bytes] = ()):
        self._engine = engine
        self._writing = writing(engine)
        self._keys = Keys(key, tuple(old))

    async def record(self, entries: Sequence[AuditEntry], remembered: Sequence[Remembered] = ()) -> None:
        """Append audit rows and exchanges in one transaction."""
        async with self._writing.begin() as connection:
            await append(connection, entries, remembered, self._keys)

    async def recall(self, conversation: str, only: str, limit: int) -> list[Exchange]:
        """The latest exchanges that the whole conversation saw, and those that `only` saw alone; oldest first."""
        wanted = sa.select(EXCHANGES).where(_seen_by(conversation, only)).order_by(EXCHANGES.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return [
            Exchange(row["question"], row["answer"], frozenset(row["documents"]), _sources(row["sources"]))
            for row in reversed(rows)
        ]

    async def forget(self, conversation: str, only: str) -> int:
        """Delete the exchanges that the whole conversation saw and those that `only` saw alone; returns how many.

        What `only` asked and was answered there goes out of the inbox in the same transaction.
        """
        async with self._writing.begin() as connection:
            gone = await connection.execute(sa.delete(EXCHANGES).where(_seen_by(conversation, only)))
            await messages.unsay(connection, conversation, only)
        return int(gone.rowcount)

    async def expire(self, before: float) -> int:
        """Delete exchanges and opinions older than a time; returns how many."""
        return await self._delete(EXCHANGES, EXCHANGES.c.at < before) + await self._delete(
            OPINIONS, OPINIONS.c.at < before
        )

    async def erase(self, person: str, entry: AuditEntry) -> dict[str, int]:
        """Delete what a person said and was told, and what they thought of it; returns how many of each.

        The audit's rows stay, as they hold nothing that was said, and one more says that this was done.
        """
        theirs = [row["answer"] async for _, row in self.entries() if row["person"] == person and row["answer"]]
        async with self._writing.begin() as connection:
            told = sa.or_(EXCHANGES.c.only == person, *(EXCHANGES.c.answer_id.in_(some) for some in batched(theirs)))
            exchanges = (await connection.execute(sa.delete(EXCHANGES).where(told))).rowcount
            opinions = (await connection.execute(sa.delete(OPINIONS).where(OPINIONS.c.person == person))).rowcount
            await append(connection, [entry], (), self._keys)
        return {"exchanges": exchanges, "opinions": opinions}

    async def unsay(self, answer: str) -> int:
        """Delete the exchanges of one answer; returns how many."""
        return await self._delete(EXCHANGES, EXCHANGES.c.answer_id == answer) if answer else 0

    async def opine(self, opinion: Opinion) -> None:
        """Keep what a reader said of an answer, in the place of what they said of it before."""
        said = asdict(opinion)
        async with self._writing.begin() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(OPINIONS).values(said)
            await connection.execute(insert.on_conflict_do_update(index_elements=["answer", "person"], set_=said))

    async def opinions(self, limit: int) -> list[Opinion]:
        """The latest opinions, newest first."""
        wanted = sa.select(OPINIONS).order_by(OPINIONS.c.at.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [Opinion(**row) for row in (await connection.execute(wanted)).mappings()]

    async def entries(self, limit: int | None = None) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """The audit's rows as they were written, with their numbers, latest first."""
        wanted = sa.select(AUDIT.c.number, AUDIT.c.entry).order_by(AUDIT.c.number.desc()).limit(limit)
        async with self._engine.connect() as connection, connection.stream(wanted) as rows:
            async for number, entry in rows:
                yield number, json.loads(entry)

    async def verify(self, at_least: tuple[int, str] | None = None) -> Verified:
        """Go through the whole chain. Needs the keys that the rows were written with; `at_least` is a row noted earlier."""
        async with snapshot(self._engine) as connection:
            return await chain.verify(connection, self._keys, at_least)

    async def end(self) -> Verified:
        """Whether the chain ends where its sealed head says, without going through it."""
        async with snapshot(self._engine) as connection:
            return await chain.end(connection, self._keys)

    async def seal(self) -> Verified:
        """Seal the end of a chain that holds and has no seal, or none with a key; tells the problem if it does not hold."""
        async with self._writing.begin() as connection:
            return await chain.seal(connection, self._keys)

    async def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
        async with self._writing.begin() as connection:
            return int((await connection.execute(sa.delete(table).where(which))).rowcount)


def batched(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Names in portions that one statement takes."""
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


async def append(
    connection: AsyncConnection, entries: Sequence[AuditEntry], remembered: Sequence[Remembered], keys: Keys
) -> None:
    """Write audit rows and exchanges within a transaction that may write more."""
    if entries:
        await chain.append(connection, entries, keys)
    if remembered:
        await connection.execute(sa.insert(EXCHANGES), [_exchange(one) for one in remembered])


def _exchange(one: Remembered) -> dict[str, Any]:
    documents = sorted(one.exchange.documents)
    return {
        "conversation": one.conversation,
        "only": one.only,
        "at": one.at,
        "question": one.exchange.question,
        "answer": one.exchange.answer,
        "documents": documents,
        "answer_id": one.answer,
        "sources": [
            [cited.number, cited.document, cited.title, cited.page, cited.url] for cited in one.exchange.sources
        ],
    }


def _sources(stored: Sequence[tuple[int, str, str, int | None, str]]) -> tuple[Citation, ...]:
    """The sources that an answer named. Their labels are not kept: those of today count."""
    return tuple(
        Citation(number, document, title, frozenset(), page, url) for number, document, title, page, url in stored
    )


def _seen_by(conversation: str, only: str) -> sa.ColumnElement[bool]:
    return sa.and_(EXCHANGES.c.conversation == conversation, EXCHANGES.c.only.in_({"", only}))
