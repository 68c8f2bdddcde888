"""The keys that the Bot Connector signs with: fetched when first needed, and again when an unknown one turns up.

A key that is not known is looked for at most every five minutes, so that forged tokens cannot make us ask on and on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout

PAUSE = 300.0
"""Seconds between two looks for a key that is not known."""
AGE = 86_400.0
"""Seconds after which known keys are asked for anew."""
LIMIT = ClientTimeout(10)


class KeysUnavailable(Exception):
    """The key server does not answer and nothing is known: nobody can be believed now."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, and the channels that it may speak for."""

    key: Any
    endorsements: frozenset[str]


class SigningKeys:
    """The keys behind OpenID metadata. `clock` counts seconds."""

    def __init__(self, session: ClientSession, metadata: str, clock: Callable[[], float] = time.monotonic):
        self._session = session
        self._metadata = metadata
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._asking = asyncio.Lock()

    async def key(self, kid: str) -> SigningKey | None:
        """The key of that name; None if there is none. Raises KeysUnavailable if no key is known at all."""
        if self._wanting(kid):
            async with self._asking:
                if self._wanting(kid):
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable(self._metadata)
        return self._keys.get(kid)

    def _wanting(self, kid: str) -> bool:
        now = self._clock()
        if self._tried is not None and now - self._tried < (PAUSE if self._keys else 1.0):
            return False
        return kid not in self._keys or self._fetched is None or now - self._fetched > AGE

    async def _fetch(self) -> None:
        """Ask for the keys; what was known stays if that fails."""
        self._tried = self._clock()
        try:
            found = await self._json(str((await self._json(self._metadata))["jwks_uri"]))
            keys = {one["kid"]: _signing(one) for one in found["keys"] if one.get("kty") == "RSA" and one.get("kid")}
        except (ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, jwt.PyJWTError):
            return
        if keys:
            self._keys, self._fetched = keys, self._clock()

    async def _json(self, url: str) -> Any:
        async with self._session.get(url, timeout=LIMIT) as response:
            response.raise_for_status()
            return await response.json(content_type=None)


def _signing(found: dict[str, Any]) -> SigningKey:
    return SigningKey(jwt.PyJWK(found, algorithm="RS256").key, frozenset(found.get("endorsements") or ()))
