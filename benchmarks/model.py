"""What a model server of one's own carries: answers and tokens a second, and waits, by how many are asked for at once.

Each request is what a document question costs: about 1,100 tokens to read, at most 80 to write, and no two begin alike, so
that a cache of prompts does not answer for the processor. docs/scaling.md says what to do with the figures.
Run: python -m benchmarks.model --url http://127.0.0.1:8000/v1 --name Qwen/Qwen3-14B --at-once 1 8 32
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import time
from dataclasses import dataclass

from langchain_core.messages import AIMessageChunk
from rich.console import Console
from rich.table import Table

from bot.settings import ModelSettings
from connectors.models.server import ServedChat, connect

READ, WRITE = 1_100, 80
WORD = "revenue "
"""About one token in any vocabulary."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: seconds to the first token and to the last, and the tokens that the server counted."""

    first: float
    whole: float
    read: int
    written: int


async def ask(model: ServedChat, number: int) -> Asked:
    """One question like a document question."""
    started, first, said = time.perf_counter(), 0.0, AIMessageChunk(content="")
    question = f"Report {number}-{os.getpid()}. {WORD * READ}\nWhat does report {number} say? Write four sentences."
    async for chunk in model.astream(question):
        if chunk.text and not first:
            first = time.perf_counter() - started
        said = said + chunk
    used = said.usage_metadata
    counted = (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
    return Asked(first, time.perf_counter() - started, *counted)


async def measured(model: ServedChat, at_once: int, requests: int) -> tuple[float, list[Asked]]:
    """Seconds that so many requests took, so many at once, and each of them."""
    numbers = itertools.count()

    async def one_after_the_other() -> list[Asked]:
        return [await ask(model, number) for number in itertools.takewhile(lambda n: n < requests, numbers)]

    started = time.perf_counter()
    done = await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return time.perf_counter() - started, [one for some in done for one in some]


def main() -> None:
    """Ask so many at once, one number after the other, and print the table."""
    parser = argparse.ArgumentParser(description="what a model server carries")
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--requests", type=int, default=4, help="of each, times as many as are asked at once")
    given = parser.parse_args()
    settings = ModelSettings(provider="openai", name=given.name, url=given.url, max_new_tokens=WRITE)
    model = connect(settings, os.environ.get("MODEL_KEY"))
    table = Table(
        "at once", "answers a second", "read tokens a second", "written tokens a second", "first p50 s", "whole p50 s"
    )
    for at_once in given.at_once:
        seconds, done = asyncio.run(measured(model, at_once, given.requests * at_once))
        rates = (
            len(done) / seconds,
            sum(one.read for one in done) / seconds,
            sum(one.written for one in done) / seconds,
        )
        waits = (statistics.median(one.first for one in done), statistics.median(one.whole for one in done))
        table.add_row(
            str(at_once), f"{rates[0]:.2f}", *(f"{one:,.0f}" for one in rates[1:]), *map("{:.2f}".format, waits)
        )
    Console().print(table)


if __name__ == "__main__":
    main()
