"""What people press and see in Slack beside messages: command, menu, home, prompts, sessions, follow-ups, edits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.chat.slack.phrases import ENGLISH
from connectors.messages import INBOX
from tests.chat.fakeslack.state import BOT_USER, TEAM, Said
from tests.chat.slack_stage import SlackStage, open_stage
from tests.chat.stage import DIRECT
from tests.chat.world import FROM_PRESS, FROM_REPORT
from tests.delivery.fakes import until


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with open_stage(tmp_path) as stage:
        yield stage


def direct(stage: SlackStage, channel: str) -> list[Said]:
    return [one for one in stage.slack.workspace.standing(channel) if one.bot]


async def test_the_command_asks_in_private(stage: SlackStage) -> None:
    status, said = await stage.slack.command("U0FIONA", "What was revenue?", "C0ALL")
    assert (status, json.loads(said)) == (200, {"text": ENGLISH.on_it, "response_type": "ephemeral"})
    await stage.settled()
    assert [one.shown for one in direct(stage, "D0FIONA")] == [FROM_REPORT]
    assert direct(stage, "C0ALL") == []


async def test_a_command_that_could_not_be_stored_is_not_acknowledged(
    stage: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object) -> str:
        raise OSError("no space left on device")

    monkeypatch.setattr(stage.world.inbox, "add", full_disk)
    assert (await stage.slack.command("U0FIONA", "What was revenue?", "C0ALL"))[0] == 500


async def test_whoami_and_help_say_what_is_open_to_somebody(stage: SlackStage) -> None:
    _, who = await stage.slack.command("U0FIONA", "whoami", "C0ALL")
    said = json.loads(who)["text"]
    assert all(word in said for word in ("slack-user:T0HOME/U0FIONA", "`finance`", "`filings`", "`company`"))
    _, help_text = await stage.slack.command("U0OSKAR", "", "C0ALL")
    assert "answer questions from your company's documents" in json.loads(help_text)["text"]
    assert "write and run code" not in help_text
    _, guest = await stage.slack.command("U0GUS", "whoami", "C0VIS")
    assert "a guest" in json.loads(guest)["text"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("rolecall_summarize", "summarize: Bolts are missing; Which ones?"),
        ("rolecall_translate", "translate: Which ones?"),
        ("rolecall_explain", ": Which ones?"),
    ],
)
async def test_an_entry_of_a_messages_menu_is_answered_in_private(stage: SlackStage, entry: str, expected: str) -> None:
    root = stage.slack.workspace.say("U0FIONA", "C0ALL", "Bolts are missing")
    said = stage.slack.workspace.say("U0OSKAR", "C0ALL", "Which ones?", root.ts)
    stage.slack.workspace.say("U0OSKAR", "C0ALL", "Something else")
    payload = {"type": "message_action", "callback_id": entry, "user": {"id": "U0OSKAR"}, "trigger_id": "t7"}
    payload |= {"message": said.json(False), "channel": {"id": "C0ALL"}, "message_ts": said.ts}
    assert (await stage.slack.interact(payload))[0] == 200
    await stage.settled()
    assert [one.shown for one in direct(stage, "D0OSKAR")] == [expected]
    assert direct(stage, "C0ALL") == []


async def test_the_home_page_shows_what_one_may_use_read_and_asked(stage: SlackStage) -> None:
    await stage.say("oskar", "What was &lt;revenue&gt;?")
    await stage.settled()
    await stage.slack.deliver({"type": "app_home_opened", "user": "U0OSKAR", "channel": "D0OSKAR", "tab": "home"})
    await until(lambda: "U0OSKAR" in stage.slack.workspace.homes)
    page = stage.slack.workspace.homes["U0OSKAR"]
    shown = json.dumps(page)
    assert page["type"] == "home"
    assert all(word in shown for word in ("What was &lt;revenue&gt;?", "`company`", "summarize a thread"))
    assert "filings" not in shown


async def test_what_is_forgotten_is_in_no_table_and_on_no_page_and_its_answer_can_still_be_taken_away(
    stage: SlackStage,
) -> None:
    asked = await stage.say("oskar", "What was revenue?")
    await stage.say("oskar", "What was the canteen?")
    shared = await stage.say("oskar", "What was the hangar?", "all-hands")
    await stage.say("fiona", "What was the fleet?", "all-hands", under=shared)
    await stage.settled()
    for under, room in ((asked, DIRECT), (shared, "all-hands")):
        await stage.say("oskar", "Forget this conversation.", room, under=under)
        await stage.settled()
    async with stage.world.inbox._engine.connect() as connection:
        rows = (await connection.execute(sa.select(INBOX))).mappings().all()
    kept = {word for word in ("revenue", "canteen", "hangar", "fleet") if any(word in row["body"] for row in rows)}
    assert kept == {"canteen", "fleet"}, "another conversation, and another person"
    assert all(bool(row["answer"]) == ("What was the" in row["body"] or "Forget" in row["body"]) for row in rows)
    assert await stage.world.inbox.questions(f"slack-user:{TEAM}/U0OSKAR", 9) == [
        "Forget this conversation.",
        "Forget this conversation.",
        "What was the canteen?",
    ]
    before = len(direct(stage, "D0OSKAR"))
    await stage.delete(asked)
    await stage.settled()
    assert len(direct(stage, "D0OSKAR")) == before - 1


async def test_the_messages_tab_suggests_what_one_can_really_ask(stage: SlackStage) -> None:
    for user in ("U0GUS", "U0OSKAR"):
        opened = {"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": "messages"}
        await stage.slack.deliver(opened)
    await until(lambda: bool(stage.slack.workspace.prompts))
    (given,) = stage.slack.workspace.prompts
    assert given["channel_id"] == "D0OSKAR"
    assert "thread_ts" not in given
    titles = [one["title"] for one in given["prompts"]]
    assert titles == [
        "Answer questions from your company's documents",
        "Summarize a thread, a file or a long text",
        "Translate text",
    ]


async def test_a_session_has_a_title_a_status_and_an_end(stage: SlackStage) -> None:
    asked = await stage.say("oskar", "What was revenue?\nPlease.")
    await stage.settled()
    sessions = stage.slack.workspace.sessions
    await until(lambda: len(sessions) >= 2)
    assert sessions[0] == {
        "channel_id": "D0OSKAR",
        "thread_ts": asked,
        "status": "processing",
        "title": "What was revenue?",
    }
    assert sessions[-1]["status"] == "active"
    assert stage.slack.workspace.statuses[0]["thread_ts"] == asked


async def test_after_stop_the_session_is_not_busy(stage: SlackStage) -> None:
    asked = await stage.say("oskar", "hold this")
    await stage.world.script.holding.wait()
    await stage.stop("oskar", asked)
    await stage.settled()
    await until(lambda: stage.slack.workspace.sessions[-1]["status"] == "active")


async def test_who_did_not_ask_does_not_stop_it(stage: SlackStage) -> None:
    asked = await stage.say("oskar", "hold this", "all-hands")
    await stage.world.script.holding.wait()
    await stage.stop("fiona", asked)
    stage.world.script.go.set()
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", asked)] == [FROM_PRESS]


REPLIES: dict[str, Callable[[bool, bool], bool]] = {
    "mentions": lambda mention, joined: mention,
    "threads": lambda mention, joined: mention or joined,
    "all": lambda mention, joined: True,
    "never": lambda mention, joined: False,
}


@pytest.mark.parametrize("reply", REPLIES)
async def test_a_room_says_when_it_is_answered(tmp_path: Path, reply: str) -> None:
    policy = f"""
version: 1
tenants: {{slack: [{TEAM}]}}
labels: [company]
roles: {{everyone: {{applies_to: members, read: [company], tools: [search_documents]}}}}
rooms: {{"slack:{TEAM}/C0ALL": {{reply: {reply}}}}}
"""
    async with open_stage(tmp_path, policy) as stage:
        answered = REPLIES[reply]
        asked = await stage.say("oskar", "What was revenue?", "all-hands")
        plain = await stage.say("oskar", "What was revenue?", "all-hands", mention=False)
        await stage.settled()
        assert bool(await stage.seen("oskar", asked)) == answered(True, False)
        assert bool(await stage.seen("oskar", plain)) == answered(False, False)
        later = await stage.say("fiona", "And now?", "all-hands", under=asked, mention=False)
        other = await stage.say("fiona", "And now?", "all-hands", under=plain, mention=False)
        await stage.settled()
        assert bool(await stage.seen("oskar", later)) == answered(False, answered(True, False))
        assert bool(await stage.seen("oskar", other)) == answered(False, answered(False, False))


async def test_an_edit_that_adds_the_mention_asks(stage: SlackStage) -> None:
    said = await stage.say("oskar", "What was revenue?", "all-hands", mention=False)
    await stage.edit(said, f"<@{BOT_USER}> What was revenue?")
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", said)] == [FROM_PRESS]


async def test_a_change_that_is_no_edit_changes_nothing(stage: SlackStage) -> None:
    asked = await stage.say("oskar", "hold this", "all-hands")
    await stage.world.script.holding.wait()
    said = stage._said(asked)
    same = stage._event(said)
    await stage._send(asked, stage._change(said, "message_changed", message=same, previous_message=same))
    stage.world.script.go.set()
    await stage.settled()
    assert {turn.id for turn in stage.world.script.heard} == {stage.world.script.heard[0].id}


async def test_a_file_that_lies_elsewhere_is_named_not_fetched(stage: SlackStage) -> None:
    files = [("a.txt", b"x"), ("b.txt", b"y"), ("c.txt", b"z"), ("big.txt", b"")]
    asked = stage._uploaded(files)
    known = stage.slack.workspace.files
    known[asked[0]["id"]]["url_private_download"] = "http://127.0.0.1:9/secret"
    known[asked[1]["id"]]["mode"] = "tombstone"
    known.pop(asked[2]["id"])
    asked[3]["size"] = 30 << 20
    said = stage.slack.workspace.say("U0OSKAR", "D0OSKAR", "read", files=asked)
    stage._events[said.ts] = set()
    await stage._send(said.ts, stage._event(said))
    await stage.settled()
    (answer,) = await stage.seen("oskar", said.ts)
    reasons = answer.text.partition("I could not read")[2]
    for reason in ("does not lie at Slack", "is gone", "file_not_found", "30.0 MB; at most 20 MB"):
        assert reason in reasons


async def test_a_group_conversation_is_like_a_private_channel(stage: SlackStage) -> None:
    stage.slack.workspace.channel("G0MPIM", ["U0FIONA", "U0OSKAR", BOT_USER], is_mpim=True, is_private=True)
    said = stage.slack.workspace.say("U0FIONA", "G0MPIM", f"<@{BOT_USER}> What was revenue?")
    stage._events[said.ts] = set()
    event = {"type": "message", "channel": "G0MPIM", "channel_type": "mpim", "ts": said.ts, "user": "U0FIONA"}
    await stage._send(said.ts, event | {"text": said.text, "team": TEAM})
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", said.ts)] == [FROM_PRESS]
    assert len(await stage.seen("fiona", said.ts)) == 2


@pytest.mark.parametrize("user", [BOT_USER, "U0ROB"])
async def test_what_a_bot_says_in_a_thread_is_no_question_even_if_it_does_not_say_that_it_is_one(
    stage: SlackStage, user: str
) -> None:
    asked = await stage.say("oskar", "What was revenue?", "all-hands")
    await stage.settled()
    heard = len(stage.world.script.heard)
    event = {"type": "message", "channel": "C0ALL", "channel_type": "channel", "ts": stage.slack.workspace.ts()}
    await stage._send(asked, event | {"thread_ts": asked, "user": user, "text": "And now?", "team": TEAM})
    await stage.settled()
    assert len(stage.world.script.heard) == heard
