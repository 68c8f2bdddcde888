"""The embedded model, converted and loaded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import ModelSettings
from connectors.models.load import LoadedModel, load_chat_model


@pytest.fixture(scope="session")
def cache(derived: Path) -> Path:
    return derived / "models"


@pytest.fixture(scope="session")
def embedded(cache: Path) -> Iterator[LoadedModel]:
    return load_chat_model(ModelSettings(batch=4), cache)
