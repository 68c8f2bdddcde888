"""One directory over several: each platform says who its own people are, and a file knows the aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.ports import Directory, Threads
from bot.types import Excerpt, Principal, Room


class Directories:
    """Implements the Directory port. What no platform in `platforms` is asked about, `other` is, if there is one."""

    def __init__(self, platforms: Mapping[str, Directory], other: Directory | None = None):
        self._platforms = platforms
        self._other = other

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias; None if there is none."""
        directory = self._of(ref)
        return await directory.person(ref) if directory else None

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias; None if there is none."""
        directory = self._of(ref)
        return await directory.room(ref) if directory else None

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room, bots included; None if the roster cannot be read."""
        directory = self._of(room.ref)
        return await directory.members(room) if directory else None

    def _of(self, ref: str) -> Directory | None:
        """``slack-user:T0HOME/U0FIONA`` and ``slack:T0HOME/C0FIN`` are Slack's to know."""
        platform = ref.partition(":")[0].removesuffix("-user")
        return self._platforms.get(platform, self._other)


class PlatformThreads:
    """Implements the Threads port over the platforms that can be asked what was said."""

    def __init__(self, platforms: Mapping[str, Threads]):
        self._platforms = platforms

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        """The latest messages of a thread; None if its platform does not tell."""
        threads = self._platforms.get(room.platform)
        return await threads.excerpts(room, thread, limit) if threads else None
