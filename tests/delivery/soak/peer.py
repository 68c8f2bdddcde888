"""A chat that keeps every form of every message that it was asked to show, who could see it, and when."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from connectors.chat.signing import SIGNATURE_HEADER, TIME_HEADER, proven


@dataclass
class Shown:
    """One message: where, for whom, its key, each of its forms with the time it came, and whether it stands.

    `by` is the replica that showed the last form, if each has an address of its own.
    """

    room: str
    thread: str
    only: str | None
    key: str
    forms: list[tuple[float, dict[str, Any]]]
    removed: bool = False
    by: str = ""

    @property
    def kind(self) -> str:
        return str(self.forms[-1][1]["kind"])

    @property
    def text(self) -> str:
        return str(self.forms[-1][1]["text"])

    @property
    def first_final(self) -> float:
        return next(at for at, post in self.forms if post["kind"] in ("answer", "notice"))


@dataclass
class Peer:
    """The chat. `slowness` are the least and most seconds between an effect and its acknowledgement.

    `answering` False makes it refuse every call with 503, `pause` with 429 and that Retry-After.
    """

    secret: str
    slowness: tuple[float, float] = (0.0, 0.0)
    shown: dict[str, Shown] = field(default_factory=dict)
    unsigned: int = 0
    calls: list[tuple[float, str, int]] = field(default_factory=list)
    answering: bool = True
    pause: int = 0
    port: int = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Peer]:
        app = web.Application()
        app.router.add_post("/chat", self._called)
        app.router.add_post("/chat/{replica}", self._called)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/chat"

    def standing(self, key: str) -> list[Shown]:
        """What can be seen now of one event."""
        return [one for one in self.shown.values() if one.key == key and not one.removed]

    async def _called(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not proven(self.secret, time.time(), request.headers[TIME_HEADER], request.headers[SIGNATURE_HEADER], body):
            self.unsigned += 1
            return web.Response(status=401)
        call = json.loads(body)
        status = 503 if not self.answering else 429 if self.pause else 200
        self.calls.append((time.time(), call["do"], status))
        if status != 200:
            return web.Response(status=status, headers={"Retry-After": str(self.pause)})
        answer = self._done(call, request.match_info.get("replica", ""))
        await asyncio.sleep(random.uniform(*self.slowness))
        return answer

    def _done(self, call: dict[str, Any], replica: str) -> web.Response:
        match call["do"]:
            case "post":
                name = f"p{len(self.shown)}"
                form = (time.time(), call["post"])
                self.shown[name] = Shown(call["room"], call["thread"], call["only"], call["key"], [form])
                return web.json_response({"posted": name})
            case "edit":
                one = self.shown[call["posted"]]
                if one.removed:
                    return web.Response(status=410)
                one.forms.append((time.time(), call["post"]))
                one.by = replica
            case "find":
                found = (name for name, one in self.shown.items() if one.key == call["key"] and not one.removed)
                return web.json_response({"posted": next(found, None)})
            case "remove":
                self.shown[call["posted"]].removed = True
        return web.json_response({})
