"""rolecall.yaml: what an admin may set, checked strictly. Secrets are named here, never written here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.errors import ConfigError
from bot.yamlfile import load, load_lines

T = TypeVar("T")


class Strict(BaseModel):
    """A mapping in a settings file: no unknown keys, no conversion between types, frozen once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Secret(Strict):
    """Where a secret is found: an environment variable or a file. Exactly one of the two."""

    env: str | None = None
    file: str | None = None


class IndexSettings(Strict):
    """Where passages are kept: `edge` in this process, or a Qdrant `server` by URL."""

    engine: Literal["edge", "server"] = "edge"
    url: str | None = None
    key: Secret | None = None
    collection: str = "rolecall"


class ModelSettings(Strict):
    """The chat model. `name`: `embedded`, a Hugging Face id, a local folder, or a GGUF file; or the server's name for it."""

    provider: Literal["transformers", "openai"] = "transformers"
    name: str = "embedded"
    url: str | None = None
    key: Secret | None = None
    quantize: Literal["auto", "int8", "none"] = "auto"
    device: str = "auto"
    max_new_tokens: Annotated[int, Field(ge=16, le=32768)] = 512
    batch: Annotated[int, Field(ge=1, le=256)] = 8


class EmbeddingSettings(Strict):
    """The embedding model: `embedded`, a Hugging Face id or a local folder; `reranker` likewise, or nothing."""

    name: str = "embedded"
    reranker: str | None = None


def _source_name(name: str) -> str:
    """A document is called SOURCE/PATH, so a name is one step of a path."""
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError(f"{name!r} is not a name: use letters, digits, _ and -")
    return name


def _own_url(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError(f"{url!r} is not an address; for example https://files.example.com/handbook")
    return url


def _host(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", name):
        raise ValueError(f"{name!r} is not the name of a host; for example intranet.example.com")
    return name


class FilesSource(Strict):
    """A folder of documents. `labels` maps path patterns to labels; the first pattern that fits decides."""

    kind: Literal["files"] = "files"
    name: Annotated[str, AfterValidator(_source_name)]
    path: str
    labels: dict[str, list[str]]
    url: Annotated[str, AfterValidator(_own_url)] | None = None


def _told_apart(sources: list[FilesSource]) -> list[FilesSource]:
    names = [source.name for source in sources]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice:
        raise ValueError(f"two sources are called {twice!r}; documents are told apart by the name of their source")
    return sources


class AnswerSettings(Strict):
    """How document answers are made: `quote` the best sentences, `compose` with the model, or `auto` by its size.

    Links to `hosts`, and mail addresses at them, stay in answers, as links to the hosts of the sources do.
    """

    style: Literal["auto", "quote", "compose"] = "auto"
    sentences: Annotated[int, Field(ge=1, le=10)] = 3
    hosts: list[Annotated[str, AfterValidator(_host)]] = []


class WebhookSettings(Strict):
    """The door for a company's own chat: the secret that both sides sign with, and where posts go.

    `old_secret` is still believed, so that the two sides need not change at the same moment.
    """

    secret: Secret
    url: str
    old_secret: Secret | None = None


class SlackOAuthSettings(Strict):
    """Installing in many workspaces. `key` encrypts their tokens in the database; `redirect` is the public address."""

    client_id: str
    client_secret: Secret
    key: Secret
    redirect: str


class SlackSettings(Strict):
    """Slack: one workspace by `token`, or many by `oauth`; over HTTP with `signing_secret`, Socket Mode with `app_token`.

    `old_signing_secret` is still believed, so that Slack and all replicas need not change at the same moment.
    """

    token: Secret | None = None
    oauth: SlackOAuthSettings | None = None
    signing_secret: Secret | None = None
    old_signing_secret: Secret | None = None
    app_token: Secret | None = None
    api: str = "https://slack.com/api/"


class TeamsSettings(Strict):
    """Microsoft Teams: the bot's application in one tenant, and how it proves itself; `development` asks for no proof."""

    app_id: str = ""
    tenant: str
    password: Secret | None = None
    certificate: Secret | None = None
    managed_identity: bool = False
    graph: bool = True
    development: bool = False


class DoorSettings(Strict):
    """The chats that are served; at least one for `rolecall serve`."""

    slack: SlackSettings | None = None
    webhook: WebhookSettings | None = None
    teams: TeamsSettings | None = None


class ServeSettings(Strict):
    """Where `rolecall serve` listens, and how many messages it answers at once."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    workers: Annotated[int, Field(ge=1, le=256)] = 32


class AuditSettings(Strict):
    """The audit. With a `key` its chain cannot be made anew by somebody who can write to the database.

    `old_keys` are those that earlier rows were written with.
    """

    key: Secret | None = None
    old_keys: list[Secret] = []


class MonitoringSettings(Strict):
    """What is told to those who watch: the form of the log, and where traces go; `questions` puts their text into traces."""

    logs: Literal["text", "json"] = "text"
    traces: str | None = None
    questions: bool = False


class SandboxSettings(Strict):
    """How code that nobody trusts is run: the best `tier` that holds, one tier or none at all; and its limits."""

    tier: Literal["auto", "bubblewrap", "landlock", "none"] = "auto"
    seconds: Annotated[int, Field(ge=1, le=60)] = 5
    memory_mb: Annotated[int, Field(ge=128, le=8192)] = 512


class Settings(Strict):
    """The whole of rolecall.yaml. Paths are relative to the file."""

    version: Literal[1]
    policy: str = "roles.yaml"
    directory: str | None = None
    data: str = ".rolecall"
    database: str | None = None
    index: IndexSettings = IndexSettings()
    model: ModelSettings = ModelSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    sources: Annotated[list[FilesSource], AfterValidator(_told_apart)] = []
    planner: Literal["auto", "router", "model"] = "auto"
    answers: AnswerSettings = AnswerSettings()
    doors: DoorSettings = DoorSettings()
    serve: ServeSettings = ServeSettings()
    audit: AuditSettings = AuditSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    sandbox: SandboxSettings = SandboxSettings()
    retention: Annotated[int, Field(ge=1, le=3650)] = 90


def read_settings(path: Path) -> Settings:
    """Read rolecall.yaml. Raises ConfigError naming file, line, key and choices."""
    return _anchored(load(path, Settings), path.parent)


_KEY = re.compile(r"((?:\w+)(?:\.[\w-]+)*): (?:'([^']+)')?")


def located(error: ConfigError, path: Path) -> ConfigError:
    """A mistake that was found only when a part was built (``index.url: ...``), with the file and the line of its key.

    Any other error is returned as it is.
    """
    found = _KEY.match(str(error))
    if not found or found[1].partition(".")[0] not in Settings.model_fields:
        return error
    try:
        settings, lines = load_lines(path, Settings)
    except ConfigError:
        return error
    names = [source.name for source in settings.sources]
    steps: list[str | int] = [*found[1].split("."), *filter(None, [found[2]])]
    if steps[0] == "sources" and len(steps) > 1 and steps[1] in names:
        steps[1] = names.index(str(steps[1]))
    return ConfigError(f"{path}:{lines.of(tuple(steps))}: {error}")


def _anchored(found: T, base: Path) -> T:
    """The same with the files of secrets relative to `base`, as every other path is."""
    if isinstance(found, Secret):
        return found.model_copy(update={"file": str(base / found.file)}) if found.file else found
    if isinstance(found, list):
        return [_anchored(one, base) for one in found]  # type: ignore[return-value]
    if isinstance(found, BaseModel):
        return found.model_copy(update={name: _anchored(value, base) for name, value in found})
    return found
