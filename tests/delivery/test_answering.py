"""From a committed message to what people see: one answer, whatever goes wrong in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from bot.assistant.words import ENGLISH
from bot.delivery.answering import Timing
from bot.delivery.leases import SUSPECT
from bot.delivery.worker import FIRST
from bot.errors import BotError, DoorUnavailable, IndexUnavailable, ModelUnavailable, Undeliverable
from bot.ports import Place
from bot.types import Answer, Attachment, Citation, Delta, Done, Reply, Status, Turn
from tests.delivery.fakes import until
from tests.delivery.house import ALL, DIRECT, DOCUMENTS, FIONA, OSKAR, SEARCH, House


class Killed(BaseException):
    """The process died: nothing runs after it, no handler either."""


class Scripted:
    """An assistant that does what a test says, one step for each turn."""

    def __init__(self, *steps: Callable[[Turn], AsyncIterator[Reply]]):
        self._steps = list(steps)
        self.turns = 0

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        step = self._steps[min(self.turns, len(self._steps) - 1)]
        self.turns += 1
        async for reply in step(turn):
            yield reply


async def fine(turn: Turn) -> AsyncIterator[Reply]:
    yield Done(Answer("Here you are."))


def failing(error: Exception) -> Callable[[Turn], AsyncIterator[Reply]]:
    async def step(turn: Turn) -> AsyncIterator[Reply]:
        yield Status("Thinking")
        raise error

    return step


async def hanging(turn: Turn) -> AsyncIterator[Reply]:
    yield Status("Thinking")
    await asyncio.sleep(3600)
    yield Done(Answer("never"))


def texts(house: House) -> list[str]:
    return [bubble.post.text for bubble in house.door.standing]


async def test_a_placeholder_becomes_the_answer_and_the_asker_gets_the_rest_alone() -> None:
    house = House()
    assert await house.say("What was revenue?", FIONA, ALL) == "accepted"
    await house.answer_next()
    room, private = house.door.standing
    assert [form.kind for form in room.forms] == ["status", "answer"]
    assert room.post.text == "From airline/press.md [1]."
    assert private.place == Place(ALL, "", FIONA)
    assert private.post.text == "From airline/report.pdf [1]."
    assert [(entry.event, entry.private) for entry in house.journal.entries] == [
        ("begun", False),
        ("answered", False),
        ("answered", True),
    ]
    assert house.inbox.rows[0].state == "done"


async def test_what_is_recorded_names_readers_documents_and_policy_and_no_text() -> None:
    house = House()
    await house.say("What was revenue?", OSKAR, ALL)
    await house.answer_next()
    answered = house.journal.entries[-1]
    assert answered.documents == (("airline/press.md", ("company",)),)
    assert any("company" in reader for reader in answered.readers)
    assert (answered.person, answered.room, answered.tool) == (OSKAR.ref, ALL.ref, "search_documents")
    assert len(answered.policy) == 64
    assert "revenue" not in repr(house.journal.entries)
    assert house.journal.remembered[0].exchange.documents == {"airline/press.md"}


STEPS = [(call, number, moment) for moment in ("before", "after") for call in ("post", "edit") for number in (1, 2)]


@pytest.mark.parametrize(("call", "number", "moment"), STEPS)
async def test_a_crash_at_any_door_call_leaves_one_answer(call: str, number: int, moment: str) -> None:
    house = House()
    seen: list[str] = []

    def die(name: str) -> None:
        seen.append(name)
        if name == call and seen.count(call) == number:
            raise Killed

    setattr(house.door, moment, die)
    await house.say("What was revenue?", FIONA, ALL)
    try:
        await house.answer_next()
    except Killed:
        house.clock.now += 13
        await house.answer_next()
    assert texts(house) == ["From airline/press.md [1].", "From airline/report.pdf [1]."]
    assert house.inbox.rows[0].state == "done"


@pytest.mark.parametrize("step", ["placed", "answered", "finish"])
@pytest.mark.parametrize("committed", [True, False])
async def test_a_crash_at_any_write_leaves_one_answer_and_one_audit_row(step: str, committed: bool) -> None:
    house = House()
    real, died = getattr(house.inbox, step), []

    async def die(*arguments: object, **named: object) -> bool:
        if not died:
            died.append(step)
            if committed:
                await real(*arguments, **named)
            raise Killed
        return bool(await real(*arguments, **named))

    setattr(house.inbox, step, die)
    await house.say("What was revenue?", OSKAR, ALL)
    with pytest.raises(Killed):
        await house.answer_next()
    house.clock.now += 13
    if house.inbox.rows[0].state != "done":
        await house.answer_next()
    assert texts(house) == ["From airline/press.md [1]."]
    assert [entry.event for entry in house.journal.entries].count("answered") == 1


async def test_a_post_that_the_platform_took_but_did_not_confirm_is_not_made_twice() -> None:
    house = House()
    lost = [True]

    def lose(call: str) -> None:
        if call == "post" and lost.pop():
            lost.append(False)
            raise DoorUnavailable("no answer")

    house.door.after = lose
    await house.say("What was revenue?", OSKAR, ALL)
    await house.answer_next()
    house.clock.now += 60
    await house.answer_next()
    assert texts(house) == ["From airline/press.md [1]."]
    assert house.inbox.rows[0].claim.attempts == 1


async def test_a_platform_that_asks_for_time_is_left_alone_that_long() -> None:
    house = House()
    refusals = [DoorUnavailable("429", retry_after=30.0)]

    def refuse(call: str) -> None:
        if refusals:
            raise refusals.pop()

    house.door.before = refuse
    await house.say("Hello")
    await house.answer_next()
    calls = len(house.door.calls)
    house.clock.now += 29
    assert await house.inbox.claim("w", house.clock(), 12.0) is None
    house.clock.now += 2
    await house.answer_next()
    assert calls == 1
    assert len(house.door.standing) == 1


async def test_a_room_that_is_gone_closes_the_row_and_says_so_in_the_audit() -> None:
    house = House()

    def gone(call: str) -> None:
        raise Undeliverable("channel_not_found")

    house.door.before = gone
    await house.say("Hello")
    await house.answer_next()
    assert house.inbox.rows[0].state == "dead"
    assert house.journal.entries[-1].event == "failed"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelUnavailable("refused"), ENGLISH.model_away),
        (IndexUnavailable("refused"), ENGLISH.documents_away),
    ],
)
async def test_what_is_away_is_told_and_the_question_kept_without_counting(error: Exception, told: str) -> None:
    scripted = Scripted(failing(error), failing(error), fine)
    house = House(assistant=scripted)
    await house.say("What was revenue?")
    for _ in range(2):
        await house.answer_next()
        assert texts(house) == [told]
        house.clock.now += 60
    assert house.inbox.rows[0].claim.attempts == 0
    await house.answer_next()
    assert texts(house) == ["Here you are."]


async def test_a_model_that_is_away_for_ten_minutes_costs_nobody_an_answer() -> None:
    away = True

    def script(turn: Turn) -> Sequence[Reply]:
        if away:
            raise ModelUnavailable("refused")
        return [Done(Answer("Here you are."))]

    house = House(script)
    for number in range(5):
        await house.say("What was revenue?", room=replace(DIRECT, id=f"D{number}"))
    began, tries = house.clock.now, 0
    while (taken := house.clock.now) < began + 600:
        if (claim := await house.inbox.claim("w", taken, 12.0)) is None:
            house.clock.now += 5
            continue
        await house.answering.handle(claim, taken)
        tries += 1
    assert texts(house) == [ENGLISH.model_away] * 5
    assert tries < 5 * 30
    away = False
    house.clock.now += 60
    for _ in range(5):
        await house.answer_next()
    assert texts(house) == ["Here you are."] * 5


async def test_what_stays_away_ends_in_an_apology_with_an_id_and_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    house = House(assistant=Scripted(failing(ModelUnavailable("refused"))))
    await house.say("What was revenue?")
    house.clock.now += 901
    await house.answer_next()
    (apology,) = house.door.standing
    assert apology.post.kind == "notice"
    assert apology.post.text == ENGLISH.gave_up.format(id=apology.post.id)
    assert apology.post.id in caplog.text
    assert house.inbox.rows[0].state == "dead"
    assert house.journal.entries[-1].answer == apology.post.id


async def test_a_silent_model_is_remarked_upon_and_then_ended() -> None:
    house = House(assistant=Scripted(hanging, fine), timing=Timing(0.02, 0.1))
    await house.say("What was revenue?")
    await house.answer_next()
    (bubble,) = house.door.standing
    assert [form.text for form in bubble.forms] == [ENGLISH.thinking, ENGLISH.slow, ENGLISH.model_away]
    house.clock.now += 5
    await house.answer_next()
    assert texts(house) == ["Here you are."]


async def test_a_step_that_begins_late_does_not_take_back_that_it_takes_longer() -> None:
    house: House

    async def steps(turn: Turn) -> AsyncIterator[Reply]:
        yield Status("Searching")
        await asyncio.sleep(0.06)
        house.clock.now += 2
        yield Status("Writing")
        await asyncio.sleep(0.02)
        yield Done(Answer("Here you are."))

    house = House(assistant=Scripted(steps), timing=Timing(0.02, 1.0))
    await house.say("What was revenue?")
    await house.answer_next()
    (bubble,) = house.door.standing
    forms = [form.text for form in bubble.forms]
    assert forms == [ENGLISH.thinking, ENGLISH.slow, f"Writing · {ENGLISH.slow}", "Here you are."]


async def test_a_poison_message_ends_after_five_attempts_and_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    house = House(assistant=Scripted(*[failing(BotError("bug"))] * 5, fine))
    await house.say("poison")
    for _ in range(5):
        await house.answer_next()
        house.clock.now += 60
    await house.say("next")
    await house.answer_next()
    assert house.inbox.rows[0].state == "dead"
    assert "gave up fake:m0" in caplog.text
    await house.answer_next()
    assert texts(house)[1:] == ["Here you are."]


async def test_over_quota_is_answered_busy_to_the_asker_alone() -> None:
    house = House()
    for number in range(50):
        await house.say(f"Question {number}", FIONA, ALL)
    assert await house.say("One more", FIONA, ALL) == "busy"
    for row in house.inbox.rows[:50]:
        row.state = "done"
    await house.answer_next()
    (notice,) = house.door.standing
    assert (notice.post.text, notice.place.only) == (ENGLISH.busy, FIONA)
    assert (house.journal.entries[-1].event, house.journal.entries[-1].layer) == ("refused", "limits")


async def test_a_recorded_answer_is_checked_again_before_it_is_shown() -> None:
    house = House()
    real = house.inbox.answered

    async def then_revoke(*arguments: object) -> bool:
        held = await real(*arguments)  # type: ignore[arg-type]
        await house.records.delete("airline/report.pdf")
        return held

    house.inbox.answered = then_revoke  # type: ignore[method-assign]
    await house.say("What was revenue?")
    await house.answer_next()
    assert texts(house) == [ENGLISH.access_changed]
    assert [entry.event for entry in house.journal.entries] == ["begun", "answered", "withheld"]


async def test_a_piece_whose_source_was_withdrawn_is_taken_off_again() -> None:
    house: House

    def piece(text: str, document: str) -> Delta:
        return Delta(text, (Citation(1, document, document, DOCUMENTS[document]),))

    async def growing(turn: Turn) -> AsyncIterator[Reply]:
        house.clock.now += 2
        yield piece("Revenue was 7.", "airline/report.pdf")
        await asyncio.sleep(0.02)
        await house.records.delete("airline/report.pdf")
        house.clock.now += 2
        yield piece(" The press says so.", "airline/press.md")
        await asyncio.sleep(0.02)
        yield Done(Answer("Revenue was 7.", (), SEARCH, rests_on=frozenset({"airline/report.pdf"})))

    house = House(assistant=Scripted(growing))
    await house.say("What was revenue?")
    await house.answer_next()
    (bubble,) = house.door.standing
    assert [(form.kind, form.text) for form in bubble.forms] == [
        ("status", ENGLISH.thinking),
        ("piece", "Revenue was 7."),
        ("status", ENGLISH.writing),
        ("answer", ENGLISH.access_changed),
    ]


async def test_a_worker_that_slept_through_its_lease_shows_nothing() -> None:
    house: House

    async def asleep(turn: Turn) -> AsyncIterator[Reply]:
        house.clock.now += 60
        yield Status("Searching")
        yield Done(Answer("Too late."))

    house = House(assistant=Scripted(asleep, fine))
    await house.say("What was revenue?")
    await house.answer_next()
    assert texts(house) == [ENGLISH.thinking]
    await house.answer_next()
    assert texts(house) == ["Here you are."]


async def test_a_placeholder_posted_by_a_sleeper_is_taken_back_when_another_has_answered() -> None:
    house = House(assistant=Scripted(fine))
    await house.say("What was revenue?")
    real_post, slept = house.door.post, list[str]()

    async def delayed(place: Place, post: object, key: str) -> str:
        if not slept:
            slept.append("post")
            house.clock.now += 60
            await house.answer_next()
        return await real_post(place, post, key)  # type: ignore[arg-type]

    house.door.post = delayed  # type: ignore[method-assign]
    await house.answer_next()
    assert texts(house) == ["Here you are."]
    assert len(house.door.bubbles) == 2


async def test_a_sleepers_placeholder_that_the_next_worker_took_up_stays() -> None:
    house = House(assistant=Scripted(fine))
    await house.say("What was revenue?")
    real_post, slept = house.door.post, list[str]()

    async def delayed(place: Place, post: object, key: str) -> str:
        posted = await real_post(place, post, key)  # type: ignore[arg-type]
        if not slept:
            slept.append(posted)
            house.clock.now += 60
            await house.answer_next()
        return posted

    house.door.post = delayed  # type: ignore[method-assign]
    await house.answer_next()
    assert texts(house) == ["Here you are."]
    assert len(house.door.bubbles) == 1


async def test_messages_of_one_conversation_are_answered_in_order_and_others_beside() -> None:
    order: list[str] = []

    def listen(turn: Turn) -> Sequence[Reply]:
        order.append(turn.message.text)
        return [Done(Answer(f"re {turn.message.text}"))]

    house = House(listen)
    for number in range(6):
        await house.say(f"{number}", FIONA, DIRECT if number % 2 else ALL)
    async with house.working():
        await house.settled()
    assert [text for text in order if int(text) % 2] == ["1", "3", "5"]
    assert [text for text in order if not int(text) % 2] == ["0", "2", "4"]


async def test_after_a_start_few_are_taken_at_once_and_more_as_it_proves_to_live() -> None:
    running, most, gate = [0], [0], asyncio.Event()

    async def count(turn: Turn) -> AsyncIterator[Reply]:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await (gate.wait() if turn.message.text == "first" else asyncio.sleep(0.02))
        running[0] -= 1
        yield Done(Answer("Done."))

    house = House(assistant=Scripted(count))
    for number in range(FIRST):
        await house.say("first", room=replace(DIRECT, id=f"D{number}"))
    for number in range(30):
        await house.say("more", room=replace(DIRECT, id=f"E{number}"))
    async with house.working(tasks=8):
        await asyncio.sleep(0.1)
        assert most == [FIRST]
        gate.set()
        await house.settled()
    assert most == [8]


async def test_what_was_in_work_at_several_deaths_is_tried_alone() -> None:
    running, beside = set[str](), list[set[str]]()

    async def watch(turn: Turn) -> AsyncIterator[Reply]:
        running.add(turn.message.text)
        await asyncio.sleep(0.02)
        beside.append(set(running))
        running.discard(turn.message.text)
        yield Done(Answer("Done."))

    house = House(assistant=Scripted(watch))
    for number in range(6):
        await house.say(f"{number}", room=replace(DIRECT, id=f"D{number}"))
    suspect = house.inbox.rows[3]
    suspect.claim = replace(suspect.claim, attempts=SUSPECT)
    async with house.working():
        await house.settled()
    assert beside[0] == {"3"}
    assert max(map(len, beside)) > 1


async def test_a_slow_suspect_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.worker.ALONE", 0.05)
    release, order = asyncio.Event(), list[str]()

    async def slowly(turn: Turn) -> AsyncIterator[Reply]:
        if turn.message.text == "suspect":
            await release.wait()
        order.append(turn.message.text)
        release.set()
        yield Done(Answer("Done."))

    house = House(assistant=Scripted(slowly))
    await house.say("suspect", room=replace(DIRECT, id="D1"))
    await house.say("other", room=replace(DIRECT, id="D2"))
    house.inbox.rows[0].claim = replace(house.inbox.rows[0].claim, attempts=SUSPECT)
    async with house.working():
        await house.settled()
    assert order == ["other", "suspect"]


async def test_a_stopping_worker_finishes_what_it_began_and_takes_nothing_more() -> None:
    release = asyncio.Event()

    async def slowly(turn: Turn) -> AsyncIterator[Reply]:
        await release.wait()
        yield Done(Answer("Done."))

    house = House(assistant=Scripted(slowly))
    await house.say("first")
    await house.say("second")
    async with house.working() as worker:
        await asyncio.sleep(0.05)
        worker.stop()
        release.set()
    assert [row.state for row in house.inbox.rows] == ["done", "waiting"]


async def test_a_turn_that_does_not_end_is_given_back_when_the_worker_stops() -> None:
    async def half(turn: Turn) -> AsyncIterator[Reply]:
        house.clock.now += 2
        yield Delta("Half an", ())
        await asyncio.sleep(3600)

    house = House(assistant=Scripted(half))
    await house.say("first")
    async with house.working(grace=0.05) as worker:
        await asyncio.sleep(0.05)
        worker.stop()
    row = house.inbox.rows[0]
    assert (row.state, row.claim.attempts) == ("waiting", 0)
    assert texts(house) == [ENGLISH.slow]


async def test_a_stopped_question_says_so_and_leaves_nothing_to_remember() -> None:
    house = House(assistant=Scripted(hanging, fine))
    await house.say("What was revenue?", FIONA, ALL)
    async with house.working() as worker:
        house.receiver = house.receiver_of(worker)
        await until(lambda: bool(house.door.standing))
        assert await house.receiver.stop(house.inbox.rows[0].claim.message.conversation, FIONA) == 1
        await house.settled()
    assert texts(house) == [ENGLISH.stopped]
    assert house.journal.remembered == []
    assert [(one.event, one.reason) for one in house.journal.entries] == [("withdrawn", "stopped")]


async def test_only_ones_own_questions_are_stopped() -> None:
    house = House()
    await house.say("What was revenue?", FIONA, ALL)
    assert await house.receiver.stop(house.inbox.rows[0].claim.message.conversation, OSKAR) == 0


async def test_an_edited_question_starts_anew_in_the_same_place() -> None:
    async def repeat(turn: Turn) -> AsyncIterator[Reply]:
        yield Done(Answer(f"You said: {turn.message.text}"))

    house = House(assistant=Scripted(hanging, repeat))
    await house.say("What was revneue?", FIONA, ALL, "m1")
    async with house.working() as worker:
        house.receiver = house.receiver_of(worker)
        await until(lambda: bool(house.door.standing))
        edited = replace(house.inbox.rows[0].claim.message, text="What was revenue?")
        assert await house.receiver.amend(edited)
        await house.settled()
    assert texts(house) == ["You said: What was revenue?"]
    assert not await house.receiver.amend(edited)


async def test_a_deleted_question_takes_its_answers_and_its_memory_along() -> None:
    house = House()
    await house.say("What was revenue?", FIONA, ALL, "m1")
    await house.answer_next()
    assert len(house.door.standing) == 2
    assert len(house.journal.remembered) == 2
    assert await house.receiver.delete(ALL, "m1")
    await house.answer_next()
    assert house.door.standing == []
    assert house.journal.remembered == []
    assert house.journal.entries[-1].reason == "deleted"
    assert house.inbox.rows[0].claim.message.text == ""


async def test_a_question_deleted_before_it_was_answered_is_never_answered() -> None:
    house = House(assistant=Scripted(hanging, fine))
    await house.say("What was revenue?", FIONA, ALL, "m1")
    assert await house.receiver.delete(ALL, "m1")
    await house.answer_next()
    assert house.door.standing == []
    assert house.inbox.rows[0].state == "done"


@pytest.mark.parametrize("error", [Undeliverable("the room is gone"), DoorUnavailable("no answer")])
async def test_a_deleted_question_is_emptied_though_its_chat_cannot_be_told(error: Exception) -> None:
    def refuse(_: str) -> None:
        raise error

    house = House()
    await house.say("What was revenue?", FIONA, ALL, "m1")
    await house.answer_next()
    assert await house.receiver.delete(ALL, "m1")
    house.door.before = refuse
    house.clock.now += 901
    await house.answer_next()
    (row,) = house.inbox.rows
    assert (row.state, row.claim.message.text, row.claim.answer) == ("done", "", None)
    assert house.journal.entries[-1].event == "failed"


async def test_files_of_an_answer_are_shown_below_it_once() -> None:
    async def charted(turn: Turn) -> AsyncIterator[Reply]:
        yield Done(Answer("Here is the chart.", files=(Attachment("chart.png", b"PNG"),)))

    house = House(assistant=Scripted(charted))
    await house.say("Draw it", FIONA, ALL)
    house.door.after = failing_once("attach", DoorUnavailable("no answer"))
    await house.answer_next()
    house.clock.now += 60
    await house.answer_next()
    assert texts(house) == ["Here is the chart.", "chart.png"]


def failing_once(call: str, error: Exception) -> Callable[[str], None]:
    left = [error]

    def fail(name: str) -> None:
        if name == call and left:
            raise left.pop()

    return fail
