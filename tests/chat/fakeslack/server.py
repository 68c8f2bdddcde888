"""Slack over real HTTP on 127.0.0.1: the Web API with rate limits, signed events with retries, Socket Mode, files, OAuth."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, WSMsgType, web

from tests.chat.fakeslack.api import Api
from tests.chat.fakeslack.state import APP, BOT, BOT_TOKEN, BOT_USER, SECRET, TEAM, SlackError, Workspace

RETRIES = 3
"""How often Slack sends an event again that was not acknowledged."""


class Skipping:
    """Time that a test may let pass."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.skipped


class FakeSlack:
    """A workspace, its Web API, and the app's request URL at `target`. `statuses` counts the answers to what was sent."""

    def __init__(self, session: ClientSession):
        self.clock = Skipping()
        self.workspace = Workspace(self.clock)
        self.api = Api(self.workspace, lambda: self.origin)
        self.origin = ""
        self.target = ""
        self.calls: Counter[str] = Counter()
        self.arguments: list[tuple[str, dict[str, Any]]] = []
        self.statuses: Counter[int] = Counter()
        self.too_early: list[str] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda method, given: None
        self.scopes = ""
        self._session = session
        self._quiet: dict[tuple[str, str], float] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    @property
    def url(self) -> str:
        """What a client is given as the base of the Web API."""
        return f"{self.origin}/api/"

    # --- the Web API

    async def method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given = await _arguments(request)
        if method == "oauth.v2.access":
            return web.json_response(self._installed(given))
        try:
            self._not_in_a_window(method, given)
            self.before(method, given)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = self.api.answer(method, token, given)
        except SlackError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            if error.retry_after:
                self._quiet[_counted(method, given)] = self.clock() + error.retry_after
            status = 429 if error.retry_after else 200
            return web.json_response({"ok": False, "error": error.error, **error.more}, status=status, headers=headers)
        self.calls[method] += 1
        self.arguments.append((method, given))
        return web.json_response(answer, headers={"x-oauth-scopes": self.scopes})

    def _not_in_a_window(self, method: str, given: dict[str, Any]) -> None:
        """Within the time that a 429 asked for, nobody may call again: what does is remembered, and gets another 429."""
        rest = self._quiet.get(_counted(method, given), 0.0) - self.clock()
        if rest > 0:
            self.too_early.append(method)
            raise SlackError("ratelimited", max(1, round(rest)))

    async def upload(self, request: web.Request) -> web.Response:
        self.workspace.contents[request.match_info["file"]] = await request.read()
        return web.Response(text="OK")

    async def download(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {BOT_TOKEN}":
            return web.Response(status=302, headers={"Location": "https://acme.slack.com/login"})
        return web.Response(body=self.workspace.contents[request.match_info["file"]])

    @staticmethod
    def _installed(given: dict[str, Any]) -> dict[str, Any]:
        if given.get("code") != "good":
            return {"ok": False, "error": "invalid_code"}
        return {
            "ok": True,
            "app_id": APP,
            "access_token": BOT_TOKEN,
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": BOT_USER,
            "team": {"id": TEAM, "name": "Acme"},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U0ADMIN"},
        }

    # --- events

    async def deliver(self, event: dict[str, Any], event_id: str = "", **envelope: Any) -> int:
        """Send an event, again if it is not acknowledged; returns the last status."""
        body = json.dumps(self.envelope(event, event_id, **envelope))
        status = 0
        for attempt in range(RETRIES + 1):
            headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
            status = await self.post(body, "application/json", headers)
            if status == 200:
                break
        return status

    def envelope(self, event: dict[str, Any], event_id: str = "", **more: Any) -> dict[str, Any]:
        """What Slack puts around an event."""
        authorization = {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True}
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": event_id or f"Ev{self.workspace.number()}",
            "event_time": int(time.time()),
            "authorizations": [authorization | {"is_enterprise_install": False}],
            "is_ext_shared_channel": False,
            "event": event,
        } | more

    async def interact(self, payload: dict[str, Any]) -> tuple[int, str]:
        """A button, a menu entry or a form."""
        payload = {"team": {"id": TEAM}, "api_app_id": APP, "token": "t", "is_enterprise_install": False, **payload}
        return await self._form({"payload": json.dumps(payload)})

    async def command(self, user: str, text: str, channel: str) -> tuple[int, str]:
        """A slash command."""
        form = {"command": "/rolecall", "text": text, "user_id": user, "team_id": TEAM, "channel_id": channel}
        form |= {"api_app_id": APP, "is_enterprise_install": "false", "trigger_id": f"t{self.workspace.number()}"}
        return await self._form(form)

    async def _form(self, form: dict[str, str]) -> tuple[int, str]:
        body = urlencode(form)
        headers = signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}
        async with self._session.post(self.target, data=body, headers=headers) as response:
            self.statuses[response.status] += 1
            return response.status, await response.text()

    async def post(self, body: str, kind: str, headers: Mapping[str, str]) -> int:
        """One signed request."""
        async with self._session.post(
            self.target, data=body.encode(), headers={**signed(body), "Content-Type": kind, **headers}
        ) as response:
            self.statuses[response.status] += 1
            return response.status

    # --- Socket Mode

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        channel = web.WebSocketResponse()
        await channel.prepare(request)
        self._sockets.append(channel)
        await channel.send_json({"type": "hello", "num_connections": len(self._sockets)})
        async for message in channel:
            if message.type == WSMsgType.TEXT:
                told = json.loads(message.data)
                waiting = self._waiting.pop(told.get("envelope_id", ""), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)
        self._sockets.remove(channel)
        return channel

    async def send(
        self, payload: dict[str, Any], kind: str = "events_api", which: int = 0, patience: float = 3.0
    ) -> Mapping[str, Any]:
        """Send an envelope over a socket; returns the acknowledgement. Raises TimeoutError if there is none."""
        envelope = f"e{self.workspace.number()}"
        waiting = self._waiting[envelope] = asyncio.get_running_loop().create_future()
        told = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": True}
        await self._sockets[which].send_json(told)
        async with asyncio.timeout(patience):
            return await waiting

    async def connected(self, count: int) -> None:
        """Wait until so many sockets are open."""
        async with asyncio.timeout(5):
            while len(self._sockets) < count:  # noqa: ASYNC110 - what is waited for knows nothing of us
                await asyncio.sleep(0.01)


def signed(body: str, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers by which a body is Slack's."""
    moment = str(int(time.time() if at is None else at))
    proof = hmac.new(secret.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={proof}"}


@asynccontextmanager
async def open_slack() -> AsyncIterator[FakeSlack]:
    """A Slack that listens as long as the block runs."""
    async with ClientSession() as session:
        slack = FakeSlack(session)
        app = web.Application()
        app.router.add_route("*", "/api/{method}", slack.method)
        app.router.add_post("/upload/{file}", slack.upload)
        app.router.add_get("/files/{file}", slack.download)
        app.router.add_get("/socket", slack.socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield slack
        finally:
            await runner.cleanup()


async def _arguments(request: web.Request) -> dict[str, Any]:
    """What a method is given: in the query, as a form, or as JSON; Slack takes them all."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        given |= await request.json()
    elif request.method == "POST":
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name in ("files", "blocks", "metadata"):
        if isinstance(given.get(name), str):
            given[name] = json.loads(given[name])
    return given


def _counted(method: str, given: dict[str, Any]) -> tuple[str, str]:
    return method, str(given.get("channel", "")) if method == "chat.postMessage" else ""


__all__ = ["BOT", "FakeSlack", "open_slack", "signed"]
