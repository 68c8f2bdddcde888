"""The dialogs that every chat platform passes, as they look from the chairs in front of it.

Each is a function of a stage and the world behind it. A platform runs all of them: see `DIALOGS`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from bot.assistant.words import ENGLISH, JAPANESE
from tests.chat.stage import Seen, Stage
from tests.chat.world import FROM_PRESS, FROM_REPORT, NOTHING, World, long_text

Dialog = Callable[[Stage, World], Awaitable[None]]


async def a_mention_in_a_room_is_answered_once(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "What was revenue?", "all-hands")
    answer = await _answer(stage, "oskar", asked)
    assert answer.text == FROM_PRESS
    assert not answer.only
    assert [one.text for one in await stage.seen("fiona", asked)] == [FROM_PRESS]
    assert len({turn.id for turn in world.script.heard}) == 1


async def what_is_not_meant_for_it_is_left_alone(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "What was revenue?", "finance", mention=False)
    await stage.settled()
    assert await stage.seen("oskar", asked) == []
    assert world.script.heard == []


async def a_direct_message_is_answered(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?")
    assert (await _answer(stage, "fiona", asked)).text == FROM_REPORT
    assert await stage.seen("oskar", asked) == []


async def a_follow_up_knows_what_was_said(stage: Stage, world: World) -> None:
    first = await stage.say("oskar", "What was revenue?", "all-hands")
    await stage.settled()
    later = await stage.say("oskar", "recall", "all-hands", under=first, mention="unmentioned" in stage.lacks)
    assert (await _answer(stage, "oskar", later)).text == "I remember: What was revenue?"


async def an_answer_grows_without_a_lost_or_doubled_word(stage: Stage, world: World) -> None:
    whole = "One is first. Two is second. Three is third. Four ends it."
    for room in ("direct", "all-hands"):
        answer = await _answer(stage, "oskar", await stage.say("oskar", "grow", room))
        assert answer.text == whole
        grown = [form for form in answer.forms if form.startswith("One")]
        assert len(set(grown)) >= 2, answer.forms
        assert all(whole.startswith(form.rstrip()) for form in grown)


async def a_long_answer_is_split_where_one_would_split_it(stage: Stage, world: World) -> None:
    whole = long_text()
    assert len(whole) >= 20_000
    seen = await _settled(stage, "oskar", await stage.say("oskar", "long", "all-hands"))
    assert len(seen) > 1
    assert _squeezed("\n\n".join(one.text for one in seen)) == _squeezed(whole)
    for one in seen:
        assert one.text.count("```") % 2 == 0
        assert ("| bolt" in one.text) == ("| part | torque |" in one.text)
        assert re.search(r"[.|`]\s*$", one.text), one.text[-40:]
    assert [one.rates for one in seen] == [False] * (len(seen) - 1) + [True]


async def sources_stand_under_an_answer(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "What was revenue?", "all-hands")
    assert (await _answer(stage, "oskar", asked)).sources == ("Press release",)


async def readers_say_what_they_think(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "What was revenue?", "all-hands")
    answer = await _answer(stage, "oskar", asked)
    assert answer.rates
    await stage.rate("oskar", answer, good=True)
    await stage.rate("fiona", answer, good=False, reason="It is 91.4 million.")
    opinions = {one.person.rpartition("/")[2]: one for one in await world.journal.opinions(10)}
    assert len(opinions) == 2
    assert sorted((one.good, one.reason) for one in opinions.values()) == [(False, "It is 91.4 million."), (True, "")]
    assert len({one.answer for one in opinions.values()}) == 1


async def the_room_hears_less_and_the_asker_the_rest_alone(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?", "all-hands")
    room, alone = await _settled(stage, "fiona", asked)
    assert (room.text, room.only) == (FROM_PRESS, False)
    assert alone.only
    assert FROM_REPORT in alone.text
    assert [one.text for one in await stage.seen("oskar", asked)] == [FROM_PRESS]


async def a_listed_room_hears_what_all_its_readers_may(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?", "finance")
    assert (await _answer(stage, "fiona", asked)).text == FROM_REPORT


async def files_are_read_or_named(stage: Stage, world: World) -> None:
    files = [("notes.txt", b"The gate is B12."), ("blob.bin", b"\0\1\2")]
    answer = await _answer(stage, "oskar", await stage.say("oskar", "read", files=files))
    assert "notes.txt: The gate is B12." in answer.text
    assert "I could not read" in answer.text
    assert "blob.bin" in answer.text.partition("I could not read")[2]


async def an_edited_question_starts_anew(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "hold this", "all-hands")
    await world.script.holding.wait()
    await stage.edit(asked, "What was revenue?")
    assert (await _answer(stage, "oskar", asked)).text == FROM_PRESS
    assert list(dict.fromkeys(turn.message.text for turn in world.script.heard)) == ["hold this", "What was revenue?"]


async def an_answered_question_that_is_edited_keeps_its_answer(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "What was revenue?", "all-hands")
    await stage.settled()
    await stage.edit(asked, "grow")
    assert (await _answer(stage, "oskar", asked)).text == FROM_PRESS


async def a_deleted_question_takes_its_answers_with_it(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?", "all-hands")
    assert len(await _settled(stage, "fiona", asked)) == 2
    await stage.delete(asked)
    assert await _settled(stage, "fiona", asked) == []


async def a_question_deleted_while_it_is_answered_is_never_answered(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "hold this", "all-hands")
    await world.script.holding.wait()
    await stage.delete(asked)
    assert await _settled(stage, "oskar", asked) == []


async def what_is_stopped_says_so(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "hold this")
    await world.script.holding.wait()
    await stage.stop("oskar", asked)
    assert (await _answer(stage, "oskar", asked)).text == ENGLISH.stopped


async def a_guest_hears_nothing(stage: Stage, world: World) -> None:
    asked = await stage.say("gus", "What was revenue?")
    assert (await _answer(stage, "gus", asked)).text == ENGLISH.no_access


async def beside_a_guest_nobody_hears_anything(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?", "visitors")
    room, *alone = await _settled(stage, "fiona", asked)
    assert room.text == NOTHING
    assert [one.text for one in await stage.seen("gus", asked)] == [NOTHING]
    assert all(one.only for one in alone)


async def a_room_shared_with_others_hears_nothing(stage: Stage, world: World) -> None:
    asked = await stage.say("fiona", "What was revenue?", "partners")
    assert (await _settled(stage, "fiona", asked))[0].text == NOTHING
    if "foreigners" not in stage.lacks:
        theirs = await stage.say("eve", "収益はいくらですか", "partners")
        assert (await _answer(stage, "eve", theirs)).text == JAPANESE.no_access


async def bots_are_not_answered(stage: Stage, world: World) -> None:
    asked = await stage.say("rob", "What was revenue?", "all-hands")
    await stage.settled()
    assert await stage.seen("oskar", asked) == []
    assert world.script.heard == []


async def a_failure_ends_in_an_apology_with_an_id(stage: Stage, world: World) -> None:
    asked = await stage.say("oskar", "break it", "all-hands")
    for attempt in range(1, 6):
        async with asyncio.timeout(5):
            while not await _idle_after(world, attempt):  # noqa: ASYNC110 - what is waited for knows nothing of us
                await asyncio.sleep(0.01)
        world.clock.skip(60)
        world.worker.wake()
    answer = await _answer(stage, "oskar", asked)
    apology = re.escape(ENGLISH.gave_up).replace(re.escape("{id}"), "[0-9a-f]{12}")
    assert re.fullmatch(apology, answer.text), answer.text


DIALOGS: list[Dialog] = [
    a_mention_in_a_room_is_answered_once,
    what_is_not_meant_for_it_is_left_alone,
    a_direct_message_is_answered,
    a_follow_up_knows_what_was_said,
    an_answer_grows_without_a_lost_or_doubled_word,
    a_long_answer_is_split_where_one_would_split_it,
    sources_stand_under_an_answer,
    readers_say_what_they_think,
    the_room_hears_less_and_the_asker_the_rest_alone,
    a_listed_room_hears_what_all_its_readers_may,
    files_are_read_or_named,
    an_edited_question_starts_anew,
    an_answered_question_that_is_edited_keeps_its_answer,
    a_deleted_question_takes_its_answers_with_it,
    a_question_deleted_while_it_is_answered_is_never_answered,
    what_is_stopped_says_so,
    a_guest_hears_nothing,
    beside_a_guest_nobody_hears_anything,
    a_room_shared_with_others_hears_nothing,
    bots_are_not_answered,
    a_failure_ends_in_an_apology_with_an_id,
]


async def _settled(stage: Stage, who: str, asked: str) -> list[Seen]:
    """What somebody sees once nothing is left to do."""
    await stage.settled()
    return await stage.seen(who, asked)


async def _answer(stage: Stage, who: str, asked: str) -> Seen:
    """The one message that somebody sees in reply."""
    (answer,) = await _settled(stage, who, asked)
    return answer


async def _idle_after(world: World, attempts: int) -> bool:
    return len(world.script.heard) >= attempts and not (await world.inbox.queue(world.clock())).running


def _squeezed(text: str) -> str:
    return " ".join(text.split())
