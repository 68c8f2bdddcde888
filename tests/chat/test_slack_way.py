"""The way in from Slack: what is not Slack's is refused, what is comes in once, whatever way and however often it comes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.chat.fakeslack.server import signed
from tests.chat.slack_stage import SlackStage, open_stage
from tests.chat.world import FROM_PRESS


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with open_stage(tmp_path) as stage:
        yield stage


def question(stage: SlackStage, text: str = "What was revenue?") -> dict[str, Any]:
    said = stage.slack.workspace.say("U0OSKAR", "D0OSKAR", text)
    stage._events[said.ts] = {"EvX", "EvY"}
    return stage._event(said)


async def posted(stage: SlackStage, body: str, headers: dict[str, str]) -> int:
    async with (
        ClientSession() as session,
        session.post(
            stage.slack.target, data=body.encode(), headers={"Content-Type": "application/json", **headers}
        ) as answer,
    ):
        return answer.status


def attacks(body: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Requests that are not Slack's, by what is wrong with them."""
    now = time.time()
    good = signed(body)
    proof, moment = good["X-Slack-Signature"], good["X-Slack-Request-Timestamp"]
    return {
        "unsigned": (body, {}),
        "no signature": (body, {"X-Slack-Request-Timestamp": moment}),
        "no time": (body, {"X-Slack-Signature": proof}),
        "another secret": (body, signed(body, secret="guess")),
        "an empty secret": (body, signed(body, secret=" ")),
        "tampered": (body.replace("OSKAR", "FIONA"), good),
        "a space more": (body + " ", good),
        "too old": (body, signed(body, now - 301)),
        "from the future": (body, signed(body, now + 301)),
        "a day old": (body, signed(body, now - 86_400)),
        "another time": (body, good | {"X-Slack-Request-Timestamp": str(int(now) - 5)}),
        "no number": (body, good | {"X-Slack-Request-Timestamp": "soon"}),
        "not a whole number": (body, good | {"X-Slack-Request-Timestamp": f"{now:.2f}"}),
        "a negative time": (body, good | {"X-Slack-Request-Timestamp": f"-{moment}"}),
        "another script's digits": (body, good | {"X-Slack-Request-Timestamp": "١٢٣٤٥"}),
        "an empty time": (body, good | {"X-Slack-Request-Timestamp": ""}),
        "an endless time": (body, good | {"X-Slack-Request-Timestamp": "9" * 400}),
        "another version": (body, good | {"X-Slack-Signature": proof.replace("v0=", "v1=")}),
        "half a signature": (body, good | {"X-Slack-Signature": proof[:40]}),
        "an empty signature": (body, good | {"X-Slack-Signature": ""}),
        "a signature in another script": (body, good | {"X-Slack-Signature": "v0=é" + proof[4:]}),
        "upper case": (body, good | {"X-Slack-Signature": proof.upper()}),
    }


async def test_what_is_not_slacks_is_refused_and_changes_nothing(stage: SlackStage) -> None:
    body = json.dumps(stage.slack.envelope(question(stage), "EvX"))
    for name, (sent, headers) in attacks(body).items():
        assert await posted(stage, sent, headers) == 401, name
    assert (await stage.world.inbox.queue(time.time())).waiting == 0
    assert stage.world.script.heard == []


async def test_a_time_of_four_minutes_ago_is_recent(stage: SlackStage) -> None:
    body = json.dumps(stage.slack.envelope(question(stage), "EvX"))
    assert await posted(stage, body, signed(body, time.time() - 240)) == 200


async def test_the_secret_before_is_believed_as_long_as_it_is_named(tmp_path: Path) -> None:
    before = "0" * 32
    async with open_stage(tmp_path, old=before) as stage:
        body = json.dumps(stage.slack.envelope(question(stage), "EvX"))
        assert await posted(stage, body, signed(body)) == 200
        assert await posted(stage, body, signed(body, secret=before)) == 200
        assert await posted(stage, body, signed(body, secret="1" * 32)) == 401


async def test_the_secret_before_is_refused_once_it_is_not_named(stage: SlackStage) -> None:
    body = json.dumps(stage.slack.envelope(question(stage), "EvX"))
    assert await posted(stage, body, signed(body, secret="0" * 32)) == 401


async def test_a_body_that_is_neither_json_nor_text_is_a_bad_request(stage: SlackStage) -> None:
    assert await posted(stage, "{", signed("{")) == 400


async def test_a_replay_is_answered_once(stage: SlackStage) -> None:
    event = question(stage)
    body = json.dumps(stage.slack.envelope(event, "EvX"))
    headers = signed(body)
    assert [await posted(stage, body, headers) for _ in range(3)] == [200, 200, 200]
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", event["ts"])] == [FROM_PRESS]


async def test_a_retry_header_alone_proves_nothing(stage: SlackStage) -> None:
    event = question(stage)
    body = json.dumps(stage.slack.envelope(event, "EvX"))
    assert await posted(stage, body, signed(body) | {"X-Slack-Retry-Num": "3"}) == 200
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", event["ts"])] == [FROM_PRESS]


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(
    stage: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, add, tries = question(stage), stage.world.inbox.add, list[str]()

    async def full_disk(name: str, *rest: Any) -> Any:
        tries.append(name)
        if len(tries) < 3:
            raise OSError("no space left on device")
        return await add(name, *rest)

    monkeypatch.setattr(stage.world.inbox, "add", full_disk)
    assert await stage.slack.deliver(event, "EvX") == 200
    assert stage.slack.statuses == {500: 2, 200: 1}
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", event["ts"])] == [FROM_PRESS]


async def test_what_nobody_listens_to_is_acknowledged(stage: SlackStage) -> None:
    for kind in ("reaction_added", "pin_added", "something_new", "app_context_changed"):
        assert await stage.slack.deliver({"type": kind, "user": "U0OSKAR"}) == 200
    assert stage.slack.statuses == {200: 4}


@pytest.mark.parametrize("subtype", ["channel_join", "bot_message", "channel_topic", "huddle_thread", "reminder_add"])
async def test_what_is_no_question_is_acknowledged_and_left_alone(stage: SlackStage, subtype: str) -> None:
    assert await stage.slack.deliver(question(stage) | {"subtype": subtype}, "EvX") == 200
    await stage.settled()
    assert stage.world.script.heard == []


async def test_slack_checks_the_address(stage: SlackStage) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"})
    async with ClientSession() as session:
        headers = signed(body) | {"Content-Type": "application/json"}
        async with session.post(stage.slack.target, data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["challenge"]) == (200, "abc")


async def test_the_same_event_over_http_and_a_socket_is_answered_once(tmp_path: Path) -> None:
    async with open_stage(tmp_path, socket=True) as stage:
        await stage.slack.connected(2)
        event = question(stage)
        envelope = stage.slack.envelope(event, "EvX")
        body = json.dumps(envelope)
        sent = (
            stage.slack.send(envelope, which=0),
            stage.slack.send(envelope, which=1),
            stage.slack.post(body, "application/json", {}),
        )
        await asyncio.gather(*sent)
        await stage.settled()
        assert [one.text for one in await stage.seen("oskar", event["ts"])] == [FROM_PRESS]


async def test_over_a_socket_what_could_not_be_stored_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_stage(tmp_path, http=False, socket=True) as stage:
        await stage.slack.connected(2)
        assert await posted(stage, "{}", {}) == 404
        event, add, tries = question(stage), stage.world.inbox.add, list[str]()

        async def locked(name: str, *rest: Any) -> Any:
            tries.append(name)
            if len(tries) == 1:
                raise OSError("database is locked")
            return await add(name, *rest)

        monkeypatch.setattr(stage.world.inbox, "add", locked)
        envelope = stage.slack.envelope(event, "EvX")
        with pytest.raises(TimeoutError):
            await stage.slack.send(envelope, patience=0.5)
        assert "envelope_id" in await stage.slack.send(envelope)
        await stage.settled()
        assert [one.text for one in await stage.seen("oskar", event["ts"])] == [FROM_PRESS]
        said = await stage.slack.send(
            {"command": "/rolecall", "text": "whoami", "user_id": "U0OSKAR", "team_id": "T0HOME", "trigger_id": "t"},
            "slash_commands",
        )
        assert "slack-user:T0HOME/U0OSKAR" in said["payload"]["text"]
