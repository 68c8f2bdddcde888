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
class Carried:
    """Messages a second on one database: taken in, through everything one by one, and out of a backlog."""

    taken_in: float
    alone: float
    backlog: float


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
        started = time.perf_counter()
        for number in range(half):
            await add(inbox, number)
            assert await answer_next(inbox, "one")
        alone = half / (time.perf_counter() - started)
        started = time.perf_counter()
        await asyncio.gather(*(_add_every(inbox, range(half + w, count, WORKERS)) for w in range(WORKERS)))
        taken_in = (count - half) / (time.perf_counter() - started)
        started = time.perf_counter()
        done = await asyncio.gather(*(_drain(inbox, f"w{number}") for number in range(WORKERS)))
        assert sum(done) == count - half
        return Carried(taken_in, alone, sum(done) / (time.perf_counter() - started))


async def _add_every(inbox: SqlInbox, numbers: range) -> None:
    for number in numbers:
        await add(inbox, number)


async def _drain(inbox: SqlInbox, owner: str) -> int:
    """Answer until nothing is open. A claim may find every row locked by others: then there is more in a moment."""
    done = 0
    while True:
        if await answer_next(inbox, owner):
            done += 1
        elif (await inbox.queue(time.time())).waiting:
            await asyncio.sleep(0.001)
        else:
            return done


def main() -> None:
    """Measure each database and print the table."""
    parser = argparse.ArgumentParser(description="messages a second through the inbox")
    parser.add_argument("--messages", type=int, default=1000)
    count = parser.parse_args().messages
    table = Table("database", "taken in", "one by one", "out of a backlog", title=f"messages a second, of {count}")
    for kind in ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(carried(kind, count, Path(folder)))
        table.add_row(kind, f"{found.taken_in:.0f}", f"{found.alone:.0f}", f"{found.backlog:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
