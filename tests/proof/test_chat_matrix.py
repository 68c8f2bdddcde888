"""What each kind of person can do in Slack and in Teams besides asking, and that each rule behind it can be missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.access.policy import Grant, Policy
from bot.assistant.about import Profile
from bot.assistant.words import ENGLISH
from bot.delivery.receiving import Receiver
from bot.delivery.turns import Turns
from bot.types import Access, Done, Message, Principal, Reply, Upload
from connectors.chat.slack import lobby
from connectors.chat.slack.lobby import SlackLobby
from connectors.chat.teams.invokes import Invokes
from connectors.chat.teams.translation import Heard
from tests.proof.chat_matrix import SLACK, TEAMS, Column, measured, slack_desk, teams_desk
from tests.proof.kinds import KINDS, NO_POLICY, OWN, READS, Cells, check_page, members, rendered

OTHERS = [kind for kind in KINDS if kind not in READS]
VISIBLE = {kind: "company filings" if "filings" in READS[kind] else "company" for kind in READS}
"""Of the two documents that there are: one of the company, one of filings."""
UNHEARD = dict.fromkeys(OTHERS, NO_POLICY) | {"bot": "not heard"}
"""What a bot says is no question; everybody else is told why there is no answer."""
UNREACHED = dict.fromkeys(OTHERS, NO_POLICY) | {"unknown": "nobody to tell"}
"""Slack opens no conversation with somebody whom it does not know."""
ANYBODYS = {kind: "not heard" if kind == "bot" else "stopped" for kind in OTHERS}
UNTOUCHED = members("nothing changes", "nothing changes")

IN_SLACK: Mapping[str, Cells] = {
    "`/rolecall` and a question": members(VISIBLE, UNREACHED),
    "`/rolecall help`": members(OWN, "nothing"),
    "`/rolecall whoami`": members(OWN, "nothing"),
    "home page": members(OWN, "nothing"),
    "“What can you do?”": members(OWN, UNHEARD),
    "Summarize thread": members("done", UNREACHED),
    "Translate": members("done", UNREACHED),
    "Explain this": members("done", UNREACHED),
    "send a file": members("read", UNHEARD),
    "thumb": members("kept", "not kept"),
    "stop one's own": members("stopped", ANYBODYS),
    "stop another's": UNTOUCHED,
    "edit one's own": members(
        {kind: f"answered anew: {seen}" for kind, seen in VISIBLE.items()},
        {kind: f"answered anew: {told}" if kind != "bot" else told for kind, told in UNHEARD.items()},
    ),
    "edit another's": UNTOUCHED,
    "delete one's own": members("taken away", dict.fromkeys(OTHERS, "taken away") | {"bot": "not heard"}),
    "forget this conversation": members("forgotten", UNHEARD),
}
AT_THE_DOOR = dict.fromkeys(OTHERS, "refused by the door")
IN_TEAMS: Mapping[str, Cells] = {
    name: cells
    for name, cells in {
        **IN_SLACK,
        "Summarize": members("done", AT_THE_DOOR),
        "Translate": members("done", AT_THE_DOOR),
        "Explain this": members("done", AT_THE_DOOR),
        "who can read the sources": members(
            {kind: "told" if kind == "admin" else "refused by the door" for kind in READS}, AT_THE_DOOR
        ),
    }.items()
    if name in TEAMS
}
"""Written down by hand, from docs/roles.md, docs/slack.md and docs/teams.md."""


async def test_what_each_kind_of_person_can_do_in_slack(tmp_path: Path) -> None:
    async with slack_desk(tmp_path) as desk:
        table = await measured(desk, SLACK)
    assert table == IN_SLACK
    check_page("slack", rendered(table))


async def test_what_each_kind_of_person_can_do_in_teams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    async with teams_desk(tmp_path) as desk:
        table = await measured(desk, TEAMS)
    assert table == IN_TEAMS
    check_page("teams", rendered(table))


# Each rule, taken away alone, is missed by the column that is about it.

stop, amend = Receiver.stop, Receiver.amend
COLLEAGUE = Principal("slack", "T0HOME", "U0COLLEAGUE")


async def stops_anybodys(receiver: Receiver, conversation: str, person: Principal) -> int:
    return await stop(receiver, conversation, COLLEAGUE)


async def amends_anybodys(receiver: Receiver, message: Message) -> bool:
    return await amend(receiver, replace(message, sender=COLLEAGUE))


async def holds_in_slack(lobby: SlackLobby, seen: Principal, patience: float) -> Principal | None:
    return seen


async def holds_in_teams(invokes: Invokes, one: Heard) -> Principal | None:
    return one.sender


def offers_everything(policy: Policy, person: Principal, installed: Collection[str], *language: Any) -> Profile:
    examples = tuple("x" for _ in ENGLISH.abilities)
    return Profile(person.ref, ("finance",), ("filings",), dict(ENGLISH.abilities), examples)


async def forgets_for_anybody(turns: Turns, message: Message, answer_id: str = "") -> AsyncIterator[Reply]:
    yield Done(await turns._forget(message, Access(), answer_id))


async def opens_anybodys(turns: Turns, message: Message, access: Access) -> tuple[Upload, ...]:
    assert turns._reader
    return tuple([await turns._reader.read(file) for file in message.files])


class Owners(Policy):
    def grant(self, principal: Principal) -> Grant:
        return replace(grant(self, principal), admin=True)


grant = Policy.grant
FAULTS: Mapping[str, tuple[Column, Cells, str, object, str, object]] = {
    "anybody stops anybody's": (SLACK["stop another's"], UNTOUCHED, "guest", Receiver, "stop", stops_anybodys),
    "anybody edits anybody's": (SLACK["edit another's"], UNTOUCHED, "guest", Receiver, "amend", amends_anybodys),
    "anybody's thumb counts": (SLACK["thumb"], IN_SLACK["thumb"], "guest", SlackLobby, "holder", holds_in_slack),
    "help offers everything": (
        *(SLACK["`/rolecall help`"], IN_SLACK["`/rolecall help`"], "operations"),
        *(lobby, "profile", offers_everything),
    ),
    "whoami tells of other roles": (
        *(SLACK["`/rolecall whoami`"], IN_SLACK["`/rolecall whoami`"], "guest"),
        *(lobby, "profile", offers_everything),
    ),
    "the home page offers everything": (
        *(SLACK["home page"], IN_SLACK["home page"], "external"),
        *(lobby, "profile", offers_everything),
    ),
    "anybody has a conversation forgotten": (
        *(SLACK["forget this conversation"], IN_SLACK["forget this conversation"], "guest"),
        *(Turns, "take", forgets_for_anybody),
    ),
    "anybody's files are opened": (
        *(SLACK["send a file"], IN_SLACK["send a file"], "guest"),
        *(Turns, "_uploads", opens_anybodys),
    ),
    "in Teams, anybody's thumb counts": (
        *(TEAMS["thumb"], IN_TEAMS["thumb"], "deactivated"),
        *(Invokes, "_person", holds_in_teams),
    ),
    "in Teams, anybody chooses from a menu": (
        *(TEAMS["Summarize"], IN_TEAMS["Summarize"], "guest"),
        *(Invokes, "_person", holds_in_teams),
    ),
    "in Teams, everybody is an admin": (
        *(TEAMS["who can read the sources"], IN_TEAMS["who can read the sources"], "finance"),
        *(Policy, "grant", Owners.grant),
    ),
}
"""What is measured, what is expected of it, whose cell shows the fault, and what is put in the place of what."""


@pytest.mark.parametrize("name", FAULTS)
async def test_a_rule_that_is_taken_away_is_missed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    column, expected, kind, place, attribute, fault = FAULTS[name]
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    monkeypatch.setattr(place, attribute, fault)
    async with teams_desk(tmp_path) if "Teams" in name else slack_desk(tmp_path) as desk:
        assert await column(desk, kind) != expected[kind]
