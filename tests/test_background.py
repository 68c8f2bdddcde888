"""Work beside something else: it ends with it, a bug in it is not silent, and who is cancelled meanwhile stays cancelled."""

from __future__ import annotations

import asyncio

import pytest

from bot.background import beside


async def endless(seen: list[str]) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        seen.append("ended")


async def test_it_is_over_when_the_block_is() -> None:
    seen: list[str] = []
    async with beside(endless(seen)):
        await asyncio.sleep(0)
    assert seen == ["ended"]


async def test_what_failed_in_it_is_raised_when_the_block_ends() -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        async with beside(broken()):
            await asyncio.sleep(0.01)


async def test_who_is_cancelled_while_it_ends_stays_cancelled() -> None:
    ending = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ending.set()
            await asyncio.sleep(0.05)

    async def block() -> None:
        async with beside(slow()):
            await asyncio.sleep(0)

    task = asyncio.create_task(block())
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
