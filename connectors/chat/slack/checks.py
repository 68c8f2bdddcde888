"""What `rolecall doctor` asks of Slack: whether the tokens work, and what they may not do yet."""

from __future__ import annotations

import re

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.chat.slack.scopes import SCOPES
from connectors.chat.slack.workspaces import client

WHERE = "docs/slack.md"
_SECRET = re.compile(r"[0-9a-f]{32}")


def secret_problem(signing_secret: str) -> str:
    """What is odd about a signing secret; only Slack's first event proves it."""
    if not _SECRET.fullmatch(signing_secret):
        return "the signing secret does not look like one (32 hexadecimal digits, under Basic Information)"
    return ""


async def token_problems(api: str, token: str) -> tuple[str, list[str]]:
    """Which bot a token is of, and what is wrong with it, if anything."""
    async with ClientSession() as session:
        return await _bot(client(api, token, session))


async def app_token_problem(api: str, token: str) -> str:
    """What is wrong with an app-level token, if anything."""
    async with ClientSession() as session:
        try:
            await client(api, token, session).apps_connections_open(app_token=token)
        except SlackApiError as error:
            return f"the app token does not work: Slack says {error.response.get('error')}; it needs connections:write"
        except (SlackClientError, ClientError, TimeoutError, OSError) as error:
            return f"Slack does not answer: {error or type(error).__name__}"
    return ""


async def _bot(asking: AsyncWebClient) -> tuple[str, list[str]]:
    try:
        told = await asking.auth_test()
    except SlackApiError as error:
        return "", [f"the token does not work: Slack says {error.response.get('error')}"]
    except (SlackClientError, ClientError, TimeoutError, OSError) as error:
        return "", [f"Slack does not answer: {error or type(error).__name__}"]
    name = f"{told.get('user')} in {told.get('team')} ({told.get('team_id')})"
    if not told.get("bot_id"):
        return name, ["the token is a person's; take the bot token, xoxb-..."]
    given = next((value for key, value in told.headers.items() if key.lower() == "x-oauth-scopes"), "")
    held = {scope.strip() for scope in str(given).split(",")}
    missing = [scope for scope in SCOPES if scope not in held]
    return name, [f"the scope {scope} is missing: {SCOPES[scope]}" for scope in missing]
