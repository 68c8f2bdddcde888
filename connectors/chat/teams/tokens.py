"""Tokens for what Rolecall calls: by password, certificate or managed identity, one request for as long as it lasts.

MSAL asks with blocking calls, so it does so in a thread; a token is kept until five minutes before its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import msal
import requests

from bot.errors import ConfigError, DoorUnavailable

EARLY = 300.0
"""Seconds before its end from which a token is asked for anew."""
TIMEOUT = 10.0

Acquire = Callable[[str], dict[str, Any]]
"""Asks for a token for a scope, blocking; MSAL's answer, with ``access_token`` or ``error``."""


class Bearers(Protocol):
    """Gives tokens by scope; an empty one means that none is sent."""

    async def bearer(self, scope: str) -> str:
        """A token that is good now. Raises DoorUnavailable if none can be had."""

    def drop(self, scope: str) -> None:
        """It was refused: the next one is asked for anew."""


class Tokens:
    """Implements Bearers over one way to ask. `clock` counts seconds."""

    def __init__(self, acquire: Acquire, clock: Callable[[], float] = time.monotonic):
        self._acquire = acquire
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}
        self._asking = asyncio.Lock()

    async def bearer(self, scope: str) -> str:
        """A token that is good now. Raises DoorUnavailable with what the token service said."""
        kept = self._kept.get(scope)
        if kept and self._clock() < kept[1]:
            return kept[0]
        async with self._asking:
            kept = self._kept.get(scope)
            if kept and self._clock() < kept[1]:
                return kept[0]
            return await self._asked(scope)

    def drop(self, scope: str) -> None:
        """It was refused: the next one is asked for anew."""
        self._kept.pop(scope, None)

    async def _asked(self, scope: str) -> str:
        asked = self._clock()
        try:
            answer = await asyncio.to_thread(self._acquire, scope)
        except (requests.RequestException, ValueError, OSError) as error:
            raise DoorUnavailable(f"no token from Microsoft Entra: {error}") from error
        token = answer.get("access_token")
        if not token:
            reason = str(answer.get("error_description") or answer.get("error") or "no reason was given")
            raise DoorUnavailable(f"no token from Microsoft Entra: {reason.splitlines()[0]}")
        self._kept[scope] = (str(token), asked + float(answer.get("expires_in") or 0) - EARLY)
        return str(token)


class NoTokens:
    """For the development switch: a client on this machine asks for none."""

    async def bearer(self, scope: str) -> str:
        """Nothing."""
        return ""

    def drop(self, scope: str) -> None:
        """There is nothing to drop."""


def by_secret(app_id: str, authority: str, credential: str | dict[str, str], http: Any = None) -> Acquire:
    """Ask as an app of one tenant: with a password, or with a certificate as MSAL takes it. `authority` ends in the tenant."""
    made: list[Any] = []  # MSAL asks the authority when it is made: not at start, and not in the event loop

    def acquire(scope: str) -> dict[str, Any]:
        if not made:
            made.append(
                msal.ConfidentialClientApplication(
                    app_id,
                    client_credential=credential,
                    authority=authority,
                    instance_discovery=False,
                    http_client=http,
                    timeout=None if http else TIMEOUT,
                )
            )
        return dict(made[0].acquire_token_for_client(scopes=[scope]) or {})

    return acquire


def by_identity(app_id: str, http: Any = None) -> Acquire:
    """Ask as the user-assigned managed identity whose client id is the app's."""
    client = msal.ManagedIdentityClient(
        msal.UserAssignedManagedIdentity(client_id=app_id), http_client=http or requests.Session()
    )

    def acquire(scope: str) -> dict[str, Any]:
        return dict(client.acquire_token_for_client(resource=scope.removesuffix("/.default")))

    return acquire


def certificate(pem: str, where: str) -> dict[str, str]:
    """A PEM file with a private key and a certificate, as MSAL takes it. Raises ConfigError if one is missing."""
    blocks = pem.split("-----END ")
    key = any("PRIVATE KEY-----" in block for block in blocks)
    if not key or "-----BEGIN CERTIFICATE-----" not in pem:
        raise ConfigError(f"{where}: needs a PEM with both a PRIVATE KEY and a CERTIFICATE")
    return {"private_key": _part(pem, "PRIVATE KEY-----"), "public_certificate": _part(pem, "CERTIFICATE-----")}


def _part(pem: str, ending: str) -> str:
    """The lines of the first block whose first line ends so."""
    lines = pem.strip().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("-----BEGIN ") and line.strip().endswith(ending))
    end = next(n for n, line in enumerate(lines) if n > start and line.startswith("-----END "))
    return "\n".join(lines[start : end + 1]) + "\n"
