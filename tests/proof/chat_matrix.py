"""What each kind of person can do in a chat besides asking, measured through the real doors over HTTP.

One column is one thing to do. The assistant is the real one, with every tool; layers are named by the audit.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool

from bot.access.policy import parse_policy
from bot.access.schema import TOOLS
from bot.assistant.librarian import Librarian
from bot.assistant.supervisor import Supervisor
from bot.types import Passage, Plan, Reply, Turn
from connectors.chat.slack.blocks import FEEDBACK
from connectors.chat.teams import cards
from tests.assistant.library import WordEmbeddings, saying
from tests.chat import slack_stage
from tests.chat.fakeslack.state import BOT_USER, TEAM
from tests.chat.faketeams import stage as teams_stage
from tests.chat.faketeams.service import OTHERS, TENANT, Account, Conversation, oid
from tests.chat.slack_stage import SlackStage
from tests.chat.stage import Stage
from tests.chat.world import LABELS, Script
from tests.delivery.fakes import until
from tests.fakes import FakeIndex
from tests.proof.kinds import KINDS, READS, ROLES, ROLES_OF, Cells, told_of_tools, told_of_turn
from tests.proof.test_matrix import simple
from tools.search import search_documents

QUESTION = "What was the revenue?"
FILE = ("notes.txt", b"The gate is B12.")
COLLEAGUE = "colleague"
"""A member of finance who asks something in a shared room, for others to meddle with."""
LONG = 60.0
"""Seconds after which something that is waited for will not come, however busy the machine is."""
IDS = {kind: kind.split()[0] for kind in KINDS} | {"bot": "robot"}


class Reading:
    """A router that knows a few phrases; everything else is a question about documents."""

    async def route(self, text: str) -> Plan:
        for phrase, wanted in (("what can you do", "chat"), ("explain", "chat"), ("read the file", "summarize")):
            if phrase in text.casefold():
                return Plan(wanted, "router", 1.0)
        return Plan("search_documents", "router", 1.0)


def tools() -> list[BaseTool]:
    passages = [Passage(name, name, f"The revenue of {name}.", labels) for name, labels in LABELS.items()]
    librarian = Librarian(FakeIndex(passages), saying("unused"), WordEmbeddings(), sentences=9)
    return [search_documents(librarian), *(simple(name) for name in TOOLS if name != "search_documents")]


SUPERVISOR = Supervisor(saying("I am the model."), tools(), Reading(), mode="router")


class Staffed(Script):
    """The real supervisor; a question that says "hold" is held up first."""

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        self.heard.append(turn)
        if "hold" in turn.message.text:
            self.holding.set()
            await self.go.wait()
        async for reply in SUPERVISOR.answer(turn):
            yield reply


MIDDLE: Mapping[str, Any] = {"script": Staffed, "tools": frozenset(TOOLS)}


class Desk:
    """A stage with every kind of person in front of it. `ids` are what their references in the audit end with."""

    def __init__(self, stage: Stage, ids: Mapping[str, str]):
        self.stage: Any = stage
        self.world = self.stage.world
        self.ids = ids
        self._last = 0

    async def rows(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """This person's new rows of the audit, latest first."""
        found = [(number, row) async for number, row in self.world.journal.entries() if number > self._last]
        self._last = max([self._last, *(number for number, _ in found)])
        own = f"/{self.ids[kind]}"
        return [row for _, row in found if row["person"].endswith(own) and row["event"] != "begun"]

    async def became(self, kind: str) -> str:
        """What became of what was just asked."""
        await self.world.settled(LONG)
        return told_of_turn(await self.rows(kind))

    async def held(self, who: str, room: str) -> str:
        """A question that is being answered, and will be until it is let go."""
        self.world.script.holding.clear()
        self.world.script.go.clear()
        return str(await self.stage.say(who, f"hold: {QUESTION}", room))

    async def holding(self) -> bool:
        """Whether a question that was to be held up is; what a bot says never is."""
        queue = await self.world.inbox.queue(self.world.clock())
        if not queue.waiting + queue.running:
            return False
        await until(self.world.script.holding.is_set, LONG)
        return True

    async def let_go(self) -> None:
        self.world.script.go.set()
        await self.world.settled(LONG)


Column = Callable[[Any, str], Awaitable[str]]


# What both platforms have.


async def helps(desk: Desk, kind: str) -> str:
    asked = await desk.stage.say(kind, "What can you do?")
    became = await desk.became(kind)
    if became != "done":
        return became
    return told_of_tools(kind, " ".join(one.text for one in await desk.stage.seen(kind, asked)))


async def uploads(desk: Desk, kind: str) -> str:
    desk.world.script.heard.clear()
    await desk.stage.say(kind, "Read the file.", files=[FILE])
    became = await desk.became(kind)
    read = any(upload.text for turn in desk.world.script.heard for upload in turn.uploads)
    return became if not read else "read" if became == "done" else f"read, then {became}"


async def forgets(desk: Desk, kind: str) -> str:
    await desk.stage.say(kind, "Forget this conversation.")
    return await desk.became(kind)


async def stops_own(desk: Desk, kind: str) -> str:
    asked = await desk.held(kind, "direct")
    if await desk.holding():
        await desk.stage.stop(kind, asked)
    await desk.let_go()
    return await desk.became(kind)


async def edits_own(desk: Desk, kind: str) -> str:
    desk.world.script.heard.clear()
    asked = await desk.held(kind, "direct")
    if await desk.holding():
        await desk.stage.edit(asked, QUESTION)
    await desk.let_go()
    texts = [turn.message.text for turn in desk.world.script.heard]
    became = await desk.became(kind)
    return f"answered anew: {became}" if texts[-1:] == [QUESTION] else became


async def deletes_own(desk: Desk, kind: str) -> str:
    asked = await desk.stage.say(kind, QUESTION)
    await desk.world.settled(LONG)
    shown = await desk.stage.seen(kind, asked)
    await desk.stage.delete(asked)
    await desk.world.settled(LONG)
    await desk.rows(kind)
    return "not heard" if not shown else "taken away" if not await desk.stage.seen(kind, asked) else "stays"


async def of_the_colleague(desk: Desk, meddles: Callable[[str], Awaitable[None]]) -> str:
    """What becomes of the colleague's question when somebody else meddles with it."""
    desk.world.script.heard.clear()
    asked = await desk.held(COLLEAGUE, "all-hands")
    assert await desk.holding()
    await meddles(asked)
    await desk.let_go()
    (answer, *_) = [one for one in await desk.stage.seen(COLLEAGUE, asked) if not one.only]
    rows = [row for row in await desk.rows(COLLEAGUE) if not row["private"]]
    same = all(turn.message.text.startswith("hold") for turn in desk.world.script.heard)
    answered = rows[0]["event"] == "answered" and bool(answer.text)
    return "nothing changes" if same and answered else "answered otherwise" if answered else told_of_turn(rows)


# Slack.


def slack_people(stage: SlackStage) -> Mapping[str, str]:
    """Everybody in the workspace; the unknown one is nobody there."""
    workspace = stage.slack.workspace
    kinds: Mapping[str, Mapping[str, Any]] = {
        "guest": {"is_restricted": True},
        "external": {"is_stranger": True, "team_id": "T0OTHER"},
        "deactivated": {"deleted": True},
        "bot": {"is_bot": True},
    }
    users = {kind: f"U0{name.upper()}" for kind, name in IDS.items()} | {COLLEAGUE: "U0COLLEAGUE"}
    for kind, user in users.items():
        workspace.person(user, **kinds.get(kind, {}))
    del workspace.people[users["unknown"]]
    workspace.groups["S0OPS"] = [users["operations"], users["both"]]
    workspace.groups["S0FIN"] = [user for kind, user in users.items() if kind not in ("operations", "no role", "admin")]
    workspace.channel("C0ALL", [users[COLLEAGUE], users["finance"], BOT_USER])
    stage.people |= users
    return users


@asynccontextmanager
async def slack_desk(folder: Path) -> AsyncIterator[Desk]:
    async with slack_stage.open_stage(folder, ROLES, **MIDDLE) as stage:
        yield Desk(stage, slack_people(stage))


async def asks_by_command(desk: Desk, kind: str) -> str:
    status, _ = await desk.stage.slack.command(desk.stage.people[kind], QUESTION, "C0ALL")
    assert status == 200
    return await desk.became(kind)


async def _said_at_once(desk: Desk, kind: str, text: str) -> str:
    _, said = await desk.stage.slack.command(desk.stage.people[kind], text, "C0ALL")
    return str(json.loads(said)["text"])


async def asks_for_help(desk: Desk, kind: str) -> str:
    return told_of_tools(kind, await _said_at_once(desk, kind, "help"))


async def asks_whoami(desk: Desk, kind: str) -> str:
    """Told of their roles, labels and tools: all of them, and no others."""
    said = await _said_at_once(desk, kind, "whoami")
    tools_told = told_of_tools(kind, said)
    if kind not in READS:
        named = any(f"`{word}`" in said for word in "everyone finance company filings maintenance".split())
        return "more" if named else tools_told
    named_words = set("everyone finance operations owners company filings maintenance".split())
    shown = {word for word in named_words if f"`{word}`" in said}
    return tools_told if shown == {*ROLES_OF[kind].split(), *READS[kind].split()} else "other roles"


async def opens_home(desk: Desk, kind: str) -> str:
    user, homes = desk.stage.people[kind], desk.stage.slack.workspace.homes
    await desk.stage.slack.deliver({"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": "home"})
    await until(lambda: user in homes, LONG)
    return told_of_tools(kind, json.dumps(homes[user], ensure_ascii=False))


def chooses(entry: str) -> Column:
    """An entry in the menu of a message."""

    async def column(desk: Desk, kind: str) -> str:
        slack, user = desk.stage.slack, desk.stage.people[kind]
        said = slack.workspace.say(desk.stage.people[COLLEAGUE], "C0ALL", QUESTION)
        payload = {"type": "message_action", "callback_id": entry, "user": {"id": user}, "message_ts": said.ts}
        payload |= {"message": said.json(False), "channel": {"id": "C0ALL"}, "trigger_id": f"t{said.ts}"}
        if kind == "external":
            payload |= {"user": {"id": user, "team_id": "T0OTHER"}}
        assert (await slack.interact(payload))[0] == 200
        return await desk.became(kind)

    return column


async def thumbs_in_slack(desk: Desk, kind: str) -> str:
    user = desk.stage.people[kind]
    presser = {"id": user, "team_id": "T0OTHER" if kind == "external" else TEAM}
    action = {"action_id": FEEDBACK, "type": "feedback_buttons", "value": f"bad:answer-{user}", "block_id": "b"}
    payload = {"type": "block_actions", "user": presser, "actions": [action], "trigger_id": f"t-{user}"}
    assert (await desk.stage.slack.interact(payload | {"channel": {"id": "C0ALL"}}))[0] == 200
    return await _kept(desk, f"answer-{user}")


async def _kept(desk: Desk, answer: str) -> str:
    return "kept" if any(one.answer == answer for one in await desk.world.journal.opinions(100)) else "not kept"


async def stops_anothers_in_slack(desk: Desk, kind: str) -> str:
    return await of_the_colleague(desk, lambda asked: desk.stage.stop(kind, asked))


async def edits_anothers_in_slack(desk: Desk, kind: str) -> str:
    async def edit(asked: str) -> None:
        said = desk.stage._said(asked)
        before = desk.stage._event(said)
        now = before | {"user": desk.stage.people[kind], "text": f"<@{BOT_USER}> {QUESTION} Now!"}
        change = desk.stage._change(said, "message_changed", message=now, previous_message=before)
        await desk.stage._send(asked, change)

    return await of_the_colleague(desk, edit)


SLACK: Mapping[str, Column] = {
    "`/rolecall` and a question": asks_by_command,
    "`/rolecall help`": asks_for_help,
    "`/rolecall whoami`": asks_whoami,
    "home page": opens_home,
    "“What can you do?”": helps,
    "Summarize thread": chooses("rolecall_summarize"),
    "Translate": chooses("rolecall_translate"),
    "Explain this": chooses("rolecall_explain"),
    "send a file": uploads,
    "thumb": thumbs_in_slack,
    "stop one's own": stops_own,
    "stop another's": stops_anothers_in_slack,
    "edit one's own": edits_own,
    "edit another's": edits_anothers_in_slack,
    "delete one's own": deletes_own,
    "forget this conversation": forgets,
}


# Teams.

GROUPS = {"slack-group:S0FIN": teams_stage.FINANCE, "slack-group:S0OPS": teams_stage.OPERATIONS}


def teams_policy() -> str:
    """The same policy with the names that Teams has."""
    text = ROLES.replace("slack: [T0HOME]", f"teams: [{TENANT}]").replace("slack:T0HOME/C0FIN", f"teams:{TENANT}/19:f")
    for slack, teams in GROUPS.items():
        text = text.replace(slack, f"entra-group:{teams}")
    return text.replace("slack-user:T0HOME/U0ADMIN", f"teams-user:{TENANT}/{oid('admin')}")


def teams_people(stage: teams_stage.TeamsStage) -> Mapping[str, str]:
    """Everybody in the tenant; of the external one Teams says another tenant, and Graph does not know the unknown one."""
    fin, ops = teams_stage.FINANCE, teams_stage.OPERATIONS
    groups = {"operations": (ops,), "both": (fin, ops), "no role": (), "admin": ()}
    more: Mapping[str, Mapping[str, Any]] = {
        "guest": {"kind": "Guest"},
        "external": {"tenant": OTHERS},
        "unknown": {"tenant": OTHERS},
        "deactivated": {"enabled": False},
        "bot": {"kind": "Bot"},
    }
    for kind, name in {**IDS, COLLEAGUE: COLLEAGUE}.items():
        stage.fake.people[kind] = Account(name, groups=groups.get(kind, (fin,)), **more.get(kind, {}))
    stage.fake.conversations["19:all@thread.tacv2"].members[:] = [COLLEAGUE, "finance"]
    return {kind: oid(name) for kind, name in {**IDS, COLLEAGUE: COLLEAGUE}.items()} | {"bot": "28:bot"}


@asynccontextmanager
async def teams_desk(folder: Path) -> AsyncIterator[Desk]:
    async with teams_stage.open_stage(folder / "rolecall.db", parse_policy(teams_policy()), MIDDLE) as stage:
        yield Desk(stage, teams_people(stage))


_NUMBERS = count(1)


def chat_of(desk: Desk, kind: str) -> Conversation:
    """Somebody's personal chat."""
    return desk.stage.chat(kind)


def extends(command: str) -> Column:
    """An entry in the menu of a message: answered in the personal chat."""

    async def column(desk: Desk, kind: str) -> str:
        chat = chat_of(desk, kind)
        await desk.stage.fake.deliver(desk.stage.fake.activity(kind, chat, "installationUpdate", action="add"))
        body = {"body": {"contentType": "text", "content": QUESTION}, "from": {"user": {"displayName": "C"}}}
        value = {"commandId": command, "data": {"into": "German"}, "messagePayload": body}
        status, answer = await desk.stage.invoke(kind, chat.id, "composeExtension/submitAction", value)
        assert status == 200
        became = await desk.became(kind)
        return "refused by the door" if became == "not heard" and "task" in (answer or {}) else became

    return column


async def thumbs_in_teams(desk: Desk, kind: str) -> str:
    chat = chat_of(desk, kind)
    activity, answer = f"{next(_NUMBERS)}", f"answer-{kind}"
    await desk.stage.doorway._store.say(chat.id, activity, answer)
    value = {"actionName": "feedback", "actionValue": {"reaction": "like"}}
    status, _ = await desk.stage.invoke(kind, chat.id, "message/submitAction", value, replyToId=activity)
    assert status == 200
    return await _kept(desk, answer)


async def asks_who_reads(desk: Desk, kind: str) -> str:
    action = {"verb": cards.READERS, "data": {"documents": list(LABELS)}}
    value = {"action": action}
    _, answer = await desk.stage.invoke(kind, chat_of(desk, kind).id, "adaptiveCard/action", value)
    return "told" if answer["statusCode"] == 200 else "refused by the door"


async def edits_anothers_in_teams(desk: Desk, kind: str) -> str:
    async def edit(asked: str) -> None:
        said = desk.stage._said[asked].activity
        account = desk.stage.fake.people[kind]
        now = said | {"type": "messageUpdate", "from": account.json, "text": f"<at>Rolecall</at> {QUESTION} Now!"}
        await desk.stage._event(now, "editMessage")

    return await of_the_colleague(desk, edit)


TEAMS: Mapping[str, Column] = {
    "“What can you do?”": helps,
    "Summarize": extends("summarize"),
    "Translate": extends("translate"),
    "Explain this": extends("explain"),
    "send a file": uploads,
    "thumb": thumbs_in_teams,
    "who can read the sources": asks_who_reads,
    "edit one's own": edits_own,
    "edit another's": edits_anothers_in_teams,
    "delete one's own": deletes_own,
    "forget this conversation": forgets,
}


async def measured(desk: Desk, columns: Mapping[str, Column]) -> Mapping[str, Cells]:
    """Each column, each kind of person after the other."""
    return {name: {kind: await column(desk, kind) for kind in KINDS} for name, column in columns.items()}
