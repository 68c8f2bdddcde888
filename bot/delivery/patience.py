"""How long things may take: a turn that has nothing to say yet is remarked upon, one that lasts too long is ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bot.background import broken_off
from bot.types import Delta, Reply

TELL_AFTER = 20.0
"""Seconds without a word of an answer after which the person is told that it takes longer."""
TURN_LIMIT = 120.0
"""Seconds that a turn may take."""
KEEP = 900.0
"""Seconds for which a question is kept while something it needs is away; then the person is told that it failed."""


def pause(age: float, most: float) -> float:
    """Seconds to wait before trying again what is away: half as long again each time, from one second up."""
    return min(most, max(1.0, age / 2))


async def patient(
    replies: AsyncGenerator[Reply, None], silence: float, limit: float
) -> AsyncGenerator[Reply | None, None]:
    """The replies of a turn, and one None if it has no text after `silence` seconds. Raises TimeoutError after `limit`.

    A status is no text: several steps of which each is slow are told of as one is. The turn runs in a task of its own,
    so that it goes on while its replies are being shown.
    """
    queue: asyncio.Queue[Reply | None] = asyncio.Queue()

    async def run() -> None:
        try:
            async with asyncio.timeout(limit):
                async for reply in replies:
                    queue.put_nowait(reply)
        finally:
            await replies.aclose()
            queue.put_nowait(None)

    deadline: float | None = asyncio.get_running_loop().time() + silence
    turn = asyncio.create_task(run())
    try:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    reply = await queue.get()
            except TimeoutError:
                deadline = None
                yield None
                continue
            if reply is None:
                break
            if isinstance(reply, Delta):
                deadline = None
            yield reply
        await turn
    finally:
        await broken_off([turn])
