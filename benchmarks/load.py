"""The whole process under load: people ask over signed HTTP, read the answer, think, and ask again.

The model is a stand-in of a given speed behind the OpenAI protocol, which writes so many answers at once and lets the
others wait, as a real server does. For each number of people: answers a minute, waits, and how evenly they are spread.

python -m benchmarks.load --people 5 20 80 --tokens-per-second 40 --at-once 16 --plot load.svg
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, web
from rich.console import Console
from rich.table import Table

from benchmarks.ack import SECRET, company, free_port
from benchmarks.plot import Panel, draw
from connectors.chat.signing import signed

SENTENCE = "The canteen opens at 6:30 and closes at 15:00. "
THINKING = (2.0, 8.0)
"""Seconds between an answer and the same person's next question, least and most."""
LIMIT = 120.0
"""Seconds after which an answer counts as lost."""


@dataclass
class World:
    """The chat and the model that Rolecall talks to. `speed` is in tokens a second of one answer."""

    speed: float
    at_once: int
    finals: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)

    async def chat(self, request: web.Request) -> web.Response:
        """Take a post or an edit; the final one frees whoever waits for it."""
        call = await request.json()
        key = str(call.get("key") or call.get("posted"))
        if call["do"] in ("post", "edit") and call["post"]["kind"] in ("answer", "notice"):
            self.finals[key].set()
        return web.json_response({"posted": key} if call["do"] == "post" else {})

    async def model(self, request: web.Request) -> web.StreamResponse:
        """Stream one sentence, a word at a time."""
        await request.read()
        async with self._places:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            for word in SENTENCE.split(" "):
                await asyncio.sleep(1.3 / self.speed)  # about 1.3 tokens a word
                choice = {"index": 0, "delta": {"content": word + " "}}
                chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
                await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
            await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def _served(world: World, people: int) -> AsyncIterator[int]:
    """`rolecall serve` on a fresh company; gives its port."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", world.model)
    app.router.add_post("/chat", world.chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port, nowhere = free_port(), asyncio.subprocess.DEVNULL
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        config = company(Path(folder), port, runner.addresses[0][1], people)
        command = [sys.executable, "-m", "bot", "--config", str(config)]
        sync = await asyncio.create_subprocess_exec(*command, "sync", stdout=nowhere, stderr=nowhere, env=env)
        await sync.wait()
        served = await asyncio.create_subprocess_exec(
            *command, "serve", "--json", stdout=asyncio.subprocess.PIPE, stderr=nowhere, env=env
        )
        try:
            assert served.stdout is not None
            await served.stdout.readline()
            yield port
        finally:
            served.send_signal(signal.SIGKILL)
            await served.wait()
            await runner.cleanup()


async def _person(number: int, port: int, world: World, session: ClientSession, until: float) -> list[float]:
    """One person's afternoon; the waits in seconds, `LIMIT` for an answer that never came."""
    dice, waits = random.Random(number), list[float]()
    await asyncio.sleep(dice.uniform(0, THINKING[1]))
    while time.monotonic() < until:
        event = f"p{number}-{len(waits)}"
        asked = {"event": event, "as": f"p{number}", "thread": event, "text": "When does the canteen open?"}
        body, started = json.dumps(asked).encode(), time.monotonic()
        headers = signed(SECRET, time.time(), body)
        async with session.post(f"http://127.0.0.1:{port}/webhook", data=body, headers=headers) as response:
            await response.read()
        try:
            await asyncio.wait_for(world.finals[f"webhook:{event}"].wait(), LIMIT)
            waits.append(time.monotonic() - started)
        except TimeoutError:
            waits.append(LIMIT)
        await asyncio.sleep(dice.uniform(*THINKING))
    return waits


async def _measured(people: int, world: World, seconds: float) -> list[list[float]]:
    async with _served(world, people) as port, ClientSession() as session:
        until = time.monotonic() + seconds
        return await asyncio.gather(*(_person(number, port, world, session, until) for number in range(people)))


def _fairness(waits: Sequence[Sequence[float]]) -> float:
    """Jain's index of the mean waits: 1 if everybody waits alike, 1/n if one person bears it all."""
    means = [statistics.mean(one) for one in waits if one]
    return sum(means) ** 2 / (len(means) * sum(mean * mean for mean in means))


@dataclass(frozen=True, slots=True)
class Row:
    """What so many people saw: answers, how many a minute, the waits in seconds, what never came, and fairness."""

    people: int
    answers: int
    a_minute: float
    p50: float
    p95: float
    lost: int
    fairness: float

    @classmethod
    def of(cls, people: int, waits: Sequence[Sequence[float]], seconds: float) -> Row:
        """The figures of one run."""
        took = sorted(wait for one in waits for wait in one)
        p95, lost = took[min(len(took) - 1, int(len(took) * 0.95))], sum(wait >= LIMIT for wait in took)
        a_minute = len(took) * 60 / seconds
        return cls(people, len(took), a_minute, statistics.median(took), p95, lost, _fairness(waits))


def _show(rows: Sequence[Row]) -> None:
    table = Table("people", "answers", "a minute", "p50 s", "p95 s", "lost", "fairness", "p95, plotted", title="load")
    worst = max(row.p95 for row in rows)
    for row in rows:
        figures = (f"{row.a_minute:.0f}", f"{row.p50:.2f}", f"{row.p95:.2f}", str(row.lost), f"{row.fairness:.2f}")
        table.add_row(str(row.people), str(row.answers), *figures, "█" * max(1, round(30 * row.p95 / worst)))
    Console().print(table)


def _plot(rows: Sequence[Row], path: Path) -> None:
    waits = {"p50": [row.p50 for row in rows], "p95": [row.p95 for row in rows]}
    panels = [
        Panel("answers a minute", {"": [row.a_minute for row in rows]}),
        Panel("wait, seconds", waits),
        Panel("fairness (1: all wait alike)", {"": [row.fairness for row in rows]}, top=1.0),
    ]
    draw(path, "people", [row.people for row in rows], panels)


def main() -> None:
    """Run each number of people, one after the other, and print the table."""
    parser = argparse.ArgumentParser(description="people who ask over real HTTP")
    parser.add_argument("--people", type=int, nargs="+", default=[5, 20, 80])
    parser.add_argument("--tokens-per-second", type=float, default=40.0)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--plot", type=Path, help="a file to draw into, .svg or .png")
    given = parser.parse_args()
    rows = list[Row]()
    for people in given.people:
        world = World(given.tokens_per_second, given.at_once)
        rows.append(Row.of(people, asyncio.run(_measured(people, world, given.seconds)), given.seconds))
    _show(rows)
    if given.plot:
        _plot(rows, given.plot)


if __name__ == "__main__":
    main()
