"""Access that is taken away holds at the next answer: at once when an event tells of it, within a minute without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from bot.access.rosters import TTL, CachedDirectory
from bot.delivery.turns import ACCESS_CHANGED
from bot.types import Answer, Done, Principal, Reply, Room, Turn
from tests.delivery.fakes import FakeClock
from tests.delivery.house import ALL, DIRECT, FIONA, OSKAR, House, answer_from_what_is_visible
from tests.fakes import FakeDirectory


class Company(House):
    """The house with what it knows of people kept for a minute; `happens` runs in the middle of the next turn."""

    def __init__(self) -> None:
        super().__init__(self._answer, known=self._kept)
        self.happens: Sequence[Principal] = ()

    def _kept(self, directory: FakeDirectory, clock: FakeClock) -> CachedDirectory:
        self.cached = CachedDirectory(directory, clock)
        return self.cached

    def _answer(self, turn: Turn) -> Sequence[Reply]:
        replies = answer_from_what_is_visible(turn)
        for person in self.happens:
            self.changed(person, told=True)
        return replies

    def changed(self, person: Principal, told: bool) -> None:
        """Somebody is somebody else now; an event tells of it, or none does."""
        people = {**self.directory.people, person.ref: person}.values()
        self.directory.__init__(list(people), {ALL: list(people)})  # type: ignore[misc]
        if told:
            self.cached.forget(person=person.ref)
            self.cached.forget(room=ALL.ref)

    async def answer(self, sender: Principal = FIONA, room: Room = DIRECT) -> Answer:
        return cast(Done, (await self.ask(sender, room))[-1]).answer


LEAVERS = [replace(FIONA, active=False), replace(FIONA, kind="guest")]


@pytest.mark.parametrize("gone", LEAVERS)
async def test_an_event_holds_at_once(gone: Principal) -> None:
    house = Company()
    assert (await house.answer()).documents == {"airline/report.pdf"}
    house.changed(gone, told=True)
    answer = await house.answer()
    assert not answer.documents
    assert answer.text == "I found nothing."


@pytest.mark.parametrize("gone", LEAVERS)
async def test_without_an_event_it_holds_after_a_minute(gone: Principal) -> None:
    house = Company()
    assert (await house.answer()).documents
    house.changed(gone, told=False)
    house.clock.now += TTL - 1
    assert (await house.answer()).documents
    house.clock.now += 1
    assert not (await house.answer()).documents


@pytest.mark.parametrize("gone", LEAVERS)
async def test_in_the_middle_of_a_turn_the_answer_is_dropped_and_the_person_told(gone: Principal) -> None:
    house = Company()
    house.happens = [gone]
    answer = await house.answer()
    assert answer.refused == ACCESS_CHANGED
    assert not answer.documents
    assert "report" not in answer.text


async def test_a_guest_who_joins_in_the_middle_of_a_turn_stops_what_the_room_would_hear() -> None:
    house = Company()
    assert (await house.answer(OSKAR, ALL)).documents == {"airline/press.md"}
    house.happens = [Principal("slack", "T0HOME", "U0GUEST", "guest")]
    answer = await house.answer(OSKAR, ALL)
    assert (answer.refused, answer.documents) == (ACCESS_CHANGED, frozenset())
