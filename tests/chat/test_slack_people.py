"""Who people are in Slack and who is where: kinds, groups, rosters, and that news of them counts at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.errors import DoorUnavailable
from bot.types import Principal, Room
from connectors.chat.slack.calls import Calls
from connectors.chat.slack.directory import SlackDirectory
from connectors.chat.slack.reading import SlackThreads
from connectors.chat.slack.workspaces import OneWorkspace, client
from tests.chat.fakeslack.server import FakeSlack, open_slack
from tests.chat.fakeslack.state import BOT_TOKEN, BOT_USER, TEAM, SlackError
from tests.chat.slack_stage import SlackStage, open_stage, people
from tests.chat.world import FROM_PRESS, FROM_REPORT, NOTHING


@dataclass
class Office:
    slack: FakeSlack
    directory: SlackDirectory
    threads: SlackThreads


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_slack() as slack, ClientSession() as session:
        people(slack)
        workspaces = OneWorkspace(client(slack.url, BOT_TOKEN, session), session)
        calls = Calls(slack.clock)
        yield Office(slack, SlackDirectory(workspaces, calls, slack.clock), SlackThreads(workspaces, calls))


KINDS: list[tuple[dict[str, Any], Principal]] = [
    ({}, Principal("slack", TEAM, "U0X")),
    ({"is_restricted": True}, Principal("slack", TEAM, "U0X", "guest")),
    ({"is_ultra_restricted": True, "is_restricted": True}, Principal("slack", TEAM, "U0X", "guest")),
    ({"is_stranger": True}, Principal("slack", TEAM, "U0X", "external")),
    ({"team_id": "T0OTHER"}, Principal("slack", "T0OTHER", "U0X", "external")),
    ({"is_bot": True}, Principal("slack", TEAM, "U0X", "bot")),
    ({"deleted": True}, Principal("slack", TEAM, "U0X", active=False)),
    ({"is_admin": True, "is_owner": True}, Principal("slack", TEAM, "U0X")),
]


@pytest.mark.parametrize(("info", "expected"), KINDS, ids=[str(info) for info, _ in KINDS])
async def test_what_somebody_is(office: Office, info: dict[str, Any], expected: Principal) -> None:
    office.slack.workspace.person("U0X", **info)
    assert await office.directory.person(f"slack-user:{TEAM}/U0X") == expected


async def test_groups_are_known_by_their_ids_and_only_members_hold_them(office: Office) -> None:
    office.slack.workspace.groups |= {"S0OPS": ["U0GUS", "U0OSKAR"], "S0ALL": ["U0OSKAR"]}
    office.directory.forget(TEAM)
    oskar = await office.directory.person(f"slack-user:{TEAM}/U0OSKAR")
    gus = await office.directory.person(f"slack-user:{TEAM}/U0GUS")
    assert oskar is not None
    assert oskar.groups == {"slack-group:S0OPS", "slack-group:S0ALL"}
    assert gus is not None
    assert gus.groups == frozenset()


@pytest.mark.parametrize(
    "ref", ["slack-user:T0OTHER/U0FIONA", f"slack-user:{TEAM}/U0NOBODY", "teams-user:x/y", "fiona", ""]
)
async def test_who_is_not_ours_is_nobody(office: Office, ref: str) -> None:
    assert await office.directory.person(ref) is None


@pytest.mark.parametrize(
    ("channel", "kind"),
    [("C0ALL", "public"), ("C0FIN", "private"), ("C0EXT", "external"), ("D0FIONA", "direct"), ("U0FIONA", "direct")],
)
async def test_what_a_room_is(office: Office, channel: str, kind: str) -> None:
    room = await office.directory.room(f"slack:{TEAM}/{channel}")
    assert room is not None
    assert room.kind == kind


async def test_a_roster_is_everybody_and_one_that_cannot_be_read_is_none(office: Office) -> None:
    members = await office.directory.members(Room("slack", TEAM, "C0VIS", "private"))
    assert members is not None
    assert {(one.id, one.kind) for one in members} == {("U0FIONA", "member"), ("U0GUS", "guest"), (BOT_USER, "bot")}
    assert await office.directory.members(Room("slack", TEAM, "C0GONE", "private")) is None
    assert await office.directory.room(f"slack:{TEAM}/C0GONE") is None


async def test_in_a_crowd_guests_are_still_guests(office: Office) -> None:
    crowd = [f"U1{number}" for number in range(1500)]
    for user in crowd:
        office.slack.workspace.person(user)
    office.slack.workspace.channel("C0BIG", [*crowd, "U0GUS", BOT_USER])
    members = await office.directory.members(Room("slack", TEAM, "C0BIG", "public"))
    assert members is not None
    assert len(members) == 1502
    assert {(one.id, one.kind) for one in members if one.kind != "member"} == {("U0GUS", "guest"), (BOT_USER, "bot")}
    assert office.slack.calls["users.info"] == 0


async def test_when_slack_is_away_or_busy_nothing_is_concluded(office: Office) -> None:
    def busy(method: str, given: dict[str, Any]) -> None:
        if method in ("users.info", "conversations.members"):
            raise SlackError("ratelimited", 20)

    office.slack.before = busy
    with pytest.raises(DoorUnavailable):
        await office.directory.person(f"slack-user:{TEAM}/U0FIONA")
    with pytest.raises(DoorUnavailable):
        await office.directory.members(Room("slack", TEAM, "C0FIN", "private"))


async def test_a_thread_is_told_without_what_rolecall_said_and_nobody_elses_thread(office: Office) -> None:
    office.slack.workspace.people["U0FIONA"]["profile"] = {"display_name": "Fiona"}
    root = office.slack.workspace.say("U0FIONA", "C0ALL", "Bolts &amp; nuts, <@U0OSKAR>?")
    office.slack.workspace.say(BOT_USER, "C0ALL", "An answer", root.ts, bot=True)
    office.slack.workspace.say("U0OSKAR", "C0ALL", "Only for Fiona", root.ts, only="U0FIONA")
    office.slack.workspace.say("U0OSKAR", "C0ALL", "Yes", root.ts)
    office.slack.workspace.say("U0OSKAR", "C0ALL", "Elsewhere")
    said = await office.threads.excerpts(Room("slack", TEAM, "C0ALL", "public"), root.ts)
    assert said is not None
    assert [(one.author, one.text) for one in said] == [("Fiona", "Bolts & nuts, @U0OSKAR?"), ("u0oskar", "Yes")]
    assert await office.threads.excerpts(Room("slack", TEAM, "C0GONE", "public"), root.ts) is None


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with open_stage(tmp_path) as stage:
        yield stage


async def ask(stage: SlackStage, room: str) -> str:
    asked = await stage.say("fiona", "What was revenue?", room)
    await stage.settled()
    return (await stage.seen("fiona", asked))[0].text


async def test_who_joins_and_leaves_counts_at_once(stage: SlackStage) -> None:
    members = stage.slack.workspace.channels["C0FIN"]["members"]
    assert await ask(stage, "finance") == FROM_REPORT
    members.append("U0OSKAR")
    await stage.slack.deliver({"type": "member_joined_channel", "user": "U0OSKAR", "channel": "C0FIN", "team": TEAM})
    assert await ask(stage, "finance") == FROM_PRESS
    members.remove("U0OSKAR")
    await stage.slack.deliver({"type": "member_left_channel", "user": "U0OSKAR", "channel": "C0FIN", "team": TEAM})
    assert await ask(stage, "finance") == FROM_REPORT


async def test_a_group_that_loses_somebody_counts_at_once(stage: SlackStage) -> None:
    assert await ask(stage, "direct") == FROM_REPORT
    stage.slack.workspace.groups["S0FIN"] = []
    await stage.slack.deliver({"type": "subteam_members_changed", "subteam_id": "S0FIN", "removed_users": ["U0FIONA"]})
    assert await ask(stage, "direct") == FROM_PRESS


async def test_who_becomes_a_guest_is_one_at_once(stage: SlackStage) -> None:
    assert await ask(stage, "all-hands") == FROM_PRESS
    stage.slack.workspace.people["U0OSKAR"]["is_restricted"] = True
    await stage.slack.deliver({"type": "user_change", "user": {"id": "U0OSKAR"}})
    assert await ask(stage, "all-hands") == NOTHING


async def test_a_channel_that_is_shared_with_others_is_foreign_at_once(stage: SlackStage) -> None:
    assert await ask(stage, "finance") == FROM_REPORT
    stage.slack.workspace.channels["C0FIN"]["is_ext_shared"] = True
    await stage.slack.deliver({"type": "channel_shared", "channel": "C0FIN", "connected_team_id": "T0OTHER"})
    assert await ask(stage, "finance") == NOTHING


async def test_in_a_shared_channel_who_does_not_say_of_which_team_they_are_is_an_outsider(stage: SlackStage) -> None:
    said = stage.slack.workspace.say("U0FIONA", "C0EXT", f"<@{BOT_USER}> What was revenue?")
    stage._events[said.ts] = set()
    event = {name: value for name, value in stage._event(said).items() if name not in ("team", "user_team")}
    await stage._send(said.ts, event)
    await stage.settled()
    assert [turn.message.sender.kind for turn in stage.world.script.heard] == ["external"]
    assert not stage.world.script.heard[0].access.can_read
