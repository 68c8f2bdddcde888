"""The running service on top of the wiring: doors, inbox and worker. Only the command line looks in here."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession

from bot.access.rosters import CachedDirectory
from bot.delivery.answering import Answering
from bot.delivery.receiving import Receiver
from bot.delivery.worker import Worker
from bot.errors import BotError, ConfigError
from bot.ports import Inbox, Journal
from bot.settings import Settings, WebhookSettings
from bot.types import Access, Message, Principal, Reply, Room, Turn
from bot.wiring import Bot, audit_key, data_of, new_id, open_bot, secret_of, settings_of
from connectors.chat.webhook import MAX_BODY, NAME, WebhookDoor, WebhookWay
from connectors.directory_live import LiveFileDirectory
from connectors.site import Handler, open_site

DAY = 86_400.0
TIDYING = 3600.0
"""Seconds between two times that what is older than `retention` is deleted."""
WARMING = 60.0
"""Seconds that warming up may take: a model that is away must not keep the doors shut."""
SQLITE_OWNER = "serve"
"""One process serves a data folder on SQLite, so whatever this owner holds when it starts was left behind."""

_LOG = logging.getLogger("rolecall.serve")


@dataclass(frozen=True, slots=True)
class Service:
    """A service that listens on `port` and works until `worker` is stopped."""

    port: int
    worker: Worker


@asynccontextmanager
async def open_service(config: Path) -> AsyncIterator[Service]:
    """Everything that `rolecall serve` runs. Raises ConfigError, also if another one runs on the same data folder."""
    from connectors.inbox import SqlInbox

    settings, base = settings_of(config), config.parent
    webhook = _webhook(settings, config)
    directory = CachedDirectory(LiveFileDirectory(base / str(settings.directory)))
    secret = secret_of(webhook.secret, "doors.webhook.secret") or ""
    with _alone(data_of(settings, base)):
        async with open_bot(config, people=directory) as bot, ClientSession() as session:
            await _warm(bot)
            inbox, owner = SqlInbox(bot.house.engine, audit_key(settings)), await _owner(bot)
            doors = {NAME: WebhookDoor(session, webhook.url, secret)}
            answering = Answering(inbox, bot.journal, doors, bot.turns, bot.gate, time.time, new_id)
            worker = Worker(inbox, answering, owner, time.time, settings.serve.workers)
            receiver = Receiver(inbox, lambda: bot.house.policy.current, time.time, worker.wake)

            async def changed(room: str, person: str) -> None:
                directory.forget(room=room, person=person)

            if owner == SQLITE_OWNER:
                _LOG.info("given back: %d", await inbox.abandon(owner))
            posts = {"/webhook": WebhookWay(secret, directory, receiver.receive, changed).handle}
            async with _listening(settings, bot, inbox, posts) as port, _tidied(settings, inbox, bot.journal):
                yield Service(port, worker)


def _webhook(settings: Settings, config: Path) -> WebhookSettings:
    if settings.doors.webhook is None:
        raise ConfigError(f"{config}: doors: no chat is configured; choices: webhook (docs/settings.md)")
    if settings.directory is None:
        raise ConfigError(
            f"{config}: directory: is missing; the webhook door needs to know who asks (docs/settings.md)"
        )
    return settings.doors.webhook


@asynccontextmanager
async def _listening(settings: Settings, bot: Bot, inbox: Inbox, posts: Mapping[str, Handler]) -> AsyncIterator[int]:
    async def ready() -> tuple[bool, Mapping[str, object]]:
        (queue,) = await asyncio.gather(inbox.queue(time.time()), return_exceptions=True)
        if isinstance(queue, BaseException):
            return False, {"problem": "the database does not answer"}
        counts = {"waiting": queue.waiting, "running": queue.running, "dead": queue.dead, "oldest": queue.oldest}
        return True, {**counts, "alarm": bot.house.policy.alarm}

    async with open_site(settings.serve.host, settings.serve.port, posts, ready, MAX_BODY) as port:
        yield port


@asynccontextmanager
async def _tidied(settings: Settings, inbox: Inbox, journal: Journal) -> AsyncIterator[None]:
    """Delete what is older than `retention`, now and every hour."""

    async def tidy() -> None:
        while True:
            before = time.time() - settings.retention * DAY
            done = await asyncio.gather(inbox.purge(before), journal.expire(before), return_exceptions=True)
            for problem in done:
                if isinstance(problem, BaseException):
                    _LOG.error("old messages were not deleted: %r", problem)
            await asyncio.sleep(TIDYING)

    task = asyncio.create_task(tidy())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the data folder. The lock goes with the process, however it ends."""
    with (data / "serve.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"data: {data}: another `rolecall serve` uses this folder") from error
        yield


async def _owner(bot: Bot) -> str:
    if bot.house.engine.dialect.name == "sqlite":
        return SQLITE_OWNER
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


async def _warm(bot: Bot) -> None:
    """Load what is loaded on first use, before anybody waits for it: a turn for nobody, under a label of nobody's."""
    nobody = Principal("slack", "T0", "U0", active=False)
    access = Access(frozenset({frozenset({"-"})}), frozenset({"search_documents"}))
    message = Message("warm", nobody, Room("slack", "T0", "D0", "direct"), "When does the office open?")
    replies = bot.assistant.answer(Turn("warm", message, access))
    await asyncio.gather(_drained(replies), asyncio.to_thread(bot.house.embeddings.embed_documents, ["hello"]))


async def _drained(replies: AsyncIterator[Reply]) -> None:
    with contextlib.suppress(BotError, TimeoutError):
        async with asyncio.timeout(WARMING):
            async for _ in replies:
                pass
