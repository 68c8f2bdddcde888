"""Holding a claimed message: the heartbeat that keeps it, and the clock that says when it must be taken for lost.

A worker that was stopped for a while does not know it. So it looks at the clock before each thing that people could see.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.background import beside
from bot.ports import Claim, Inbox

LEASE = 12.0
"""Seconds for which a claim holds without a heartbeat."""
HEARTBEAT = 4.0
"""Seconds between two heartbeats."""
DOOR_LIMIT = 4.0
"""Seconds after which a door call counts as failed; less than MARGIN."""
MARGIN = 5.0
"""Seconds before the end of the lease from which nothing is shown any more: longer than a door call may take."""
SUSPECT = 3
"""Attempts that ended without an answer, after which a message is suspected: if the process dies once more, this message
may be the reason. It is taken first after a start, and alone, so that it harms no other and no other harms it."""

_LOG = logging.getLogger("rolecall.delivery")


class LeaseLost(Exception):
    """Somebody else may hold the message now: drop it and show nothing."""


class Lease:
    """One worker's hold on one message. `taken` is the time that the claim was made with."""

    def __init__(self, inbox: Inbox, claim: Claim, taken: float, clock: Callable[[], float]):
        self.claim = claim
        self._inbox = inbox
        self._clock = clock
        self._until = taken + LEASE

    def drop(self) -> None:
        """Let go of it at once: nothing is shown any more."""
        self._until = 0.0

    def require(self) -> None:
        """Raises LeaseLost unless there is time enough left for one door call."""
        if self._clock() >= self._until - MARGIN:
            raise LeaseLost(self.claim.event)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Beat as long as the block runs."""
        async with beside(self._beat()):
            yield

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            now = self._clock()
            (held,) = await asyncio.gather(self._inbox.extend(self.claim, now, LEASE), return_exceptions=True)
            if isinstance(held, BaseException):
                _LOG.warning("no heartbeat for %s: %r", self.claim.event, held)
            elif held and self._until:
                self._until = now + LEASE
            else:
                self.drop()
                return
