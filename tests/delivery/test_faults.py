"""What fails around a delivery, with the real inbox on SQLite and a real client of a model server: nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.assistant.words import ENGLISH
from bot.delivery.answering import Timing
from bot.delivery.breaker import FAILURES, Breaker
from bot.delivery.guarded import GuardedChat
from bot.delivery.receiving import Receiver
from bot.errors import ModelUnavailable
from bot.ports import Claim
from bot.settings import ModelSettings
from bot.types import Answer, Delta, Done, Principal, Reply, Turn
from connectors.chat.signing import signed
from connectors.chat.webhook import WebhookWay
from connectors.database import open_database
from connectors.inbox import SqlInbox
from connectors.models.server import connect
from connectors.site import open_site
from tests.delivery.fakes import FakeClock
from tests.delivery.flood import flood
from tests.delivery.house import ALL, DIRECT, FIONA, POLICY, House

NONSENSE = {
    "HTML": ("text/html", "<html>gateway</html>"),
    "half an event": ("text/event-stream", 'data: {"id": "1", "choi'),
    "another form": ("text/event-stream", 'data: {"answer": 42}\n\ndata: [DONE]\n\n'),
    "no words": ("text/event-stream", "data: [DONE]\n\n"),
}
AT_ONCE = '{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
MOODS = ["not there", "hung up", "hanging", "500", "cut", *NONSENSE]


class ModelServer:
    """An OpenAI-compatible server in any mood."""

    def __init__(self) -> None:
        self.mood = "fine"
        self.asked = 0

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[int]:
        async def ready() -> tuple[bool, dict[str, object]]:
            return True, {}

        async with open_site("127.0.0.1", port, {"POST /v1/chat/completions": self._answer}, ready, 10**6) as found:
            yield found

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        match self.mood:
            case "hung up":
                assert request.transport is not None
                request.transport.abort()
            case "hanging":
                await asyncio.sleep(3600)
            case "500":
                return web.Response(status=500)
            case "finished at once":
                return web.Response(text=f"data: {AT_ONCE}\n\ndata: [DONE]\n\n", content_type="text/event-stream")
            case mood if mood in NONSENSE:
                kind, text = NONSENSE[mood]
                return web.Response(text=text, content_type=kind)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        piece = '{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Fine."}}]}'
        await response.write(f"data: {piece}\n\n".encode())
        if self.mood == "cut":
            assert request.transport is not None
            request.transport.abort()
        else:
            await response.write(b"data: [DONE]\n\n")
        return response


class Asking:
    """An assistant that passes on what a model writes."""

    def __init__(self, chat: GuardedChat):
        self._chat = chat

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        text = ""
        async for chunk in self._chat.astream(turn.message.text):
            text += chunk.text
            yield Delta(chunk.text)
        yield Done(Answer(text))


@pytest.mark.parametrize("mood", MOODS)
async def test_a_model_that_fails_is_told_of_and_asked_again_later(mood: str) -> None:
    server, clock = ModelServer(), FakeClock()
    async with AsyncExitStack() as first:
        port = await first.enter_async_context(server.listening())
        settings = ModelSettings(provider="openai", name="m", url=f"http://127.0.0.1:{port}/v1")
        inner = connect(settings, None, timeout=5.0, retries=0)
        breaker = Breaker(ModelUnavailable, "away", clock)
        chat = GuardedChat(inner=inner, breaker=breaker, silence=0.2)
        house = House(assistant=Asking(chat), timing=Timing(0.1, 5.0))
        server.mood = mood
        if mood == "not there":
            await first.aclose()
        for number in range(FAILURES + 3):
            await house.say(f"Question {number}", room=DIRECT)
            row = house.inbox.rows[-1]
            row.claim = _apart(row.claim, number)
            await house.answer_next()
        assert [one.post.text for one in house.door.standing] == [ENGLISH.model_away] * (FAILURES + 3)
        assert breaker.open
        assert server.asked == (0 if mood == "not there" else FAILURES)
        server.mood = "fine"
        clock.now += 31
        house.clock.now += 31
        if mood == "not there":
            await first.enter_async_context(server.listening(port))
        for _ in range(FAILURES + 3):
            await house.answer_next()
        assert [one.post.text for one in house.door.standing] == ["Fine."] * (FAILURES + 3)


async def test_a_model_that_has_nothing_to_say_has_not_failed() -> None:
    server = ModelServer()
    async with server.listening() as port:
        settings = ModelSettings(provider="openai", name="m", url=f"http://127.0.0.1:{port}/v1")
        breaker = Breaker(ModelUnavailable, "away", FakeClock())
        chat = GuardedChat(inner=connect(settings, None, timeout=5.0, retries=0), breaker=breaker)
        server.mood = "finished at once"
        assert [chunk.text async for chunk in chat.astream("Hello!") if chunk.text] == []


def _apart(claim: Claim, number: int) -> Claim:
    """The same claim in a conversation of its own."""
    return replace(claim, message=replace(claim.message, thread=f"t{number}"))


class Delivery:
    """The webhook door and the real inbox on a SQLite file."""

    def __init__(self, engine: AsyncEngine, path: Path):
        self.path = path
        self.engine = engine
        self.inbox = SqlInbox(engine)
        self.port = 0
        self.session: ClientSession

    async def send(self, number: int, who: Principal = FIONA, thread: str = "") -> tuple[int, float]:
        body = f'{{"event":"e{number}","as":"{who.ref}","in":"{ALL.ref}","thread":"{thread}","text":"Hello"}}'.encode()
        started, url = time.monotonic(), f"http://127.0.0.1:{self.port}/webhook"
        async with self.session.post(url, data=body, headers=signed("s", time.time(), body)) as response:
            await response.read()
        return response.status, time.monotonic() - started


@asynccontextmanager
async def delivery(folder: Path) -> AsyncIterator[Delivery]:
    path = folder / "rolecall.db"
    async with open_database(f"sqlite+aiosqlite:///{path}") as engine:
        made = Delivery(engine, path)
        receiver = Receiver(made.inbox, lambda: POLICY, time.time, lambda: None)

        async def changed(room: str, person: str) -> None:
            return None

        async def ready() -> tuple[bool, dict[str, object]]:
            return True, {}

        way = WebhookWay(["s"], House().directory, receiver.receive, changed)
        async with (
            ClientSession() as made.session,
            open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, ready, 10**6) as made.port,
        ):
            yield made


async def test_a_locked_database_is_an_error_within_two_and_a_half_seconds(tmp_path: Path) -> None:
    async with delivery(tmp_path) as made:
        with closing(sqlite3.connect(made.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, took = await made.send(1)
            assert status == 500
            assert took < 2.5
            other.rollback()
        assert (await made.inbox.queue(time.time())).waiting == 0
        assert (await made.send(1))[0] == 200
        assert (await made.inbox.queue(time.time())).waiting == 1


async def test_a_full_disk_is_an_error_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    async with delivery(tmp_path) as made:
        async with made.engine.connect() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        statuses = [(await made.send(number))[0] for number in range(30)]
        assert 500 in statuses
        assert (await made.inbox.queue(time.time())).waiting == statuses.count(200)
        async with made.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert [(await made.send(number))[0] for number in range(30)] == [200] * 30
        assert (await made.inbox.queue(time.time())).waiting == 30


async def test_one_person_who_floods_keeps_nobody_waiting_and_is_told_once(tmp_path: Path) -> None:
    """In order of arrival the others would wait for some fifty of the flooder's; `make bench-flood` has the seconds."""
    outcome = await flood(tmp_path, 500)
    assert outcome.verdicts.count("busy") == 1
    assert outcome.verdicts.count("accepted") >= 50
    assert set(outcome.verdicts) == {"accepted", "busy", "dropped"}
    assert statistics.median(outcome.overtaken) <= 6
    assert max(outcome.overtaken) <= 20
