"""The whole service behind Slack: real policy, index, router and librarian, and a workspace that sends signed events."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bot.service import open_service
from tests.chat.fakeslack.server import open_slack
from tests.chat.fakeslack.state import BOT_TOKEN, SECRET
from tests.chat.slack_stage import SlackStage, people
from tests.chat.world import World

DOORS = """
doors: {{slack: {{token: {{file: token}}, signing_secret: {{file: signing}}, api: "{api}"}}}}
serve: {{port: 0}}
"""


async def test_people_in_slack_hear_what_they_may_and_the_asker_the_rest(company: Path, tmp_path: Path) -> None:
    shutil.copytree(company.parent, tmp_path / "acme", symlinks=True)
    config = tmp_path / "acme" / company.name
    async with open_slack() as slack:
        people(slack)
        (config.parent / "token").write_text(BOT_TOKEN, encoding="utf-8")
        (config.parent / "signing").write_text(SECRET, encoding="utf-8")
        config.write_text(config.read_text() + DOORS.format(api=slack.url), encoding="utf-8")
        async with open_service(config) as service:
            slack.target = f"http://127.0.0.1:{service.port}/slack/events"
            stage = SlackStage(slack, cast(World, SimpleNamespace()))
            work = asyncio.create_task(service.worker.run())
            asked = await stage.say("fiona", "What was net revenue of Acme Ferries in 2025?", "all-hands")
            fiona = await _seen(stage, "fiona", asked, 2)
            oskar = await _seen(stage, "oskar", asked, 1)
            service.worker.stop()
            await work
    assert "90 million" in oskar[0].text
    assert "91.4" not in repr(oskar)
    assert any(one.only and "91.4 million" in one.text for one in fiona)
    assert all(one.sources for one in fiona)


async def _seen(stage: SlackStage, who: str, asked: str, count: int) -> list[Any]:
    """What somebody sees once so many answers stand."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        seen = [one for one in await stage.seen(who, asked) if one.rates]
        if len(seen) >= count:
            return seen
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{who} sees {await stage.seen(who, asked)}")
