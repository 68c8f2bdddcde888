"""The kill loop: a chat that goes on sending, the real entry point, and kill -9 at random moments.

python -m tests.delivery.soak.loop --events 3000 --kills 200
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.delivery.soak import company
from tests.delivery.soak.driver import Outcome, Sender, all_answered, converse, judged, recovered
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import ROOT, Serving

CONVERSATIONS = 50
SLOWNESS = (0.002, 0.02)
"""Seconds between what the chat does and its acknowledgement: time for a kill in between."""
ALIVE = (0.1, 3.0)
"""Seconds that a process may work before it is killed."""
BOOTING = (0.2, 3.0)
"""Seconds after its start at which a process is killed before it serves."""
RECOVERY = 60.0
"""Seconds after the last kill after which what is not answered counts as lost."""
NO_MODEL = """
model: {provider: openai, name: none, url: 'http://127.0.0.1:9/v1'}
answers: {style: quote}
planner: router
"""
"""Quoted answers need no chat model: a process that does not load one starts sooner."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def kill_loop(folder: Path, events: int, kills: int, seed: int = 1, booting: int = 1) -> Outcome:
    """The whole loop on SQLite in an empty folder, or in one that holds a synced data folder already.

    After each kill at work come `booting` kills of a process that only starts. The last process but one is asked to stop.
    """
    dice = random.Random(seed)
    async with Peer(company.SECRET, SLOWNESS).listening() as peer:
        site = company.write(folder, free_port(), peer.url, NO_MODEL)
        if not (folder / ".rolecall").exists():
            await asyncio.to_thread(sync, site.config)
        serving, sender = Serving(site.config, folder / "serve.log"), Sender([site.webhook])
        await serving.start()
        gap = CONVERSATIONS / events * kills * sum(ALIVE) / 2
        talk = asyncio.create_task(converse(sender, peer, events, CONVERSATIONS, gap, seed))
        for number in range(kills):
            at_work = number % (booting + 1) == 0
            if at_work:
                await serving.ready()
            await asyncio.sleep(dice.uniform(*(ALIVE if at_work else BOOTING)))
            await serving.kill()
            await serving.start()
        await serving.ready()
        await asyncio.sleep(dice.uniform(*ALIVE))
        await _stopped(serving)
        last = time.time()
        await serving.start()
        await serving.ready()
        plans = await talk
        await all_answered(peer, plans, RECOVERY)
        await _stopped(serving)
    assert set(sender.acknowledged) == {event for plan in plans for event in plan}
    return judged(peer, plans, kills, serving.boots, recovered(peer, sender, last))


async def _stopped(serving: Serving) -> None:
    """SIGTERM, at work or idle: it ends well and in time."""
    started = time.monotonic()
    code = await serving.stop()
    assert code == 0, f"it ended with {code}"
    assert time.monotonic() - started < 30


def sync(config: Path) -> None:
    """Bring the company's index up to date."""
    command = [sys.executable, "-m", "bot", "--config", str(config), "sync", "--json"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run the loop and print what it came to as one JSON object; exit code 1 unless everything is as it should be."""
    parser = argparse.ArgumentParser(description="kill -9 in the middle of everything")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        outcome = asyncio.run(kill_loop(Path(folder), given.events, given.kills, given.seed))
        took = round(time.monotonic() - started, 1)
        print(json.dumps({**dataclasses.asdict(outcome), "clean": outcome.clean, "seconds": took}))
        if not outcome.clean:
            print((Path(folder) / "serve.log").read_text()[-4000:], file=sys.stderr)
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
