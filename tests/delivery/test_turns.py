"""What a room hears, what only the asker hears, and what happens when access changes in between."""

from collections.abc import Callable, Sequence
from itertools import count

import pytest

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import parse_policy
from bot.delivery.turns import Turns
from bot.types import Answer, Attachment, Citation, Delta, Done, Message, Plan, Principal, Reply, Room, Status, Turn
from tests.fakes import FakeAssistant, FakeDirectory, FakeRecords

POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents]}
  finance: {members: [slack-user:T0HOME/U0FIONA], read: [filings]}
"""
)
FIONA = Principal("slack", "T0HOME", "U0FIONA")
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
ALL = Room("slack", "T0HOME", "C0ALL", "public")
DIRECT = Room("slack", "T0HOME", "D0", "direct")
SEARCH = Plan("search_documents", "router", 1.0)
DOCUMENTS = {"airline/press.md": frozenset({"company"}), "airline/report.pdf": frozenset({"filings"})}


def answer_from_what_is_visible(turn: Turn) -> Sequence[Reply]:
    """The best document that the turn's readers may see: the report before the press release."""
    for name in ("airline/report.pdf", "airline/press.md"):
        if turn.access.sees(DOCUMENTS[name]):
            source = Citation(1, name, name, DOCUMENTS[name])
            text = f"From {name} [1]."
            return [Status("Searching"), Delta(text, (source,)), Done(Answer(text, (source,), SEARCH))]
    return [Done(Answer("I found nothing.", plan=SEARCH))]


class House:
    def __init__(self, replies: Callable[[Turn], Sequence[Reply]] = answer_from_what_is_visible) -> None:
        self.directory = FakeDirectory([FIONA, OSKAR], {ALL: [FIONA, OSKAR]})
        self.records = FakeRecords(DOCUMENTS)
        audience = Audience(lambda: POLICY, self.directory)
        numbers = count(1)
        gate = Gate(audience, self.records)
        self.turns = Turns(audience, FakeAssistant(replies), gate, lambda: f"a{next(numbers)}")

    async def ask(self, sender: Principal, room: Room) -> list[Reply]:
        return [reply async for reply in self.turns.take(Message("m", sender, room, "What was revenue?"))]


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
