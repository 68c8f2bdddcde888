"""Work that goes on beside something else, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work on as long as the block runs. What failed in it is raised when the block ends: nobody looks earlier."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await broken_off([task])
        if not task.cancelled():
            task.result()


async def broken_off(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until each of them is over. What they raised stays with them."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
