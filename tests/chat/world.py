"""The middle of Rolecall around one platform's door, all of it real but the assistant, which reads from a script.

A stage opens the platform's own doorway (bot/doorways/) in it and sends it what the platform would send.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import Policy
from bot.access.rosters import CachedDirectory
from bot.assistant.memory import Memory
from bot.assistant.words import words
from bot.delivery.answering import Answering
from bot.delivery.receiving import Receiver
from bot.delivery.turns import Turns
from bot.delivery.worker import Worker
from bot.doorways import Doorway, Lobby
from bot.language import language
from bot.types import Answer, Citation, Delta, Done, Plan, Reply, Status, Turn
from bot.wiring.house import new_id
from connectors.directories import Directories
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from connectors.site import open_site
from connectors.sources.uploads import UploadReader
from tests.fakes import FakeRecords

LABELS = {"airline/press.md": frozenset({"company"}), "airline/report.pdf": frozenset({"filings"})}
HOST = "docs.example.com"
PRESS = Citation(1, "airline/press.md", "Press release", LABELS["airline/press.md"], url=f"https://{HOST}/press.md")
REPORT = Citation(1, "airline/report.pdf", "Annual report", LABELS["airline/report.pdf"], 7)
FROM_PRESS = "Revenue was about 90 million dollars [1]."
FROM_REPORT = "Revenue was 91.4 million dollars [1]."
NOTHING = "I found nothing about that."
TOOLS = frozenset({"search_documents", "summarize", "translate"})
SEARCH = Plan("search_documents", "router", 1.0)


class Clock:
    """The real time, and what a dialog skipped of it."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def __call__(self) -> float:
        return time.time() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._skipped += seconds


def long_text() -> str:
    """20,000 characters with a table and a piece of code in the middle of them."""
    table = "| part | torque |\n|---|---|\n" + "".join(f"| bolt {n} | {n} Nm |\n" for n in range(120))
    code = "```python\n" + "".join(f"total_{n} = {n} * 2  # step {n}\n" for n in range(120)) + "```"
    prose = [
        f"Paragraph {n}. " + " ".join(f"Word {n}-{k} follows the one before." for k in range(12)) for n in range(35)
    ]
    return "\n\n".join([*prose[:12], table.strip(), *prose[12:20], code, *prose[20:]])


@dataclass
class Script:
    """An assistant that does what a word in the question says; without one it answers from what its readers may see.

    ``hold`` waits for `go`, ``break`` fails, ``long`` answers at length, ``grow`` in pieces, ``recall`` repeats what was
    said before, ``read`` repeats the files. What came beside the text, if anything, is repeated whatever it says.
    """

    clock: Clock
    heard: list[Turn] = field(default_factory=list)
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        """The replies that the question asks for."""
        self.heard.append(turn)
        text = turn.message.text
        if "hold" in text:
            self.holding.set()
            await self.go.wait()
        if "break" in text:
            raise RuntimeError("the script says so")
        if not (turn.access.can_read or turn.access.tools):
            yield Done(Answer(words(language(text)).no_access, refused="no-access"))
            return
        yield Status("Searching the documents")
        pieces, sources = self._pieces(turn)
        for number in range(1, len(pieces)):
            self.clock.skip(1.1)  # a growing message is edited once a second
            yield Delta(pieces[number - 1], sources)
            await asyncio.sleep(0.15)  # replies run ahead of what is shown
        whole = "".join(pieces)
        yield Done(Answer(whole, sources, SEARCH, searched=bool(sources) or whole == NOTHING))

    def _pieces(self, turn: Turn) -> tuple[list[str], tuple[Citation, ...]]:
        text = turn.message.text
        if "recall" in text:
            return ["I remember: " + "; ".join(one.question for one in turn.history)], ()
        if turn.message.excerpts:
            return [f"{turn.message.tool}: " + "; ".join(one.text for one in turn.message.excerpts)], ()
        if "read" in text:
            return ["I read: " + "; ".join(f"{one.name}: {one.text or '-'}" for one in turn.uploads)], ()
        if "long" in text:
            whole, step = long_text(), 5000
            return [whole[at : at + step] for at in range(0, len(whole), step)], ()
        if "grow" in text:
            return ["One is first. ", "Two is second. ", "Three is third. ", "Four ends it."], ()
        for source, answer in ((REPORT, FROM_REPORT), (PRESS, FROM_PRESS)):
            if turn.access.sees(source.labels):
                return [answer], (source,)
        return [NOTHING], ()


@dataclass(frozen=True, slots=True)
class World:
    """What the dialogs look at beside the stage. `port` is where the doors listen."""

    port: int
    clock: Clock
    script: Script
    inbox: SqlInbox
    journal: SqlJournal
    directory: CachedDirectory
    worker: Worker

    async def settled(self, seconds: float = 10.0) -> None:
        """Wait until nothing is open in the inbox. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                queue = await self.inbox.queue(self.clock())
                if not queue.waiting + queue.running:
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def open_world(
    engine: AsyncEngine,
    policy: Policy,
    doorway: Doorway,
    script: Callable[[Clock], Script] = Script,
    tools: frozenset[str] = TOOLS,
) -> AsyncIterator[World]:
    """A running middle with one doorway open on a free port of 127.0.0.1; `tools` are those that are installed."""
    clock = Clock()
    written = script(clock)
    journal, inbox, records = SqlJournal(engine), SqlInbox(engine), FakeRecords(LABELS)
    assert doorway.directory is not None
    directory = CachedDirectory(Directories({doorway.name: doorway.directory}))
    audience = Audience(lambda: policy, directory)
    gate = Gate(audience, records, {HOST})
    reader = UploadReader({doorway.name: doorway.fetch} if doorway.fetch else {})
    turns = Turns(audience, written, gate, Memory(journal, records), new_id, reader)
    answering = Answering(inbox, journal, {doorway.name: doorway.door}, turns, gate, clock, new_id)
    worker = Worker(inbox, answering, "stage", clock, 4, grace=1.0)
    receiver = Receiver(inbox, lambda: policy, clock, worker.wake, worker)
    lobby = Lobby(receiver, directory, audience, lambda: policy, inbox, journal, tools)
    working = asyncio.create_task(worker.run())
    try:
        async with doorway.open(lobby) as routes, open_site("127.0.0.1", 0, routes, _ready, 16 << 20) as port:
            yield World(port, clock, written, inbox, journal, directory, worker)
    finally:
        written.go.set()
        worker.stop()
        await working
        reader.close()


async def _ready() -> tuple[bool, Mapping[str, object]]:
    return True, {}
