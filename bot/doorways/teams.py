"""The doorway of Microsoft Teams."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from aiohttp import ClientSession, web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access import references
from bot.doorways import Doorway, Lobby, Routes
from bot.errors import ConfigError, DoorUnavailable
from bot.ports import ChatDoor, Directory, Threads
from bot.settings import Settings, TeamsSettings
from bot.wiring.parts import secret_of
from connectors.chat.teams.adapter import TeamsAdapter
from connectors.chat.teams.directory import TeamsDirectory
from connectors.chat.teams.door import Beside, TeamsDoor
from connectors.chat.teams.endpoints import CONNECTOR_SCOPE, PUBLIC, Endpoints
from connectors.chat.teams.events import Background, House, TeamsEvents
from connectors.chat.teams.files import TeamsFiles
from connectors.chat.teams.graph import Graph, GraphRefused
from connectors.chat.teams.invokes import Invokes
from connectors.chat.teams.keys import SigningKeys
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.proof import Proof
from connectors.chat.teams.store import Reference, TeamsStore
from connectors.chat.teams.streaming import Streaming, Tempo
from connectors.chat.teams.tokens import Bearers, NoTokens, Tokens, by_identity, by_secret, certificate
from connectors.chat.teams.translation import NAME
from connectors.chat.teams.welcome import Welcome
from connectors.chat.teams.wire import Wire
from connectors.database import SqlRecords
from connectors.sources.uploads import Fetch

LOCAL = "127.0.0.1"
DAY, HOUR = 86_400.0, 3600.0
_LOG = logging.getLogger("rolecall.teams")


class TeamsDoorway:
    """Its people and rooms are those of the tenant. `http` is MSAL's client, if not its own."""

    name: str = NAME
    door: ChatDoor
    directory: Directory | None
    threads: Threads | None = None  # a bot may not read what it was not told
    fetch: Fetch | None

    def __init__(
        self,
        session: ClientSession,
        engine: AsyncEngine,
        settings: TeamsSettings,
        *,
        endpoints: Endpoints = PUBLIC,
        http: Any = None,
        tempo: Tempo | None = None,
        retention: int = 90,
    ):
        tokens = bearers(settings, endpoints, http)
        wire = Wire(session, tokens, endpoints)
        self._engine = engine
        self._retention = retention
        self._store = TeamsStore(engine)
        self._posting = Posting(wire, self._store)
        self._files = TeamsFiles(session, endpoints)
        self._proof = Proof(SigningKeys(session, endpoints.metadata), settings.app_id, settings.tenant, endpoints)
        self._teams = TeamsDoor(self._posting, Streaming(self._posting, tempo=tempo), self._store)
        graph = Graph(session, tokens, endpoints.graph) if settings.graph and settings.app_id else None
        self.door = self._teams
        self.directory = TeamsDirectory(wire, self._store, graph, settings.tenant)
        self.fetch = self._files.fetch

    @asynccontextmanager
    async def open(self, lobby: Lobby) -> AsyncIterator[Routes]:
        """Take activities in."""
        background = Background()
        welcome = Welcome(self._teams, lobby.policy, lobby.tools)
        invokes = Invokes(
            lobby.receiver,
            lobby.directory,
            lobby.policy,
            lobby.journal,
            SqlRecords(self._engine),
            self._posting,
            self._store,
            self._files,
            background,
        )
        house = House(lobby.receiver, lobby.directory, lobby.policy, lobby.inbox, welcome, invokes)
        events = TeamsEvents(house, self._store, background)
        adapter = TeamsAdapter(self._proof)
        self._teams.settle(self._beside(lobby, background))
        background.start(self._tidied())

        async def messages(request: web.Request) -> web.Response:
            return await adapter.handle(request, events.on_turn)

        try:
            yield {"POST /api/messages": messages}
        finally:
            await background.close()
            await self._teams.close()

    async def _tidied(self) -> None:
        """Forget what was posted longer ago than conversations are kept, now and every hour."""
        while True:
            (done,) = await asyncio.gather(
                self._store.purge(time.time() - self._retention * DAY), return_exceptions=True
            )
            if isinstance(done, BaseException):
                _LOG.error("what was posted in Teams long ago was not forgotten: %r", done)
            await asyncio.sleep(HOUR)

    def _beside(self, lobby: Lobby, background: Background) -> Beside:
        async def admin(ref: str) -> bool:
            person = await lobby.directory.person(ref)
            return person is not None and lobby.policy().grant(person).admin

        async def stop(to: Reference) -> None:
            await lobby.receiver.stop(f"{to.place.ref}#", references.person(to.person))

        return Beside(lobby.policy, admin, lambda to: background.start(stop(to)))


def bearers(settings: TeamsSettings, endpoints: Endpoints = PUBLIC, http: Any = None) -> Bearers:
    """How Rolecall proves who it is. Raises ConfigError unless there is exactly one way."""
    if not settings.app_id:
        return NoTokens()
    authority = f"{endpoints.authority}/{settings.tenant}"
    if settings.managed_identity:
        return Tokens(by_identity(settings.app_id, http))
    if settings.certificate is not None:
        pem = secret_of(settings.certificate, "doors.teams.certificate") or ""
        return Tokens(by_secret(settings.app_id, authority, certificate(pem, "doors.teams.certificate"), http))
    password = secret_of(settings.password, "doors.teams.password") or ""
    return Tokens(by_secret(settings.app_id, authority, password, http))


def checked(settings: Settings) -> TeamsSettings:
    """The door's settings. Raises ConfigError for what would leave it open, or unable to speak."""
    teams = settings.doors.teams
    if teams is None:
        raise ConfigError("doors.teams: is missing")
    if not references.TENANTS["teams"].fullmatch(teams.tenant):
        raise ConfigError(f"doors.teams.tenant: {teams.tenant!r} is not a tenant GUID in lower case")
    ways = [name for name in ("password", "certificate", "managed_identity") if getattr(teams, name)]
    if teams.app_id:
        if not references.TENANTS["teams"].fullmatch(teams.app_id):
            raise ConfigError(f"doors.teams.app_id: {teams.app_id!r} is not an application GUID in lower case")
        if len(ways) != 1:
            named = " and ".join(ways) or "none"
            raise ConfigError(
                f"doors.teams: give one of password, certificate and managed_identity; there is {named} (docs/teams.md)"
            )
    elif not teams.development:
        raise ConfigError(
            "doors.teams.app_id: is missing: anybody could ask in anybody's name; "
            "name the bot's application id, or set development for a client on this machine (docs/teams.md)"
        )
    if teams.development and settings.serve.host != LOCAL:
        raise ConfigError(
            f"doors.teams.development: asks nobody to prove who they are, so serve.host must be {LOCAL}, "
            f"not {settings.serve.host}"
        )
    return teams


State = Literal["ok", "warning", "wrong"]


async def problems(
    teams: TeamsSettings, endpoints: Endpoints = PUBLIC, http: Any = None
) -> list[tuple[State, str, str]]:
    """What an admin should know: how it is, in words, and what to do. Asks Microsoft."""
    if not teams.app_id:
        return [("warning", "development: nobody proves who they are", "for a Teams client on this machine only")]
    tokens = bearers(teams, endpoints, http)
    try:
        await tokens.bearer(CONNECTOR_SCOPE)
    except DoorUnavailable as error:
        advice = "compare app_id, tenant and password (or certificate) with the app registration; docs/teams.md, step 1"
        return [("wrong", str(error), advice)]
    found: list[tuple[State, str, str]] = [("ok", f"Microsoft gives {teams.app_id} a token", "")]
    if not teams.graph:
        return [*found, ("warning", "graph is off: entra-group members of roles.yaml hold nothing", "set graph: true")]
    async with ClientSession() as session:
        return [*found, await _graph(Graph(session, tokens, endpoints.graph))]


async def _graph(graph: Graph) -> tuple[State, str, str]:
    try:
        await graph.check()
    except GraphRefused as error:
        advice = "grant GroupMember.Read.All and User.Read.All, with admin consent; docs/teams.md, step 2"
        return "wrong", f"Microsoft Graph does not list people or groups: {error}", advice
    except DoorUnavailable as error:
        return "wrong", str(error), "look whether this machine may call graph.microsoft.com"
    return "ok", "Microsoft Graph lists people and groups", ""


@asynccontextmanager
async def open_teams(settings: Settings, base: Path, engine: AsyncEngine) -> AsyncIterator[Doorway]:
    """The Teams door. Raises ConfigError for settings that would leave it open."""
    teams = checked(settings)
    endpoints = Endpoints(loopback=True) if teams.development else PUBLIC
    async with ClientSession() as session:
        yield TeamsDoorway(session, engine, teams, endpoints=endpoints, retention=settings.retention)
