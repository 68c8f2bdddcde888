"""Loads the chat model that the settings name: in this process, or behind an OpenAI-compatible URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

CAPABLE_FROM = 1_500_000_000
"""Parameters from which a model in this process is trusted to call tools and to compose answers."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A chat model, ready. `capable`: it may be trusted to choose tools and to compose; `description` is for people."""

    chat: BaseChatModel
    name: str
    capable: bool
    description: str


def load_chat_model(settings: ModelSettings, cache: Path, secret: str | None = None) -> LoadedModel:
    """The chat model. `cache` is a folder for converted weights. Raises ConfigError if the settings cannot be met."""
    if settings.provider == "openai":
        return _behind_url(settings, secret)
    from connectors.models.local import load_local

    chat, parameters, how = load_local(settings, cache)
    size = f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"
    description = f"{chat.model_name} ({size} parameters, in this process, {how})"
    return LoadedModel(chat, chat.model_name, parameters >= CAPABLE_FROM, description)


def _behind_url(settings: ModelSettings, secret: str | None) -> LoadedModel:
    from connectors.models.server import connect

    if not settings.url:
        raise ConfigError(
            "model.url: missing: provider openai needs the server's address, such as http://localhost:8000/v1"
        )
    return LoadedModel(connect(settings, secret), settings.name, True, f"{settings.name} at {settings.url}")
