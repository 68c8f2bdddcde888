"""botbuilder's adapter with its way in repaired: what is not proven is 401, what is not JSON is 400, and invokes answer.

The SDK turns a forged token, an unknown key and every invoke with a body into a 500. Here each request is checked before
the SDK sees it, and its result is written to the wire by us. What goes out does not pass the SDK: see wire.py.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory
from msrest.exceptions import ClientException

from connectors.chat.teams.keys import KeysUnavailable
from connectors.chat.teams.proof import Forged, Proof
from connectors.chat.teams.translation import NotUnderstood

RAW = "rolecall.activity"
"""Where a turn finds the activity as it was sent."""
_LOG = logging.getLogger("rolecall.teams")

Logic = Callable[[TurnContext], Awaitable[None]]


class _NoConnector(ConnectorFactory):  # type: ignore[misc]
    """A turn sends nothing through the SDK, which only wants to know that it could."""

    async def create(self, service_url: str, audience: str) -> object:
        return self


class _Checked(BotFrameworkAuthentication):  # type: ignore[misc]
    """Requests are checked before the adapter is asked; the SDK's own check would need its blocking key fetcher."""

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        raise PermissionError("requests are checked before they come here")

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> Any:
        raise PermissionError("there are no streaming requests")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        return _NoConnector()

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        return None


class TeamsAdapter(CloudAdapterBase):  # type: ignore[misc]
    """Takes requests in. `proof` says whether they are the Bot Connector's."""

    def __init__(self, proof: Proof):
        super().__init__(_Checked())
        self._proof = proof

    async def handle(self, request: web.Request, logic: Logic) -> web.Response:
        """One activity: 200 or an invoke's answer once the turn has returned, 401, 400, 415, or 503 without keys."""
        if request.content_type != "application/json":
            return _told(415, "the content type is not application/json")
        try:
            raw = await request.json()
        except ValueError:
            return _told(400, "the body is not JSON")
        if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
            return _told(400, "the body is not an activity")
        try:
            claims = await self._proof.claims(request.headers.get("Authorization", ""), raw)
        except Forged as error:
            _LOG.warning("refused a request: %s", error)
            return _told(401, "the request does not prove that Teams sent it")
        except KeysUnavailable as error:
            _LOG.error("no keys from %s", error)
            return _told(503, "nobody can be believed at the moment")
        return await self._turn(raw, claims, logic)

    async def _turn(self, raw: dict[str, Any], claims: dict[str, Any], logic: Logic) -> web.Response:
        async def turn(context: TurnContext) -> None:
            context.turn_state[RAW] = raw
            await logic(context)

        found = AuthenticateRequestResult()
        found.claims_identity = ClaimsIdentity(claims, True)
        found.connector_factory = _NoConnector()
        try:
            activity = Activity().deserialize(raw)
        except (ClientException, AttributeError, TypeError, ValueError) as error:
            return _told(400, f"the body is not an activity: {error}")
        try:
            result = await self.process_activity(found, activity, turn)
        except NotUnderstood as error:
            return _told(400, str(error))
        if result is None:
            return web.Response(status=200)
        body = result.body.serialize() if hasattr(result.body, "serialize") else result.body
        return web.Response(status=result.status) if body is None else web.json_response(body, status=result.status)


def _told(status: int, problem: str) -> web.Response:
    return web.json_response({"error": problem}, status=status)
