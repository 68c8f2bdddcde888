"""Whether a request is the Bot Connector's: each claim of its token checked before anything else looks at it."""

from __future__ import annotations

from typing import Any

import jwt

from connectors.chat.teams.endpoints import CHANNEL, ISSUER, Endpoints
from connectors.chat.teams.keys import SigningKeys

LEEWAY = 300.0
"""Seconds by which two clocks may differ."""


class Forged(Exception):
    """The token does not prove that the Bot Connector sent this."""


class Proof:
    """Checks tokens of one app. Without an app id, which only the development switch allows, nothing is proven."""

    def __init__(self, keys: SigningKeys, app_id: str, tenant: str, endpoints: Endpoints):
        self._keys = keys
        self._app_id = app_id
        self._tenant = tenant
        self._endpoints = endpoints

    async def claims(self, header: str, activity: dict[str, Any]) -> dict[str, Any]:
        """The claims of a good token. Raises Forged, or KeysUnavailable."""
        service = activity.get("serviceUrl")
        if not isinstance(service, str) or not self._endpoints.serves(service):
            raise Forged("the service URL is not Microsoft's")
        if activity.get("channelId") != CHANNEL:
            raise Forged("the channel is not Teams")
        if not self._app_id:
            return {}
        claims = await self._token(header)
        if _plain(str(claims.get("serviceurl") or claims.get("serviceUrl") or "")) != _plain(service):
            raise Forged("the token is for another service URL")
        if claims.get("tid", self._tenant) != self._tenant:
            raise Forged("the token is of another tenant")
        return claims

    async def _token(self, header: str) -> dict[str, Any]:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Forged("no bearer token")
        try:
            head = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Forged(str(error)) from error
        kid = head.get("kid")
        if head.get("alg") != "RS256" or not isinstance(kid, str):
            raise Forged("not an RS256 token with a key id")
        signing = await self._keys.key(kid)
        if signing is None:
            raise Forged("signed with an unknown key")
        if CHANNEL not in signing.endorsements:
            raise Forged("the key is not endorsed for Teams")
        try:
            return jwt.decode(
                token,
                signing.key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=ISSUER,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"], "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Forged(str(error)) from error


def _plain(url: str) -> str:
    return url.rstrip("/").lower()
