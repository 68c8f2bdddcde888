"""Installing Rolecall in a workspace by OAuth: Bolt's flow, over the database."""

from __future__ import annotations

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.web.async_client import AsyncWebClient

from connectors.chat.slack.installations import SqlInstallations, SqlStates
from connectors.chat.slack.scopes import SCOPES
from connectors.site import Handler


def install_flow(
    client_id: str, secret: str, redirect: str, store: SqlInstallations, states: SqlStates, client: AsyncWebClient
) -> AsyncOAuthFlow:
    """The flow behind ``/slack/install`` and ``/slack/oauth_redirect``; `redirect` is the public address of the second."""
    settings = AsyncOAuthSettings(
        client_id=client_id,
        client_secret=secret,
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=redirect,
        installation_store=store,
        installation_store_bot_only=True,
        state_store=states,
    )
    return AsyncOAuthFlow(client=client, settings=settings)


def install_routes(flow: AsyncOAuthFlow) -> dict[str, Handler]:
    """The two addresses of an installation."""

    async def begin(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await flow.handle_installation(await to_bolt_request(request)))

    async def come_back(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await flow.handle_callback(await to_bolt_request(request)))

    return {"GET /slack/install": begin, "GET /slack/oauth_redirect": come_back}
