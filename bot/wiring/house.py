"""The house, put together from its parts: the whole registry of what needs what."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.live import LivePolicy
from bot.assistant.memory import Memory
from bot.delivery.breaker import Breaker
from bot.delivery.guarded import GuardedChat, GuardedIndex
from bot.delivery.turns import Turns
from bot.errors import ConfigError, IndexUnavailable, ModelUnavailable
from bot.ports import Assistant, Directory, FileReader, Journal, Records, Sandbox, Threads
from bot.settings import IndexSettings, Settings
from bot.toolbox import Parts, Style, librarian_of, sandbox_of, tools_of
from bot.wiring.parts import (
    directory_of,
    embeddings_of,
    journal_of,
    model_of,
    open_engine,
    open_index,
    router_of,
    settings_of,
    sources_of,
)
from connectors.directory_file import FileDirectory
from connectors.sources.files import FilesSource

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.assistant.librarian import Librarian
    from bot.assistant.router import Router
    from connectors.models.load import LoadedModel
    from connectors.qdrant.gateway import Gateway


@dataclass(frozen=True, slots=True)
class House:
    """What is needed to know who may see what, to search, and to sync."""

    settings: Settings
    base: Path
    directory: FileDirectory
    policy: LivePolicy
    audience: Audience
    engine: AsyncEngine
    records: Records
    embeddings: Embeddings
    index: Gateway
    sources: Mapping[str, FilesSource]


@dataclass(frozen=True, slots=True)
class World:
    """What a running service knows of the world outside; the terminal has the directory file and nothing else."""

    people: Directory
    engine: AsyncEngine
    reader: FileReader
    threads: Threads


@dataclass(frozen=True, slots=True)
class Bot:
    """The house with somebody in it who answers. `tools` are the names of those that are installed, `tier` is the sandbox's."""

    house: House
    model: LoadedModel
    assistant: Assistant
    journal: Journal
    gate: Gate
    turns: Turns
    tools: frozenset[str]
    breakers: Mapping[str, Breaker]
    tier: str


@asynccontextmanager
async def open_house(config: Path, world: World | None = None) -> AsyncIterator[House]:
    """Everything but the model, for somebody who asks. Without a `world` the directory file says who is who."""
    if world is None and settings_of(config).directory is None:
        raise ConfigError(f"{config}: directory: is missing; the terminal needs to know who asks (docs/settings.md)")
    async with open_unattended(config, world) as house:
        yield house


@asynccontextmanager
async def open_unattended(config: Path, world: World | None = None) -> AsyncIterator[House]:
    """The house where nobody asks, as for sync: no people need to be known. roles.yaml is watched as long as it is open."""
    from connectors.database import SqlRecords

    settings, base = settings_of(config), config.parent
    directory = directory_of(settings, base)
    policy = LivePolicy(base / settings.policy, directory)
    await policy.start()
    sources = sources_of(settings, base)
    directory = directory or FileDirectory()
    audience = Audience(lambda: policy.current, world.people if world else directory)
    opened = contextlib.nullcontext(world.engine) if world else open_engine(settings, base)
    async with opened as engine:
        embeddings, records = embeddings_of(settings), SqlRecords(engine)
        async with open_index(settings, base, embeddings) as index, policy.watching():
            yield House(settings, base, directory, policy, audience, engine, records, embeddings, index, sources)


@asynccontextmanager
async def open_librarian(
    settings: Settings, base: Path, style: Style | None
) -> AsyncIterator[tuple[Gateway, Librarian]]:
    """A librarian over an index of its own, embedded and below `base`: for measuring."""
    embeddings = embeddings_of(settings)
    embedded = settings.model_copy(update={"index": IndexSettings()})
    async with open_index(embedded, base, embeddings) as index:
        yield index, librarian_of(settings, index, model_of(settings, base), embeddings, style)


@asynccontextmanager
async def open_bot(config: Path, style: Style | None = None, world: World | None = None) -> AsyncIterator[Bot]:
    """The whole pipeline. `style` overrides how document answers are made; `world` is what a running service knows."""
    from bot.assistant.supervisor import Supervisor
    from connectors.sources.uploads import UploadReader

    async with open_house(config, world) as house:
        settings, breakers = house.settings, _breakers()
        model = _guarded_model(settings, model_of(settings, house.base), breakers["model"])
        index = GuardedIndex(house.index, breakers["index"])
        sandbox = await _sandbox(house, world)
        threads = world.threads if world else None
        parts = Parts(settings, index, model, house.embeddings, style, sandbox, threads)
        tools = tools_of(parts)
        supervisor = Supervisor(
            model.chat,
            tools,
            router_of(settings, house.base, house.embeddings),
            mode=settings.planner,
            capable=model.capable,
            model_name=model.name,
        )
        gate = Gate(house.audience, house.records, _hosts(settings))
        journal = journal_of(settings, house.engine)
        reader = world.reader if world else UploadReader({})
        turns = Turns(house.audience, supervisor, gate, Memory(journal, house.records), new_id, reader)
        names = frozenset(tool.name for tool in tools)
        yield Bot(house, model, supervisor, journal, gate, turns, names, breakers, sandbox.tier if sandbox else "none")


async def _sandbox(house: House, world: World | None) -> Sandbox | None:
    """The sandbox, tested now. The terminal does without it where nobody may have code run: testing takes a moment."""
    granted = any(tool in role.tools for role in house.policy.current.roles for tool in ("write_code", "debug_code"))
    return await asyncio.to_thread(sandbox_of, house.settings) if world or granted else None


def new_id() -> str:
    """An id for an answer: short enough to be told on the telephone."""
    return uuid.uuid4().hex[:12]


def _breakers() -> dict[str, Breaker]:
    index = "The documents cannot be searched at the moment; please try again in a minute."
    model = "The model cannot be reached at the moment; please try again in a minute."
    return {
        "index": Breaker(IndexUnavailable, index, time.monotonic),
        "model": Breaker(ModelUnavailable, model, time.monotonic),
    }


def _guarded_model(settings: Settings, model: LoadedModel, breaker: Breaker) -> LoadedModel:
    """A model behind a URL gets a breaker; one in this process cannot be away."""
    if settings.model.provider != "openai":
        return model
    return replace(model, chat=GuardedChat(inner=model.chat, breaker=breaker))


def open_router(config: Path) -> Router:
    """The router alone, for `rolecall route`."""
    settings = settings_of(config)
    return router_of(settings, config.parent, embeddings_of(settings))


def _hosts(settings: Settings) -> frozenset[str]:
    """The hosts of the sources, and those that the settings list: the only ones that links may lead to."""
    found = (urlsplit(source.url).hostname for source in settings.sources if source.url)
    return frozenset(host for host in (*found, *settings.answers.hosts) if host)
