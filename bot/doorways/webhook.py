"""The doorway of a company's own chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.doorways import Doorway, Lobby, Routes
from bot.errors import ConfigError, DoorUnavailable, Undeliverable
from bot.ports import ChatDoor, Directory, Place, Threads
from bot.settings import Settings, WebhookSettings
from bot.types import Room
from bot.wiring.parts import secret_of
from connectors.chat.webhook import NAME, WebhookDoor, WebhookWay
from connectors.sources.uploads import Fetch


class WebhookDoorway:
    """Its people and rooms are those of the directory file, and its files come with its events."""

    name: str = NAME
    door: ChatDoor
    directory: Directory | None = None
    threads: Threads | None = None
    fetch: Fetch | None = None

    def __init__(self, session: ClientSession, settings: WebhookSettings):
        secret = secret_of(settings.secret, "doors.webhook.secret") or ""
        old = secret_of(settings.old_secret, "doors.webhook.old_secret")
        self._secrets = [secret, old] if old else [secret]
        self.door = WebhookDoor(session, settings.url, secret)

    @asynccontextmanager
    async def open(self, lobby: Lobby) -> AsyncIterator[Routes]:
        """Take signed events in."""

        async def changed(room: str, person: str) -> None:
            lobby.directory.forget(room=room, person=person)

        way = WebhookWay(self._secrets, lobby.directory, lobby.receiver.receive, changed)
        yield {"POST /webhook": way.handle}


async def look_at_webhook(settings: WebhookSettings) -> str:
    """What is wrong with the chat, if anything: it is asked, signed, for a message that nobody posted. Raises ConfigError."""
    nowhere = Place(Room(NAME, "doctor", "nowhere", "direct"))
    async with ClientSession() as session:
        try:
            await WebhookDoorway(session, settings).door.find(nowhere, "doctor")
        except (DoorUnavailable, Undeliverable) as error:
            return str(error)
    return ""


@asynccontextmanager
async def open_webhook(settings: Settings, base: Path, engine: AsyncEngine) -> AsyncIterator[Doorway]:
    """The webhook door. Raises ConfigError if there is no directory file."""
    if settings.directory is None:
        raise ConfigError("directory: is missing; the webhook door needs to know who asks (docs/settings.md)")
    if settings.doors.webhook is None:
        raise ConfigError("doors.webhook: is missing")
    async with ClientSession() as session:
        yield WebhookDoorway(session, settings.doors.webhook)
