"""Who people are, who is in a room, and what was said there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.types import Excerpt, Principal, Room


class Directory(Protocol):
    """Who people are and who is in a room, as the platform says it."""

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias; None if there is none."""

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias; None if there is none."""

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room, bots included; None if the roster cannot be read."""


class Threads(Protocol):
    """What was said in a place, for requests about it."""

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        """The latest messages of that very thread, or of a direct conversation, oldest first; None if they cannot be read.

        Rolecall's own messages and what only one person saw are not among them.
        """
