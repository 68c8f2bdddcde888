"""How long things may take: a turn that is silent is remarked upon, one that lasts too long is ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bot.types import Reply

TELL_AFTER = 20.0
"""Seconds of silence after which the person is told that it takes longer."""
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
    """The replies of a turn, and one None if none came for `silence` seconds. Raises TimeoutError after `limit`.

    The turn runs in a task of its own, so that it goes on while its replies are being shown.
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

    turn = asyncio.create_task(run())
    told = False
    try:
        while True:
            try:
                reply = await asyncio.wait_for(queue.get(), None if told else silence)
            except TimeoutError:
                told = True
                yield None
                continue
            if reply is None:
                break
            yield reply
        await turn
    finally:
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
