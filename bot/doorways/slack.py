"""The doorway of Slack: one workspace by its token, or many that installed Rolecall; over HTTP, Socket Mode, or both."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from aiohttp import ClientSession
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.doorways import Doorway, Lobby, Routes
from bot.errors import ConfigError
from bot.ports import ChatDoor, Directory, Threads
from bot.settings import Settings, SlackSettings
from bot.wiring.parts import secret_of
from connectors.chat.slack import NAME
from connectors.chat.slack.actions import SlackActions
from connectors.chat.slack.calls import Calls
from connectors.chat.slack.checks import app_token_problem, secret_problem, token_problems
from connectors.chat.slack.directory import SlackDirectory
from connectors.chat.slack.door import SlackDoor
from connectors.chat.slack.events import SlackEvents
from connectors.chat.slack.installations import SqlInstallations, SqlStates, cipher
from connectors.chat.slack.installing import install_flow, install_routes
from connectors.chat.slack.lobby import SlackLobby
from connectors.chat.slack.reading import SlackFiles, SlackThreads
from connectors.chat.slack.way import handler, make_app, sockets
from connectors.chat.slack.workspaces import InstalledWorkspaces, OneWorkspace, Workspaces, client
from connectors.sources.uploads import MAX_UPLOAD, Fetch

GUIDE = "see docs/slack.md"
Look = tuple[Literal["ok", "warning", "wrong"], str, str]
"""How a part is, what was seen, and what to do about it."""


class SlackDoorway:
    """Slack says who its people are, what was said in a thread, and gives the files of its messages."""

    name: str = NAME
    door: ChatDoor
    directory: Directory | None
    threads: Threads | None
    fetch: Fetch | None

    def __init__(self, settings: SlackSettings, session: ClientSession, engine: AsyncEngine):
        self._settings = settings
        self._session = session
        self._engine = engine
        self._secrets = _signing_secrets(settings)
        self._app_token = secret_of(settings.app_token, "doors.slack.app_token")
        self._store = self._opened_store()
        self._workspaces = self._found_workspaces()
        self._calls = Calls()
        self._people = SlackDirectory(self._workspaces, self._calls)
        self._said = SlackThreads(self._workspaces, self._calls)
        self._mouth = SlackDoor(self._workspaces, self._calls)
        self.door = self._mouth
        self.directory = self._people
        self.threads = self._said
        self.fetch = SlackFiles(self._workspaces, self._calls, MAX_UPLOAD).fetch

    @asynccontextmanager
    async def open(self, lobby: Lobby) -> AsyncIterator[Routes]:
        """Take signed events in, over HTTP where there is a signing secret and over Socket Mode where there is an app token."""
        inner = SlackLobby(
            lobby.receiver,
            lobby.inbox,
            lobby.journal,
            lobby.policy,
            lobby.directory,
            self._people,
            lobby.tools,
            self._workspaces,
            self._calls,
            self._store,
        )
        plain = client(self._settings.api, None, self._session)
        app = make_app(plain, self._workspaces, SlackEvents(inner), SlackActions(inner, self._said, time.time))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._mouth.close)
            stack.push_async_callback(inner.close)
            if self._app_token:
                asking = client(self._settings.api, self._app_token, self._session)
                await stack.enter_async_context(sockets(app, self._app_token, asking))
            routes: Routes = {"POST /slack/events": handler(app, self._secrets)} if self._secrets else {}
            yield {**routes, **self._installing()}

    def _opened_store(self) -> SqlInstallations | None:
        chosen = self._settings.oauth
        if chosen is None:
            return None
        return SqlInstallations(self._engine, cipher(secret_of(chosen.key, "doors.slack.oauth.key") or ""))

    def _found_workspaces(self) -> Workspaces:
        make = partial(client, self._settings.api, session=self._session)
        if self._store is not None:
            return InstalledWorkspaces(self._store, make, self._session)
        return OneWorkspace(make(secret_of(self._settings.token, "doors.slack.token")), self._session)

    def _installing(self) -> Routes:
        """The two addresses of an installation by OAuth."""
        chosen = self._settings.oauth
        if chosen is None or self._store is None:
            return {}
        secret = secret_of(chosen.client_secret, "doors.slack.oauth.client_secret") or ""
        asking = client(self._settings.api, None, self._session)
        flow = install_flow(chosen.client_id, secret, chosen.redirect, self._store, SqlStates(self._engine), asking)
        return install_routes(flow)


@asynccontextmanager
async def open_slack(settings: Settings, base: Path, engine: AsyncEngine) -> AsyncIterator[Doorway]:
    """The Slack door. Raises ConfigError if the settings do not say how to get in."""
    chosen = settings.doors.slack
    if chosen is None:
        raise ConfigError("doors.slack: is missing")
    _complete(chosen)
    async with ClientSession() as session:
        yield SlackDoorway(chosen, session, engine)


def _complete(chosen: SlackSettings) -> None:
    """Raises ConfigError unless there is a way to Slack and a way from it."""
    if (chosen.token is None) == (chosen.oauth is None):
        raise ConfigError("doors.slack: name either `token` (one workspace) or `oauth` (many); see docs/slack.md")
    if chosen.signing_secret is None and chosen.app_token is None:
        raise ConfigError(
            "doors.slack: name `signing_secret` (HTTP) or `app_token` (Socket Mode), or both; see docs/slack.md"
        )
    if chosen.signing_secret is None and chosen.old_signing_secret is not None:
        raise ConfigError("doors.slack: `old_signing_secret` is the one before `signing_secret`, which is missing")


def _signing_secrets(chosen: SlackSettings) -> list[str]:
    """What events over HTTP may be signed with; none of them without a signing secret."""
    named = {"signing_secret": chosen.signing_secret, "old_signing_secret": chosen.old_signing_secret}
    found = [secret_of(one, f"doors.slack.{key}") for key, one in named.items()]
    return [secret for secret in found if secret]


async def look_at_slack(chosen: SlackSettings) -> list[Look]:
    """What `rolecall doctor` says of Slack: the tokens, the scopes and the signing secret, each missing one by name."""
    try:
        _complete(chosen)
        token = secret_of(chosen.token, "doors.slack.token")
        signing = _signing_secrets(chosen)
        app_token = secret_of(chosen.app_token, "doors.slack.app_token")
        if chosen.oauth is not None:
            cipher(secret_of(chosen.oauth.key, "doors.slack.oauth.key") or "")
            secret_of(chosen.oauth.client_secret, "doors.slack.oauth.client_secret")
    except ConfigError as error:
        return [("wrong", str(error), GUIDE)]
    looks: list[Look] = []
    if token:
        name, problems = await token_problems(chosen.api, token)
        looks += [("wrong", problem, GUIDE) for problem in problems] or [("ok", f"{name}: token and scopes", "")]
    if signing:
        problem = next(filter(None, map(secret_problem, signing)), "")
        old = ", and the one before it still holds" if len(signing) > 1 else ""
        looks.append(("warning", problem, GUIDE) if problem else ("ok", f"signing secret: there{old}", ""))
    if app_token:
        problem = await app_token_problem(chosen.api, app_token)
        looks.append(("wrong", problem, GUIDE) if problem else ("ok", "app token: Socket Mode opens", ""))
    return looks or [("ok", "workspaces install by OAuth", "")]
