"""Stands between the independent Slack and Rolecall, and adds what the real one does and that one leaves out.

Events get the fields that Slack's have, a mention comes twice, and each is signed anew; calls that Python's SDK makes with
GET or with arguments in the query become the forms that the emulator understands.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import ClientSession, web

from tests.chat.fakeslack.server import signed

_PASSED_ON = ("Authorization", "Content-Type")


class Relay:
    """`emulator` is where the independent Slack is, `target` Rolecall's address; `bot` is Rolecall's user, `ours` its team."""

    def __init__(self, session: ClientSession, emulator: str, bot: str, secret: str):
        self.target = ""
        self.statuses: list[int] = []
        self._session = session
        self._emulator = emulator
        self._bot = bot
        self._secret = secret
        self._sending: set[asyncio.Task[None]] = set()

    async def event(self, request: web.Request) -> web.Response:
        """What the emulator tells."""
        told = json.loads(await request.text())
        event = told.get("event") or {}
        if event.get("type") == "message" and event.get("channel"):
            direct = event["channel"].startswith("D")
            event.setdefault("channel_type", "im" if direct else "channel")
            authorization = {
                "team_id": told["team_id"],
                "user_id": self._bot,
                "is_bot": True,
                "is_enterprise_install": False,
            }
            told["authorizations"] = [authorization]
            if not direct and not event.get("subtype") and f"<@{self._bot}>" in str(event.get("text")):
                self.send({**told, "event_id": told["event_id"] + "m", "event": {**event, "type": "app_mention"}})
        self.send(told)
        return web.Response()

    async def api(self, request: web.Request) -> web.Response:
        """What Rolecall, or a person, calls."""
        body = await request.read()
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        if request.query and not body:
            body, headers["Content-Type"] = request.query_string.encode(), "application/x-www-form-urlencoded"
        url = self._emulator + request.path
        async with self._session.post(url, data=body, headers=headers) as answer:
            content, here = await answer.read(), str(request.url.origin()).encode()
            for name in (self._emulator, self._emulator.replace("127.0.0.1", "localhost")):
                content = content.replace(name.encode(), here)
            return web.Response(body=content, status=answer.status, content_type=answer.content_type)

    async def file(self, request: web.Request) -> web.Response:
        """Everything else: uploads and downloads."""
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        url, body = self._emulator + request.path_qs, await request.read()
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            return web.Response(body=await answer.read(), status=answer.status)

    def send(self, told: dict[str, Any]) -> None:
        if not self.target:
            return  # the scene is still being set
        task = asyncio.create_task(self._sent(json.dumps(told)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, body: str) -> None:
        headers = {**signed(body, secret=self._secret), "Content-Type": "application/json"}
        async with self._session.post(self.target, data=body.encode(), headers=headers) as answer:
            self.statuses.append(answer.status)
