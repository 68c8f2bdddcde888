"""A rolling restart under load on PostgreSQL: each of two replicas is asked to stop and started again, in turn.

python -m tests.delivery.soak.rolling --events 600 --rounds 5
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession

from tests.connectors.databases import database_url
from tests.delivery.soak import company
from tests.delivery.soak.driver import Outcome, Sender, all_answered, converse, judged, recovered
from tests.delivery.soak.loop import RECOVERY, SLOWNESS
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import Serving
from tests.delivery.soak.replicas import two_sites

MORE = "  guests_of_honour: {members: [slack-group:S0HON], read: [company]}\n"


async def rolling_restart(folder: Path, database: str, events: int, rounds: int) -> Outcome:
    """So many rounds over both replicas while a chat goes on; in the first one, a change of roles.yaml reaches both."""
    async with Peer(company.SECRET, SLOWNESS).listening() as peer:
        sites = await asyncio.to_thread(two_sites, folder, database, peer.url)
        fleet = [Serving(site.config, site.config.parent / "serve.log") for site in sites]
        sender = Sender([site.webhook for site in sites])
        for one in fleet:
            await one.start()
        await asyncio.gather(*(one.ready() for one in fleet))
        talk = asyncio.create_task(converse(sender, peer, events, min(events, 20), 0.1))
        await _change_the_policy(sites)
        for _ in range(rounds):
            for one in fleet:
                assert await one.stop() == 0
                await one.start()
                await one.ready()
        last = time.time()
        plans = await talk
        await all_answered(peer, plans, RECOVERY)
        for one in fleet:
            assert await one.stop() == 0
    assert set(sender.acknowledged) == {event for plan in plans for event in plan}
    return judged(peer, plans, 0, sum(one.boots for one in fleet), recovered(peer, sender, last))


async def _change_the_policy(sites: list[company.Site]) -> None:
    """As a ConfigMap or a checkout does it: one file for each replica. Raises TimeoutError if it does not reach them."""
    before = [await _policy(site) for site in sites]
    assert before[0] == before[1]
    for site in sites:
        roles = site.config.parent / "roles.yaml"
        roles.write_text(roles.read_text().replace("rooms:", f"{MORE}rooms:", 1), encoding="utf-8")
    async with asyncio.timeout(10):
        while set(before) & {await _policy(site) for site in sites}:  # noqa: ASYNC110 - another process changes
            await asyncio.sleep(0.2)


async def _policy(site: company.Site) -> str:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{site.port}/readyz") as response:
        return str((await response.json())["policy"])


def main() -> None:
    """Run it and print what it came to as one JSON object; exit code 1 unless everything is as it should be."""
    parser = argparse.ArgumentParser(description="a rolling restart under load")
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = database_url("postgresql", Path(name))
        outcome = asyncio.run(rolling_restart(Path(name), database, given.events, given.rounds))
        print(json.dumps({**dataclasses.asdict(outcome), "clean": outcome.clean}))
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
