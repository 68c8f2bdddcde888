"""A rolling restart under load on PostgreSQL and a Qdrant server: each of two replicas is stopped and started again, in turn.

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
import uuid
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientSession

from tests.connectors.databases import database_url
from tests.connectors.qdrant.wire import standing_in
from tests.delivery.soak import company
from tests.delivery.soak.driver import Outcome, Sender, all_answered, converse, judged, recovered
from tests.delivery.soak.loop import RECOVERY, SLOWNESS, sync
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import Forked, Serving
from tests.delivery.soak.replicas import READS, WRITES, Shared

MORE = f"  analysts: {{members: [{company.NEW}], read: [filings]}}\n"
BEFORE, AFTER = "90 million", "91.4 million"
"""What somebody is told of the revenue by the press release, and by the report that only some may read."""
REACHED = 60.0
"""Seconds in which both replicas must answer by a new policy; they look at the file every second."""


async def rolling_restart(
    shared: Shared, peer: Peer, events: int, rounds: int, serving: type[Serving] | type[Forked] = Serving
) -> Outcome:
    """So many rounds over both replicas while a chat goes on; in the middle of it, a change of roles.yaml reaches both."""
    sites = shared.replicas()
    fleet = [serving(site.config, site.config.parent / "serve.log") for site in sites]
    sender = Sender([site.webhook for site in sites])
    for one in fleet:
        await one.start()
    await asyncio.gather(*(one.ready() for one in fleet))
    talk = asyncio.create_task(converse(sender, peer, events, min(events, 20), 0.1))
    await _change_the_policy(sites, peer)
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


async def _change_the_policy(sites: Sequence[company.Site], peer: Peer) -> None:
    """As a ConfigMap or a checkout does it: one file for each replica. Raises TimeoutError unless both answer by it.

    Either replica may answer what either takes in; the chat knows them apart by the address that each one posts to.
    """
    answers = {site.config.parent.name: Sender([site.webhook]) for site in sites}
    before = [await _told(sender, peer) for sender in answers.values()]
    assert all(BEFORE in text and AFTER not in text for _, text in before), before
    for site in sites:
        roles = site.config.parent / "roles.yaml"
        roles.write_text(roles.read_text().replace("rooms:", f"{MORE}rooms:", 1), encoding="utf-8")
    reached = set[str]()
    async with asyncio.timeout(REACHED):
        while len(reached) < len(sites):
            for sender in answers.values():
                by, text = await _told(sender, peer)
                reached |= {by} if AFTER in text else set()


async def _told(sender: Sender, peer: Peer) -> tuple[str, str]:
    """What nina is told of the revenue now, and by which replica."""
    event = f"nina-{uuid.uuid4().hex}"
    async with ClientSession() as session:
        await sender.send(session, event, "nina", "", event, "What was net revenue of Acme Ferries in 2025?")
    await all_answered(peer, [[event]], REACHED)
    (shown,) = peer.standing(f"webhook:{event}")
    return shown.by, shown.text


async def _long(folder: Path, events: int, rounds: int) -> Outcome:
    with standing_in(WRITES, READS) as qdrant:
        async with Peer(company.SECRET, SLOWNESS).listening() as peer:
            shared = Shared(folder, database_url("postgresql", folder), qdrant.url, peer.url)
            await asyncio.to_thread(sync, shared.syncing())
            return await rolling_restart(shared, peer, events, rounds)


def main() -> None:
    """Run it and print what it came to as one JSON object; exit code 1 unless everything is as it should be."""
    parser = argparse.ArgumentParser(description="a rolling restart under load")
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        outcome = asyncio.run(_long(Path(name), given.events, given.rounds))
        print(json.dumps({**dataclasses.asdict(outcome), "clean": outcome.clean}))
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
