"""The webhook door: only signed events come in, each is committed before it is acknowledged, and posts go out signed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Place, Post
from connectors.chat.signing import SIGNATURE_HEADER, TIME_HEADER, signature, signed
from connectors.chat.webhook import WebhookDoor, WebhookWay
from connectors.site import open_site
from tests.delivery.house import ALL, FIONA, House
from tests.delivery.soak.peer import Peer

SECRET = "s3cret"
EVENT: dict[str, Any] = {"event": "e1", "id": "m1", "as": FIONA.ref, "in": ALL.ref, "thread": "t", "text": "Hello"}


class Company:
    """A house behind the door."""

    def __init__(self) -> None:
        self.house = House()
        self.changes: list[tuple[str, str]] = []
        self.port = 0
        self.session: ClientSession

    async def changed(self, room: str, person: str) -> None:
        self.changes.append((room, person))

    async def ready(self) -> tuple[bool, dict[str, object]]:
        return True, {}

    async def send(self, event: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        proof = signed(SECRET, time.time(), body) if headers is None else headers
        async with self.session.post(f"http://127.0.0.1:{self.port}/webhook", data=body, headers=proof) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    made = Company()
    way = WebhookWay([SECRET, "old"], made.house.directory, made.house.receiver.receive, made.changed)
    async with (
        ClientSession() as made.session,
        open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, made.ready, 1024 * 1024) as made.port,
    ):
        yield made


async def test_a_signed_event_is_committed_and_then_acknowledged(company: Company) -> None:
    files = [{"name": "a.txt", "content": base64.b64encode(b"hi").decode()}]
    assert await company.send({**EVENT, "files": files}) == (200, {"verdict": "accepted"})
    (row,) = company.house.inbox.rows
    assert row.claim.event == "webhook:e1"
    assert row.claim.message.conversation == f"{ALL.ref}#t"
    assert row.claim.message.files[0].content == b"hi"


async def test_an_empty_secret_proves_nothing() -> None:
    """The settings refuse one; the door would too."""
    house, body = House(), json.dumps(EVENT).encode()
    way = WebhookWay(["", SECRET], house.directory, house.receiver.receive, Company().changed)

    async def ready() -> tuple[bool, dict[str, object]]:
        return True, {}

    async with (
        ClientSession() as session,
        open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, ready, 1024 * 1024) as port,
    ):
        for secret, status in (("", 401), (SECRET, 200)):
            proof = signed(secret, time.time(), body)
            async with session.post(f"http://127.0.0.1:{port}/webhook", data=body, headers=proof) as response:
                assert response.status == status
    assert len(house.inbox.rows) == 1


async def test_the_same_event_and_the_same_message_count_once(company: Company) -> None:
    await company.send(EVENT)
    assert await company.send(EVENT) == (200, {"verdict": "duplicate"})
    assert await company.send({**EVENT, "event": "e2"}) == (200, {"verdict": "duplicate"})
    assert len(company.house.inbox.rows) == 1


async def test_without_a_room_it_is_a_direct_message(company: Company) -> None:
    await company.send({**EVENT, "in": ""})
    assert company.house.inbox.rows[0].claim.message.room.kind == "direct"


async def test_what_is_not_signed_by_us_a_moment_ago_is_refused(company: Company) -> None:
    body, now = json.dumps(EVENT).encode(), time.time()
    forged = [
        {},
        {TIME_HEADER: str(int(now))},
        {SIGNATURE_HEADER: signature(SECRET, str(int(now)), body)},
        signed("another", now, body),
        signed(SECRET, now, body + b" "),
        signed(SECRET, now - 360, body),
        signed(SECRET, now + 360, body),
        {TIME_HEADER: "now", SIGNATURE_HEADER: signature(SECRET, "now", body)},
        {TIME_HEADER: "１", SIGNATURE_HEADER: "v1=é"},
    ]
    for headers in forged:
        status, _ = await company.send(body, headers)
        assert status == 401
    assert company.house.inbox.rows == []


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (b"{", "Expecting"),
        (b"[]", "body"),
        ({**EVENT, "as": "slack-user:T0HOME/U0NOBODY"}, "as:"),
        ({**EVENT, "in": "slack:T0HOME/C0NOWHERE"}, "in:"),
        ({**EVENT, "text": 3}, "text"),
        ({**EVENT, "role": "finance"}, "role"),
        ({**EVENT, "event": ""}, "event"),
        ({**EVENT, "files": [{"name": "a", "content": "no base64!"}]}, "files"),
        ({"event": "changed", "rooom": "x"}, "rooom"),
    ],
)
async def test_what_cannot_be_understood_is_told_and_not_stored(company: Company, event: object, word: str) -> None:
    status, answer = await company.send(event)
    assert status == 400
    assert word in answer["error"]
    assert company.house.inbox.rows == []


async def test_a_database_that_fails_is_an_error_and_never_an_acknowledgement(company: Company) -> None:
    company.house.inbox.failing = RuntimeError("database is locked")
    status, _ = await company.send(EVENT)
    assert status == 500
    company.house.inbox.failing = None
    assert await company.send(EVENT) == (200, {"verdict": "accepted"})


async def test_a_change_drops_what_is_remembered(company: Company) -> None:
    assert await company.send({"event": "changed", "room": ALL.ref}) == (200, {"verdict": "changed"})
    assert company.changes == [(ALL.ref, "")]


async def test_posts_go_out_signed_and_are_found_edited_and_removed() -> None:
    peer, place = Peer(SECRET), Place(ALL, "t")
    async with peer.listening(), ClientSession() as session:
        door = WebhookDoor(session, peer.url, SECRET)
        posted = await door.post(place, Post("status", "Thinking"), "k")
        assert await door.find(place, "k") == posted
        assert await door.find(place, "other") is None
        await door.edit(place, posted, Post("answer", "Done", id="a1"))
        alone = await door.post(Place(ALL, "t", FIONA), Post("answer", "Only you"), "k:private")
        await door.remove(place, posted)
        assert await door.find(place, "k") is None
        wrong = WebhookDoor(session, peer.url, "another")
        with pytest.raises(DoorUnavailable, match="401"):
            await wrong.post(place, Post("status", "x"), "k")
    assert [form["kind"] for _, form in peer.shown[posted].forms] == ["status", "answer"]
    assert peer.shown[alone].only == FIONA.ref
    assert peer.unsigned == 1


async def test_after_a_429_nothing_is_sent_until_the_time_is_over() -> None:
    peer, place, now = Peer(SECRET, pause=30), Place(ALL), [time.time()]
    async with peer.listening(), ClientSession() as session:
        door = WebhookDoor(session, peer.url, SECRET, lambda: now[0])
        with pytest.raises(DoorUnavailable) as refused:
            await door.post(place, Post("status", "x"), "k")
        assert refused.value.retry_after == 30
        peer.pause = 0
        now[0] += 29
        with pytest.raises(DoorUnavailable):
            await door.post(place, Post("status", "x"), "k")
        assert len(peer.calls) == 1
        now[0] += 2
        await door.post(place, Post("status", "x"), "k")


async def test_a_chat_that_is_away_broken_or_rid_of_us_is_told_apart() -> None:
    answers = [
        web.Response(status=500),
        web.Response(status=200, text="<html>"),
        web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        web.Response(status=410),
    ]

    async def answer(_: web.Request) -> web.Response:
        return answers.pop(0)

    async def ready() -> tuple[bool, dict[str, object]]:
        return True, {}

    async with ClientSession() as session, open_site("127.0.0.1", 0, {"POST /chat": answer}, ready, 1000) as port:
        door = WebhookDoor(session, f"http://127.0.0.1:{port}/chat", SECRET)
        for _ in range(3):
            with pytest.raises(DoorUnavailable):
                await door.find(Place(ALL), "k")
        with pytest.raises(Undeliverable):
            await door.find(Place(ALL), "k")
        nowhere = WebhookDoor(session, "http://127.0.0.1:1/chat", SECRET)
        with pytest.raises(DoorUnavailable, match="does not answer"):
            await nowhere.find(Place(ALL), "k")
