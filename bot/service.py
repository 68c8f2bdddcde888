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
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aiohttp import web

from bot.access.rosters import CachedDirectory
from bot.background import beside
from bot.delivery.answering import Answering
from bot.delivery.receiving import Receiver
from bot.delivery.worker import Worker
from bot.doorways import Doorway, Lobby, openers
from bot.errors import BotError, ConfigError
from bot.ports import Inbox, Journal, SyncRun
from bot.settings import DoorSettings, Settings
from bot.types import Access, Message, Principal, Reply, Room, Turn
from bot.wiring.house import Bot, World, new_id, open_bot
from bot.wiring.parts import audit_keys, data_of, open_engine, settings_of
from connectors.directories import Directories, PlatformThreads
from connectors.directory_live import LiveFileDirectory
from connectors.inbox import SqlInbox
from connectors.monitoring.metrics import CONTENT_TYPE, Metrics
from connectors.monitoring.traces import open_tracer
from connectors.site import Handler, open_site
from connectors.sources.uploads import UploadReader
from connectors.sync_runs import SqlSyncRuns

MAX_BODY = 16 * 1024 * 1024
"""Bytes of one request to a door."""
DAY = 86_400.0
TIDYING = 3600.0
"""Seconds between two times that what is older than `retention` is deleted."""
WARMING = 60.0
"""Seconds that warming up may take: a model that is away must not keep the doors shut."""
SQLITE_OWNER = "serve"
"""One process serves a data folder on SQLite, so whatever this owner holds when it starts was left behind."""

VERSION = version("rolecall")

_LOG = logging.getLogger("rolecall.serve")


@dataclass(frozen=True, slots=True)
class Service:
    """A service that listens on `port` and works until `worker` is stopped."""

    port: int
    worker: Worker


@asynccontextmanager
async def open_service(config: Path) -> AsyncIterator[Service]:
    """Everything that `rolecall serve` runs. Raises ConfigError, also if another one runs on the same data folder."""
    settings, base = settings_of(config), config.parent
    chosen = openers(settings)
    if not chosen:
        choices = ", ".join(DoorSettings.model_fields)
        raise ConfigError(f"{config}: doors: no chat is configured; choices: {choices} (docs/settings.md)")
    with _alone(data_of(settings, base)):
        async with AsyncExitStack() as stack:
            engine = await stack.enter_async_context(open_engine(settings, base))
            doorways = [await stack.enter_async_context(opened(settings, base, engine)) for opened in chosen]
            directory = CachedDirectory(_directories(settings, base, doorways))
            reader = UploadReader({one.name: one.fetch for one in doorways if one.fetch})
            stack.callback(reader.close)
            threads = PlatformThreads({one.name: one.threads for one in doorways if one.threads})
            world = World(directory, engine, reader, threads)
            bot = await stack.enter_async_context(open_bot(config, world=world))
            tracer = stack.enter_context(open_tracer(settings.monitoring.traces, VERSION))
            metrics = Metrics(tracer, settings.monitoring.questions)
            yield await _serving(settings, bot, directory, doorways, metrics, stack)


async def _serving(
    settings: Settings,
    bot: Bot,
    directory: CachedDirectory,
    doorways: Sequence[Doorway],
    metrics: Metrics,
    stack: AsyncExitStack,
) -> Service:
    """Warm up, take back what was left behind, and open the doors."""
    await _warm(bot)
    metrics.built({"version": VERSION, "model": bot.model.name, "sandbox": bot.tier})
    inbox, owner = SqlInbox(bot.house.engine, *audit_keys(settings)), await _owner(bot)
    doors = {one.name: one.door for one in doorways}
    answering = Answering(inbox, bot.journal, doors, bot.turns, bot.gate, time.time, new_id, monitor=metrics)
    worker = Worker(inbox, answering, owner, time.time, settings.serve.workers)
    policy, audience = bot.house.policy, bot.house.audience
    receiver = Receiver(inbox, lambda: policy.current, time.time, worker.wake, worker, metrics)
    if owner == SQLITE_OWNER:
        _LOG.info("given back: %d", await inbox.abandon(owner))
    lobby = Lobby(receiver, directory, audience, lambda: policy.current, inbox, bot.journal, bot.tools)
    routes: dict[str, Handler] = {"GET /metrics": _metrics(bot, inbox, metrics)}
    for doorway in doorways:
        routes |= await stack.enter_async_context(doorway.open(lobby))
    await stack.enter_async_context(_tidied(settings, inbox, bot.journal))
    return Service(await stack.enter_async_context(_listening(settings, bot, worker, inbox, routes)), worker)


def _directories(settings: Settings, base: Path, doorways: Sequence[Doorway]) -> Directories:
    """Each platform says who its people are; the file, if there is one, knows the others and the aliases."""
    platforms = {one.name: one.directory for one in doorways if one.directory}
    return Directories(platforms, LiveFileDirectory(base / settings.directory) if settings.directory else None)


def _metrics(bot: Bot, inbox: Inbox, metrics: Metrics) -> Handler:
    runs = SqlSyncRuns(bot.house.engine)

    async def handle(_: web.Request) -> web.Response:
        away = {service: breaker.open for service, breaker in bot.breakers.items()}
        synced = _of_sources(bot.house.sources, await runs.all())
        metrics.stands(await inbox.queue(time.time()), away, synced, bool(bot.house.policy.alarm))
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return handle


def _of_sources(names: Iterable[str], runs: Sequence[SyncRun]) -> list[SyncRun]:
    """The last run of each source that the settings name; of one that was never synced, one at the beginning of time."""
    known = {run.source: run for run in runs}
    return [known.get(name, SyncRun(name, 0.0, 0, 0, 0, 0)) for name in names]


@asynccontextmanager
async def _listening(
    settings: Settings, bot: Bot, worker: Worker, inbox: Inbox, routes: Mapping[str, Handler]
) -> AsyncIterator[int]:
    async def ready() -> tuple[bool, Mapping[str, object]]:
        if worker.stopping:
            return False, {"problem": "it was told to stop, and finishes what it began"}
        (queue,) = await asyncio.gather(inbox.queue(time.time()), return_exceptions=True)
        if isinstance(queue, BaseException):
            return False, {"problem": "the database does not answer"}
        counts = {"waiting": queue.waiting, "running": queue.running, "dead": queue.dead, "oldest": queue.oldest}
        return True, {**counts, "policy": bot.house.policy.current.hash[:12], "alarm": bot.house.policy.alarm}

    async with open_site(settings.serve.host, settings.serve.port, routes, ready, MAX_BODY) as port:
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

    async with beside(tidy()):
        yield


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
