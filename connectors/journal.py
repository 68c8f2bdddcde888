"""The audit and the memory of conversations in SQL; implements the Journal port.

Audit rows form a chain: each row's hash covers its number, its text and the hash before it, and a head row holds the
last number and hash, so that a row that was edited, moved or taken out, at the end too, is found. With a key the hashes
are HMACs, which nobody without it can make anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.ports import AuditEntry, Opinion, Remembered
from bot.types import Citation, Exchange
from connectors.database import METADATA, writing

_AT_ONCE = 500
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
HEAD = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
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


@dataclass(frozen=True, slots=True)
class Verified:
    """How many audit rows there are, and what is wrong with the first bad one; nothing if the chain holds."""

    rows: int
    problem: str = ""


class SqlJournal:
    """Audit and memory. `key` makes the hashes HMACs; rows of before it was changed were written with one of `old` keys."""

    def __init__(self, engine: AsyncEngine, key: bytes | None = None, old: Sequence[bytes] = ()):
        self._engine = engine
        self._writing = writing(engine)
        self._key = key
        self._keys = (key, *old)

    async def record(self, entries: Sequence[AuditEntry], remembered: Sequence[Remembered] = ()) -> None:
        """Append audit rows and exchanges in one transaction."""
        async with self._writing.begin() as connection:
            await append(connection, entries, remembered, self._key)

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
        """Delete the exchanges that the whole conversation saw and those that `only` saw alone; returns how many."""
        return await self._delete(EXCHANGES, _seen_by(conversation, only))

    async def expire(self, before: float) -> int:
        """Delete exchanges and opinions older than a time; returns how many."""
        return await self._delete(EXCHANGES, EXCHANGES.c.at < before) + await self._delete(
            OPINIONS, OPINIONS.c.at < before
        )

    async def erase(self, person: str, entry: AuditEntry) -> dict[str, int]:
        """Delete what a person said and was told, and what they thought of it; returns how many of each.

        The audit's rows stay, as they hold nothing that was said, and one more says that this was done.
        """
        theirs = [row["answer"] async for _, row in self.entries() if row["person"] == person]
        async with self._writing.begin() as connection:
            told = sa.or_(EXCHANGES.c.only == person, *(EXCHANGES.c.answer_id.in_(some) for some in batched(theirs)))
            exchanges = (await connection.execute(sa.delete(EXCHANGES).where(told))).rowcount
            opinions = (await connection.execute(sa.delete(OPINIONS).where(OPINIONS.c.person == person))).rowcount
            await append(connection, [entry], (), self._key)
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

    async def verify(self) -> Verified:
        """Go through the whole chain. Needs the keys that the rows were written with."""
        previous, last = "", 0
        async with self._engine.connect() as connection:
            head = (await connection.execute(sa.select(HEAD))).mappings().one_or_none()
            async with connection.stream(sa.select(AUDIT).order_by(AUDIT.c.number)) as rows:
                async for number, entry, link in rows:
                    if number != last + 1:
                        return Verified(last, f"row {last + 1} is missing: row {number} follows row {last}")
                    if not any(hmac.compare_digest(link, _link(previous, number, entry, key)) for key in self._keys):
                        return Verified(last, f"row {number} was changed, or the rows were put in another order")
                    previous, last = link, number
        if head is None:
            return Verified(last, f"the head of the chain is missing, with {last} rows there" if last else "")
        if (head["number"], head["hash"]) != (last, previous):
            return Verified(last, f"the chain ends at row {last}, but {head['number']} rows were written")
        return Verified(last)

    async def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
        async with self._writing.begin() as connection:
            return int((await connection.execute(sa.delete(table).where(which))).rowcount)


def batched(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Names in portions that one statement takes."""
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


async def append(
    connection: AsyncConnection, entries: Sequence[AuditEntry], remembered: Sequence[Remembered], key: bytes | None
) -> None:
    """Write audit rows and exchanges within a transaction that may write more."""
    if entries:
        await _chain(connection, entries, key)
    if remembered:
        await connection.execute(sa.insert(EXCHANGES), [_exchange(one) for one in remembered])


async def _chain(connection: AsyncConnection, entries: Sequence[AuditEntry], key: bytes | None) -> None:
    """Append to the chain. The head row is locked until the transaction ends, so writers follow one another."""
    head = (await connection.execute(sa.select(HEAD).with_for_update())).mappings().one()
    number, link, rows = head["number"], head["hash"], []
    for entry in entries:
        text = json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        number += 1
        link = _link(link, number, text, key)
        rows.append({"number": number, "entry": text, "hash": link})
    await connection.execute(sa.insert(AUDIT), rows)
    await connection.execute(sa.update(HEAD).values(number=number, hash=link))


def _link(previous: str, number: int, entry: str, key: bytes | None) -> str:
    text = f"{previous}\n{number}\n{entry}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest() if key else hashlib.sha256(text).hexdigest()


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
