"""A Qdrant server that is away, on a real socket: the whole way from a question to what the chat shows of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from bot.assistant.librarian import Librarian
from bot.assistant.supervisor import Supervisor
from bot.assistant.words import ENGLISH
from bot.delivery.breaker import FAILURES, PAUSE, Breaker
from bot.delivery.guarded import SEARCH_LIMIT, GuardedIndex
from bot.errors import IndexUnavailable
from bot.ports import Claim
from bot.types import Passage, Principal
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.payload import payload_of, point_id
from connectors.qdrant.server import connect
from tests.assistant.library import WordEmbeddings
from tests.connectors.qdrant.worlds import HashEmbeddings
from tests.delivery.fakes import FakeClock
from tests.delivery.house import DOCUMENTS, FIONA, OSKAR, House
from tests.fakes import FakeRouter, ScriptedModel
from tools.search import search_documents

QUESTION = "What was net revenue?"
TEXTS = {"airline/press.md": "Net revenue was about 90 million.", "airline/report.pdf": "Net revenue was 91.4 million."}
PASSAGES = [Passage(f"p-{name}", name, text, DOCUMENTS[name], name) for name, text in TEXTS.items()]
FROM_PRESS = "Net revenue was about 90 million. [1]"
FROM_BOTH = "Net revenue was 91.4 million. [1]\nNet revenue was about 90 million. [2]"
GUESS = "I guess that net revenue was 7 million."
WANTED = {"name": "search_documents", "args": {"query": QUESTION}, "id": "c1", "type": "tool_call"}


def result(found: object) -> str:
    return json.dumps({"result": found, "status": "ok", "time": 0.0})


def hits(wanted: Callable[[Passage], bool]) -> str:
    points = [
        {"id": point_id(one.document, one.id), "version": 1, "score": 1.0, "payload": payload_of(one)}
        for one in PASSAGES
        if wanted(one)
    ]
    return result({"points": points})


NONSENSE = {
    "HTML": "<html>502 Bad Gateway</html>",
    "half an answer": hits(lambda one: True)[:60],
    "nothing": "",
    "another form": '{"answer": 42}',
    "no points": result({}),
    "a list": result([]),
    "points of another form": result({"points": [{"id": 1}]}),
    "no number as the score": result({"points": [{"id": 1, "version": 1, "score": "high", "payload": {}}]}),
}
MOODS = ["not there", "hung up", "hanging", "500", "503", "cut", *NONSENSE]


class Qdrant:
    """Stands where a server would, on a port of its own. Fine, it keeps to the filter; `unfiltered` forgets it."""

    def __init__(self) -> None:
        self.mood = "fine"
        self.filters: list[Any] = []
        self.port = 0
        self.slowness = 0.0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Qdrant]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/collections/rolecall/exists", self._exists)
        app.router.add_put("/collections/rolecall", self._done)
        app.router.add_put("/collections/rolecall/index", self._done)
        app.router.add_post("/collections/rolecall/points/query", self._query)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def become(self, mood: str) -> None:
        """Change; not to be there is to be no process that listens."""
        self.mood = mood
        if mood == "not there":
            await self.stop()
        elif self._runner is None:
            await self.start()

    async def _exists(self, _: web.Request) -> web.Response:
        return web.Response(text=result({"exists": False}), content_type="application/json")

    async def _done(self, _: web.Request) -> web.Response:
        made = {"operation_id": 1, "status": "completed"}
        return web.Response(text=result(made if _.path.endswith("index") else True), content_type="application/json")

    async def _query(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.filters += [asked.get("filter"), *(one.get("filter") for one in asked.get("prefetch") or [])]
        await asyncio.sleep(self.slowness)
        assert request.transport is not None
        match self.mood:
            case "hung up":
                request.transport.abort()
            case "hanging":
                await asyncio.sleep(3600)
            case "500" | "503":
                return web.Response(status=int(self.mood), text='{"status": {"error": "boom"}}')
            case "cut":
                return await self._cut(request)
            case "fine":
                return _json(hits(lambda one: _passes(asked["filter"], one)))
            case "unfiltered":
                return _json(hits(lambda one: True))
        return _json(NONSENSE.get(self.mood, ""))

    @staticmethod
    async def _cut(request: web.Request) -> web.StreamResponse:
        whole = hits(lambda one: True).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def _passes(only: Any, passage: Passage) -> bool:
    return all(passage.labels.intersection(one["match"]["any"]) for one in only["must"])


class Guesser(ScriptedModel):
    """A model that says something whatever it is told; if it `calls`, it asks for the documents first."""

    calls: bool = False

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        if self.calls and not any(isinstance(one, ToolMessage) for one in messages):
            return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[WANTED]))])
        return super()._generate(messages, *args, **kwargs)


class Desk:
    """The delivery house, its assistant the real one over a Qdrant server, with a model that would guess."""

    def __init__(self, qdrant: Qdrant, gateway: Gateway, limit: float, capable: bool):
        self.qdrant = qdrant
        self.clock = FakeClock()
        self.breaker = Breaker(IndexUnavailable, "away", self.clock)
        self.model = Guesser(script=[AIMessage(GUESS)], calls=capable)
        librarian = Librarian(GuardedIndex(gateway, self.breaker, limit), self.model, WordEmbeddings())
        mode = "model" if capable else "router"
        router = FakeRouter("search_documents")
        tools = [search_documents(librarian)]
        supervisor = Supervisor(self.model, tools, router, mode=mode, capable=capable)
        self.house = House(assistant=supervisor)

    async def asks(self, times: int, who: Principal = FIONA) -> None:
        """So many questions at once, each in a conversation of its own; one after the other they would wait in turn."""
        claims = [await self._asked(who) for _ in range(times)]
        await asyncio.gather(*(self.house.answering.handle(claim, self.house.clock()) for claim in claims))

    async def again(self, seconds: float) -> None:
        """After so many seconds, what has waited long enough is tried once more."""
        self.clock.now += seconds
        self.house.clock.now = now = self.house.clock.now + seconds
        while (claim := await self.house.inbox.claim("w", now, 12.0)) is not None:
            await self.house.answering.handle(claim, now)

    @property
    def texts(self) -> list[str]:
        return [one.post.text for one in self.house.door.standing]

    @property
    def every_form(self) -> str:
        return " ".join(form.text for one in self.house.door.bubbles.values() for form in one.forms)

    async def _asked(self, who: Principal) -> Claim:
        await self.house.say(QUESTION, who)
        row = self.house.inbox.rows[-1]
        row.claim = replace(row.claim, message=replace(row.claim.message, thread=f"t{row.claim.row}"))
        claim = await self.house.inbox.claim("w", self.house.clock(), 12.0)
        assert claim is not None
        return claim


@asynccontextmanager
async def desk(limit: float = SEARCH_LIMIT, capable: bool = False) -> AsyncIterator[Desk]:
    async with Qdrant().listening() as qdrant:
        engine = connect(qdrant.url, None, "rolecall", timeout=1)
        gateway = await asyncio.to_thread(Gateway, engine, HashEmbeddings())
        try:
            yield Desk(qdrant, gateway, limit, capable)
        finally:
            await qdrant.stop()
            await gateway.close()


def only(*labels: str) -> dict[str, Any]:
    return {"must": [{"key": "labels", "match": {"any": sorted(labels)}}]}


FIONAS = only(f"user:{FIONA.ref}", "company", "filings")


@pytest.mark.parametrize(("mood", "capable"), [*((mood, False) for mood in MOODS), ("500", True), ("not there", True)])
async def test_an_index_that_is_away_is_told_of_and_nobody_guesses(mood: str, capable: bool) -> None:
    async with desk(capable=capable) as one:
        await one.qdrant.become(mood)
        await one.asks(FAILURES)
        assert one.texts == [ENGLISH.documents_away] * FAILURES
        assert one.breaker.open
        tried = len(one.qdrant.filters)
        await one.asks(3)
        assert one.texts == [ENGLISH.documents_away] * (FAILURES + 3)
        assert len(one.qdrant.filters) == tried
        assert [row.state for row in one.house.inbox.rows] == ["waiting"] * (FAILURES + 3)
        assert not any(entry.event == "answered" for entry in one.house.journal.entries)
        await one.qdrant.become("fine")
        await one.again(PAUSE + 1)
        assert one.texts == [FROM_BOTH] * (FAILURES + 3)
        assert GUESS not in one.every_form
        assert one.qdrant.filters == [FIONAS] * len(one.qdrant.filters)


async def test_a_slow_index_counts_as_one_that_is_away() -> None:
    async with desk(limit=0.05) as one:
        one.qdrant.slowness = 0.3
        await one.asks(FAILURES)
        assert one.texts == [ENGLISH.documents_away] * FAILURES
        assert one.breaker.open
        one.qdrant.slowness = 0.0
        await asyncio.sleep(0.3)
        await one.again(PAUSE + 1)
        assert one.texts == [FROM_BOTH] * FAILURES


async def test_ten_minutes_without_an_index_cost_nobody_an_answer() -> None:
    async with desk() as one:
        await one.qdrant.become("not there")
        await one.asks(4)
        for _ in range(20):
            await one.again(31)
        assert one.texts == [ENGLISH.documents_away] * 4
        assert [row.claim.attempts for row in one.house.inbox.rows] == [0] * 4
        await one.qdrant.become("fine")
        await one.again(61)
        assert one.texts == [FROM_BOTH] * 4


async def test_an_index_that_forgets_the_filter_shows_nobody_more(caplog: pytest.LogCaptureFixture) -> None:
    async with desk() as one:
        await one.qdrant.become("unfiltered")
        await one.asks(1, OSKAR)
        assert one.texts == [FROM_PRESS]
        assert "91.4" not in one.every_form
        assert "ALARM" in caplog.text
