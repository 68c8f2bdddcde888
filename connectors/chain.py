"""The chain of audit rows in SQL: what is appended, and what `rolecall audit verify` finds.

Each row's hash covers its number, its text and the hash before it. A head row holds the last number and hash under a seal
of its own, so that a row that was edited, moved or taken out, at the end too, is found. With a key the hashes and the
seal are HMACs, which nobody without it can make anew; without one they only show what was not done with care. A database
is born with a sealed head of no row, without a key since whoever makes it need not know one. A whole database that was put
back to an earlier state, or to that one, is found by nobody who did not note a later row elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import AuditEntry
from connectors.database import METADATA

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
    sa.Column("unkeyed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seal", sa.Text, nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that rows are written with, if there is one, and those that earlier rows were written with."""

    now: bytes | None = None
    old: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows hold, the hash of the last of them, and what is wrong then; no problem if the chain holds.

    The first `unkeyed` rows were written before there was a key.
    """

    rows: int
    hash: str = ""
    problem: str = ""
    unkeyed: int = 0


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of the chain, as the head row tells it."""

    number: int
    hash: str
    unkeyed: int
    seal: str

    def sealed(self, key: bytes | None) -> str:
        """The seal that this head must bear. No row can hash to it: its text begins with no hash."""
        return _digest(key, f"head\n{self.number}\n{self.hash}\n{self.unkeyed}")

    def holds(self, keys: Keys) -> bool:
        """Whether its seal was made with one of these keys."""
        return any(hmac.compare_digest(self.seal, self.sealed(key)) for key in (keys.now, *keys.old))


BORN = _Head(0, "", 0, hashlib.sha256(b"head\n0\n\n0").hexdigest())
"""The head that the migrations give a new database: no row, sealed without a key."""


async def append(connection: AsyncConnection, entries: Sequence[AuditEntry], keys: Keys) -> None:
    """Append to the chain. The head row is locked until the transaction ends, so writers follow one another.

    A head whose seal does not hold loses it, so that what was done to the end is not covered by the next row.
    """
    head = _head((await connection.execute(sa.select(HEAD).with_for_update())).mappings().one())
    number, link, rows = head.number, head.hash, []
    for entry in entries:
        text = json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        number += 1
        link = _link(link, number, text, keys.now)
        rows.append({"number": number, "entry": text, "hash": link})
    grown = replace(head, number=number, hash=link, seal="")
    if head.holds(keys) or head == BORN:
        grown = replace(grown, seal=grown.sealed(keys.now))
    await connection.execute(sa.insert(AUDIT), rows)
    await connection.execute(sa.update(HEAD).values(asdict(grown)))


async def verify(connection: AsyncConnection, keys: Keys, at_least: tuple[int, str] | None = None) -> Verified:
    """Go through the whole chain. `at_least` is the number and hash of a row that must be there."""
    row = (await connection.execute(sa.select(HEAD))).mappings().one_or_none()
    head = _head(row) if row else None
    found = await _walked(connection, keys, head)
    if not found.problem and at_least is not None:
        number, link = at_least
        there = await connection.scalar(sa.select(AUDIT.c.hash).where(AUDIT.c.number == number))
        if there != link:
            problem = f"row {number} is not the one that was noted: the chain was put back or made anew"
            return replace(found, problem=problem)
    return found if found.problem else replace(found, problem=_end_problem(found, head, keys))


async def end(connection: AsyncConnection, keys: Keys) -> Verified:
    """Look at the last row and at the head only."""
    row = (await connection.execute(sa.select(HEAD))).mappings().one_or_none()
    last = (await connection.execute(sa.select(AUDIT).order_by(AUDIT.c.number.desc()).limit(1))).one_or_none()
    found = Verified(last.number, last.hash) if last else Verified(0)
    return replace(found, problem=_end_problem(found, _head(row) if row else None, keys))


async def seal(connection: AsyncConnection, keys: Keys) -> Verified:
    """Seal the head of a chain whose rows hold and which ends where the head says, be it before the first row."""
    row = (await connection.execute(sa.select(HEAD).with_for_update())).mappings().one_or_none()
    head = _head(row) if row else None
    found = await _walked(connection, keys, head)
    if found.problem:
        return found
    if head is None or (head.number, head.hash) != (found.rows, found.hash):
        return replace(found, problem=_end_problem(found, head, keys))
    ready = replace(head, unkeyed=found.unkeyed)
    await connection.execute(sa.update(HEAD).values(unkeyed=ready.unkeyed, seal=ready.sealed(keys.now)))
    return found


async def _walked(connection: AsyncConnection, keys: Keys, head: _Head | None) -> Verified:
    """All rows, as far as they hold. Rows without a key are believed at the beginning, as many as a good head says."""
    plain = 0 if keys.now is None else head.unkeyed if head is not None and head.holds(keys) else math.inf
    found = Verified(0)
    async with connection.stream(sa.select(AUDIT).order_by(AUDIT.c.number)) as rows:
        async for number, entry, link in rows:
            if number != found.rows + 1:
                last = found.rows
                return replace(found, problem=f"row {last + 1} is missing: row {number} follows row {last}")
            if number <= plain and found.unkeyed == found.rows and _made(found.hash, number, entry, link, None):
                found = replace(found, unkeyed=number)
            elif not any(_made(found.hash, number, entry, link, key) for key in (keys.now, *keys.old)):
                problem = (
                    f"row {number} was changed, or the rows were put in another order, "
                    "or `audit` names other keys than it was written with"
                )
                return replace(found, problem=problem)
            found = replace(found, rows=number, hash=link)
    return found


def _end_problem(found: Verified, head: _Head | None, keys: Keys) -> str:
    """What is wrong with the end of a chain whose rows hold."""
    if head is None:
        return f"the head of the chain is missing, with {found.rows} rows there"
    if (head.number, head.hash) != (found.rows, found.hash):
        return f"the chain ends at row {found.rows}, but {head.number} rows were written"
    if head.holds(keys) or head == BORN:
        return ""
    if head.seal == "" or head.holds(Keys()):
        return (
            f"the head of the chain is not sealed, so rows may be missing after row {found.rows}; right after an upgrade, "
            "or a change of `audit.key`, that is to be expected: run `rolecall audit seal` once (docs/operations.md)"
        )
    return f"the head of the chain was changed: rows may be missing after row {found.rows}"


def _head(row: sa.RowMapping) -> _Head:
    return _Head(row["number"], row["hash"], row["unkeyed"], row["seal"])


def _made(previous: str, number: int, entry: str, link: str, key: bytes | None) -> bool:
    return hmac.compare_digest(link, _link(previous, number, entry, key))


def _link(previous: str, number: int, entry: str, key: bytes | None) -> str:
    return _digest(key, f"{previous}\n{number}\n{entry}")


def _digest(key: bytes | None, text: str) -> str:
    if key is None:
        return hashlib.sha256(text.encode()).hexdigest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
