"""The parts of the house, each made from rolecall.yaml alone. Heavy ones (the models) are made on first use only."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.access.policy import Policy, read_policy
from bot.errors import ConfigError
from bot.ports import Records
from bot.settings import Secret, Settings, read_settings
from bot.types import Labels
from connectors.directory_file import FileDirectory
from connectors.sources.files import FilesSource

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.assistant.router import Router
    from connectors.journal import SqlJournal
    from connectors.models.load import LoadedModel
    from connectors.qdrant.engine import Engine
    from connectors.qdrant.gateway import Gateway


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


def router_of(settings: Settings, base: Path, embeddings: Embeddings) -> Router:
    """What picks the tool, trained or taken from its cache."""
    from bot.assistant import router

    return router.open_router(embeddings, data_of(settings, base) / "router")


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
    """Where the database is. Raises ConfigError if the setting holds a password: secrets are named, never written there."""
    if settings.database and urlsplit(settings.database).password:
        raise ConfigError(
            "database: holds a password; take it out, and give it in the environment variable PGPASSWORD "
            "or in the file that PGPASSFILE names"
        )
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
