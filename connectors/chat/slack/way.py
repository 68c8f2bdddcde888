"""The way in over HTTP, signed, or Socket Mode: Bolt parses what is Slack's; an event is committed, and then acknowledged."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ConfigError
from connectors.chat.slack.actions import SlackActions
from connectors.chat.slack.events import SlackEvents
from connectors.chat.slack.workspaces import Workspaces

CONNECTIONS = 2
"""Socket Mode connections: Slack closes each of them now and then to renew it, and the other one listens meanwhile."""

_LOG = logging.getLogger("rolecall.slack.bolt")


def make_app(
    client: AsyncWebClient,
    workspaces: Workspaces,
    events: SlackEvents,
    actions: SlackActions,
) -> AsyncApp:
    """The Bolt app. Each event ends in a middleware, which answers 200 only for what is committed, and for what is nothing.

    Bolt knows one signing secret only, so what comes over HTTP is proven in `handler`.
    """

    async def take(body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if body.get("type") != "event_callback":
            return await next_()
        await events.take(body)
        return BoltResponse(status=200, body="")

    async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
        for tenant in (team_id, enterprise_id):
            workspace = await workspaces.of(tenant) if tenant else None
            if workspace is not None:
                return AuthorizeResult(
                    enterprise_id=enterprise_id,
                    team_id=team_id,
                    bot_user_id=workspace.bot_user,
                    bot_id=workspace.bot,
                    bot_token=workspace.client.token,
                )
        return None

    app = AsyncApp(
        name="rolecall",
        logger=_LOG,
        request_verification_enabled=False,
        client=client,
        authorize=authorize,  # type: ignore[arg-type]
        before_authorize=take,
    )
    actions.register(app)
    return app


def handler(app: AsyncApp, signing_secrets: Sequence[str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answers ``POST /slack/events``: events, interactions and commands that were signed with one of these secrets."""
    verifiers = [SignatureVerifier(one) for one in signing_secrets]

    async def handle(request: web.Request) -> web.StreamResponse:
        time, given = (request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
        if not (time.isascii() and time.isdigit() and len(time) < 16 and given.isascii()):
            return web.json_response({"error": "unsigned"}, status=401)
        try:
            parsed = await to_bolt_request(request)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return web.json_response({"error": "neither JSON nor a form"}, status=400)
        if not any(one.is_valid(parsed.raw_body, time, given) for one in verifiers):
            return web.json_response({"error": "not signed by Slack"}, status=401)
        return await to_aiohttp_response(await app.async_dispatch(parsed))

    return handle


@asynccontextmanager
async def sockets(app: AsyncApp, app_token: str, client: AsyncWebClient) -> AsyncIterator[None]:
    """Listen over Socket Mode as long as the block runs. Raises ConfigError if Slack does not take the token, or is away."""
    handlers = [AsyncSocketModeHandler(app, app_token, web_client=client) for _ in range(CONNECTIONS)]
    try:
        for one in handlers:
            try:
                await one.client.connect()  # type: ignore[no-untyped-call]
            except SlackApiError as error:
                raise ConfigError(f"doors.slack.app_token: Slack says {error.response.get('error')}") from error
            except (ClientError, TimeoutError, OSError) as error:
                raise ConfigError(f"doors.slack: Slack does not answer: {error or type(error).__name__}") from error
        yield
    finally:
        for one in handlers:
            await one.client.close()  # type: ignore[no-untyped-call]
