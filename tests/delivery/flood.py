"""One person sends messages by the hundred while five others ask now and then: what the others notice of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.delivery.answering import Answering
from bot.delivery.worker import Worker
from bot.ports import Inbox, Quota
from bot.types import Answer, Done, Message, Principal, Reply, Turn
from connectors.database import open_database
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from tests.delivery.fakes import until
from tests.delivery.house import ALL, House

FLOODER = Principal("slack", "T0HOME", "U0FLOOD")
OTHERS = [Principal("slack", "T0HOME", f"U0P{number}") for number in range(5)]
ROUNDS = 3
"""How often each of the others asks before the flood, and again during it."""
TAKES = 0.03
"""Seconds that an answer takes."""


@dataclass
class Flood:
    """What became of the flood (`verdicts`); seconds that the others waited before it and in it; and how many of the
    flooder's messages were answered while one of theirs waited (`overtaken`)."""

    verdicts: list[str] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    flooded: list[float] = field(default_factory=list)
    overtaken: list[int] = field(default_factory=list)


class Quick:
    """Answers anything, in no time to speak of."""

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        await asyncio.sleep(TAKES)
        yield Done(Answer("Here you are."))


class Crowd:
    """The house, a real inbox and a worker."""

    def __init__(self, house: House, inbox: Inbox, worker: Worker):
        self._house = house
        self._inbox = inbox
        self._worker = worker

    async def send(self, who: Principal, name: str) -> str:
        verdict = await self._inbox.add(f"fake:{name}", Message(name, who, ALL, "Hello", name), Quota(), time.time())
        self._worker.wake()
        return verdict

    async def asks(self, who: Principal, name: str) -> float:
        """Seconds until it is answered."""
        started = time.monotonic()
        await self.send(who, name)
        await until(lambda: self.answered(f"fake:{name}") > 0, 60.0)
        return time.monotonic() - started

    def answered(self, key: str) -> int:
        """How many messages whose keys start like this are answered."""
        return sum(one.key.startswith(key) and one.post.kind == "answer" for one in self._house.door.standing)


async def flood(folder: Path, messages: int) -> Flood:
    """Everything, on a SQLite file in `folder`."""
    house, outcome = House(assistant=Quick()), Flood()
    house.directory.people |= {person.ref: person for person in [FLOODER, *OTHERS]}
    async with open_database(f"sqlite+aiosqlite:///{folder / 'rolecall.db'}") as engine:
        inbox = SqlInbox(engine)
        answering = Answering(
            inbox, SqlJournal(engine), {"fake": house.door}, house.turns, house.gate, time.time, house.new_id
        )
        worker = Worker(inbox, answering, "w", time.time, 8)
        task, crowd = asyncio.create_task(worker.run()), Crowd(house, inbox, worker)
        for number in range(ROUNDS):
            outcome.idle += [await crowd.asks(person, f"idle{number}-{person.id}") for person in OTHERS]
        outcome.verdicts = [await crowd.send(FLOODER, f"flood{number}") for number in range(messages)]
        for number in range(ROUNDS):
            for person in OTHERS:
                before = crowd.answered("fake:flood")
                outcome.flooded.append(await crowd.asks(person, f"late{number}-{person.id}"))
                outcome.overtaken.append(crowd.answered("fake:flood") - before)
        worker.stop()
        await task
    return outcome
