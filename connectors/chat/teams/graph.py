"""Microsoft Graph: who somebody is in the tenant, and which groups they are in, with a token of Rolecall's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.errors import DoorUnavailable
from connectors.chat.teams.endpoints import GRAPH_SCOPE
from connectors.chat.teams.tokens import Bearers

LIMIT = ClientTimeout(5)
PAGES = 50
"""Pages of groups that are followed."""
BUSY = 10.0
"""Seconds for which Graph is left alone after a 429 that does not say how long."""


class GraphRefused(Exception):
    """Graph took the call and said no: what is asked for does not exist, or a permission is missing."""

    def __init__(self, status: int, reason: str):
        super().__init__(f"{status}: {reason}")
        self.status = status


class Graph:
    """Asks Graph. After a 429 it asks nothing for as long as Graph wants. `clock` counts seconds."""

    def __init__(self, session: ClientSession, tokens: Bearers, url: str, clock: Callable[[], float] = time.monotonic):
        self._session = session
        self._tokens = tokens
        self._url = url
        self._clock = clock
        self._quiet_until = 0.0

    async def user(self, ident: str) -> dict[str, Any] | None:
        """``userType`` and ``accountEnabled`` of somebody in the tenant; None if they are not there."""
        try:
            return await self._call("GET", f"{self._url}/users/{ident}?$select=id,userType,accountEnabled")
        except GraphRefused as error:
            if error.status == 404:
                return None
            raise DoorUnavailable(f"Graph does not say who {ident} is: {error}") from error

    async def groups(self, ident: str) -> frozenset[str]:
        """The object ids of every group somebody is in, through other groups too."""
        body = {"securityEnabledOnly": False}
        found: list[str] = []
        url = f"{self._url}/users/{ident}/getMemberGroups"
        answer = await self._groups("POST", url, body)
        for _ in range(PAGES):
            found += [str(one).lower() for one in answer.get("value", ())]
            following = str(answer.get("@odata.nextLink") or "")
            if not following.startswith(self._url + "/"):
                return frozenset(found)
            answer = await self._groups("GET", following, None)
        raise DoorUnavailable(f"Graph lists more groups of {ident} than are followed")

    async def check(self) -> None:
        """Whether the permissions are there. Raises GraphRefused or DoorUnavailable."""
        page = await self._call("GET", f"{self._url}/users?$top=1&$select=id")
        for one in page.get("value", ())[:1]:
            body = {"securityEnabledOnly": False}
            await self._call("POST", f"{self._url}/users/{one['id']}/getMemberGroups", body)

    async def _groups(self, method: str, url: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            return await self._call(method, url, body)
        except GraphRefused as error:
            raise DoorUnavailable(f"Graph does not list groups: {error}") from error

    async def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        rest = self._quiet_until - self._clock()
        if rest > 0:
            raise DoorUnavailable("Graph asked for a pause", rest)
        for attempt in (1, 2):
            token = await self._tokens.bearer(GRAPH_SCOPE)
            headers = {"Authorization": f"Bearer {token}"}
            try:
                async with self._session.request(
                    method, url, json=body, headers=headers, timeout=LIMIT, allow_redirects=False
                ) as response:
                    if response.status == 401 and attempt == 1:
                        self._tokens.drop(GRAPH_SCOPE)
                        continue
                    return self._understood(
                        response.status, response.headers.get("Retry-After", ""), await response.json(content_type=None)
                    )
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                raise DoorUnavailable(f"Graph does not answer: {error or type(error).__name__}") from error
        raise DoorUnavailable("Graph does not accept our token")

    def _understood(self, status: int, retry_after: str, answer: Any) -> dict[str, Any]:
        found = answer if isinstance(answer, dict) else {}
        if status == 429 or status >= 500:
            pause = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else BUSY
            self._quiet_until = self._clock() + (pause if status == 429 else 0.0)
            raise DoorUnavailable(f"Graph says {status}", pause)
        if status != 200:
            error = found.get("error")
            reason = error.get("message") or error.get("code") if isinstance(error, dict) else ""
            raise GraphRefused(status, str(reason))
        return found
