"""Who is who and who is where, asked of the platform at most once a minute, and again at once when something changed.

A platform that does not answer is served from what it said less than a minute ago. After that a person is nobody and a
room's roster cannot be read, so that everybody hears less, never more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.errors import DoorUnavailable
from bot.ports import Directory
from bot.types import Principal, Room

T = TypeVar("T")

TTL = 60.0
"""Seconds: what a platform said is believed no longer, counted from when it was asked."""
ENTRIES = 10_000
"""People and rooms kept; beyond that the oldest go."""
TRIES = 3
"""How often a question is put again because a change came in while it was being answered."""

_LOG = logging.getLogger("rolecall.rosters")


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    value: T
    asked: float


class CachedDirectory:
    """A Directory in front of a slower one. `clock` counts seconds; `forget` drops what an event says has changed."""

    def __init__(self, directory: Directory, clock: Callable[[], float] = time.monotonic, ttl: float = TTL):
        self._directory = directory
        self._clock = clock
        self._ttl = ttl
        self._changes = 0
        self._people: dict[str, _Known[Principal | None]] = {}
        self._rooms: dict[str, _Known[Room | None]] = {}
        self._rosters: dict[str, _Known[Sequence[Principal] | None]] = {}

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias; None if there is none, or if that cannot be found out."""
        return await self._known(self._people, ref, lambda: self._directory.person(ref))

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias; None if there is none, or if that cannot be found out."""
        return await self._known(self._rooms, ref, lambda: self._directory.room(ref))

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room, bots included; None if the roster cannot be read."""
        return await self._known(self._rosters, room.ref, lambda: self._directory.members(room))

    def forget(self, *, room: str = "", person: str = "") -> None:
        """Drop what is known of a room, or of a person and of every room they are in; of everything if neither is named."""
        self._changes += 1
        if not room and not person:
            for kept in (self._people, self._rooms, self._rosters):
                kept.clear()
        if room:
            self._rosters.pop(room, None)
            _drop(self._rooms, lambda key, known: key == room or (known is not None and known.ref == room))
        if person:
            _drop(self._people, lambda key, known: key == person or known is None or known.ref == person)
            _drop(self._rosters, lambda _, roster: any(one.ref == person for one in roster or ()))

    async def _known(
        self, kept: dict[str, _Known[T | None]], key: str, ask: Callable[[], Awaitable[T | None]]
    ) -> T | None:
        """What is known of `key`, or the answer to `ask`: put again if a change came in meanwhile."""
        known = kept.get(key)
        if known is not None and self._clock() - known.asked < self._ttl:
            return known.value
        for _ in range(TRIES):
            changes, asked = self._changes, self._clock()
            try:
                value = await ask()
            except (DoorUnavailable, OSError) as error:
                _LOG.warning("the directory does not say who %s is: %s", key, error)
                return None
            if changes == self._changes:
                self._keep(kept, key, _Known(value, asked))
                return value
        return None

    def _keep(self, kept: dict[str, _Known[T | None]], key: str, known: _Known[T | None]) -> None:
        before = kept.pop(key, None)
        kept[key] = before if before is not None and before.asked > known.asked else known
        while len(kept) > ENTRIES:
            kept.pop(next(iter(kept)))


def _drop(kept: dict[str, _Known[T]], changed: Callable[[str, T], bool]) -> None:
    for key in [key for key, known in kept.items() if changed(key, known.value)]:
        del kept[key]
