"""What the inbox carries: messages a second through all of its transactions, on SQLite and on PostgreSQL.

A message is taken in, claimed, given its placeholder, answered with its audit row and memory, and closed: five
transactions. First one after the other while nothing else waits; then a backlog, by as many workers at once as a process
has, which is where a queue usually gives way. Run: python -m benchmarks.inbox --messages 1000
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.delivery import audit
from bot.ports import Quota
from bot.types import Answer, Message, Plan, Principal, Room
from connectors.database import open_database
from connectors.inbox import SqlInbox
from tests.connectors.databases import ENGINES, database_url

WORKERS = 16
PEOPLE = 50
LEASE = 60.0
ROOMY = Quota(waiting=1_000_000, total=1_000_000)
"""Both limits are looked at, and neither is reached."""
ANSWER = Answer("The canteen opens at 6:30 [1].", plan=Plan("search_documents", "router", 1.0), id="a1")


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, and milliseconds of this process' processor for each: a busy machine changes the first alone."""

    a_second: float
    ms: float

    def __str__(self) -> str:
        return f"{self.a_second:,.0f} ({self.ms:.1f} ms)"


@dataclass(frozen=True, slots=True)
class Carried:
    """One database: through everything one by one, taken in, and out of a backlog."""

    alone: Rate
    taken_in: Rate
    backlog: Rate


async def timed(messages: int, work: Awaitable[object]) -> Rate:
    """How fast so many messages went."""
    wall, processor = time.perf_counter(), time.process_time()
    await work
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Rate(messages / wall, processor * 1000 / messages)


def message(number: int) -> Message:
    """One of many people, each message in a conversation of its own."""
    person = Principal("slack", "T0HOME", f"U{number % PEOPLE}")
    room = Room("slack", "T0HOME", f"D{number}", "direct")
    return Message(f"m{number}", person, room, "When does the canteen open?")


async def add(inbox: SqlInbox, number: int) -> None:
    """Take one in."""
    assert await inbox.add(f"bench:{number}", message(number), ROOMY, time.time()) == "accepted"


async def answer_next(inbox: SqlInbox, owner: str) -> bool:
    """Everything that becomes of one message; False if none waits."""
    now = time.time()
    claim = await inbox.claim(owner, now, LEASE)
    if claim is None:
        return False
    await inbox.placed(claim, f"p{claim.row}")
    rows, memory = audit.entries(claim.message, ANSWER, now), audit.remembered(claim.message, ANSWER, now)
    assert await inbox.answered(claim, ANSWER, rows, memory)
    return await inbox.finish(claim)


async def carried(kind: str, count: int, folder: Path) -> Carried:
    """Measure one database; half of the messages pass one by one, the other half as a backlog."""
    async with open_database(database_url(kind, folder)) as engine:
        inbox, half = SqlInbox(engine, b"a key of the benchmark"), count // 2
        return Carried(
            await timed(half, _one_by_one(inbox, half)),
            await timed(
                half, asyncio.gather(*(_add_every(inbox, range(half + w, 2 * half, WORKERS)) for w in range(WORKERS)))
            ),
            await timed(half, asyncio.gather(*(_drain(inbox, f"w{number}") for number in range(WORKERS)))),
        )


async def _one_by_one(inbox: SqlInbox, count: int) -> None:
    for number in range(count):
        await add(inbox, number)
        assert await answer_next(inbox, "one")


async def _add_every(inbox: SqlInbox, numbers: range) -> None:
    for number in numbers:
        await add(inbox, number)


async def _drain(inbox: SqlInbox, owner: str) -> None:
    """Answer until nothing waits. A claim may find every row locked by others: then there is more in a moment."""
    while await answer_next(inbox, owner) or (await inbox.queue(time.time())).waiting:
        pass


def main() -> None:
    """Measure each database and print the table."""
    parser = argparse.ArgumentParser(description="messages a second through the inbox")
    parser.add_argument("--messages", type=int, default=1000)
    count = parser.parse_args().messages
    table = Table(
        "database", "one by one", "taken in", "out of a backlog", title="messages a second (processor time of each)"
    )
    for kind in ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(carried(kind, count, Path(folder)))
        table.add_row(kind, str(found.alone), str(found.taken_in), str(found.backlog))
    Console().print(table)


if __name__ == "__main__":
    main()
