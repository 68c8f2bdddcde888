"""The one message that people see of a request: made once, found again after a crash, edited into the answer.

Before each call to the door the lease is looked at. A door call takes less time than the lease has left then, so that a
worker which lost its message shows nothing; what was under way when it was stopped is taken back by `_withdraw`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from bot.delivery.leases import DOOR_LIMIT, Lease, LeaseLost
from bot.errors import DoorUnavailable
from bot.ports import ChatDoor, Inbox, Place, Post
from bot.types import Attachment

T = TypeVar("T")

PACE = 1.0
"""Seconds between two edits of a growing message: what chat platforms bear in one channel."""


class Shown:
    """What is shown for one claim. `clock` is in seconds since 1970."""

    def __init__(self, door: ChatDoor, inbox: Inbox, lease: Lease, clock: Callable[[], float]):
        self._door = door
        self._inbox = inbox
        self._lease = lease
        self._clock = clock
        message = lease.claim.message
        self._place = Place(message.room, message.thread)
        self._asker_alone = Place(message.room, message.thread, message.sender)
        self._key = lease.claim.event
        self._posted = lease.claim.posted
        self._edited = 0.0
        self._last: Post | None = None
        self.spoken = False
        """Whether words of the answer were shown, and not only what is being done."""

    async def begin(self, post: Post) -> None:
        """Make the message, or take up again the one that an earlier attempt made."""
        if self._posted:
            return
        posted = await self._found(self._place, self._key) or await self._made(post)
        if not await self._inbox.placed(self._lease.claim, posted):
            await self._withdraw(posted)
            raise LeaseLost(self._key)
        self._posted = posted
        self._edited = self._clock()

    @property
    def due(self) -> bool:
        """Whether the last edit was not just a moment ago."""
        return self._clock() - self._edited >= PACE

    async def grow(self, post: Post) -> None:
        """Show how far it is, if an edit is due: what is left out comes with the next one."""
        if self.due:
            await self.become(post)

    async def become(self, post: Post) -> None:
        """Show this, now. What stands there already is not sent again."""
        await self.begin(post)
        if post == self._last:
            return
        posted = await self._call(lambda: self._door.edit(self._place, self._posted, post))
        self._edited, self._last = self._clock(), post
        self.spoken |= post.kind in ("piece", "answer")
        if posted != self._posted:
            await self._keep(posted)

    async def attach(self, files: Sequence[Attachment], alone: bool = False) -> None:
        """Show files below the message, each once."""
        place = self._asker_alone if alone else self._place
        for number, file in enumerate(files, 1):
            key = f"{self._key}:{'private:' if alone else ''}file:{number}"
            if await self._found(place, key) is None:
                await self._call(partial(self._door.attach, place, file, key))

    async def take_back(self) -> None:
        """Take away everything that stands of this message, the asker's own answer and the files too."""
        for place, key in self._everything():
            posted = self._posted if key == self._key and self._posted else await self._found(place, key)
            if posted:
                await self._call(partial(self._door.remove, place, posted))

    async def alone(self, post: Post) -> None:
        """Show the asker something that nobody else sees, once."""
        key = f"{self._key}:private"
        if await self._found(self._asker_alone, key) is None:
            await self._call(lambda: self._door.post(self._asker_alone, post, key))

    def _everything(self) -> list[tuple[Place, str]]:
        answer = self._lease.claim.answer
        files = answer.files if answer else ()
        private = answer.private.files if answer and answer.private else ()
        return [
            (self._place, self._key),
            (self._asker_alone, f"{self._key}:private"),
            *((self._place, f"{self._key}:file:{number}") for number, _ in enumerate(files, 1)),
            *((self._asker_alone, f"{self._key}:private:file:{number}") for number, _ in enumerate(private, 1)),
        ]

    async def _keep(self, posted: str) -> None:
        """Store by which id the message is known now. If the lease was lost, what it stood for is taken away by the next."""
        if not await self._inbox.placed(self._lease.claim, posted):
            raise LeaseLost(self._key)
        self._posted = posted

    async def _found(self, place: Place, key: str) -> str | None:
        """An earlier attempt's message. The first claim of a row has nothing to look for."""
        if self._lease.claim.fence <= 1:
            return None
        return await self._call(lambda: self._door.find(place, key))

    async def _made(self, post: Post) -> str:
        """A new message; if another worker's became visible meanwhile, the earlier one of the two."""
        posted = await self._call(lambda: self._door.post(self._place, post, self._key))
        earliest = await self._found(self._place, self._key)
        if earliest is None or earliest == posted:
            return posted
        await self._call(lambda: self._door.remove(self._place, posted))
        return earliest

    async def _withdraw(self, posted: str) -> None:
        """Take back what was posted after the lease was lost, unless it is the one that the next worker took up."""
        async with asyncio.timeout(DOOR_LIMIT):
            earliest = await self._door.find(self._place, self._key)
            if earliest is not None and earliest != posted:
                await self._door.remove(self._place, posted)

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        self._lease.require()
        try:
            async with asyncio.timeout(DOOR_LIMIT):
                return await call()
        except TimeoutError as error:
            raise DoorUnavailable(f"no answer within {DOOR_LIMIT:g} seconds") from error
