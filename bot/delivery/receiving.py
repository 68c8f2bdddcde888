"""Takes messages in: what is accepted here is committed, so that a door may acknowledge it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from bot.access.policy import Policy
from bot.delivery.monitoring import Unwatched
from bot.ports import Inbox, Monitor, Quota, Verdict
from bot.types import Message, Principal, Room


class Interruptible(Protocol):
    """What works on messages in this process, under the name `owner`."""

    owner: str

    def let_go(self, which: Callable[[Message], bool]) -> list[asyncio.Task[Any]]:
        """Show nothing more of these messages; returns the tasks that work on them, to be cancelled."""


class Receiver:
    """The way in, for every door. `wake` is called when there is something to do; `clock` is in seconds since 1970.

    `worker` is the one of this process, whose work is broken off when its message is edited, deleted or stopped.
    """

    def __init__(
        self,
        inbox: Inbox,
        policy: Callable[[], Policy],
        clock: Callable[[], float],
        wake: Callable[[], None],
        worker: Interruptible | None = None,
        monitor: Monitor | None = None,
    ):
        self._inbox = inbox
        self._policy = policy
        self._clock = clock
        self._wake = wake
        self._worker = worker
        self._monitor = monitor or Unwatched()

    async def receive(self, event: str, message: Message) -> Verdict:
        """Commit a message. Whatever it raises means that nothing was stored: a door must not acknowledge.

        `event` starts with the door's name and a colon: ``webhook:1f3a``.
        """
        limits = self._policy().grant(message.sender).limits
        verdict = await self._inbox.add(event, message, Quota(limits.per_minute, limits.per_day), self._clock())
        self._monitor.received(event.partition(":")[0], verdict)
        if verdict in ("accepted", "busy"):
            self._wake()
        return verdict

    async def amend(self, message: Message) -> bool:
        """The sender edited a message: if it is not answered yet, it starts anew with what it says now."""

        def same(one: Message) -> bool:
            return (one.room.ref, one.id, one.sender.ref) == (message.room.ref, message.id, message.sender.ref)

        return bool(await self._anew(same, lambda here: self._inbox.amend(message, self._clock(), here)))

    async def delete(self, room: Room, message: str) -> bool:
        """A question was deleted: its answer is taken away and forgotten, or never made."""

        def same(one: Message) -> bool:
            return (one.room.ref, one.id) == (room.ref, message)

        now = self._clock()
        return bool(await self._anew(same, lambda here: self._inbox.withdraw(room.ref, message, "deleted", now, here)))

    async def stop(self, conversation: str, person: Principal) -> int:
        """Somebody has had enough: what they asked in a conversation and is not answered is dropped; returns how many."""

        def theirs(one: Message) -> bool:
            return (one.conversation, one.sender.ref) == (conversation, person.ref)

        now = self._clock()
        return await self._anew(theirs, lambda here: self._inbox.stop(conversation, person.ref, now, here))

    async def _anew(self, which: Callable[[Message], bool], change: Callable[[str], Awaitable[int]]) -> int:
        """Change rows of the inbox, and break off what this process does with them. From here on it shows nothing of them."""
        tasks = self._worker.let_go(which) if self._worker else []
        try:
            return await change(self._worker.owner if self._worker else "")
        finally:
            for task in tasks:
                task.cancel()
            self._wake()
