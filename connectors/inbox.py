"""The inbox in SQL: what came in and is not answered yet; implements the Inbox port.

One row for each message, kept for ever, so that a platform may deliver the same event as often as it likes. On SQLite
writers take turns; on PostgreSQL a claim skips rows that another replica is claiming. Whoever writes to a row must hold
it: the claim's fence is part of every condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.delivery.leases import DOOR_LIMIT, HEARTBEAT, SUSPECT
from bot.ports import AuditEntry, Claim, Queue, Quota, Remembered, Verdict, Withdrawal
from bot.types import Answer, Message
from connectors.chain import Keys
from connectors.database import writing
from connectors.journal import append
from connectors.messages import FORGOTTEN, INBOX, KEPT, OPEN, Answered, Body

AT_ONCE = 2
"""Messages of one person that are worked on at the same time."""
QUIET = 60.0
"""Seconds in which a person over quota is told so once."""
NOTICED = HEARTBEAT + DOOR_LIMIT
"""Seconds after which a worker elsewhere has noticed that a row was taken from it, and its last door call is over."""
_MINUTE, _DAY = 60.0, 86_400.0


class SqlInbox:
    """The inbox. `key` and `old` are the audit's."""

    def __init__(self, engine: AsyncEngine, key: bytes | None = None, old: Sequence[bytes] = ()):
        self._engine = engine
        self._writing = writing(engine)
        self._keys = Keys(key, tuple(old))

    async def add(self, event: str, message: Message, quota: Quota, now: float) -> Verdict:
        """Take a message in; the same event, or the same message of a room, is taken in once for ever."""
        values: dict[str, Any] = {
            "event": event,
            "room": message.room.ref,
            "message": message.id,
            "conversation": message.conversation,
            "person": message.sender.ref,
            "lane": message.sender.ref,
            "body": Body(message=message).model_dump_json(),
            "state": "waiting",
            "notice": "",
            "received": now,
        } | _UNTOUCHED
        async with self._writing.begin() as connection:
            notice = await _exceeded(connection, message.sender.ref, quota, now)
            if notice:
                told = await _told_already(connection, message.sender.ref, now)
                alone = f"notice:{event}"
                values |= {"notice": notice, "conversation": alone, "lane": alone}
                values |= {"state": "dropped", "finished": now} if told else {}
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(INBOX)
            added = await connection.execute(insert.values(values).on_conflict_do_nothing())
        if not added.rowcount:
            return "duplicate"
        return "accepted" if not notice else "dropped" if told else "busy"

    async def claim(self, owner: str, now: float, lease: float) -> Claim | None:
        """The next message to work on: first in first out in each conversation, fair between people; suspects first."""
        async with self._writing.begin() as connection:
            row = (await connection.execute(_next(now))).mappings().one_or_none()
            if row is None:
                return None
            changed = {"attempts": row["attempts"] + 1, "fence": row["fence"] + 1, "owner": owner}
            change = sa.update(INBOX).where(INBOX.c.row == row["row"])
            await connection.execute(change.values(state="running", claimed=now, lease_until=now + lease, **changed))
        return Claim(
            row=row["row"],
            event=row["event"],
            message=Body.model_validate_json(row["body"]).message,
            received=row["received"],
            notice=row["notice"],
            posted=row["posted"],
            answer=Answered.model_validate_json(row["answer"]).answer if row["answer"] else None,
            withdrawn=row["withdrawn"] or None,
            **changed,
        )

    async def extend(self, claim: Claim, now: float, lease: float) -> bool:
        """The heartbeat: hold the row for `lease` more seconds from now."""
        async with self._writing.begin() as connection:
            return await _held(connection, claim, lease_until=now + lease)

    async def placed(self, claim: Claim, posted: str) -> bool:
        """Store the id of the placeholder."""
        async with self._writing.begin() as connection:
            return await _held(connection, claim, posted=posted)

    async def answered(
        self, claim: Claim, answer: Answer, entries: Sequence[AuditEntry], remembered: Sequence[Remembered]
    ) -> bool:
        """Store the answer, its audit rows and its memory, all or nothing."""
        async with self._writing.begin() as connection:
            held = await _held(connection, claim, answer=Answered(answer=answer).model_dump_json())
            if held:
                await append(connection, entries, remembered, self._keys)
        return held

    async def finish(self, claim: Claim, entries: Sequence[AuditEntry] = (), dead: bool = False) -> bool:
        """Close the row: it is answered, or `dead` after too many attempts."""
        state = "dead" if dead else "done"
        async with self._writing.begin() as connection:
            held = await _held(connection, claim, state=state, finished=INBOX.c.claimed)
            if held:
                await append(connection, entries, (), self._keys)
        return held

    async def release(self, claim: Claim, not_before: float, counted: bool) -> bool:
        """Give the row back until a time; `counted` says whether that was one of its attempts."""
        attempts = INBOX.c.attempts - (0 if counted else 1)
        async with self._writing.begin() as connection:
            return await _held(connection, claim, state="waiting", not_before=not_before, attempts=attempts)

    async def abandon(self, owner: str) -> int:
        """Give back every row of a worker that is known to be gone, at once; returns how many."""
        theirs = sa.update(INBOX).where(INBOX.c.state == "running", INBOX.c.owner == owner)
        async with self._writing.begin() as connection:
            return int((await connection.execute(theirs.values(state="waiting"))).rowcount)

    async def amend(self, message: Message, now: float, here: str = "") -> bool:
        """Put an edited message in the place of the one of its sender with its room and id, if not answered yet."""
        theirs = sa.and_(_is(message.room.ref, message.id), INBOX.c.person == message.sender.ref)
        which = sa.and_(theirs, INBOX.c.state.in_(OPEN), _UNANSWERED)
        return bool(await self._anew(which, now, here, body=Body(message=message).model_dump_json()))

    async def withdraw(self, room: str, message: str, why: Withdrawal, now: float, here: str = "") -> bool:
        """Ask for a message to be dropped; an answered one, only if it was deleted."""
        which = sa.and_(_is(room, message), INBOX.c.state != "dropped", INBOX.c.body != "")
        if why != "deleted":
            which = sa.and_(which, INBOX.c.state.in_(OPEN))
        return bool(await self._anew(which, now, here, withdrawn=why, attempts=0))

    async def stop(self, conversation: str, person: str, now: float, here: str = "") -> int:
        """Ask for everything of this person that is not answered in a conversation to be dropped; returns how many."""
        theirs = sa.and_(INBOX.c.conversation == conversation, INBOX.c.person == person)
        which = sa.and_(theirs, INBOX.c.state.in_(OPEN), INBOX.c.withdrawn == "")
        return await self._anew(which, now, here, withdrawn="stopped", attempts=0)

    async def erase(self, claim: Claim, entries: Sequence[AuditEntry]) -> bool:
        """Close a row and blank its text and answer."""
        async with self._writing.begin() as connection:
            held = await _held(connection, claim, state="done", finished=INBOX.c.claimed, body="", answer="")
            if held:
                await append(connection, entries, (), self._keys)
        return held

    async def erase_person(self, person: str, now: float) -> int:
        """Blank what a person asked and was answered; returns how many messages. What is open is dropped by the worker."""
        theirs = sa.and_(INBOX.c.person == person, INBOX.c.body != "")
        dropped = await self._anew(sa.and_(theirs, INBOX.c.state.in_(OPEN)), now, "", withdrawn="deleted", attempts=0)
        closed = sa.update(INBOX).where(theirs, INBOX.c.state.not_in(OPEN)).values(body="", answer="")
        async with self._writing.begin() as connection:
            return dropped + int((await connection.execute(closed)).rowcount)

    async def joined(self, conversation: str) -> bool:
        """Whether something was taken in of this conversation before."""
        wanted = sa.select(sa.exists().where(INBOX.c.conversation == conversation))
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(wanted))

    async def questions(self, person: str, limit: int) -> list[str]:
        """The latest questions of a person that are still kept, newest first."""
        theirs = sa.and_(
            INBOX.c.person == person, INBOX.c.notice == "", INBOX.c.body != "", INBOX.c.withdrawn != FORGOTTEN
        )
        wanted = sa.select(INBOX.c.body).where(theirs).order_by(INBOX.c.row.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [Body.model_validate_json(body).message.text for body in await connection.scalars(wanted)]

    async def _anew(self, which: sa.ColumnElement[bool], now: float, here: str, **values: Any) -> int:
        """Have rows taken up again with other values. Whoever holds one loses it, and is given the time to notice."""
        elsewhere = sa.and_(INBOX.c.state == "running", INBOX.c.owner != here, INBOX.c.lease_until > now)
        rests = sa.case((elsewhere, now + NOTICED), else_=0.0)
        changed = {"state": "waiting", "fence": INBOX.c.fence + 1, "not_before": rests, **values}
        async with self._writing.begin() as connection:
            return int((await connection.execute(sa.update(INBOX).where(which).values(**changed))).rowcount)

    async def queue(self, now: float) -> Queue:
        """How it stands. The rows that are done are kept for ever, so they are not looked at."""
        count, oldest = sa.func.count(), sa.func.min(INBOX.c.received)
        told = INBOX.c.state.in_((*OPEN, "dead"))
        wanted = sa.select(INBOX.c.state, count, oldest).where(told).group_by(INBOX.c.state)
        async with self._engine.connect() as connection:
            states = {state: (found, since) for state, found, since in await connection.execute(wanted)}
        ages = [now - states[state][1] for state in OPEN if state in states]
        waiting, running, dead = (states.get(state, (0, 0))[0] for state in (*OPEN, "dead"))
        return Queue(waiting, running, dead, max(ages, default=0.0))

    async def purge(self, before: float) -> int:
        """Blank text and answers of rows closed before a time (their keys stay); returns how many."""
        old = sa.and_(KEPT, INBOX.c.finished < before, INBOX.c.state.not_in(OPEN))
        async with self._writing.begin() as connection:
            return int((await connection.execute(sa.update(INBOX).where(old).values(body="", answer=""))).rowcount)


_UNTOUCHED: dict[str, Any] = {
    "attempts": 0,
    "owner": "",
    "fence": 0,
    "claimed": 0.0,
    "lease_until": 0.0,
    "not_before": 0.0,
    "finished": 0.0,
    "posted": "",
    "answer": "",
    "withdrawn": "",
}


_UNANSWERED = sa.and_(INBOX.c.answer == "", INBOX.c.notice == "", INBOX.c.withdrawn == "")


def _is(room: str, message: str) -> sa.ColumnElement[bool]:
    return sa.and_(INBOX.c.room == room, INBOX.c.message == message)


async def _held(connection: AsyncConnection, claim: Claim, **values: Any) -> bool:
    """Change a row if this claim still holds it."""
    mine = sa.and_(INBOX.c.row == claim.row, INBOX.c.fence == claim.fence, INBOX.c.state == "running")
    return bool((await connection.execute(sa.update(INBOX).where(mine).values(**values))).rowcount)


def _next(now: float) -> sa.Select[Any]:
    """The row to claim: nothing before it is open in its conversation, and its person has not too many running."""
    one, other = INBOX.alias("one"), INBOX.alias("other")
    ready = sa.or_(
        sa.and_(one.c.state == "waiting", one.c.not_before <= now),
        sa.and_(one.c.state == "running", one.c.lease_until <= now),
    )
    earlier = sa.exists().where(
        other.c.conversation == one.c.conversation, other.c.row < one.c.row, other.c.state.in_(OPEN)
    )
    running = (
        sa.select(sa.func.count())
        .where(other.c.lane == one.c.lane, other.c.state == "running", other.c.lease_until > now)
        .scalar_subquery()
    )
    served = (
        sa.select(sa.func.coalesce(sa.func.max(other.c.claimed), 0.0))
        .where(other.c.lane == one.c.lane)
        .scalar_subquery()
    )
    return (
        sa.select(one)
        .where(ready, ~earlier, running < AT_ONCE)
        .order_by(one.c.attempts < SUSPECT, running, served, one.c.row)
        .limit(1)
        .with_for_update(skip_locked=True, of=one)
    )


async def _exceeded(connection: AsyncConnection, person: str, quota: Quota, now: float) -> str:
    """The quota that one message more would exceed, if any."""
    theirs = sa.and_(INBOX.c.person == person, INBOX.c.notice == "")
    limits = (
        ("per_minute", quota.per_minute, sa.and_(theirs, INBOX.c.received > now - _MINUTE)),
        ("per_day", quota.per_day, sa.and_(theirs, INBOX.c.received > now - _DAY)),
        ("waiting", quota.waiting, sa.and_(theirs, INBOX.c.state.in_(OPEN))),
        ("total", quota.total, INBOX.c.state.in_(OPEN)),
    )
    for name, most, which in limits:
        if most is not None:
            count = await connection.scalar(sa.select(sa.func.count()).select_from(INBOX).where(which))
            if count is not None and count >= most:
                return name
    return ""


async def _told_already(connection: AsyncConnection, person: str, now: float) -> bool:
    """Whether a notice to this person was made a short while ago."""
    recent = sa.and_(
        INBOX.c.person == person,
        INBOX.c.notice != "",
        INBOX.c.state != "dropped",
        INBOX.c.received > now - QUIET,
    )
    return bool(await connection.scalar(sa.select(sa.exists().where(recent))))
