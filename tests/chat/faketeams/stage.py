"""Teams from a chair in front of it: what people do goes over HTTP to the real door, what they see comes from the fake."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bot.access.policy import Policy, parse_policy
from bot.assistant.words import ENGLISH
from bot.doorways.teams import TeamsDoorway
from bot.settings import Secret, TeamsSettings
from connectors.chat.teams.endpoints import Endpoints
from connectors.chat.teams.streaming import Tempo
from connectors.database import open_database
from tests.chat.faketeams.service import APP, OTHERS, TENANT, Account, Conversation, FakeTeams, Shown, oid
from tests.chat.stage import DIRECT, Seen
from tests.chat.world import World, open_world
from tests.delivery.fakes import until

FINANCE = "11111111-0000-4000-8000-000000000001"
OPERATIONS = "11111111-0000-4000-8000-000000000002"
EVERYBODY = "11111111-0000-4000-8000-000000000003"
ROOMS = {
    "all-hands": Conversation("19:all@thread.tacv2", "channel", ["fiona", "oskar"], team="19:all@thread.tacv2"),
    "finance": Conversation("19:finance@thread.v2", "groupChat", ["fiona"]),
    "visitors": Conversation("19:visitors@thread.v2", "groupChat", ["fiona", "oskar", "gus"]),
    "partners": Conversation("19:partners@thread.tacv2", "channel", ["fiona", "eve"], "19:p@thread.tacv2", shared=True),
}
POLICY = parse_policy(
    f"""
version: 1
tenants: {{teams: [{TENANT}]}}
labels: [company, filings]
roles:
  everyone: {{applies_to: members, read: [company], tools: [search_documents, summarize, translate]}}
  finance: {{members: [entra-group:{FINANCE}], read: [filings]}}
  owners: {{members: [teams-user:{TENANT}/{oid("fiona")}], admin: true}}
rooms:
  teams:{TENANT}/19:finance@thread.v2: {{ceiling: [filings, company]}}
sensitivity:
  - {{name: Confidential, description: For the finance team, labels: [filings]}}
  - {{name: Internal, labels: [company]}}
"""
)
AT = "<at>Rolecall</at>"
_TABLE = re.compile(r"```\n((?:\|.*\|\n)+)```")


@dataclass
class _Said:
    who: str
    conversation: Conversation
    activity: dict[str, Any]


class TeamsStage:
    """Implements the Stage. The bot hears only what mentions it, as without resource-specific consent."""

    platform = "teams"
    lacks = frozenset({"unmentioned"})

    def __init__(self, fake: FakeTeams, world: World, doorway: TeamsDoorway):
        self.fake = fake
        self.world = world
        self.doorway = doorway
        self._said: dict[str, _Said] = {}
        self._where: dict[str, str] = {}

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
        conversation = self.chat(who) if room == DIRECT else self.fake.conversations[ROOMS[room].id]
        activity = self.fake.activity(who, conversation, text=text, textFormat="plain")
        if files:
            activity["attachments"] = [self._attached(name, content) for name, content in files]
        if conversation.kind == "channel":
            root = self._said[under].activity["id"] if under else activity["id"]
            activity["conversation"]["id"] = f"{conversation.id};messageid={root}"
        if room != DIRECT and mention:
            activity |= _mentioning(text, activity)
        self._said[activity["id"]] = _Said(who, conversation, activity)
        if room == DIRECT or mention:
            for _ in range(2):
                status, _ = await self.fake.deliver(activity)
                assert status == 200
        return str(activity["id"])

    async def edit(self, message: str, text: str) -> None:
        said = self._said[message]
        changed = said.activity | {"type": "messageUpdate", "text": text}
        if said.conversation.kind != "personal":
            changed |= _mentioning(text, said.activity)
        await self._event(changed, "editMessage")

    async def delete(self, message: str) -> None:
        gone = {key: one for key, one in self._said[message].activity.items() if key not in ("text", "entities")}
        await self._event(gone | {"type": "messageDelete"}, "softDeleteMessage")

    async def undelete(self, message: str) -> None:
        await self._event(self._said[message].activity | {"type": "messageUpdate"}, "undeleteMessage")

    async def stop(self, who: str, message: str) -> None:
        def streaming() -> bool:
            return any(one.streaming for one in self.fake.messages(f"a:{who}"))

        await until(streaming)
        self.fake.cancel(f"a:{who}")
        await until(lambda: not streaming())
        await asyncio.sleep(0.05)

    async def rate(self, who: str, seen: Seen, good: bool, reason: str = "") -> None:
        value = {
            "actionName": "feedback",
            "actionValue": {
                "reaction": "like" if good else "dislike",
                "feedback": f'{{"feedbackText": "{reason}"}}',
            },
        }
        assert await self.invoke(who, self._where[seen.id], "message/submitAction", value, replyToId=seen.id) == (
            200,
            {},
        )

    async def seen(self, who: str, message: str) -> list[Seen]:
        said = self._said[message]
        where = str(said.activity["conversation"]["id"])
        shown: list[Shown] = []
        if who in said.conversation.members:
            shown += self._replies(where, int(message), where)
        if where != f"a:{who}":
            shown += self._replies(f"a:{who}", int(message), "")
        return [self._seen(one) for one in shown]

    async def settled(self) -> None:
        await self.world.settled()

    def chat(self, who: str) -> Conversation:
        """Somebody's personal chat, which is there once they have written."""
        return self.fake.conversations.setdefault(f"a:{who}", Conversation(f"a:{who}", "personal", [who]))

    async def invoke(
        self, who: str, conversation: str, name: str, value: dict[str, Any], **more: Any
    ) -> tuple[int, Any]:
        """Somebody presses something; the answer that Teams gets."""
        room = self.fake.conversations[conversation.partition(";")[0]]
        activity = self.fake.activity(who, room, "invoke", name=name, value=value, **more)
        activity["conversation"]["id"] = conversation
        return await self.fake.deliver(activity)

    async def _event(self, activity: dict[str, Any], name: str) -> None:
        data = {**activity["channelData"], "eventType": name}
        assert (await self.fake.deliver(activity | {"channelData": data}))[0] == 200

    def _attached(self, name: str, content: bytes) -> dict[str, Any]:
        self.fake.files[name] = content
        return {
            "contentType": "application/vnd.microsoft.teams.file.download.info",
            "name": name,
            "content": {"downloadUrl": f"{self.fake.url}/files/{name}", "uniqueId": name, "fileType": name[-3:]},
        }

    def _replies(self, where: str, after: int, asked_in: str) -> list[Shown]:
        """What was shown in a conversation between a question and the next one."""
        later = [
            int(ident)
            for ident, one in self._said.items()
            if int(ident) > after and (not asked_in or one.activity["conversation"]["id"] == asked_in)
        ]
        until = min(later, default=1 << 62)
        return [one for one in self.fake.messages(where) if after < int(one.id) < until]

    def _seen(self, one: Shown) -> Seen:
        self._where[one.id] = one.conversation
        entities = [entity for entity in one.last.get("entities", ()) if "@type" in entity]
        claims = [claim for entity in entities for claim in entity.get("citation", ())]
        return Seen(
            one.id,
            ENGLISH.stopped if one.cancelled else _read(one.last["text"]),  # Teams itself marks what was stopped
            only=one.conversation.startswith("a:"),
            forms=tuple(form["text"] for form in one.forms[:-1]),
            sources=tuple(claim["appearance"]["name"] for claim in claims),
            files=tuple(file["name"] for file in one.last.get("attachments", ()) if "name" in file),
            rates="feedbackLoop" in one.last.get("channelData", {}),
        )


@asynccontextmanager
async def open_stage(
    database: Path, policy: Policy = POLICY, middle: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[TeamsStage]:
    """Everything: the fake, the real door over HTTP, and the middle behind it. `database` is an SQLite file.

    `middle` is for `open_world`.
    """
    fake = FakeTeams()
    fake.add(
        Account("fiona", groups=(EVERYBODY, OPERATIONS, FINANCE)),
        Account("oskar", groups=(OPERATIONS,)),
        Account("gus", kind="Guest"),
        Account("eve", tenant=OTHERS),
        Account("rob", kind="Bot"),
    )
    fake.conversations |= {one.id: replace(one, members=[*one.members]) for one in ROOMS.values()}
    async with fake.listening(), ClientSession() as session, open_database(f"sqlite+aiosqlite:///{database}") as engine:
        endpoints = Endpoints(f"{fake.url}/openid", graph=f"{fake.url}/graph", loopback=True)
        told = {"app_id": APP, "tenant": TENANT, "password": Secret(env="TEAMS_PASSWORD"), **settings}
        tempo = Tempo(pace=0.0, beat=0.05)
        doorway = TeamsDoorway(
            session, engine, TeamsSettings(**told), endpoints=endpoints, http=fake.relay, tempo=tempo
        )
        async with open_world(engine, policy, doorway, **(middle or {})) as world:
            fake.app_url = f"http://127.0.0.1:{world.port}/api/messages"
            yield TeamsStage(fake, world, doorway)


def copied(template: Path, folder: Path) -> Path:
    """A database of its own, brought up to date already."""
    return Path(shutil.copy(template, folder / "rolecall.db"))


def _mentioning(text: str, activity: dict[str, Any]) -> dict[str, Any]:
    mention = {"type": "mention", "text": AT, "mentioned": activity["recipient"]}
    return {"text": f"{AT}&nbsp;{text}", "entities": [mention]}


def _read(text: str) -> str:
    """A table as it is read: Teams shows it in a block of its own."""
    return _TABLE.sub(lambda found: found[1].rstrip(), text)
