"""The way out to Slack, over HTTP: streams that end early, crashes, limits, long answers, files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from aiohttp import ClientSession

from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Place, Post
from bot.types import Attachment, Citation, Principal, Room
from connectors.chat.slack.calls import Calls
from connectors.chat.slack.door import SlackDoor
from connectors.chat.slack.workspaces import OneWorkspace, client
from tests.chat.fakeslack.server import FakeSlack, open_slack
from tests.chat.fakeslack.state import BOT_TOKEN, TEAM, Said, SlackError
from tests.chat.slack_stage import people
from tests.chat.world import long_text

FIONA = Principal("slack", TEAM, "U0FIONA")
KEY = f"slack:Ev1@{TEAM}/U0FIONA"
WORDS = "One is first. Two is second. Three is third."


@dataclass
class Chair:
    """Somebody in front of a thread."""

    slack: FakeSlack
    session: ClientSession
    place: Place

    def door(self) -> SlackDoor:
        """A door as a process that has just started has it."""
        asking = client(self.slack.url, BOT_TOKEN, self.session)
        return SlackDoor(OneWorkspace(asking, self.session), Calls(self.slack.clock), self.slack.clock)

    @property
    def standing(self) -> list[Said]:
        """What stands of Rolecall's in the thread."""
        return [one for one in self.slack.workspace.thread(self.place.room.id, self.place.thread) if one.bot]

    @property
    def text(self) -> str:
        """The text of all of it."""
        return "\n\n".join(one.shown for one in self.standing)


@pytest.fixture
async def chair() -> AsyncIterator[Chair]:
    async with open_slack() as slack, ClientSession() as session:
        people(slack)
        asked = slack.workspace.say("U0FIONA", "C0ALL", "What was revenue?")
        yield Chair(slack, session, Place(Room("slack", TEAM, "C0ALL", "public"), asked.ts))
        assert slack.too_early == []


def piece(text: str) -> Post:
    return Post("piece", text)


def answer(text: str, *sources: Citation) -> Post:
    return Post("answer", text, sources, "a1")


async def test_an_answer_is_one_stream_from_the_first_sign_to_the_thumbs(chair: Chair) -> None:
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    posted = await door.edit(chair.place, posted, piece("One is first. "))
    posted = await door.edit(chair.place, posted, piece("One is first. Two is second. "))
    await door.edit(chair.place, posted, answer(WORDS))
    (said,) = chair.standing
    assert said.shown == WORDS
    assert said.metadata["event_payload"] == {"key": KEY}
    assert not said.streaming
    assert (chair.slack.calls["chat.postMessage"], chair.slack.calls["chat.update"]) == (0, 0)
    assert said.blocks[-1]["type"] == "context_actions"
    sent = [call for call in chair.slack.arguments if call[0] == "chat.startStream"]
    assert (sent[0][1]["recipient_team_id"], sent[0][1]["recipient_user_id"]) == (TEAM, "U0FIONA")


@pytest.mark.parametrize("life", [241.0, 301.0], ids=["we end it", "Slack ended it"])
async def test_a_stream_that_is_too_old_goes_on_as_an_edit(chair: Chair, life: float) -> None:
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    posted = await door.edit(chair.place, posted, piece("One is first. "))
    chair.slack.clock.skipped += life
    posted = await door.edit(chair.place, posted, piece("One is first. Two is second. "))
    assert chair.text == "One is first. Two is second. "
    await door.edit(chair.place, posted, answer(WORDS))
    assert [one.shown for one in chair.standing] == [WORDS]


async def test_a_stream_that_slack_ends_unexpectedly_loses_and_doubles_nothing(chair: Chair) -> None:
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    posted = await door.edit(chair.place, posted, piece("One is first. "))
    chair.standing[0].streaming = False
    posted = await door.edit(chair.place, posted, piece("One is first. Two is second. "))
    assert chair.text == "One is first. Two is second. "
    chair.standing[0].streaming = False
    await door.edit(chair.place, posted, answer(WORDS))
    assert [one.shown for one in chair.standing] == [WORDS]


async def test_an_append_whose_outcome_is_unknown_is_not_repeated(chair: Chair) -> None:
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    api, appended = chair.slack.api, []

    def lost(given: dict[str, object]) -> dict[str, object]:
        appended.append(type(api).chat_appendStream(api, given))
        raise SlackError("internal_error", 0)  # it was done, and the answer says otherwise

    api.chat_appendStream = lost  # type: ignore[method-assign]
    posted = await door.edit(chair.place, posted, piece("One is first. "))
    await door.edit(chair.place, posted, answer(WORDS))
    assert appended
    assert [one.shown for one in chair.standing] == [WORDS]


async def test_an_answer_that_is_not_what_was_streamed_takes_its_place(chair: Chair) -> None:
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    posted = await door.edit(chair.place, posted, piece("One is first. "))
    await door.edit(chair.place, posted, answer("Something else."))
    assert [one.shown for one in chair.standing] == ["Something else."]


async def test_the_twentieth_stream_of_a_minute_is_an_edited_message(chair: Chair) -> None:
    door = chair.door()
    for number in range(25):
        key = f"slack:Ev{number}@{TEAM}/U0FIONA"
        posted = await door.post(chair.place, Post("status", "Thinking"), key)
        await door.edit(chair.place, posted, answer(f"Answer {number}."))
    assert [one.shown for one in chair.standing] == [f"Answer {number}." for number in range(25)]
    assert 15 <= chair.slack.calls["chat.startStream"] <= 20
    assert chair.slack.calls["chat.postMessage"] == 25 - chair.slack.calls["chat.startStream"]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_growing_answer_passes_the_size_of_a_stream(chair: Chair, streams: bool) -> None:
    chair.slack.api.lacks = set() if streams else {"chat.startStream"}
    door, whole = chair.door(), long_text()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    for end in range(1000, len(whole), 3000):
        posted = await door.edit(chair.place, posted, piece(whole[:end]))
        assert chair.text.split() == whole[:end].split()
    await door.edit(chair.place, posted, answer(whole))
    assert chair.text.split() == whole.split()
    assert all(one < other for one, other in pairwise(said.ts for said in chair.standing))


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("shown", ["", "One is first. "])
async def test_after_a_crash_the_message_is_found_and_taken_up(chair: Chair, streams: bool, shown: str) -> None:
    chair.slack.api.lacks = set() if streams else {"chat.startStream"}
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    if shown:
        await door.edit(chair.place, posted, piece(shown))
    other = chair.door()
    assert await other.find(chair.place, KEY) == posted
    assert await other.edit(chair.place, posted, answer(WORDS)) == posted
    assert [one.shown for one in chair.standing] == [WORDS]
    assert await chair.door().find(chair.place, KEY) == posted
    assert await other.find(chair.place, f"slack:Ev2@{TEAM}/U0FIONA") is None


async def test_after_a_crash_in_a_long_answer_no_part_stands_twice(chair: Chair) -> None:
    whole, posted = long_text(), await chair.door().post(chair.place, Post("status", "Thinking"), KEY)

    def crash(method: str, given: dict[str, object]) -> None:
        if method == "chat.postMessage" and chair.slack.calls["chat.postMessage"] == 1:
            raise SlackError("internal_error")

    chair.slack.before = crash
    with pytest.raises(DoorUnavailable):
        await chair.door().edit(chair.place, posted, answer(whole))
    chair.slack.before = lambda method, given: None
    last = await chair.door().edit(chair.place, posted, answer(whole))
    assert chair.text.split() == whole.split()
    assert await chair.door().find(chair.place, KEY) == last
    await chair.door().remove(chair.place, posted)
    assert chair.standing == []


async def test_a_private_long_answer_that_crashed_goes_on_where_it_was(chair: Chair) -> None:
    alone, key, whole = Place(chair.place.room, chair.place.thread, FIONA), f"{KEY}:private", long_text()

    def crash(method: str, given: dict[str, object]) -> None:
        if method == "chat.postMessage" and chair.slack.calls["chat.postMessage"] == 1:
            raise SlackError("internal_error")

    chair.slack.before = crash
    with pytest.raises(DoorUnavailable):
        await chair.door().post(alone, answer(whole), key)
    chair.slack.before = lambda method, given: None
    assert await chair.door().find(alone, key) is None
    posted = await chair.door().post(alone, answer(whole), key)
    mine = [one for one in chair.slack.workspace.standing("D0FIONA") if one.bot]
    assert " ".join(one.shown for one in mine).split() == whole.split()
    assert mine[0].blocks[0]["elements"][0]["text"].startswith("You asked in <#C0ALL>")
    assert await chair.door().find(alone, key) == posted
    assert chair.standing == []


async def test_nothing_is_sent_within_the_time_that_a_429_asked_for(chair: Chair) -> None:
    chair.slack.api.lacks = {"chat.startStream"}
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    busy = [True]

    def limited(method: str, given: dict[str, object]) -> None:
        if method == "chat.update" and busy:
            busy.clear()
            raise SlackError("ratelimited", 30)

    chair.slack.before = limited
    assert await door.edit(chair.place, posted, piece("One is first. ")) == posted  # left out, nobody is told
    with pytest.raises(DoorUnavailable) as told:
        await door.edit(chair.place, posted, answer(WORDS))
    assert 25 < told.value.retry_after <= 30
    other = Place(Room("slack", TEAM, "C0FIN", "private"))
    await door.post(other, Post("status", "Thinking"), f"slack:Ev9@{TEAM}/U0FIONA")  # another method goes on
    chair.slack.clock.skipped += 31
    await door.edit(chair.place, posted, answer(WORDS))
    assert [one.shown for one in chair.standing] == [WORDS]


async def test_a_post_limited_in_one_channel_goes_on_in_another(chair: Chair) -> None:
    chair.slack.api.lacks = {"chat.startStream"}
    door = chair.door()

    def limited(method: str, given: dict[str, object]) -> None:
        if method == "chat.postMessage" and given["channel"] == "C0ALL":
            raise SlackError("ratelimited", 5)

    chair.slack.before = limited
    for _ in range(3):
        with pytest.raises(DoorUnavailable):
            await door.post(chair.place, Post("status", "Thinking"), KEY)
    await door.post(Place(Room("slack", TEAM, "C0FIN", "private")), Post("status", "Thinking"), KEY)


async def test_sources_are_links_and_nothing_rings_or_unfolds(chair: Chair) -> None:
    door = chair.door()
    sources = [
        Citation(n, f"d{n}", "A <b> & c", frozenset(), n, "https://docs.example.com/x" if n < 2 else "")
        for n in range(1, 13)
    ]
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    await door.edit(chair.place, posted, answer("See [1].", *sources))
    blocks = [block for block in chair.standing[0].blocks if block["type"] == "context"]
    lines = [line["text"] for block in blocks for line in block["elements"]]
    assert lines[0] == "[1] <https://docs.example.com/x|A &lt;b&gt; &amp; c> · p. 1"
    assert (lines[1], len(lines)) == ("[2] A &lt;b&gt; &amp; c · p. 2", 12)


async def test_a_file_is_shown_once_and_taken_back(chair: Chair) -> None:
    key = f"{KEY}:file:1"
    assert await chair.door().find(chair.place, key) is None
    await chair.door().attach(chair.place, Attachment("chart.png", b"image"), key)
    (said,) = chair.standing
    assert said.files[0]["title"] == "chart.png"
    posted = await chair.door().find(chair.place, key)
    assert posted is not None
    assert await chair.door().find(chair.place, f"{KEY}:file:2") is None
    await chair.door().remove(chair.place, posted)
    assert chair.standing == []
    assert chair.slack.workspace.files == {}


async def test_a_message_that_somebody_deleted_is_said_again_in_the_end(chair: Chair) -> None:
    chair.slack.api.lacks = {"chat.startStream"}
    door = chair.door()
    posted = await door.post(chair.place, Post("status", "Thinking"), KEY)
    chair.standing[0].deleted = True
    again = await door.edit(chair.place, posted, answer(WORDS))
    assert again != posted
    assert [one.shown for one in chair.standing] == [WORDS]


async def test_a_room_that_is_gone_is_undeliverable(chair: Chair) -> None:
    chair.slack.api.lacks = {"chat.startStream"}
    gone = Place(Room("slack", TEAM, "C0GONE", "public"))
    with pytest.raises(Undeliverable):
        await chair.door().post(gone, Post("status", "Thinking"), KEY)
    elsewhere = Place(Room("slack", "T0OTHER", "C0ALL", "public"))
    with pytest.raises(Undeliverable):
        await chair.door().post(elsewhere, Post("status", "Thinking"), KEY)
