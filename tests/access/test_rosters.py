"""A platform is asked at most once a minute, believed no longer, and asked again at once after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.access.rosters import ENTRIES, CachedDirectory
from bot.errors import DoorUnavailable
from bot.types import Principal, Room
from tests.access.policies import ALL, CARLA, FINANCE, FIONA, OSKAR
from tests.fakes import FakeDirectory


class Platform(FakeDirectory):
    """A directory that counts what it is asked, may be away, and may be slow."""

    def __init__(self) -> None:
        super().__init__([FIONA, CARLA, OSKAR], {FINANCE: [FIONA, CARLA], ALL: [OSKAR]})
        self.asked = 0
        self.fails: Exception | None = None
        self.gates: list[asyncio.Event] = []

    async def _reached(self) -> None:
        self.asked += 1
        if self.fails:
            raise self.fails

    async def person(self, ref: str) -> Principal | None:
        await self._reached()
        return await super().person(ref)

    async def room(self, ref: str) -> Room | None:
        await self._reached()
        return await super().room(ref)

    async def members(self, room: Room) -> Sequence[Principal] | None:
        await self._reached()
        found = await super().members(room)
        if self.gates:
            await self.gates.pop(0).wait()
        return found


class Desk:
    """A cached directory, what is behind it, and the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.platform = Platform()
        self.cached = CachedDirectory(self.platform, lambda: self.now)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_within_a_minute_the_platform_is_asked_once(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.cached.members(FINANCE) == [FIONA, CARLA]
        assert await desk.cached.person(FIONA.ref) == FIONA
        assert await desk.cached.room(FINANCE.ref) == FINANCE
        desk.now += 19.9
    assert desk.platform.asked == 3


async def test_without_an_event_a_change_holds_after_a_minute(desk: Desk) -> None:
    await desk.cached.members(FINANCE)
    desk.platform.rosters[FINANCE] = [FIONA, OSKAR]
    desk.now += 59.9
    assert await desk.cached.members(FINANCE) == [FIONA, CARLA]
    desk.now += 0.1
    assert await desk.cached.members(FINANCE) == [FIONA, OSKAR]


async def test_an_event_about_a_room_holds_at_once(desk: Desk) -> None:
    await desk.cached.members(FINANCE)
    await desk.cached.room(FINANCE.ref)
    desk.platform.rosters = {replace(FINANCE, kind="external"): [OSKAR]}
    desk.cached.forget(room=FINANCE.ref)
    opened = await desk.cached.room(FINANCE.ref)
    assert opened is not None
    assert opened.kind == "external"
    assert await desk.cached.members(opened) == [OSKAR]


async def test_an_event_about_a_person_drops_the_rosters_they_are_in_and_no_other(desk: Desk) -> None:
    await desk.cached.members(FINANCE)
    await desk.cached.members(ALL)
    await desk.cached.person(FIONA.ref)
    gone = replace(FIONA, active=False)
    desk.platform.people[FIONA.ref], desk.platform.rosters[FINANCE] = gone, [gone, CARLA]
    desk.cached.forget(person=FIONA.ref)
    asked = desk.platform.asked
    assert await desk.cached.person(FIONA.ref) == gone
    assert await desk.cached.members(FINANCE) == [gone, CARLA]
    await desk.cached.members(ALL)
    assert desk.platform.asked == asked + 2


async def test_everything_can_be_dropped(desk: Desk) -> None:
    await desk.cached.members(FINANCE)
    await desk.cached.person(FIONA.ref)
    desk.cached.forget()
    await desk.cached.members(FINANCE)
    await desk.cached.person(FIONA.ref)
    assert desk.platform.asked == 4


@pytest.mark.parametrize("fails", [DoorUnavailable("away"), TimeoutError("slow"), ConnectionError("refused")])
async def test_a_platform_that_is_away_is_believed_for_a_minute_then_nobody_is_known(
    desk: Desk, fails: Exception
) -> None:
    await desk.cached.members(FINANCE)
    await desk.cached.person(FIONA.ref)
    desk.platform.fails = fails
    desk.now += 59
    assert await desk.cached.members(FINANCE) == [FIONA, CARLA]
    assert await desk.cached.person(FIONA.ref) == FIONA
    desk.now += 2
    assert await desk.cached.members(FINANCE) is None
    assert await desk.cached.person(FIONA.ref) is None
    desk.platform.fails = None
    assert await desk.cached.members(FINANCE) == [FIONA, CARLA]


async def test_an_answer_that_a_change_overtook_is_asked_for_again(desk: Desk) -> None:
    slow = asyncio.Event()
    desk.platform.gates = [slow]
    asking = asyncio.create_task(desk.cached.members(FINANCE))
    await asyncio.sleep(0)
    desk.platform.rosters[FINANCE] = [CARLA]
    desk.cached.forget(room=FINANCE.ref)
    slow.set()
    assert await asking == [CARLA]
    assert await desk.cached.members(FINANCE) == [CARLA]


async def test_the_age_counts_from_when_the_platform_was_asked(desk: Desk) -> None:
    slow = asyncio.Event()
    desk.platform.gates = [slow]
    asking = asyncio.create_task(desk.cached.members(FINANCE))
    await asyncio.sleep(0)
    desk.now += 50
    slow.set()
    await asking
    desk.now += 11
    await desk.cached.members(FINANCE)
    assert desk.platform.asked == 2


async def test_changes_that_never_end_leave_a_room_unreadable() -> None:
    class Restless(Platform):
        async def members(self, room: Room) -> Sequence[Principal] | None:
            cached.forget(room=room.ref)
            return await super().members(room)

    cached = CachedDirectory(Restless())
    assert await cached.members(FINANCE) is None


async def test_what_is_kept_is_bounded(desk: Desk) -> None:
    for number in range(ENTRIES + 5):
        await desk.cached.person(f"slack-user:T0HOME/U{number}")
    asked = desk.platform.asked
    await desk.cached.person(f"slack-user:T0HOME/U{ENTRIES}")
    assert desk.platform.asked == asked
    await desk.cached.person("slack-user:T0HOME/U0")
    assert desk.platform.asked == asked + 1
