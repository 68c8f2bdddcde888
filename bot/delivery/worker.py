"""Takes messages from the inbox and has them answered, several at a time, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from bot.background import broken_off
from bot.delivery.answering import Answering
from bot.delivery.leases import LEASE, SUSPECT
from bot.ports import Claim, Inbox
from bot.types import Message

IDLE = 1.0
"""Seconds after which the inbox is looked into again though nothing was announced: rows wait for a time, or come from
another process."""
GRACE = 20.0
"""Seconds in which a stopping worker may finish what it began."""

FIRST = 2
"""Messages answered at once after a start. If the process crashes, those that ran have one attempt less; so until it has
proved that it lives, few share the blame for what one of them did."""
RAMP = 1.0
"""Seconds of waiting after which twice as many are answered at once, though none is finished yet."""
ALONE = 5.0
"""Seconds at most in which nothing is taken beside a suspected message: a slow one must not hold up the others."""

_LOG = logging.getLogger("rolecall.delivery")


class Worker:
    """`owner` names this process in the inbox, `tasks` is how many messages it answers at once."""

    def __init__(
        self,
        inbox: Inbox,
        answering: Answering,
        owner: str,
        clock: Callable[[], float],
        tasks: int,
        grace: float = GRACE,
    ):
        self._inbox = inbox
        self._answering = answering
        self.owner = owner
        self._clock = clock
        self._grace = grace
        self._tasks = tasks
        self._open = min(FIRST, tasks)
        self._room = asyncio.Semaphore(self._open)
        self._news = asyncio.Event()
        self._stopping = False
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look into the inbox now."""
        self._news.set()

    async def run(self) -> None:
        """Work until `stop`, then finish what was begun or give it back."""
        while not self._stopping:
            await self._slot()
            taken = self._clock()
            claim = None if self._stopping else await self._claim(taken)
            if claim is None:
                self._room.release()
                await self._rest()
            else:
                task = asyncio.create_task(self._handle(claim, taken))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                if claim.attempts > SUSPECT:
                    await asyncio.wait({task}, timeout=ALONE)
        await self._finish()

    def let_go(self, which: Callable[[Message], bool]) -> list[asyncio.Task[Any]]:
        """Show nothing more of these messages; returns the tasks that work on them, to be cancelled."""
        return self._answering.let_go(which)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop: it finishes what it began, and another process is to be asked now."""
        return self._stopping

    def stop(self) -> None:
        """Take nothing more; `run` returns within `grace` seconds and a little."""
        self._stopping = True
        self._news.set()

    async def _claim(self, now: float) -> Claim | None:
        """The next message. A database that fails is asked again a moment later."""
        (claim,) = await asyncio.gather(self._inbox.claim(self.owner, now, LEASE), return_exceptions=True)
        if isinstance(claim, BaseException):
            _LOG.error("the inbox cannot be read: %r", claim)
            return None
        return claim

    async def _slot(self) -> None:
        """Wait until one more message may be answered."""
        while self._open < self._tasks:
            try:
                await asyncio.wait_for(self._room.acquire(), RAMP)
            except TimeoutError:
                self._grow(self._open)
            else:
                return
        await self._room.acquire()

    def _grow(self, more: int) -> None:
        """Let up to so many more be answered at once."""
        for _ in range(min(more, self._tasks - self._open)):
            self._open += 1
            self._room.release()

    async def _handle(self, claim: Claim, taken: float) -> None:
        try:
            await self._answering.handle(claim, taken)
        finally:
            self._room.release()
            self._grow(1)
            self._news.set()  # the next one of this conversation may be claimed now

    async def _rest(self) -> None:
        if self._stopping:
            return
        try:
            await asyncio.wait_for(self._news.wait(), IDLE)
        except TimeoutError:
            return
        finally:
            self._news.clear()

    async def _finish(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=self._grace)
        await broken_off(self._running)
