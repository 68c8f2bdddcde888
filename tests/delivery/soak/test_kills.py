"""Kill -9 on the real entry point while a chat goes on sending: nothing lost, nothing twice, nothing half, in order."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.conftest import share
from tests.delivery.soak import company
from tests.delivery.soak.driver import Outcome, Sender, all_answered, converse, judged, killing
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import Serving


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def sync(config: Path) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--config", str(config), "sync", "--json"])
    assert not left.value.code


async def kill_loop(
    folder: Path, peer: Peer, site: company.Site, *, events: int, kills: int, alive: tuple[float, float], gap: float
) -> Outcome:
    """Run the whole loop on SQLite: one process at a time."""
    serving = Serving(site.config, folder / "serve.log")
    sender = Sender(site.webhook)

    async def restart() -> None:
        await serving.kill()
        await serving.start()
        await serving.ready()

    await serving.start()
    await serving.ready()
    talk = asyncio.create_task(converse(sender, peer, events, conversations=50, gap=gap))
    await killing(restart, kills, alive)
    last = time.monotonic()
    plans = await talk
    await all_answered(peer, plans, 60.0)
    recovery = time.monotonic() - last
    assert await serving.stop() == 0
    assert set(sender.acknowledged) == {event for plan in plans for event in plan}
    return judged(peer, plans, kills, serving.boots, recovery)


async def test_sixty_events_and_kills_in_between(
    tmp_path: Path, derived: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = Peer(company.SECRET, (0.002, 0.02))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(peer.listening())
        site = company.write(tmp_path, free_port(), peer.url)
        share(derived, tmp_path / ".rolecall")
        await asyncio.to_thread(sync, site.config)
        outcome = await kill_loop(tmp_path, peer, site, events=60, kills=4, alive=(0.1, 0.5), gap=1.0)
    assert outcome.clean, outcome
