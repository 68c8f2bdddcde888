"""Builds the house from rolecall.yaml: the whole registry of parts. Only the command line looks in here.

Heavy parts (the embedding and the chat model) are made on first use, so that a command pays for what it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
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
from bot.access.policy import Policy, read_policy
from bot.assistant.memory import Memory
from bot.delivery.breaker import Breaker
from bot.delivery.guarded import GuardedChat, GuardedIndex
from bot.delivery.turns import Turns
from bot.errors import ConfigError, IndexUnavailable, ModelUnavailable
from bot.ports import Assistant, Directory, FileReader, Journal, Records, Sandbox, Threads
from bot.settings import IndexSettings, Secret, Settings, read_settings
from bot.toolbox import Parts, Style, librarian_of, sandbox_of, tools_of
from bot.types import Labels
from connectors.directory_file import FileDirectory
from connectors.sources.files import FilesSource

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.assistant.librarian import Librarian
    from bot.assistant.router import Router
    from connectors.journal import SqlJournal
    from connectors.models.load import LoadedModel
    from connectors.qdrant.engine import Engine
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


def settings_of(config: Path) -> Settings:
    """The settings. Raises ConfigError."""
    return read_settings(config)


def settings_or_default(config: Path) -> Settings:
    """The settings, or everything by default if there is no such file: measuring needs no company."""
    return read_settings(config) if config.exists() else Settings(version=1)


def policy_of(settings: Settings, base: Path) -> Policy:
    """The policy, read once. Raises ConfigError."""
    return read_policy(base / settings.policy)


def directory_of(settings: Settings, base: Path) -> FileDirectory | None:
    """People and rooms for the terminal; None if the settings name no file."""
    return FileDirectory(base / settings.directory) if settings.directory else None


def data_of(settings: Settings, base: Path) -> Path:
    """The folder for everything derived, made if it is not there. Raises ConfigError if it cannot be."""
    folder = base / settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data: {folder}: {error.strerror}; name a folder that can be written") from error
    return folder


def sources_of(settings: Settings, base: Path) -> dict[str, FilesSource]:
    """The sources by name; labels that the policy does not declare are a ConfigError."""
    declared = policy_of(settings, base).labels
    return {source.name: FilesSource(source, base, declared) for source in settings.sources}


def embeddings_of(settings: Settings) -> Embeddings:
    """The embedding model."""
    from connectors.models.embeddings import load_embeddings

    return load_embeddings(settings.embeddings)


def model_of(settings: Settings, base: Path) -> LoadedModel:
    """The chat model."""
    from connectors.models.load import load_chat_model

    cache = data_of(settings, base) / "models"
    return load_chat_model(settings.model, cache, secret_of(settings.model.key, "model.key"))


@asynccontextmanager
async def open_records(settings: Settings, base: Path) -> AsyncIterator[Records]:
    """The SQL record of documents."""
    from connectors.database import SqlRecords

    async with open_engine(settings, base) as engine:
        yield SqlRecords(engine)


@asynccontextmanager
async def open_engine(settings: Settings, base: Path) -> AsyncIterator[AsyncEngine]:
    """The SQL database, brought up to date."""
    from connectors.database import open_database

    async with open_database(database_url(settings, base)) as engine:
        yield engine


def database_url(settings: Settings, base: Path) -> str:
    """Where the database is."""
    return settings.database or f"sqlite+aiosqlite:///{data_of(settings, base).resolve() / 'rolecall.db'}"


@asynccontextmanager
async def open_journal(settings: Settings, base: Path) -> AsyncIterator[SqlJournal]:
    """The audit and the memory alone."""
    async with open_engine(settings, base) as engine:
        yield journal_of(settings, engine)


def journal_of(settings: Settings, engine: AsyncEngine) -> SqlJournal:
    """The audit and the memory on an open database."""
    from connectors.journal import SqlJournal

    return SqlJournal(engine, *audit_keys(settings))


def audit_keys(settings: Settings) -> tuple[bytes | None, list[bytes]]:
    """The key of the audit's chain, if there is one, and those of before."""
    key = secret_of(settings.audit.key, "audit.key")
    old = [secret_of(one, f"audit.old_keys[{place}]") for place, one in enumerate(settings.audit.old_keys)]
    return key.encode() if key else None, [one.encode() for one in old if one]


async def document_labels(settings: Settings, base: Path) -> dict[str, Labels]:
    """The labels of every indexed document, for the policy commands; nothing is made if nothing was synced yet."""
    if settings.database is None and not (base / settings.data / "rolecall.db").exists():
        return {}
    async with open_records(settings, base) as records:
        return {name: record.labels for name, record in (await records.all()).items() if record.state == "indexed"}


@asynccontextmanager
async def open_index(settings: Settings, base: Path, embeddings: Embeddings | None = None) -> AsyncIterator[Gateway]:
    """The gateway to Qdrant, embedded or a server. Raises IndexUnavailable if it cannot be had."""
    from connectors.models.embeddings import load_reranker
    from connectors.qdrant.gateway import Gateway

    chosen, reranker = settings.embeddings, load_reranker(settings.embeddings)
    gateway = Gateway(
        _engine(settings, base),
        embeddings or embeddings_of(settings),
        chosen.name,
        rerank=reranker.rerank if reranker else None,
    )
    try:
        yield gateway
    finally:
        await gateway.close()


def _engine(settings: Settings, base: Path) -> Engine:
    if settings.index.engine == "edge":
        from connectors.qdrant.edge import EdgeEngine

        return EdgeEngine(data_of(settings, base) / "index")
    from connectors.qdrant.server import connect

    if settings.index.url is None:
        raise ConfigError("index.url: a server needs one, for example http://localhost:6333")
    return connect(settings.index.url, secret_of(settings.index.key, "index.key"), settings.index.collection)


def key_may_write(settings: Settings) -> bool:
    """Whether the key of a Qdrant server may write: the bot's should not. Raises IndexUnavailable."""
    from connectors.qdrant.server import connect

    key, chosen = secret_of(settings.index.key, "index.key"), settings.index
    engine = connect(chosen.url or "", key, chosen.collection)
    try:
        return engine.may_write()
    finally:
        engine.close()


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
            _router(settings, house.base, house.embeddings),
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
    return _router(settings, config.parent, embeddings_of(settings))


def _router(settings: Settings, base: Path, embeddings: Embeddings) -> Router:
    from bot.assistant import router

    return router.open_router(embeddings, data_of(settings, base) / "router")


def _hosts(settings: Settings) -> frozenset[str]:
    """The hosts of the sources, and those that the settings list: the only ones that links may lead to."""
    found = (urlsplit(source.url).hostname for source in settings.sources if source.url)
    return frozenset(host for host in (*found, *settings.answers.hosts) if host)


def secret_of(secret: Secret | None, where: str) -> str | None:
    """The value of a secret. Raises ConfigError if what it names is not there."""
    if secret is None:
        return None
    if (secret.env is None) == (secret.file is None):
        raise ConfigError(f"{where}: name either `env` or `file`")
    if secret.env is not None:
        if not os.environ.get(secret.env, "").strip():
            raise ConfigError(f"{where}: the environment variable {secret.env} is not set, or empty")
        return os.environ[secret.env]
    return _secret_in(str(secret.file), where)


def _secret_in(file: str, where: str) -> str:
    """A secret that a file holds. An empty one would prove nothing, so it is none."""
    try:
        found = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{where}: {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: {file}: is not UTF-8 text; write the secret as text") from error
    if not found:
        raise ConfigError(f"{where}: {file}: is empty; write the secret into it")
    return found
