"""What each chat platform brings to a running service, and what it is given. Part of the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.audience import Audience
from bot.access.policy import Policy
from bot.access.rosters import CachedDirectory
from bot.delivery.receiving import Receiver
from bot.ports import ChatDoor, Directory, Inbox, Journal, Threads
from bot.settings import Settings
from connectors.site import Handler
from connectors.sources.uploads import Fetch

Routes = Mapping[str, Handler]
"""Handlers by method and path: ``POST /slack/events``."""


@dataclass(frozen=True, slots=True)
class Lobby:
    """What a door needs to take messages in and to say who may do what. `tools` are those that are installed."""

    receiver: Receiver
    directory: CachedDirectory
    audience: Audience
    policy: Callable[[], Policy]
    inbox: Inbox
    journal: Journal
    tools: frozenset[str]


class Doorway(Protocol):
    """One platform. `name` is what its events and its files' references start with (``slack:``).

    `directory` says who its people are, under the platform `name`; `threads` and `fetch` are there if it has them.
    """

    name: str
    door: ChatDoor
    directory: Directory | None
    threads: Threads | None
    fetch: Fetch | None

    def open(self, lobby: Lobby) -> AbstractAsyncContextManager[Routes]:
        """Take messages in as long as the block runs; gives the handlers to listen with."""


Opener = Callable[[Settings, Path, AsyncEngine], AbstractAsyncContextManager[Doorway]]


def openers(settings: Settings) -> list[Opener]:
    """The doors that the settings name. What a platform needs is imported only if it is one of them."""
    found: list[Opener] = []
    if settings.doors.slack is not None:
        from bot.doorways.slack import open_slack

        found.append(open_slack)
    if settings.doors.webhook is not None:
        from bot.doorways.webhook import open_webhook

        found.append(open_webhook)
    if settings.doors.teams is not None:
        from bot.doorways.teams import open_teams

        found.append(open_teams)
    return found
