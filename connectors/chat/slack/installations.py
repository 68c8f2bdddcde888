"""The workspaces that installed Rolecall by OAuth, in the database; their tokens are encrypted at rest."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import ConfigError
from connectors.database import METADATA, writing

STATE_LIFE = 600.0
"""Seconds in which an installation that was begun must come back."""

INSTALLATIONS = sa.Table(
    "slack_installations",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("installed", sa.Float, nullable=False),
)
STATES = sa.Table(
    "slack_states",
    METADATA,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("expires", sa.Float, nullable=False),
)

_LOG = logging.getLogger("rolecall.slack")


def cipher(keys: str) -> MultiFernet:
    """Encrypts with the first of these keys (a comma between two), decrypts with any. Raises ConfigError."""
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
    except ValueError as error:
        make = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        raise ConfigError(f"doors.slack.oauth.key: {error}; make one: {make}") from error


class SqlInstallations(AsyncInstallationStore):
    """One row for each team or organisation, the newest installation of it."""

    def __init__(self, engine: AsyncEngine, cipher: MultiFernet, clock: Callable[[], float] = time.time):
        self._engine = engine
        self._writing = writing(engine)
        self._cipher = cipher
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """Bolt's wish."""
        return _LOG

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation in the place of the one before."""
        kept = {name: value for name, value in vars(installation.to_bot()).items() if name != "custom_values"}
        body = self._cipher.encrypt(json.dumps(kept).encode()).decode()
        tenant = _tenant(installation.enterprise_id, installation.team_id, bool(installation.is_enterprise_install))
        values = {"tenant": tenant, "body": body, "installed": self._clock()}
        async with self._writing.begin() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(INSTALLATIONS)
            await connection.execute(
                insert.values(values).on_conflict_do_update(index_elements=["tenant"], set_=values)
            )

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of a team, or of an organisation; None if there is none that can be decrypted."""
        tenant = _tenant(enterprise_id, team_id, bool(is_enterprise_install))
        wanted = sa.select(INSTALLATIONS.c.body).where(INSTALLATIONS.c.tenant == tenant)
        async with self._engine.connect() as connection:
            body = await connection.scalar(wanted)
        if body is None:
            return None
        try:
            return Bot(**json.loads(self._cipher.decrypt(body.encode())))
        except InvalidToken:
            _LOG.error("the installation of %s was encrypted with another key; install it again", tenant)
            return None

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget an installation."""
        tenant = _tenant(enterprise_id, team_id, team_id is None)
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(INSTALLATIONS).where(INSTALLATIONS.c.tenant == tenant))

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget everything of a workspace."""
        await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    async def tenants(self) -> list[str]:
        """Who is installed."""
        async with self._engine.connect() as connection:
            return list(await connection.scalars(sa.select(INSTALLATIONS.c.tenant).order_by(INSTALLATIONS.c.tenant)))


class SqlStates(AsyncOAuthStateStore):
    """Installations that were begun: each may come back once."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.time):
        self._writing = writing(engine)
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """Bolt's wish."""
        return _LOG

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """A state that nobody can guess."""
        state, now = secrets.token_urlsafe(32), self._clock()
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(STATES).where(STATES.c.expires < now))
            await connection.execute(sa.insert(STATES).values(state=state, expires=now + STATE_LIFE))
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether this state was issued not long ago and not used yet; it is used now."""
        valid = sa.and_(STATES.c.state == state, STATES.c.expires >= self._clock())
        async with self._writing.begin() as connection:
            return bool((await connection.execute(sa.delete(STATES).where(valid))).rowcount)


def _tenant(enterprise: str | None, team: str | None, wide: bool) -> str:
    return str(enterprise if wide else team)
