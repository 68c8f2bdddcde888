"""The stage of Slack: people at a fake workspace, in front of the real doorway."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.access.policy import parse_policy
from bot.doorways.slack import open_slack as open_doorway
from bot.settings import DoorSettings, Secret, Settings, SlackSettings
from connectors.chat.slack.actions import WHY
from connectors.chat.slack.blocks import FEEDBACK
from tests.chat.fakeslack.server import FakeSlack, open_slack
from tests.chat.fakeslack.state import APP_TOKEN, BOT_TOKEN, BOT_USER, SECRET, TEAM, Said
from tests.chat.stage import DIRECT, Seen
from tests.chat.world import World, open_world
from tests.connectors.databases import database

POLICY = f"""
version: 1
tenants: {{slack: [{TEAM}]}}
labels: [company, filings]
roles:
  everyone: {{applies_to: members, read: [company], tools: [search_documents, summarize, translate]}}
  finance: {{members: [slack-group:S0FIN], read: [filings]}}
rooms:
  slack:{TEAM}/C0FIN: {{ceiling: [filings, company]}}
  slack:{TEAM}/C0ALL: {{reply: threads}}
"""
PEOPLE = {"fiona": "U0FIONA", "oskar": "U0OSKAR", "gus": "U0GUS", "eve": "U0EVE", "rob": "U0ROB"}
ROOMS = {"all-hands": "C0ALL", "finance": "C0FIN", "visitors": "C0VIS", "partners": "C0EXT"}
KINDS = {"C0ALL": "channel", "C0FIN": "group", "C0VIS": "group", "C0EXT": "channel"}
_SOURCE = re.compile(r"^\[\d+\] (?:<[^|>]+\|)?(.*?)>?(?: · .*)?$")


class SlackStage:
    """Implements Stage: every message is an event, a mention two, and what is seen is what the workspace keeps."""

    platform = "slack"
    lacks = frozenset[str]()

    def __init__(self, slack: FakeSlack, world: World):
        self.slack = slack
        self.world = world
        self.people = dict(PEOPLE)
        self._events: dict[str, set[str]] = {}

    async def say(
        self,
        who: str,
        text: str,
        room: str = DIRECT,
        *,
        mention: bool = True,
        under: str = "",
        files: Sequence[tuple[str, bytes]] = (),
    ) -> str:
        user = self.people[who]
        channel = self.slack.workspace.direct(user) if room == DIRECT else ROOMS[room]
        rings = mention and room != DIRECT
        said = self.slack.workspace.say(
            user, channel, f"<@{BOT_USER}> {text}" if rings else text, under, files=self._uploaded(files)
        )
        self._events[said.ts] = set()
        event = self._event(said)
        await asyncio.gather(*(self._send(said.ts, one, room) for one in self._deliveries(event, rings)))
        return said.ts

    async def edit(self, message: str, text: str) -> None:
        said = self._said(message)
        before = self._event(said)
        said.text = f"<@{BOT_USER}> {text}" if BOT_USER in said.text else text
        now = self._event(said) | {"edited": {"user": said.user, "ts": self.slack.workspace.ts()}}
        await self._send(message, self._change(said, "message_changed", message=now, previous_message=before))

    async def delete(self, message: str) -> None:
        said = self._said(message)
        said.deleted = True
        change = self._change(said, "message_deleted", deleted_ts=message, previous_message=self._event(said))
        await self._send(message, change)

    async def stop(self, who: str, message: str) -> None:
        said = self._said(message)
        place = {"channel": said.channel, "thread_ts": said.thread or said.ts}
        stopped = {"type": "agent_session_stopped", "user": self.people[who], "user_team": self._team(self.people[who])}
        await self._send(message, stopped | place)

    async def rate(self, who: str, seen: Seen, good: bool, reason: str = "") -> None:
        said = next(one for one in self.slack.workspace.messages if one.ts == seen.id)
        (thumbs,) = _thumbs(said)
        value = thumbs["positive_button" if good else "negative_button"]["value"]
        user = {"id": self.people[who], "team_id": TEAM}
        action = {"action_id": FEEDBACK, "type": "feedback_buttons", "value": value, "block_id": "b"}
        asked = len(self.slack.workspace.modals)
        payload = {"type": "block_actions", "user": user, "actions": [action], "trigger_id": "t1"}
        status, _ = await self.slack.interact(payload | {"message": said.json(False), "channel": {"id": said.channel}})
        assert status == 200
        if reason:
            async with asyncio.timeout(5):
                while len(self.slack.workspace.modals) == asked:  # noqa: ASYNC110 - it knows nothing of us
                    await asyncio.sleep(0.005)
            view = self.slack.workspace.modals[-1] | {"id": "V1", "state": {"values": {WHY: {WHY: {"value": reason}}}}}
            assert (await self.slack.interact({"type": "view_submission", "user": user, "view": view}))[0] == 200

    async def seen(self, who: str, message: str) -> list[Seen]:
        user, said = self.people[who], self._said(message, gone=True)
        visible = self.slack.workspace.visible(user)
        return [_seen(one, said) for one in visible if self._answers(one, message, said)]

    async def settled(self) -> None:
        await self.world.settled()

    def _answers(self, one: Said, message: str, said: Said) -> bool:
        """Whether a message is in reply to another one: by its key, or, while it streams, by its thread."""
        payload = one.metadata.get("event_payload", {})
        key = str(payload.get("key") or payload.get("of") or "")
        if not key:
            return one.thread == (said.thread or said.ts) and not one.files
        event = key.partition(":")[2].partition("@")[0]
        return event in self._events[message]

    async def _send(self, message: str, event: dict[str, Any], room: str = "") -> None:
        event_id = f"Ev{self.slack.workspace.number()}"
        self._events[message].add(event_id)
        shared = {"is_ext_shared_channel": True} if event.get("channel") == "C0EXT" else {}
        assert await self.slack.deliver(event, event_id, **shared) == 200

    @staticmethod
    def _deliveries(event: dict[str, Any], rings: bool) -> list[dict[str, Any]]:
        mention = {name: value for name, value in event.items() if name != "channel_type"} | {"type": "app_mention"}
        return [event, mention] if rings else [event]

    def _event(self, said: Said) -> dict[str, Any]:
        kind = "im" if said.channel.startswith("D") else KINDS[said.channel]
        who = self.slack.workspace.people.get(said.user, {"team_id": TEAM, "is_bot": False})
        event: dict[str, Any] = {"type": "message", "channel": said.channel, "channel_type": kind, "ts": said.ts}
        event |= {"event_ts": said.ts, "user": said.user, "text": said.text, "team": who["team_id"]}
        event |= {"user_team": who["team_id"]} if said.channel == "C0EXT" else {}
        event |= {"thread_ts": said.thread} if said.thread else {}
        event |= {"subtype": "file_share", "files": said.files} if said.files else {}
        return event | ({"bot_id": "B0ROB"} if who["is_bot"] else {})

    def _change(self, said: Said, subtype: str, **more: Any) -> dict[str, Any]:
        kind = self._event(said)["channel_type"]
        return {
            "type": "message",
            "subtype": subtype,
            "channel": said.channel,
            "channel_type": kind,
            "hidden": True,
        } | more

    def _team(self, user: str) -> str:
        return str(self.slack.workspace.people.get(user, {"team_id": TEAM})["team_id"])

    def _said(self, message: str, gone: bool = False) -> Said:
        return next(one for one in self.slack.workspace.messages if one.ts == message and (gone or not one.deleted))

    def _uploaded(self, files: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
        found = []
        for name, content in files:
            number = f"F{self.slack.workspace.number()}"
            file = {"id": number, "name": name, "size": len(content), "mode": "hosted"}
            file["url_private_download"] = f"{self.slack.origin}/files/{number}"
            self.slack.workspace.files[number] = file
            self.slack.workspace.contents[number] = content
            found.append({"id": number, "name": name, "size": len(content)})
        return found


def _seen(one: Said, said: Said) -> Seen:
    lines = [line["text"] for block in one.blocks if block["type"] == "context" for line in block["elements"]]
    sources = tuple(found[1] for line in lines if (found := _SOURCE.match(line)))
    files = tuple(str(file["title"]) for file in one.files)
    only = one.channel.startswith("D") and one.channel != said.channel
    return Seen(one.ts, one.shown, only, tuple(one.forms), sources, files, bool(_thumbs(one)))


def _thumbs(one: Said) -> list[dict[str, Any]]:
    rows = [block for block in one.blocks if block["type"] == "context_actions"]
    return [thumbs for row in rows for thumbs in row["elements"]]


def people(slack: FakeSlack) -> None:
    """Those whom the dialogs know, and their rooms."""
    workspace = slack.workspace
    workspace.person(BOT_USER, is_bot=True)
    workspace.person("U0FIONA")
    workspace.person("U0OSKAR")
    workspace.person("U0GUS", is_restricted=True)
    workspace.person("U0EVE", team_id="T0OTHER", is_stranger=True)
    workspace.person("U0ROB", is_bot=True)
    workspace.groups["S0FIN"] = ["U0FIONA"]
    workspace.channel("C0ALL", ["U0FIONA", "U0OSKAR", "U0ROB", BOT_USER])
    workspace.channel("C0FIN", ["U0FIONA", BOT_USER], is_private=True)
    workspace.channel("C0VIS", ["U0FIONA", "U0GUS", BOT_USER], is_private=True)
    workspace.channel("C0EXT", ["U0FIONA", "U0EVE", BOT_USER], is_ext_shared=True)


@asynccontextmanager
async def open_stage(
    folder: Path, policy: str = POLICY, *, http: bool = True, old: str = "", socket: bool = False, **middle: Any
) -> AsyncIterator[SlackStage]:
    """Slack and Rolecall, connected over loopback. `old` is the signing secret before; `middle` is for `open_world`."""
    async with open_slack() as slack, database("sqlite", folder) as engine:
        people(slack)
        chosen = SlackSettings(
            token=kept_secret(folder, "token", BOT_TOKEN),
            signing_secret=kept_secret(folder, "signing", SECRET) if http else None,
            old_signing_secret=kept_secret(folder, "old", old) if old else None,
            app_token=kept_secret(folder, "app", APP_TOKEN) if socket else None,
            api=slack.url,
        )
        settings = Settings(version=1, doors=DoorSettings(slack=chosen))
        async with (
            open_doorway(settings, folder, engine) as doorway,
            open_world(engine, parse_policy(policy), doorway, **middle) as world,
        ):
            slack.target = f"http://127.0.0.1:{world.port}/slack/events"
            yield SlackStage(slack, world)
            assert slack.too_early == []


def kept_secret(folder: Path, name: str, value: str) -> Secret:
    path = folder / name
    path.write_text(value)
    return Secret(file=str(path))
