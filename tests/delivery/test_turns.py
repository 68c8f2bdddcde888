"""What a room hears, what only the asker hears, and what happens when access changes in between."""

from collections.abc import Sequence

import pytest

from bot.ports import Remembered
from bot.types import Answer, Attachment, Delta, Done, Exchange, Message, Reply, Status, Turn
from tests.delivery.house import ALL, DIRECT, FIONA, OSKAR, House


@pytest.fixture
def house() -> House:
    return House()


def final(replies: list[Reply]) -> Answer:
    assert isinstance(replies[-1], Done)
    assert not any(isinstance(reply, Done) for reply in replies[:-1])
    return replies[-1].answer


async def test_a_direct_message_gets_everything_the_asker_may_see(house: House) -> None:
    replies = await house.ask(FIONA, DIRECT)
    assert [type(reply) for reply in replies] == [Status, Delta, Done]
    assert final(replies).text == "From airline/report.pdf [1]."
    assert final(replies).private is None
    assert final(replies).id == "a1"


async def test_a_shared_room_hears_what_all_may_see_and_the_asker_the_rest_in_private(house: House) -> None:
    answer = final(await house.ask(FIONA, ALL))
    assert answer.text == "From airline/press.md [1]."
    assert answer.private is not None
    assert answer.private.text == "From airline/report.pdf [1]."


async def test_the_room_hears_the_same_whoever_asks(house: House) -> None:
    fiona, oskar = final(await house.ask(FIONA, ALL)), final(await house.ask(OSKAR, ALL))
    assert fiona.text == oskar.text
    assert oskar.private is None


async def test_a_source_withdrawn_during_the_turn_is_neither_streamed_nor_shown(house: House) -> None:
    await house.records.delete("airline/report.pdf")
    replies = await house.ask(FIONA, DIRECT)
    assert [type(reply) for reply in replies] == [Status, Done]
    assert final(replies).refused == "access-changed"
    assert final(replies).sources == ()
    assert "report" not in final(replies).text


async def test_a_private_answer_that_the_gate_refuses_is_dropped(house: House) -> None:
    await house.records.delete("airline/report.pdf")
    assert final(await house.ask(FIONA, ALL)).private is None


async def test_a_file_that_is_not_read_is_named(house: House) -> None:
    message = Message("m", FIONA, DIRECT, "What is in this?", files=(Attachment("plan.pdf", b"%PDF"),))
    answer = final([reply async for reply in house.turns.take(message)])
    assert "plan.pdf" in answer.text


async def test_small_talk_in_a_room_is_not_repeated_in_private() -> None:
    asked: list[Turn] = []

    def greet(turn: Turn) -> Sequence[Reply]:
        asked.append(turn)
        return [Done(Answer("Hello!"))]

    answer = final(await House(greet).ask(FIONA, ALL))
    assert len(asked) == 1
    assert (answer.text, answer.private) == ("Hello!", None)


async def test_a_turn_remembers_what_all_its_readers_may_see_and_forgets_when_told() -> None:
    asked: list[Turn] = []

    def listen(turn: Turn) -> Sequence[Reply]:
        asked.append(turn)
        return [Done(Answer("Noted."))]

    house = House(listen)
    open_to_all, secret = (
        Exchange("What is open?", "This.", frozenset({"airline/press.md"})),
        Exchange("What is secret?", "That.", frozenset({"airline/report.pdf"})),
    )
    conversation = Message("m", FIONA, ALL, "").conversation
    house.journal.remembered = [Remembered(conversation, one, 0.0) for one in (open_to_all, secret)]
    await house.ask(OSKAR, ALL)
    assert asked[0].history == (open_to_all,)
    forgotten = final(await house.ask(FIONA, ALL, "Please forget this conversation."))
    assert forgotten.plan.tool == "forget"
    await house.ask(OSKAR, ALL)
    assert asked[-1].history == ()
    assert len(asked) == 2
