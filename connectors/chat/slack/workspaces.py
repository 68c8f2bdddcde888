"""The workspaces (or Enterprise organisations) that Rolecall is installed in, each with a client that holds its token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DoorUnavailable

TIMEOUT = 3
"""Seconds that one call may take; a door call of the middle takes at most four."""
BELIEVED = 30.0
"""Seconds for which an installation is not looked up again."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation. `tenant` is the team's id, or the organisation's where Rolecall is installed for all of it."""

    tenant: str
    client: AsyncWebClient
    bot_user: str
    bot: str
    session: ClientSession


class Workspaces(Protocol):
    """Finds the installation of a tenant."""

    async def of(self, tenant: str) -> Workspace | None:
        """The installation; None if there is none. Raises DoorUnavailable if that cannot be found out."""


def client(api: str, token: str | None, session: ClientSession) -> AsyncWebClient:
    """A client of Slack's Web API at `api`, without retries: the inbox tries again."""
    return AsyncWebClient(token=token, base_url=api, timeout=TIMEOUT, session=session, retry_handlers=[])


def tenant_of(body: Mapping[str, Any]) -> str:
    """Which installation an event or an interaction is for; empty if it does not say."""
    (first, *_) = body.get("authorizations") or [body]
    enterprise = first.get("enterprise_id") or (body.get("enterprise") or {}).get("id") or ""
    if enterprise and str(first.get("is_enterprise_install")).lower() == "true":
        return str(enterprise)
    return str(first.get("team_id") or (body.get("team") or {}).get("id") or "")


class OneWorkspace:
    """The workspace that a token belongs to. Slack is asked once which one that is."""

    def __init__(self, client: AsyncWebClient, session: ClientSession):
        self._client = client
        self._session = session
        self._known: Workspace | None = None
        self._asking = asyncio.Lock()

    async def of(self, tenant: str) -> Workspace | None:
        """The workspace of the token, if it is this one."""
        async with self._asking:
            if self._known is None:
                self._known = await self._asked()
        return self._known if tenant == self._known.tenant else None

    async def _asked(self) -> Workspace:
        try:
            told = await self._client.auth_test()
        except (SlackApiError, SlackClientError, ClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(f"auth.test: {error or type(error).__name__}") from error
        tenant = told.get("enterprise_id") if told.get("is_enterprise_install") else told.get("team_id")
        user, bot = str(told.get("user_id")), str(told.get("bot_id"))
        return Workspace(str(tenant), self._client, user, bot, self._session)


class InstalledWorkspaces:
    """The workspaces of an installation store. `make` makes a client that holds a token."""

    def __init__(
        self,
        store: AsyncInstallationStore,
        make: Callable[[str], AsyncWebClient],
        session: ClientSession,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._store = store
        self._make = make
        self._session = session
        self._clock = clock
        self._known: dict[str, tuple[float, Workspace]] = {}

    async def of(self, tenant: str) -> Workspace | None:
        """The installation of a team or an organisation."""
        known = self._known.get(tenant)
        if known is not None and self._clock() - known[0] < BELIEVED:
            return known[1]
        wide = tenant.startswith("E")
        bot = await self._store.async_find_bot(
            enterprise_id=tenant if wide else None, team_id=None if wide else tenant, is_enterprise_install=wide
        )
        if bot is None:
            return None
        found = Workspace(tenant, self._make(bot.bot_token), bot.bot_user_id, bot.bot_id, self._session)
        self._known[tenant] = (self._clock(), found)
        return found

    def forget(self, tenant: str) -> None:
        """It was uninstalled, or installed anew."""
        self._known.pop(tenant, None)
