"""A door for a company's own chat: signed JSON over HTTP, in both directions.

In: ``POST /webhook`` with ``event``, ``id``, ``as``, ``in``, ``thread``, ``text`` and maybe ``files``; people and rooms
are those of the directory. An event named ``changed`` says that a person or a room did. Out: signed calls to one address
that post, edit, find and remove a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Directory, Place, Post, Verdict
from bot.types import Attachment, Message, Room
from connectors.chat.signing import SIGNATURE_HEADER, TIME_HEADER, proven, signed

NAME = "webhook"
CALL_LIMIT = 4.0
"""Seconds that a call to the chat may take."""
BUSY_PAUSE = 5.0
"""Seconds for which nothing is sent after a 429 that does not say how long."""

Receive = Callable[[str, Message], Awaitable[Verdict]]
Changed = Callable[[str, str], Awaitable[None]]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(min_length=1, max_length=255)
    content: str


class _Event(BaseModel):
    """An event as the chat sends it; `sender` and `room` are references or aliases of the directory."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    event: str = Field(min_length=1, max_length=200)
    id: str = Field(default="", max_length=200)
    sender: str = Field(alias="as", max_length=300)
    room: str = Field(default="", alias="in", max_length=300)
    thread: str = Field(default="", max_length=200)
    text: str = Field(max_length=100_000)
    files: list[_File] = []


class _Change(BaseModel):
    """News about a room or a person, so that what is remembered of them is dropped."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    room: str = ""
    person: str = ""


class WebhookWay:
    """The way in. An event signed with any of `secrets` is believed.

    `receive` commits a message; what it raises becomes a 500, and the chat must send the event again.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        directory: Directory,
        receive: Receive,
        changed: Changed,
        clock: Callable[[], float] = time.time,
    ):
        self._secrets = secrets
        self._directory = directory
        self._receive = receive
        self._changed = changed
        self._clock = clock

    async def handle(self, request: web.Request) -> web.Response:
        """One event: 200 once it is committed (or was before), 401 unsigned, 400 not understood."""
        body = await request.read()
        time_given, given = request.headers.get(TIME_HEADER, ""), request.headers.get(SIGNATURE_HEADER, "")
        if not any(proven(secret, self._clock(), time_given, given, body) for secret in self._secrets):
            return _told(401, "the signature is missing, wrong or older than five minutes")
        try:
            found = json.loads(body)
            if isinstance(found, dict) and found.get("event") == "changed":
                change = _Change.model_validate({key: value for key, value in found.items() if key != "event"})
                await self._changed(change.room, change.person)
                return web.json_response({"verdict": "changed"})
            event = _Event.model_validate(found)
            message = await self._message(event)
        except ValidationError as error:
            first = error.errors()[0]
            return _told(400, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}")
        except ValueError as error:
            return _told(400, str(error))
        return web.json_response({"verdict": await self._receive(f"{NAME}:{event.event}", message)})

    async def _message(self, event: _Event) -> Message:
        """The event as a message. Raises ValueError for people and rooms that the directory does not know."""
        sender = await self._directory.person(event.sender)
        if sender is None:
            raise ValueError(f"as: {event.sender!r} is nobody in the directory")
        room: Room | None = Room(sender.platform, sender.tenant, f"D-{sender.id}", "direct")
        if event.room:
            room = await self._directory.room(event.room)
        if room is None:
            raise ValueError(f"in: {event.room!r} is no room of the directory")
        files = tuple(Attachment(file.name, _bytes(file)) for file in event.files)
        return Message(event.id or event.event, sender, room, event.text, event.thread, files)


class WebhookDoor:
    """The way out; implements ChatDoor. After a 429 nothing is sent for as long as the chat asked."""

    def __init__(self, session: ClientSession, url: str, secret: str, clock: Callable[[], float] = time.time):
        self._session = session
        self._url = url
        self._secret = secret
        self._clock = clock
        self._quiet_until = 0.0

    async def post(self, place: Place, post: Post, key: str) -> str:
        """Show a new message; the chat keeps `key` with it."""
        answer = await self._call("post", place, key=key, post=_post_json(post))
        return str(answer.get("posted", ""))

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        """Replace a message of ours; it keeps its id."""
        await self._call("edit", place, posted=posted, post=_post_json(post))
        return posted

    async def find(self, place: Place, key: str) -> str | None:
        """The earliest message that carries `key`."""
        found = (await self._call("find", place, key=key)).get("posted")
        return str(found) if found else None

    async def remove(self, place: Place, posted: str) -> None:
        """Take a message away."""
        await self._call("remove", place, posted=posted)

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        """Show a file of ours."""
        content = base64.b64encode(file.content).decode("ascii")
        await self._call("attach", place, key=key, file={"name": file.name, "content": content})

    async def _call(self, do: str, place: Place, **rest: Any) -> dict[str, Any]:
        """One signed call. Raises DoorUnavailable, or Undeliverable if the chat says 404 or 410."""
        now = self._clock()
        if now < self._quiet_until:
            raise DoorUnavailable("the chat asked for a pause", self._quiet_until - now)
        only = place.only.ref if place.only else None
        where = {"room": place.room.ref, "kind": place.room.kind, "thread": place.thread, "only": only}
        body = json.dumps({"do": do, **where, **rest}, ensure_ascii=False).encode()
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=signed(self._secret, now, body),
                timeout=ClientTimeout(CALL_LIMIT),
                allow_redirects=False,
            ) as response:
                return self._understood(response.status, response.headers.get("Retry-After", ""), await response.read())
        except (ClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(
                f"the chat at {self._url} does not answer: {error or type(error).__name__}"
            ) from error

    def _understood(self, status: int, retry_after: str, body: bytes) -> dict[str, Any]:
        if status == 429:
            pause = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else BUSY_PAUSE
            self._quiet_until = self._clock() + pause
            raise DoorUnavailable("the chat asked for a pause", pause)
        if status in (404, 410):
            raise Undeliverable(f"the chat at {self._url} says {status}")
        if status != 200:
            raise DoorUnavailable(f"the chat at {self._url} says {status}")
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise DoorUnavailable(f"the chat at {self._url} does not answer in JSON") from error
        return answer if isinstance(answer, dict) else {}


def _post_json(post: Post) -> dict[str, Any]:
    sources = [{**asdict(source), "labels": sorted(source.labels)} for source in post.sources]
    return {"kind": post.kind, "text": post.text, "sources": sources, "id": post.id}


def _bytes(file: _File) -> bytes:
    try:
        return base64.b64decode(file.content, validate=True)
    except binascii.Error as error:
        raise ValueError(f"files: {file.name}: not base64") from error


def _told(status: int, problem: str) -> web.Response:
    return web.json_response({"error": problem}, status=status)
