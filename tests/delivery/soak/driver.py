"""Sends events as a chat would, twice where it likes and again until they are acknowledged, kills meanwhile, and counts."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from itertools import pairwise

from aiohttp import ClientError, ClientSession, ClientTimeout

from connectors.chat.signing import signed
from tests.delivery.soak.company import PEOPLE, SECRET
from tests.delivery.soak.peer import Peer, Shown

QUESTIONS = (
    "When does the canteen open?",
    "Hello!",
    "What was net revenue in 2025?",
    "Thanks!",
    "To what torque are the mounting bolts of the brake tightened?",
)
OUTSTANDING = 3
"""Messages of one conversation that may be under way at once."""
REPEATED = 0.3
"""How many of the events are delivered twice."""


@dataclass
class Sender:
    """One chat's events, sent to any of `urls`. `acknowledged` holds when each event got its first 200; `took` are the
    seconds of each acknowledgement, `refused` counts what had to be sent again."""

    urls: list[str]
    acknowledged: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    refused: int = 0

    async def send(self, session: ClientSession, event: str, who: str, where: str, thread: str, text: str) -> None:
        """Deliver one event until it is acknowledged."""
        body = json.dumps(
            {"event": event, "id": event, "as": who, "in": where, "thread": thread, "text": text}
        ).encode()
        while not await self._once(session, event, body):
            self.refused += 1
            await asyncio.sleep(0.1)

    async def _once(self, session: ClientSession, event: str, body: bytes) -> bool:
        started = time.time()
        try:
            headers = signed(SECRET, started, body)
            async with session.post(
                random.choice(self.urls), data=body, headers=headers, timeout=ClientTimeout(5)
            ) as response:
                if response.status != 200:
                    return False
        except (ClientError, TimeoutError, OSError):
            return False
        self.took.append(time.time() - started)
        self.acknowledged.setdefault(event, time.time())
        return True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. Everything but `events`, `kills`, `boots` and `recovery` (seconds) has to be zero."""

    events: int
    kills: int
    boots: int
    recovery: float
    lost: int
    doubled: int
    orphans: int
    disordered: int
    apologies: int
    unsigned: int

    @property
    def clean(self) -> bool:
        return not any((self.lost, self.doubled, self.orphans, self.disordered, self.apologies, self.unsigned))


async def converse(
    sender: Sender, peer: Peer, events: int, conversations: int, gap: float, seed: int = 1
) -> list[list[str]]:
    """Send all events, spread over conversations, each in order; returns the events of each conversation."""
    dice = random.Random(seed)
    plans = [[f"c{number}-{step}" for step in range(number, events, conversations)] for number in range(conversations)]

    async def talk(number: int, plan: list[str], session: ClientSession) -> None:
        for position, event in enumerate(plan):
            if position >= OUTSTANDING:
                await all_answered(peer, [[plan[position - OUTSTANDING]]], 600.0)
            where = "all-hands" if number % 2 else ""
            ask = (event, f"p{number % PEOPLE}", where, f"t{number}", dice.choice(QUESTIONS))
            await sender.send(session, *ask)
            if dice.random() < REPEATED:
                await sender.send(session, *ask)
            await asyncio.sleep(dice.uniform(0, 2 * gap))

    async with ClientSession() as session:
        await asyncio.gather(*(talk(number, plan, session) for number, plan in enumerate(plans)))
    return plans


def recovered(peer: Peer, sender: Sender, last: float) -> float:
    """Seconds from a moment until everything that was acknowledged before it was answered."""
    before = [event for event, at in sender.acknowledged.items() if at < last]
    finals = [one.first_final for event in before for one in peer.standing(f"webhook:{event}") if _final(one)]
    return max([0.0, *(at - last for at in finals)])


def _final(one: Shown) -> bool:
    return one.kind in ("answer", "notice")


def answered(peer: Peer, event: str) -> bool:
    """Whether an event's message has become final."""
    return any(_final(one) for one in peer.standing(f"webhook:{event}"))


async def all_answered(peer: Peer, plans: list[list[str]], seconds: float) -> float:
    """Wait until every event is answered; returns how long that took, or the limit."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if all(answered(peer, event) for plan in plans for event in plan):
            break
        await asyncio.sleep(0.05)
    return time.monotonic() - started


def judged(peer: Peer, plans: list[list[str]], kills: int, boots: int, recovery: float) -> Outcome:
    """Compare what was acknowledged with what can be seen."""
    visible = [one for one in peer.shown.values() if not one.removed]
    keys = [one.key for one in visible]
    return Outcome(
        events=sum(map(len, plans)),
        kills=kills,
        boots=boots,
        recovery=recovery,
        lost=sum(not answered(peer, event) for plan in plans for event in plan),
        doubled=len(keys) - len(set(keys)),
        orphans=sum(one.kind in ("status", "piece") for one in visible),
        disordered=sum(_disordered(peer, plan) for plan in plans),
        apologies=sum(one.kind == "notice" for one in visible),
        unsigned=peer.unsigned,
    )


def _disordered(peer: Peer, plan: list[str]) -> int:
    """How many answers of one conversation came before one that should have come first."""
    finals: list[Shown] = [one for event in plan for one in peer.standing(f"webhook:{event}")[:1]]
    times = [one.first_final for one in finals if _final(one)]
    return sum(later < earlier for earlier, later in pairwise(times))
