"""The Bot Connector's REST calls, with plain dicts. What is cancelled is really off the wire, unlike a thread's call.

Sends are tried again on 412, 429, 502 and 504, after a pause with jitter, and on nothing else.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot.errors import DoorUnavailable
from connectors.chat.teams.endpoints import CONNECTOR_SCOPE, Endpoints
from connectors.chat.teams.tokens import Bearers

AGAIN = frozenset({412, 429, 502, 504})
TRIES = 3
PAUSE = 0.4
"""Seconds before the second try on average; twice that before the third."""
LIMIT = 3.8
"""Seconds that a call may take with all its tries: less than the middle waits for a door."""
BUSY = 5.0
"""Seconds for which a conversation is left alone after a 429 that does not say how long."""


class Refused(Exception):
    """The service took the call and said no; trying again would not help."""

    def __init__(self, status: int, code: str, reason: str):
        super().__init__(f"{status} {code}: {reason}")
        self.status = status
        self.code = code
        self.reason = reason


class Wire:
    """Calls service URLs. `clock` counts seconds; nothing is sent to a conversation that asked for a pause."""

    def __init__(
        self,
        session: ClientSession,
        tokens: Bearers,
        endpoints: Endpoints,
        clock: Callable[[], float] = time.monotonic,
        pause: float = PAUSE,
    ):
        self._session = session
        self._tokens = tokens
        self._endpoints = endpoints
        self._clock = clock
        self._pause = pause
        self._quiet: dict[str, float] = {}

    async def call(self, method: str, service: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call below ``/v3/``. Raises Refused, or DoorUnavailable if the service did not take it."""
        if not self._endpoints.serves(service):
            raise Refused(0, "ServiceUrl", "the service URL is not Microsoft's")
        lane = path.split("/activities")[0]
        rest = self._quiet.get(lane, 0.0) - self._clock()
        if rest > 0:
            raise DoorUnavailable("Teams asked for a pause", rest)
        url = f"{service.rstrip('/')}/v3/{path}"
        until = self._clock() + LIMIT
        for attempt in range(1, TRIES + 1):
            status, retry_after, answer = await self._once(method, url, body, until)
            if status < 300:
                return answer
            if status == 401 and attempt == 1:
                self._tokens.drop(CONNECTOR_SCOPE)
                continue
            if status not in AGAIN:
                raise _refused(status, answer)
            wait = max(retry_after or 0.0, self._pause * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            if attempt == TRIES or self._clock() + wait >= until:
                break
            await asyncio.sleep(wait)
        if status == 429:
            self._rest(lane, retry_after or BUSY)
            raise DoorUnavailable("Teams asked for a pause", retry_after or BUSY)
        raise DoorUnavailable(f"Teams says {status}")

    def _rest(self, lane: str, pause: float) -> None:
        now = self._clock()
        self._quiet = {one: until for one, until in self._quiet.items() if until > now}
        self._quiet[lane] = now + pause

    async def _once(
        self, method: str, url: str, body: dict[str, Any] | None, until: float
    ) -> tuple[int, float | None, dict[str, Any]]:
        token = await self._tokens.bearer(CONNECTOR_SCOPE)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=data,
                headers=headers,
                timeout=ClientTimeout(max(until - self._clock(), 0.1)),
                allow_redirects=False,
            ) as response:
                return response.status, _seconds(response.headers.get("Retry-After")), _object(await response.read())
        except (ClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(f"Teams does not answer: {error or type(error).__name__}") from error


def _refused(status: int, answer: dict[str, Any]) -> Exception:
    found = answer.get("error")
    error = found if isinstance(found, dict) else {}
    if status >= 500:
        return DoorUnavailable(f"Teams says {status}")
    return Refused(status, str(error.get("code", "")), str(error.get("message", "")))


def _seconds(given: str | None) -> float | None:
    return float(given) if given and given.isascii() and given.isdigit() else None


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for anything else, such as a proxy's page."""
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
