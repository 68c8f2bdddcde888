"""What Rolecall says in Teams, as HTTP bodies: streams, answers, files, private words, and what the SDK would get wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.access.rosters import CachedDirectory
from bot.assistant.teams_words import ENGLISH
from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Place, Post
from bot.settings import Secret, TeamsSettings
from bot.types import Attachment, Citation, Principal, Room
from connectors.chat.teams import tokens
from connectors.chat.teams.endpoints import CONNECTOR_SCOPE, GRAPH_SCOPE, Endpoints
from connectors.chat.teams.formatting import PART, markdown, parts, size
from connectors.chat.teams.graph import Graph
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.store import Reference, TeamsStore
from connectors.chat.teams.streaming import LIFE, Stopped, Streaming, Tempo
from connectors.chat.teams.wire import Refused, Wire
from connectors.database import open_database
from tests.chat.faketeams.service import APP, BOT, TENANT, Account, Conversation, FakeTeams, oid
from tests.chat.faketeams.stage import FINANCE, POLICY, ROOMS, TeamsStage, copied, open_stage
from tests.chat.world import FROM_PRESS, FROM_REPORT
from tests.delivery.fakes import until

FIONA = Principal("teams", TENANT, oid("fiona"))
ALL = Room("teams", TENANT, ROOMS["all-hands"].id, "private")


@pytest.fixture
async def stage(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TeamsStage]:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    async with open_stage(copied(migrated, tmp_path)) as opened:
        yield opened


def info(body: dict[str, Any]) -> dict[str, Any]:
    return next((one for one in body.get("entities", ()) if one["type"] == "streaminfo"), {})


def label(body: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in body["entities"] if one["type"] == "https://schema.org/Message")


# What the SDK loses or breaks (its entities, its retries, its threads, its tokens): each on the wire.


async def test_a_personal_answer_is_a_stream_with_everything_teams_wants_at_its_end(stage: TeamsStage) -> None:
    await stage.say("fiona", "What was revenue?")
    await stage.settled()
    bodies = stage.fake.sent()
    first, *steps, last = bodies
    assert (first["type"], info(first)) == (
        "typing",
        {"type": "streaminfo", "streamType": "informative", "streamSequence": 1},
    )
    ident = info(last)["streamId"]
    sequence = [info(one)["streamSequence"] for one in (first, *steps)]
    assert sequence == list(range(1, len(sequence) + 1))
    assert all(info(one)["streamId"] == ident for one in steps)
    assert all(one["channelData"]["streamId"] == ident for one in steps)
    assert info(last)["streamType"] == "final"
    assert last["type"] == "message"
    assert last["from"]["id"] == BOT
    assert last["channelData"]["feedbackLoop"] == {"type": "default"}
    entity = label(last)
    assert (entity["@type"], entity["@context"], entity["@id"]) == ("Message", "https://schema.org", "")
    assert entity["additionalType"] == ["AIGeneratedContent"]
    assert entity["citation"] == [
        {
            "@type": "Claim",
            "position": 1,
            "appearance": {"@type": "DigitalDocument", "name": "Annual report", "abstract": "Annual report, p. 7"},
        }
    ]
    assert entity["usageInfo"] == {
        "@type": "CreativeWork",
        "name": "Confidential",
        "description": "For the finance team",
    }
    (card,) = last["attachments"]
    assert (card["contentType"], card["content"]["version"]) == ("application/vnd.microsoft.card.adaptive", "1.5")
    assert "Annual report" in card["content"]["fallbackText"]


async def test_elsewhere_there_are_three_dots_and_one_message_that_is_edited(stage: TeamsStage) -> None:
    await stage.say("oskar", "What was revenue?", "finance")
    await stage.settled()
    room = ROOMS["finance"].id
    await until(lambda: len(stage.fake.messages(room)) == 1)
    posts = [one for one in stage.fake.sent() if one["conversation"]["id"] == room]
    assert [one["type"] for one in posts] == ["typing", "message"]
    assert stage.fake.sent("PUT")[-1]["text"] == FROM_PRESS
    assert not any(info(one) for one in posts)
    dots = len(stage.fake.typing)
    await asyncio.sleep(0.3)
    assert len(stage.fake.typing) == dots


async def test_the_three_dots_end_with_a_turn_that_fails(stage: TeamsStage) -> None:
    await stage.say("oskar", "break it", "finance")
    await until(lambda: len(stage.world.script.heard) == 1)
    await asyncio.sleep(0.3)
    assert len(stage.fake.typing) == 1


async def test_many_turns_ask_for_one_token_of_each_kind(stage: TeamsStage) -> None:
    for number in range(5):
        await stage.say("fiona", f"What was revenue {number}?")
    await stage.settled()
    assert stage.fake.tokens == 2  # one for the Bot Connector, one for Graph
    scopes = {one.path for one in stage.fake.calls if one.method == "TOKEN"}
    assert scopes == {CONNECTOR_SCOPE, GRAPH_SCOPE}
    authority = [one.body for one in stage.fake.calls if one.method == "TOKEN"]
    assert all(one["client_secret"] == "right" for one in authority)


async def test_invokes_are_answered_in_the_request(stage: TeamsStage) -> None:
    await stage.say("fiona", "hello")
    await stage.settled()
    answer = await stage.invoke("fiona", "a:fiona", "composeExtension/fetchTask", {"commandId": "translate"})
    assert answer[0] == 200
    assert answer[1]["task"]["value"]["card"]["content"]["version"] == "1.5"
    assert await stage.invoke("fiona", "a:fiona", "message/submitAction", {"actionName": "feedback"}) == (200, {})
    assert (await stage.invoke("fiona", "a:fiona", "task/fetch", {}))[0] == 501


async def test_who_wants_the_replies_in_the_response_gets_a_response(stage: TeamsStage) -> None:
    activity = stage.fake.activity("fiona", stage.chat("fiona"), text="hello", deliveryMode="expectReplies")
    assert await stage.fake.deliver(activity) == (200, {"activities": []})
    await stage.settled()
    assert stage.fake.messages("a:fiona")


async def test_after_a_restart_every_conversation_is_still_known(stage: TeamsStage) -> None:
    for room in ("direct", "all-hands", "finance"):
        await stage.say("fiona", "hello", room)
    await stage.settled()
    store = TeamsStore(stage.doorway._engine)
    for conversation, kind in (("a:fiona", "direct"), (ROOMS["finance"].id, "private")):
        found = await store.reference(conversation)
        assert found is not None
        assert (found.service, found.tenant, found.bot, found.kind) == (stage.fake.service, TENANT, BOT, kind)
    there = await store.somewhere(ALL.ref)
    assert there is not None
    assert there.team == ROOMS["all-hands"].team
    contact = await store.contact(FIONA.ref)
    assert contact is not None
    assert (contact.user, contact.chat) == ("29:fiona", "a:fiona")


# Sending: what is tried again, and what is not.


class Line:
    """A wire to the fake, with pauses that a test can bear."""

    def __init__(self, fake: FakeTeams, session: ClientSession, engine: Any, tempo: Tempo | None = None):
        self.now = 0.0
        self.fake = fake
        made = tokens.Tokens(lambda scope: {"access_token": f"t-{scope}", "expires_in": 3600})
        self.wire = Wire(session, made, Endpoints(loopback=True), pause=0.01)
        self.store = TeamsStore(engine)
        self.posting = Posting(self.wire, self.store)
        self.streaming = Streaming(self.posting, lambda: self.now, tempo or Tempo(0.0, 3600.0))
        self.to = Reference("a:fiona", fake.service, TENANT, BOT, "a:fiona", "direct", FIONA.ref)


@pytest.fixture
async def line(migrated: Path, tmp_path: Path) -> AsyncIterator[Line]:
    fake = FakeTeams()
    fake.add(Account("fiona"))
    fake.conversations["a:fiona"] = Conversation("a:fiona", "personal", ["fiona"])
    path = copied(migrated, tmp_path)
    async with fake.listening(), ClientSession() as session, open_database(f"sqlite+aiosqlite:///{path}") as engine:
        made = Line(fake, session, engine)
        made.streaming = Streaming(made.posting, lambda: made.now, Tempo(0.0, 3600.0))
        fake._clock = lambda: made.now
        yield made
        await made.streaming.close()


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_a_send_is_tried_again_when_that_may_help(line: Line, status: int) -> None:
    line.fake.fault("POST", "activities", web.Response(status=status), web.Response(status=status))
    assert await line.posting.send(line.to, {"type": "message", "text": "x"})
    assert len(line.fake.sent()) == 3
    assert len(line.fake.messages("a:fiona")) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 500, 503])
async def test_a_send_is_not_tried_again_when_that_would_not_help(line: Line, status: int) -> None:
    line.fake.fault("POST", "activities", web.Response(status=status, text="<html>no JSON</html>"))
    with pytest.raises((Refused, DoorUnavailable)):
        await line.posting.send(line.to, {"type": "message", "text": "x"})
    assert len(line.fake.sent()) == 1


async def test_after_a_long_429_nothing_is_sent_to_that_conversation(line: Line) -> None:
    line.fake.fault("POST", "activities", web.Response(status=429, headers={"Retry-After": "30"}))
    for _ in range(3):
        with pytest.raises(DoorUnavailable) as refused:
            await line.posting.send(line.to, {"type": "message", "text": "x"})
        assert 29 < refused.value.retry_after <= 30
    assert len(line.fake.sent()) == 1


async def test_a_body_that_is_too_large_is_a_refusal_in_words(line: Line) -> None:
    with pytest.raises(Refused, match="413"):
        await line.posting.send(line.to, {"type": "message", "text": "x" * 60_000})


async def test_a_token_that_is_refused_is_asked_for_anew(line: Line) -> None:
    line.fake.fault("POST", "activities", web.Response(status=401))
    assert await line.posting.send(line.to, {"type": "message", "text": "x"})
    assert len(line.fake.sent()) == 2


async def test_many_sends_are_under_way_at_once(line: Line) -> None:
    line.fake.hold.clear()
    sends = [asyncio.create_task(line.posting.send(line.to, {"type": "message", "text": "x"})) for _ in range(40)]
    await until(lambda: line.fake.holding == 40)
    line.fake.hold.set()
    assert len(set(await asyncio.gather(*sends))) == 40


async def test_a_token_goes_to_microsoft_alone(line: Line) -> None:
    wire = Wire(line.wire._session, line.wire._tokens, Endpoints())
    with pytest.raises(Refused):
        await wire.call("GET", line.fake.service, "conversations/a%3Afiona/pagedmembers")
    assert line.fake.calls == []


# Streams.


async def test_a_stream_becomes_a_message_before_teams_ends_it(line: Line) -> None:
    streaming = Streaming(line.posting, lambda: line.now, Tempo(0.0, 0.01))
    ident = await streaming.begin(line.to, "Thinking")
    assert await streaming.step(line.to, ident, "One.", growing=True)
    line.now += LIFE + 1
    (shown,) = line.fake.messages("a:fiona")
    await until(lambda: not shown.streaming)
    assert not await streaming.step(line.to, ident, "One. Two.", growing=True)
    assert await streaming.end(line.to, ident, {"type": "message", "text": "One. Two."}) == ident
    assert shown.last["text"] == "One. Two."
    assert len(line.fake.messages("a:fiona")) == 1
    await streaming.close()


async def test_a_stream_that_nobody_remembers_still_ends_as_one_message(line: Line) -> None:
    ident = await line.streaming.begin(line.to, "Thinking")
    later = Streaming(line.posting, lambda: line.now)
    assert not await later.step(line.to, ident, "One.", growing=True)
    assert await later.end(line.to, ident, {"type": "message", "text": "Done."}) == ident
    (shown,) = line.fake.messages("a:fiona")
    assert (shown.last["text"], shown.streaming) == ("Done.", False)


async def test_a_stream_that_teams_has_ended_is_edited(line: Line) -> None:
    ident = await line.streaming.begin(line.to, "Thinking")
    line.now += 121
    later = Streaming(line.posting, lambda: line.now)
    assert await later.end(line.to, ident, {"type": "message", "text": "Done."}) == ident
    (shown,) = line.fake.messages("a:fiona")
    assert shown.last["text"] == "Done."


async def test_text_that_does_not_go_on_from_what_was_shown_comes_by_an_edit(line: Line) -> None:
    ident = await line.streaming.begin(line.to, "Thinking")
    await line.streaming.step(line.to, ident, "One.", growing=True)
    assert await line.streaming.step(line.to, ident, "Writing", growing=False)
    await line.streaming.end(line.to, ident, {"type": "message", "text": "Something else."})
    (shown,) = line.fake.messages("a:fiona")
    assert shown.last["text"] == "Something else."
    assert [one["text"] for one in shown.forms] == ["Thinking", "One.", "One.", "Something else."]


async def test_after_stop_nothing_is_sent(line: Line) -> None:
    stopped: list[Reference] = []
    line.streaming.on_stop = stopped.append
    ident = await line.streaming.begin(line.to, "Thinking")
    line.fake.cancel("a:fiona")
    with pytest.raises(Stopped):
        await line.streaming.step(line.to, ident, "One.", growing=True)
    calls = len(line.fake.calls)
    with pytest.raises(Stopped):
        await line.streaming.end(line.to, ident, {"type": "message", "text": "One. Two."})
    assert stopped == [line.to]
    assert len(line.fake.calls) == calls


async def test_where_no_stream_is_taken_there_is_a_message(stage: TeamsStage) -> None:
    stage.fake.fault("POST", "activities", web.Response(status=405))
    asked = await stage.say("oskar", "What was revenue?")
    await stage.settled()
    (seen,) = await stage.seen("oskar", asked)
    assert seen.text == FROM_PRESS
    assert not any(info(one) for one in stage.fake.sent()[1:])


# Answers.


async def test_more_sources_than_teams_cites_are_listed_in_the_text(stage: TeamsStage) -> None:
    await stage.say("fiona", "hello")
    await stage.settled()
    found = tuple(Citation(n, f"d{n}", f"Document {n}", frozenset({"company"})) for n in range(1, 26))
    text = " ".join(f"Fact {n} [{n}]." for n in range(1, 25))
    place = Place(Room("teams", TENANT, "a:fiona", "direct"))
    await stage.doorway.door.post(place, Post("answer", text, found, "a1"), "k")
    last = stage.fake.messages("a:fiona")[-1].last
    assert [one["position"] for one in label(last)["citation"]] == list(range(1, 21))
    listed = last["text"].partition(ENGLISH.more_sources)[2]
    assert [n for n in range(1, 26) if f"[{n}] Document {n}" in listed] == [21, 22, 23, 24, 25]
    assert label(last)["usageInfo"]["name"] == "Internal"


async def test_the_same_call_twice_changes_nothing_more(stage: TeamsStage) -> None:
    await stage.say("fiona", "hello")
    await stage.settled()
    door, place = stage.doorway.door, Place(Room("teams", TENANT, "a:fiona", "direct"))
    text = "\n\n".join(f"Paragraph {n}. " + "word " * 300 for n in range(30))
    posted = await door.post(place, Post("status", "Thinking"), "k")
    assert await door.find(place, "k") == posted
    made = await door.edit(place, posted, Post("answer", text, id="a1"))
    shown = len(stage.fake.messages("a:fiona"))
    assert shown > 2
    assert await door.edit(place, made, Post("answer", text, id="a1")) == made
    first = made.partition(",")[0]
    assert await door.edit(place, first, Post("answer", text, id="a1")) == made
    assert len(stage.fake.messages("a:fiona")) == shown
    short = await door.edit(place, made, Post("answer", "Short.", id="a1"))
    assert len(stage.fake.messages("a:fiona")) == 2
    await door.remove(place, short)
    await door.remove(place, short)
    assert len(stage.fake.messages("a:fiona")) == 1


def test_headings_and_tables_are_shown_in_what_teams_has() -> None:
    text = "## Torque ##\n\n| bolt | Nm |\n|---|---|\n| a | 7 |\n\n```\n# kept\n| kept |\n```"
    assert markdown(text) == "**Torque**\n\n```\n| bolt | Nm |\n|---|---|\n| a | 7 |\n```\n\n```\n# kept\n| kept |\n```"
    assert markdown("I can:\n- search\n- draft") == "I can:\n\n- search\n- draft"
    assert markdown("| a |", growing=True) == "```\n| a |"


def test_long_texts_are_split_and_nothing_is_lost() -> None:
    code = "```python\n" + "".join(f"line_{n} = {n}\n" for n in range(2000)) + "```"
    prose = "\n\n".join(f"Paragraph {n}. " + "Words follow. " * 40 for n in range(40))
    line = "".join(f"文{n}は長い。" for n in range(4000))
    whole = f"{prose}\n\n{code}\n\n{line}"
    pieces = parts(whole)
    assert all(size(one) <= PART for one in pieces)
    assert all(one.count("```") % 2 == 0 for one in pieces)
    words = "".join(pieces).replace("```python", "").replace("```", "").split()
    assert "".join(words) == "".join(whole.replace("```python", "").replace("```", "").split())


# Private words.


async def test_who_cannot_be_written_to_is_told_so_once_in_the_room(stage: TeamsStage) -> None:
    stage.fake.people["fiona"].installed = False
    asked = await stage.say("fiona", "What was revenue?", "all-hands")
    await stage.settled()
    texts = [one.text for one in await stage.seen("oskar", asked)]
    assert texts == [FROM_PRESS, ENGLISH.cannot_write]
    assert not any(FROM_REPORT in str(one) for one in (*stage.fake.sent(), *stage.fake.sent("PUT")))


async def test_who_removed_the_app_since_is_told_too(stage: TeamsStage) -> None:
    await stage.say("fiona", "hello")
    await stage.settled()
    stage.fake.people["fiona"].installed = False
    asked = await stage.say("fiona", "What was revenue?", "all-hands")
    await stage.settled()
    assert [one.text for one in await stage.seen("oskar", asked)] == [FROM_PRESS, ENGLISH.cannot_write]


async def test_a_room_that_rolecall_was_removed_from_is_undeliverable(stage: TeamsStage) -> None:
    with pytest.raises(Undeliverable):
        await stage.doorway.door.post(Place(ALL), Post("notice", "Hello"), "k")
    assert stage.fake.sent() == []


@pytest.mark.parametrize(
    ("feedback", "reason"),
    [('{"feedbackText": "It is old."}', "It is old."), ("It is old.", "It is old."), ("7", "7"), ("", ""), (None, "")],
)
async def test_a_thumb_is_kept_with_its_reason(stage: TeamsStage, feedback: str | None, reason: str) -> None:
    await stage.say("oskar", "What was revenue?")
    await stage.settled()
    (shown,) = stage.fake.messages("a:oskar")
    value = {"actionName": "feedback", "actionValue": {"reaction": "dislike", "feedback": feedback}}
    assert await stage.invoke("oskar", "a:oskar", "message/submitAction", value, replyToId=shown.id) == (200, {})
    (opinion,) = await stage.world.journal.opinions(10)
    assert (opinion.good, opinion.reason, opinion.person) == (False, reason, f"teams-user:{TENANT}/{oid('oskar')}")


async def test_a_thumb_of_somebody_who_holds_nothing_is_not_kept(stage: TeamsStage) -> None:
    await stage.say("gus", "What was revenue?")
    await stage.settled()
    (shown,) = stage.fake.messages("a:gus")
    value = {"actionName": "feedback", "actionValue": {"reaction": "like"}}
    assert await stage.invoke("gus", "a:gus", "message/submitAction", value, replyToId=shown.id) == (200, {})
    assert await stage.world.journal.opinions(10) == []


# Files.


async def test_a_file_is_handed_over_by_consent(stage: TeamsStage) -> None:
    await stage.say("fiona", "hello")
    await stage.settled()
    place = Place(Room("teams", TENANT, "a:fiona", "direct"))
    await stage.doorway.door.attach(place, Attachment("table.csv", b"a,b\n"), "k:file:1")
    card = stage.fake.messages("a:fiona")[-1].last["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.teams.card.file.consent"
    assert card["content"]["sizeInBytes"] == 4
    upload = {
        "uploadUrl": f"{stage.fake.url}/files/table.csv",
        "contentUrl": "https://x",
        "uniqueId": "u",
        "fileType": "csv",
    }
    value = {
        "type": "fileUpload",
        "action": "accept",
        "context": card["content"]["acceptContext"],
        "uploadInfo": upload,
    }
    evil = value | {"uploadInfo": upload | {"uploadUrl": "https://evil.example/x"}}
    stage.chat("oskar")
    assert (await stage.invoke("oskar", "a:oskar", "fileConsent/invoke", value))[0] == 200  # not his to take
    assert (await stage.invoke("fiona", "a:fiona", "fileConsent/invoke", evil))[0] == 200
    await until(lambda: ENGLISH.file_failed in [one.last["text"] for one in stage.fake.messages("a:fiona")])
    assert "table.csv" not in stage.fake.files
    assert await stage.invoke("fiona", "a:fiona", "fileConsent/invoke", value) == (200, {})
    await until(lambda: "attachments" in stage.fake.messages("a:fiona")[-1].last)
    assert stage.fake.files["table.csv"] == b"a,b\n"
    info_card = stage.fake.messages("a:fiona")[-1].last["attachments"][0]
    assert info_card["contentType"] == "application/vnd.microsoft.teams.card.file.info"


async def test_in_a_room_a_small_picture_is_shown_and_a_file_is_for_the_personal_chat(stage: TeamsStage) -> None:
    await stage.say("oskar", "hello", "finance")
    await stage.settled()
    place = Place(Room("teams", TENANT, ROOMS["finance"].id, "private"))
    await stage.doorway.door.attach(place, Attachment("chart.png", b"\x89PNG"), "k1")
    await stage.doorway.door.attach(place, Attachment("table.csv", b"a,b\n"), "k2")
    picture, words = [one.last for one in stage.fake.messages(ROOMS["finance"].id)][-2:]
    assert picture["attachments"][0]["contentUrl"].startswith("data:image/png;base64,")
    assert "table.csv" in words["text"]


@pytest.mark.parametrize(
    "url", ["https://evil.example/a", "http://acme.sharepoint.com/a", "https://sharepoint.com.evil.example/"]
)
async def test_a_file_elsewhere_is_not_fetched(stage: TeamsStage, url: str) -> None:
    activity = stage.fake.activity("oskar", stage.chat("oskar"), text="read")
    content = {"downloadUrl": url}
    kind = "application/vnd.microsoft.teams.file.download.info"
    activity["attachments"] = [{"contentType": kind, "name": "a.txt", "content": content}]
    await stage.fake.deliver(activity)
    await stage.settled()
    assert "does not lie with Microsoft" in stage.fake.messages("a:oskar")[-1].last["text"]


# Message extensions, admins, people who come and go.


async def test_a_message_is_summarized_in_the_personal_chat(stage: TeamsStage) -> None:
    await stage.say("oskar", "hello", "all-hands")
    await stage.settled()
    body = {"contentType": "html", "content": "<p>The gate&nbsp;is<br>B12 &amp; open.</p>"}
    payload = {"from": {"user": {"displayName": "Fiona"}}, "body": body}
    value = {"commandId": "summarize", "messagePayload": payload}
    where = f"{ROOMS['all-hands'].id};messageid=1"
    answer = await stage.invoke("oskar", where, "composeExtension/fetchTask", value)
    assert answer == (200, {"task": {"type": "message", "value": ENGLISH.in_our_chat}})
    await stage.settled()
    turn = stage.world.script.heard[-1]
    assert turn.message.tool == "summarize"
    assert turn.message.room.kind == "direct"
    assert turn.message.excerpts[0].text == "The gate\u00a0is\nB12 & open."
    assert stage.fake.messages("a:oskar")
    value = {"commandId": "translate", "messagePayload": payload, "data": {"into": "Japanese"}}
    await stage.invoke("oskar", where, "composeExtension/submitAction", value)
    await stage.settled()
    assert stage.world.script.heard[-1].message.text == "Translate this message into Japanese."
    guest = await stage.invoke("gus", ROOMS["visitors"].id, "composeExtension/fetchTask", value)
    assert guest == (200, {"task": {"type": "message", "value": ENGLISH.not_yours}})


async def test_a_message_extension_says_so_where_there_is_no_personal_chat(stage: TeamsStage) -> None:
    stage.fake.people["oskar"].installed = False
    value = {"commandId": "explain", "messagePayload": {"body": {"content": "Hello"}}}
    answer = await stage.invoke("oskar", ROOMS["visitors"].id, "composeExtension/fetchTask", value)
    assert answer == (200, {"task": {"type": "message", "value": ENGLISH.cannot_open}})
    assert stage.world.script.heard == []


async def test_only_an_admin_hears_who_can_read_a_source(stage: TeamsStage) -> None:
    for who in ("fiona", "oskar"):
        await stage.say(who, "What was revenue?")
    await stage.settled()
    cards = {who: stage.fake.messages(f"a:{who}")[-1].last["attachments"][0]["content"] for who in ("fiona", "oskar")}
    assert "actions" not in cards["oskar"]
    (action,) = cards["fiona"]["actions"]
    value = {"action": {"type": "Action.Execute", "verb": action["verb"], "data": action["data"]}}
    status, body = await stage.invoke("fiona", "a:fiona", "adaptiveCard/action", value)
    assert (status, body["statusCode"]) == (200, 200)
    assert "airline/report.pdf" in body["value"]["fallbackText"]
    status, body = await stage.invoke("oskar", "a:oskar", "adaptiveCard/action", value)
    assert (status, body["statusCode"], body["value"]["message"]) == (200, 403, ENGLISH.admins_only)


async def test_being_installed_is_answered_by_one_welcome(stage: TeamsStage) -> None:
    for who in ("fiona", "gus"):
        added = {"action": "add", "membersAdded": [{"id": BOT}]}
        for kind in ("installationUpdate", "conversationUpdate", "installationUpdate"):
            await stage.fake.deliver(stage.fake.activity(who, stage.chat(who), kind, **added))
    await until(lambda: len(stage.fake.messages("a:fiona")) == 1 and len(stage.fake.messages("a:gus")) == 1)
    hello = stage.fake.messages("a:fiona")[0].last
    assert "answer questions from your company's documents" in hello["text"]
    assert "company, filings" in hello["text"]
    assert 1 <= len(hello["suggestedActions"]["actions"]) <= 6
    assert hello["suggestedActions"]["actions"][0]["type"] == "imBack"
    assert "suggestedActions" not in stage.fake.messages("a:gus")[0].last
    removed = stage.fake.activity("fiona", stage.chat("fiona"), "installationUpdate", action="remove")
    await stage.fake.deliver(removed)
    await stage.fake.deliver(stage.fake.activity("fiona", stage.chat("fiona"), "installationUpdate", action="add"))
    await until(lambda: len(stage.fake.messages("a:fiona")) == 2)


async def test_a_question_that_comes_back_is_asked_anew(stage: TeamsStage) -> None:
    asked = await stage.say("oskar", "What was revenue?")
    await stage.settled()
    await stage.delete(asked)
    await stage.settled()
    assert stage.fake.messages("a:oskar") == []
    await stage.undelete(asked)
    await stage.settled()
    assert [one.last["text"] for one in stage.fake.messages("a:oskar")] == [FROM_PRESS]
    await stage.delete(asked)
    await stage.settled()
    assert stage.fake.messages("a:oskar") == []


async def test_rosters_are_paged_and_dropped_when_somebody_comes(stage: TeamsStage) -> None:
    fake, room = stage.fake, ROOMS["finance"]
    fake.page = 1
    await stage.say("fiona", "hello", "finance")
    await stage.settled()
    place = Room("teams", TENANT, room.id, "private")
    assert [one.id for one in await stage.world.directory.members(place) or ()] == [oid("fiona")]
    room = fake.conversations[room.id] = Conversation(room.id, room.kind, ["fiona", "gus"])
    change = {"membersAdded": [fake.people["gus"].json]}
    await fake.deliver(fake.activity("fiona", room, "conversationUpdate", **change))
    found = await stage.world.directory.members(place) or ()
    assert [(one.id, one.kind) for one in found] == [(oid("fiona"), "member"), (oid("gus"), "guest")]
    assert f"entra-group:{FINANCE}" in found[0].groups


# Graph, and who we are.


async def test_groups_are_paged_cached_and_left_alone_after_a_429(stage: TeamsStage) -> None:
    directory, fake = stage.world.directory, stage.fake
    person = await directory.person(FIONA.ref)
    assert person is not None
    assert len(person.groups) == 3
    asked = len(fake.calls)
    assert await directory.person(FIONA.ref) == person
    assert len(fake.calls) == asked
    assert POLICY.grant(person).admin
    fake.fault("GET", "graph/users", web.Response(status=429, headers={"Retry-After": "30"}))
    directory.forget()
    assert await directory.person(FIONA.ref) is None
    directory.forget()
    assert await directory.person(FIONA.ref) is None
    assert len([one for one in fake.calls[asked:] if one.path.startswith("graph/")]) == 1


@pytest.mark.parametrize(("change", "kind"), [({"enabled": False}, "member"), ({"kind": "Guest"}, "guest")])
async def test_disabled_accounts_and_guests_hold_nothing(stage: TeamsStage, change: dict[str, Any], kind: str) -> None:
    for key, value in change.items():
        setattr(stage.fake.people["fiona"], key, value)
    person = await stage.world.directory.person(FIONA.ref)
    assert person is not None
    assert (person.kind, person.groups) == (kind, frozenset())
    assert POLICY.grant(person).refusal


async def test_without_graph_the_roster_says_who_somebody_is(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    async with open_stage(copied(migrated, tmp_path), graph=False) as stage:
        assert await stage.world.directory.person(FIONA.ref) is None
        for who, text in (("oskar", FROM_PRESS), ("gus", "nothing has been opened for you")):
            asked = await stage.say(who, "What was revenue?")
            await stage.settled()
            (seen,) = await stage.seen(who, asked)
            assert text in seen.text
        assert not any(one.path.startswith("graph/") for one in stage.fake.calls)


async def test_a_certificate_and_a_managed_identity_get_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.doorways.teams import bearers, problems
    from tests.chat.faketeams.certificate import pem

    fake = FakeTeams()
    fake.add(Account("fiona"))
    (tmp_path / "teams.pem").write_text(pem())
    async with fake.listening():
        endpoints = Endpoints(graph=f"{fake.url}/graph", loopback=True)
        by_pem = TeamsSettings(app_id=APP, tenant=TENANT, certificate=Secret(file=str(tmp_path / "teams.pem")))
        assert await bearers(by_pem, endpoints, fake.relay).bearer(CONNECTOR_SCOPE) == f"t-{CONNECTOR_SCOPE}"
        form = fake.calls[-1].body
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert "client_secret" not in form
        identity = TeamsSettings(app_id=APP, tenant=TENANT, managed_identity=True)
        assert await bearers(identity, endpoints, fake.relay).bearer(GRAPH_SCOPE) == f"t-{GRAPH_SCOPE}"
        assert fake.calls[-1].body["client_id"] == APP
        assert [one[0] for one in await problems(by_pem, endpoints, fake.relay)] == ["ok", "ok"]
        fake.fault("POST", "getMemberGroups", web.json_response({"error": {"message": "denied"}}, status=403))
        state, text, advice = (await problems(by_pem, endpoints, fake.relay))[1]
        assert (state, "denied" in text, "GroupMember.Read.All" in advice) == ("wrong", True, True)
        monkeypatch.setenv("TEAMS_PASSWORD", "wrong")
        wrong = TeamsSettings(app_id=APP, tenant=TENANT, password=Secret(env="TEAMS_PASSWORD"))
        ((state, text, _),) = await problems(wrong, endpoints, fake.relay)
        assert (state, "AADSTS7000215" in text) == ("wrong", True)


async def test_a_directory_that_is_away_makes_nobody_a_member(stage: TeamsStage) -> None:
    graph = Graph(stage.fake._session, tokens.NoTokens(), "http://127.0.0.1:1")  # type: ignore[arg-type]
    with pytest.raises(DoorUnavailable):
        await graph.user(oid("fiona"))

    class Away:
        async def person(self, ref: str) -> Principal | None:
            await graph.user(ref)
            return None

        async def room(self, ref: str) -> Room | None:
            return None

        async def members(self, room: Room) -> None:
            return None

    assert await CachedDirectory(Away()).person(FIONA.ref) is None
