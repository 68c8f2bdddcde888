"""`make acceptance-slack`: people at an independent Slack talk with Rolecall's real door, over HTTP.

The emulator is npm's `emulate`, which others wrote; it is installed below .acceptance/ when this runs. It knows no streams, so
that the way without them is what is seen here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from rich.console import Console
from slack_sdk.web.async_client import AsyncWebClient

from bot.access.policy import parse_policy
from bot.doorways.slack import open_slack
from bot.settings import DoorSettings, Settings, SlackSettings
from tests.acceptance.slack.relay import Relay
from tests.chat.slack_stage import kept_secret
from tests.chat.world import FROM_PRESS, FROM_REPORT, World, long_text, open_world
from tests.connectors.databases import database

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / ".acceptance" / "slack"
SECRET, BOT, BOT_USER, TOKEN = "acceptance-secret", "B0ROLECALL", "U0ROLECALL", "xoxb-rolecall"
SCOPES = (
    "chat:write channels:read channels:history groups:read groups:history im:read im:write im:history mpim:history "
    "users:read files:read files:write"
).split()


@dataclass(frozen=True, slots=True)
class Scene:
    """Two people, a channel, and what stands in it."""

    bot: AsyncWebClient
    fiona: AsyncWebClient
    oskar: AsyncWebClient
    channel: str
    world: World
    relay: Relay

    async def say(self, who: AsyncWebClient, text: str, channel: str = "", **more: Any) -> str:
        """Somebody writes; returns the time of the message, by which it is known."""
        said = await who.chat_postMessage(channel=channel or self.channel, text=text, **more)
        await asyncio.sleep(0.3)
        await self.world.settled()
        return str(said["ts"])

    async def under(self, ts: str, channel: str = "") -> list[dict[str, Any]]:
        """Rolecall's messages in a thread."""
        told = await self.bot.conversations_replies(channel=channel or self.channel, ts=ts, limit=200)
        return [one for one in told["messages"] if one.get("bot_id") == BOT or one.get("user") == BOT_USER]

    async def direct(self, who: AsyncWebClient) -> str:
        """Somebody's direct conversation with Rolecall."""
        person = (await who.auth_test())["user_id"]
        return str((await self.bot.conversations_open(users=person))["channel"]["id"])


def shown(message: dict[str, Any]) -> str:
    return "\n\n".join(block["text"] for block in message.get("blocks", []) if block["type"] == "markdown")


async def a_mention_is_answered_once_in_its_thread(scene: Scene) -> None:
    asked = await scene.say(scene.oskar, f"<@{BOT_USER}> What was revenue?")
    (answer,) = await scene.under(asked)
    assert shown(answer) == FROM_PRESS
    assert [block["type"] for block in answer["blocks"]] == ["markdown", "context", "context_actions"]
    assert FROM_PRESS in answer["text"]


async def a_direct_message_is_answered(scene: Scene) -> None:
    channel = await scene.direct(scene.fiona)
    asked = await scene.say(scene.fiona, "What was revenue?", channel)
    assert [shown(one) for one in await scene.under(asked, channel)] == [FROM_REPORT]


async def a_fuller_answer_comes_in_private(scene: Scene) -> None:
    asked = await scene.say(scene.fiona, f"<@{BOT_USER}> What was revenue?")
    assert [shown(one) for one in await scene.under(asked)] == [FROM_PRESS]
    told = await scene.bot.conversations_history(channel=await scene.direct(scene.fiona), limit=5)
    latest = next(one for one in told["messages"] if one.get("user") == BOT_USER or one.get("bot_id") == BOT)
    assert shown(latest) == FROM_REPORT
    assert "You asked in" in latest["blocks"][0]["elements"][0]["text"]


async def a_follow_up_knows_what_was_said(scene: Scene) -> None:
    asked = await scene.say(scene.oskar, f"<@{BOT_USER}> What was revenue?")
    await scene.say(scene.oskar, "recall", thread_ts=asked)
    assert [shown(one) for one in await scene.under(asked)] == [FROM_PRESS, "I remember: What was revenue?"]


async def a_long_answer_loses_nothing(scene: Scene) -> None:
    asked = await scene.say(scene.oskar, f"<@{BOT_USER}> long")
    answers = await scene.under(asked)
    assert len(answers) > 1
    assert " ".join(map(shown, answers)).split() == long_text().split()


async def an_edited_question_starts_anew(scene: Scene) -> None:
    said = await scene.oskar.chat_postMessage(channel=scene.channel, text=f"<@{BOT_USER}> hold")
    await asyncio.wait_for(scene.world.script.holding.wait(), 5)
    await scene.oskar.chat_update(channel=scene.channel, ts=said["ts"], text=f"<@{BOT_USER}> What was revenue?")
    await asyncio.sleep(0.3)
    await scene.world.settled()
    assert [shown(one) for one in await scene.under(said["ts"])] == [FROM_PRESS]


async def a_deleted_question_takes_its_answer_with_it(scene: Scene) -> None:
    asked = await scene.say(scene.oskar, f"<@{BOT_USER}> What was revenue?")
    (answer,) = await scene.under(asked)
    await scene.oskar.chat_delete(channel=scene.channel, ts=asked)
    await asyncio.sleep(0.3)
    await scene.world.settled()
    told = await scene.bot.conversations_history(channel=scene.channel, limit=200)
    assert answer["ts"] not in [one["ts"] for one in told["messages"]]


async def a_file_is_read(scene: Scene) -> None:
    channel = await scene.direct(scene.oskar)
    await scene.oskar.files_upload_v2(
        channel=channel, content="The gate is B12.", filename="notes.txt", initial_comment="read"
    )
    await asyncio.sleep(0.3)
    await scene.world.settled()
    told = await scene.bot.conversations_history(channel=channel, limit=5)
    (asked,) = [one for one in told["messages"] if one.get("files")]
    assert [shown(one) for one in await scene.under(asked["ts"], channel)] == ["I read: notes.txt: The gate is B12."]


async def the_home_page_is_taken(scene: Scene) -> None:
    person = (await scene.oskar.auth_test())["user_id"]
    event = {"type": "app_home_opened", "user": person, "tab": "home", "channel": await scene.direct(scene.oskar)}
    scene.relay.send({"type": "event_callback", "team_id": "T000000001", "event_id": "EvHome", "event": event})
    await asyncio.sleep(0.3)
    assert scene.relay.statuses[-1] == 200


ACTS: list[Callable[[Scene], Awaitable[None]]] = [
    a_mention_is_answered_once_in_its_thread,
    a_direct_message_is_answered,
    a_fuller_answer_comes_in_private,
    a_follow_up_knows_what_was_said,
    a_long_answer_loses_nothing,
    an_edited_question_starts_anew,
    a_deleted_question_takes_its_answer_with_it,
    a_file_is_read,
    the_home_page_is_taken,
]


def installed() -> Path | None:
    """The emulator's modules, installed if they are not; None where that cannot be."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", FOLDER)
    if not (FOLDER / "node_modules" / "emulate").exists():
        code = os.spawnv(
            os.P_WAIT, npm, ["npm", "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--silent"]
        )
        if code:
            return None
    return FOLDER / "node_modules"


@asynccontextmanager
async def emulator(modules: Path, folder: Path, events: str) -> AsyncIterator[str]:
    """The independent Slack, on 127.0.0.1."""
    port = free_port()
    seed = folder / "seed.yaml"
    seed.write_text(json.dumps(SEED))
    node = modules / "node" / "bin" / "node"
    program = str(node if node.exists() else shutil.which("node"))
    command = [program, str(HERE / "launch.mjs"), str(modules), str(seed), str(port)]
    running = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"EVENTS": events, "HOST": "127.0.0.1"}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await answering(url)
        yield url
    finally:
        running.kill()
        await running.wait()


SEED = {
    "slack": {
        "signing_secret": "of the emulator",
        "strict_scopes": True,
        "team": {"name": "Acme", "domain": "acme"},
        "users": [{"name": name, "real_name": name.title()} for name in ("fiona", "oskar")],
        "channels": [{"name": "all-hands"}],
        "oauth_apps": [
            {
                "client_id": "1.2",
                "client_secret": "cs",
                "app_id": "A000000001",
                "name": "Rolecall",
                "bot_name": "rolecall",
                "bot_id": BOT,
                "bot_user_id": BOT_USER,
                "redirect_uris": ["http://127.0.0.1/slack/oauth_redirect"],
                "scopes": SCOPES,
            }
        ],
        "tokens": [
            {
                "token": TOKEN,
                "type": "bot",
                "user_id": BOT_USER,
                "app_id": "A000000001",
                "bot_id": BOT,
                "bot_user_id": BOT_USER,
                "scopes": SCOPES,
            },
            *(
                {"token": f"xoxp-{name}", "type": "user", "user": name, "scopes": [*SCOPES, "channels:write"]}
                for name in ("fiona", "oskar")
            ),
        ],
    }
}


async def answering(url: str) -> None:
    """Wait until somebody listens."""
    async with ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.post(f"{url}/api/auth.test"):
                    return
            except OSError:
                await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def stage(modules: Path, folder: Path) -> AsyncIterator[Scene]:
    """The emulator, the relay and Rolecall."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    async with ClientSession() as session, emulator(modules, folder, f"{origin}/events") as url:
        relay = Relay(session, url, BOT_USER, SECRET)
        app = web.Application()
        app.router.add_post("/events", relay.event)
        app.router.add_route("*", "/api/{method}", relay.api)
        app.router.add_route("*", "/{tail:.*}", relay.file)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        bot, fiona, oskar = (
            AsyncWebClient(token, base_url=f"{origin}/api/", session=session)
            for token in (TOKEN, "xoxp-fiona", "xoxp-oskar")
        )
        try:
            channels = (await bot.conversations_list())["channels"]
            channel = next(str(one["id"]) for one in channels if one["name"] == "all-hands")
            for one in (fiona, oskar):
                await one.conversations_join(channel=channel)
            await fiona.conversations_invite(channel=channel, users=BOT_USER)
            policy = await policy_for(bot, fiona, channel)
            chosen = SlackSettings(
                token=kept_secret(folder, "token", TOKEN),
                signing_secret=kept_secret(folder, "signing", SECRET),
                api=f"{origin}/api/",
            )
            settings = Settings(version=1, doors=DoorSettings(slack=chosen))
            async with (
                database("sqlite", folder) as engine,
                open_slack(settings, folder, engine) as doorway,
                open_world(engine, parse_policy(policy), doorway) as world,
            ):
                relay.target = f"http://127.0.0.1:{world.port}/slack/events"
                yield Scene(bot, fiona, oskar, channel, world, relay)
        finally:
            await runner.cleanup()


async def policy_for(bot: AsyncWebClient, fiona: AsyncWebClient, channel: str) -> str:
    team, person = (await bot.auth_test())["team_id"], (await fiona.auth_test())["user_id"]
    return f"""
version: 1
tenants: {{slack: [{team}]}}
labels: [company, filings]
roles:
  everyone: {{applies_to: members, read: [company], tools: [search_documents]}}
  finance: {{members: ["slack-user:{team}/{person}"], read: [filings]}}
rooms: {{"slack:{team}/{channel}": {{reply: threads}}}}
"""


async def played(console: Console, modules: Path) -> int:
    """Play each act on a stage of its own; returns how many went wrong."""
    wrong = 0
    for act in ACTS:
        with tempfile.TemporaryDirectory() as folder:
            async with stage(modules, Path(folder)) as scene:
                try:
                    await act(scene)
                except AssertionError as error:
                    wrong += 1
                    console.print(f"[red]wrong[/]  {act.__name__}: {error}")
                else:
                    console.print(f"[green]ok[/]     {act.__name__}")
    return wrong


def main() -> None:
    """Play, or say why not."""
    logging.basicConfig(level=logging.WARNING)
    console = Console()
    modules = installed()
    if modules is None:
        console.print("skipped: npm is missing, or cannot install the emulator here")
        return
    sys.exit(1 if asyncio.run(played(console, modules)) else 0)


if __name__ == "__main__":
    main()
