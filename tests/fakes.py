"""Stand-ins that keep the contracts of bot/ports: they run the same dialogs as the real parts, without a world."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from pydantic import Field

from bot.ports import DocumentRecord, Language, Program, Ran
from bot.types import Access, Done, Excerpt, Labels, Passage, Plan, Principal, Reply, Room, Turn


class FakeDirectory:
    """People and rooms in memory; a room that has no roster is one whose roster cannot be read."""

    def __init__(self, people: Sequence[Principal] = (), rosters: Mapping[Room, Sequence[Principal]] | None = None):
        self.people = {person.ref: person for person in people}
        self.rosters = dict(rosters or {})

    async def person(self, ref: str) -> Principal | None:
        return self.people.get(ref)

    async def room(self, ref: str) -> Room | None:
        return next((room for room in self.rosters if room.ref == ref), None)

    async def members(self, room: Room) -> Sequence[Principal] | None:
        return self.rosters.get(room)


class FakeRecords:
    """The SQL record of documents, in memory."""

    def __init__(self, labels: Mapping[str, Collection[str]] | None = None):
        self.rows = {
            name: DocumentRecord(name, name.split("/")[0], name, frozenset(carried), "h", "f", "indexed")
            for name, carried in (labels or {}).items()
        }

    async def all(self, source: str | None = None) -> dict[str, DocumentRecord]:
        return {name: row for name, row in self.rows.items() if source in (None, row.source)}

    async def labels_of(self, documents: Collection[str]) -> dict[str, Labels]:
        return {
            name: self.rows[name].labels
            for name in documents
            if name in self.rows and self.rows[name].state == "indexed"
        }

    async def save(self, *records: DocumentRecord) -> None:
        self.rows |= {record.id: record for record in records}

    async def delete(self, document: str) -> None:
        self.rows.pop(document, None)


class FakeAssistant:
    """Answers each turn with what `replies` makes of it."""

    def __init__(self, replies: Callable[[Turn], Sequence[Reply]]):
        self._replies = replies

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        replies = self._replies(turn)
        assert isinstance(replies[-1], Done)
        for reply in replies:
            yield reply


class FakeIndex:
    """Passages in memory, returned in order; it keeps the access rule of the real index."""

    def __init__(self, passages: Sequence[Passage] = ()):
        self.passages = list(passages)
        self.asked: list[tuple[str, Access]] = []

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        self.asked.append((query, access))
        return [passage for passage in self.passages if access.sees(passage.labels)][:limit]


class FakeRouter:
    """Picks the tool that the plan names, whatever is asked."""

    def __init__(self, tool: str, confidence: float = 1.0):
        self.plan = Plan(tool, "router", confidence)

    async def route(self, text: str) -> Plan:
        return self.plan


class ScriptedModel(BaseChatModel):
    """A chat model that says the next line of its script each time; the last line again and again."""

    script: list[AIMessage] = Field(default_factory=list)
    offered: list[list[str]] = Field(default_factory=list)
    heard: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedModel:
        self.offered.append([tool.name for tool in tools if isinstance(tool, BaseTool)])
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.heard.append(messages)
        line = self.script[min(len(self.heard), len(self.script)) - 1]
        return ChatResult(generations=[ChatGeneration(message=line.model_copy(deep=True))])


_PYTHON: tuple[Language, ...] = ("python",)


class PlainSandbox:
    """Runs Python in a plain child process with a time limit: enough for code that the tests wrote themselves."""

    tier = "plain"

    def __init__(self, languages: Collection[Language] = _PYTHON, seconds: float = 5.0):
        self.languages: frozenset[Language] = frozenset(languages)
        self.programs: list[Program] = []
        self._seconds = seconds

    async def run(self, program: Program, person: str = "") -> Ran:
        self.programs.append(program)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in {**program.files, "program.py": program.code.encode()}.items():
                (Path(folder) / name).write_bytes(content)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-B", "program.py", cwd=folder, env={}, stdin=PIPE, stdout=PIPE, stderr=PIPE
            )
            try:
                async with asyncio.timeout(self._seconds):
                    output, errors = await process.communicate(program.stdin.encode())
            except TimeoutError:
                return Ran("time", seconds=self._seconds)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return Ran("finished", process.returncode, output.decode(), errors.decode(), seconds=0.1)


class UnmendableSandbox:
    """A sandbox in which every check fails; its `last` run has no end, and notes that it was stopped."""

    tier = "plain"
    languages: frozenset[Language] = frozenset(_PYTHON)

    def __init__(self, last: int = 10_000):
        self.runs = 0
        self.stopped = 0
        self.reached = asyncio.Event()
        self._last = last

    async def run(self, program: Program, person: str = "") -> Ran:
        self.runs += 1
        line = len(program.code.splitlines()) - 1
        if self.runs == self._last:
            self.reached.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.stopped += 1
        trace = f'Traceback (most recent call last):\n  File "program.py", line {line}, in <module>\nAssertionError: 0'
        return Ran("finished", 1, "", trace, seconds=0.01)


class FakeThreads:
    """What was said, by room and thread; a place that is not there cannot be read."""

    def __init__(self, said: Mapping[tuple[Room, str], Sequence[Excerpt]] | None = None):
        self.said = dict(said or {})
        self.asked: list[tuple[Room, str]] = []

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        self.asked.append((room, thread))
        found = self.said.get((room, thread))
        return None if found is None else found[-limit:]
