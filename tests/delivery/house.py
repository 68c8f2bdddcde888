"""A house of fakes with the real turns, gate, worker and way in: what the delivery tests ask."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from types import MappingProxyType

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import parse_policy
from bot.assistant.memory import Memory
from bot.delivery.answering import DEFAULT, Answering, Timing
from bot.delivery.receiving import Receiver
from bot.delivery.turns import Turns
from bot.delivery.worker import GRACE, Worker
from bot.ports import Assistant, ChatDoor, Directory, Verdict
from bot.types import Answer, Citation, Delta, Done, Message, Plan, Principal, Reply, Room, Status, Turn
from tests.delivery.fakes import FakeClock, FakeDoor, FakeInbox, FakeJournal, until
from tests.fakes import FakeAssistant, FakeDirectory, FakeRecords

POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents, summarize]}
  finance: {members: [slack-user:T0HOME/U0FIONA], read: [filings]}
"""
)
FIONA = Principal("slack", "T0HOME", "U0FIONA")
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
ALL = Room("slack", "T0HOME", "C0ALL", "public")
DIRECT = Room("slack", "T0HOME", "D0", "direct")
SEARCH = Plan("search_documents", "router", 1.0)
DOCUMENTS = {"airline/press.md": frozenset({"company"}), "airline/report.pdf": frozenset({"filings"})}


def answer_from_what_is_visible(turn: Turn) -> Sequence[Reply]:
    """The best document that the turn's readers may see: the report before the press release."""
    for name in ("airline/report.pdf", "airline/press.md"):
        if turn.access.sees(DOCUMENTS[name]):
            source = Citation(1, name, name, DOCUMENTS[name])
            text = f"From {name} [1]."
            return [Status("Searching"), Delta(text, (source,)), Done(Answer(text, (source,), SEARCH, searched=True))]
    return [Done(Answer("I found nothing.", plan=SEARCH, searched=True))]


class House:
    """Everything around one fake door, called `fake`, and other `doors`."""

    def __init__(
        self,
        replies: Callable[[Turn], Sequence[Reply]] = answer_from_what_is_visible,
        *,
        assistant: Assistant | None = None,
        timing: Timing = DEFAULT,
        known: Callable[[FakeDirectory, FakeClock], Directory] = lambda directory, clock: directory,
        doors: Mapping[str, ChatDoor] = MappingProxyType({}),
    ):
        self.clock = FakeClock()
        self.directory = FakeDirectory([FIONA, OSKAR], {ALL: [FIONA, OSKAR]})
        self.records = FakeRecords(DOCUMENTS)
        self.journal = FakeJournal()
        self.inbox = FakeInbox(self.journal)
        self.door = FakeDoor()
        audience = Audience(lambda: POLICY, known(self.directory, self.clock))
        self.gate = gate = Gate(audience, self.records)
        self._numbers = count(1)
        memory = Memory(self.journal, self.records)
        self.turns = Turns(audience, assistant or FakeAssistant(replies), gate, memory, self.new_id)
        self.answering = Answering(
            self.inbox, self.journal, {"fake": self.door, **doors}, self.turns, gate, self.clock, self.new_id, timing
        )
        self.receiver = Receiver(self.inbox, lambda: POLICY, self.clock, lambda: None)

    def receiver_of(self, worker: Worker) -> Receiver:
        """The way in of a process in which this worker runs."""
        return Receiver(self.inbox, lambda: POLICY, self.clock, worker.wake, worker)

    def new_id(self) -> str:
        return f"a{next(self._numbers)}"

    async def say(self, text: str, sender: Principal = FIONA, room: Room = DIRECT, name: str = "") -> Verdict:
        """A message comes in."""
        name = name or f"m{len(self.inbox.rows)}"
        return await self.receiver.receive(f"fake:{name}", Message(name, sender, room, text))

    async def answer_next(self) -> None:
        """One claim, answered as a worker would."""
        taken = self.clock()
        claim = await self.inbox.claim("w", taken, 12.0)
        assert claim is not None
        await self.answering.handle(claim, taken)

    async def ask(self, sender: Principal, room: Room, text: str = "What was revenue?") -> list[Reply]:
        """The replies of one turn, without delivery."""
        return [reply async for reply in self.turns.take(Message("m", sender, room, text))]

    @asynccontextmanager
    async def working(self, tasks: int = 4, grace: float = GRACE) -> AsyncIterator[Worker]:
        """A worker that runs."""
        worker = Worker(self.inbox, self.answering, "w", self.clock, tasks, grace)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def settled(self) -> None:
        """Wait until every row is closed."""
        await until(lambda: all(row.state in ("done", "dead") for row in self.inbox.rows))
