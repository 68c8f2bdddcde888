"""The kill loop on PostgreSQL and a Qdrant server: two replicas behind one chat, one killed at a time, one put to sleep.

python -m tests.delivery.soak.replicas --events 3000 --kills 200 --asleep 60
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.connectors.databases import database_url
from tests.connectors.qdrant.wire import standing_in
from tests.delivery.soak import company
from tests.delivery.soak.driver import Outcome, Sender, all_answered, converse, judged, recovered
from tests.delivery.soak.loop import ALIVE, CONVERSATIONS, NO_MODEL, RECOVERY, SLOWNESS, free_port, sync
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import Serving

NAMES = ("one", "two")
WRITES, READS = "the key that writes", "the key that reads"


async def replica_loop(folder: Path, database: str, events: int, kills: int, asleep: float, seed: int = 1) -> Outcome:
    """The database and the Qdrant server are common; the replicas may only read what was synced before."""
    dice = random.Random(seed)
    with standing_in(WRITES, READS) as qdrant:
        async with Peer(company.SECRET, SLOWNESS).listening() as peer:
            shared = Shared(folder, database, qdrant.url, peer.url)
            await asyncio.to_thread(sync, shared.syncing())
            sites = shared.replicas()
            fleet = [Serving(site.config, site.config.parent / "serve.log") for site in sites]
            sender = Sender([site.webhook for site in sites])
            for one in fleet:
                await one.start()
            await asyncio.gather(*(one.ready() for one in fleet))
            gap = CONVERSATIONS / max(events, 1) * kills * sum(ALIVE) / 2
            talk = asyncio.create_task(converse(sender, peer, events, CONVERSATIONS, gap, seed))
            for number in range(kills):
                await asyncio.sleep(dice.uniform(*ALIVE))
                victim = fleet[number % 2]
                await victim.kill()
                await victim.start()
                await victim.ready()
            await asyncio.sleep(dice.uniform(*ALIVE))
            fleet[0].signal(signal.SIGSTOP)
            await asyncio.sleep(asleep)
            fleet[0].signal(signal.SIGCONT)
            last = time.time()
            plans = await talk
            await all_answered(peer, plans, RECOVERY)
            await asyncio.sleep(2.0)  # what a sleeper still wants to show, it shows now
            for one in fleet:
                assert await one.stop() == 0
    assert qdrant.refused == []
    assert set(sender.acknowledged) == {event for plan in plans for event in plan}
    return judged(peer, plans, kills, sum(one.boots for one in fleet), recovered(peer, sender, last))


@dataclass(frozen=True, slots=True)
class Shared:
    """What two replicas have in common: a database, a Qdrant server, and a chat with an address for each of them."""

    folder: Path
    database: str
    qdrant: str
    chat: str

    def syncing(self) -> Path:
        """The settings of the sync, whose key may write."""
        return self._site("sync", WRITES).config

    def replicas(self) -> list[company.Site]:
        """Two replicas' files; their key may only read."""
        return [self._site(name, READS) for name in NAMES]

    def _site(self, name: str, key: str) -> company.Site:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "qdrant_key").write_text(key, encoding="utf-8")
        index = f"index: {{engine: server, url: '{self.qdrant}', key: {{file: qdrant_key}}}}\n"
        settings = f"{NO_MODEL}database: '{self.database}'\n{index}"
        return company.write(folder, free_port(), f"{self.chat}/{name}", settings)


def main() -> None:
    """Run the loop and print what it came to as one JSON object; exit code 1 unless everything is as it should be."""
    parser = argparse.ArgumentParser(description="two replicas, kill -9 and a sleeper")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--asleep", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, started = Path(name), time.monotonic()
        database = database_url("postgresql", folder)
        outcome = asyncio.run(replica_loop(folder, database, given.events, given.kills, given.asleep))
        took = round(time.monotonic() - started, 1)
        print(json.dumps({**dataclasses.asdict(outcome), "clean": outcome.clean, "seconds": took}))
        if not outcome.clean:
            print(*((folder / one / "serve.log").read_text()[-3000:] for one in ("one", "two")), file=sys.stderr)
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
