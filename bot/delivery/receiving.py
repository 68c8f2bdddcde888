"""Takes messages in: what is accepted here is committed, so that a door may acknowledge it."""

from __future__ import annotations

from collections.abc import Callable

from bot.access.policy import Policy
from bot.ports import Inbox, Quota, Verdict
from bot.types import Message


class Receiver:
    """The way in, for every door. `wake` is called when there is something to do; `clock` is in seconds since 1970."""

    def __init__(
        self, inbox: Inbox, policy: Callable[[], Policy], clock: Callable[[], float], wake: Callable[[], None]
    ):
        self._inbox = inbox
        self._policy = policy
        self._clock = clock
        self._wake = wake

    async def receive(self, event: str, message: Message) -> Verdict:
        """Commit a message. Whatever it raises means that nothing was stored: a door must not acknowledge.

        `event` starts with the door's name and a colon: ``webhook:1f3a``.
        """
        limits = self._policy().grant(message.sender).limits
        verdict = await self._inbox.add(event, message, Quota(limits.per_minute, limits.per_day), self._clock())
        if verdict in ("accepted", "busy"):
            self._wake()
        return verdict
