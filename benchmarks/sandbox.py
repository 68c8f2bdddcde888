"""What a sandbox costs: to start a program in each tier beside the bare interpreter, and to others while it is full.

The second table is what another person's plain turn takes while twenty people have programs run that never rest, against
the same turn without them, by turns in one run.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.turn import WARM_UP, Decided, Ready, search, supervised
from bot.assistant.supervisor import Supervisor
from bot.ports import Program
from connectors.sandbox.cell import ENVIRONMENT, Cell
from connectors.sandbox.interpreter import Interpreter, this_interpreter
from connectors.sandbox.local import FIRST_USER, LocalSandbox, tiers
from connectors.sandbox.running import run_in
from connectors.sandbox.tiers import Limits, Tier

RUNS = 40
CROWD, ROUNDS, TURNS = 20, 5, 60
HELLO = Program("python", "print('hello')")
SPIN = Program("python", "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end:\n    pass")


def main() -> None:
    """Start the same one-line program in turn in each way, and print a table of milliseconds."""
    interpreter = this_interpreter()
    ways: dict[str, Callable[[], object]] = {"bare python -I -S": lambda: bare(interpreter)}
    for tier in tiers(interpreter):
        held = LocalSandbox([tier])
        if held.languages:
            ways[tier.name] = lambda tier=tier: sandboxed(tier)  # type: ignore[misc]
        else:
            print(f"{tier.name}: {held.reasons[tier.name]}", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):  # in turn, so that a busy moment of the machine is everybody's
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - started) * 1000)
    show(times)
    show_others(asyncio.run(others(LocalSandbox())))


async def others(sandbox: LocalSandbox) -> dict[str, list[float]]:
    """Milliseconds of plain turns, alone and while the sandbox has all that it takes; and what became of the programs."""
    supervisor = Supervisor(Ready(), [search], Decided())
    alone, beside = list[float](), list[float]()
    endings: Counter[str] = Counter()
    await turns(supervisor, WARM_UP, alone)
    alone.clear()
    for _ in range(ROUNDS):
        await turns(supervisor, TURNS, alone)
        running = asyncio.gather(*(sandbox.run(SPIN, f"person {number}") for number in range(CROWD)))
        await asyncio.sleep(0.1)
        while not running.done():
            await turns(supervisor, 1, beside)
        endings.update(ran.ending for ran in await running)
    print(f"{CROWD} programs at once, {ROUNDS} times: {dict(endings)}", file=sys.stderr)
    return {"alone": alone, f"beside {CROWD} programs": beside}


async def turns(supervisor: Supervisor, count: int, took: list[float]) -> None:
    """Time some plain turns, a little apart as people are."""
    for _ in range(count):
        started = time.perf_counter()
        await supervised(supervisor)
        took.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.01)


def show_others(times: dict[str, list[float]]) -> None:
    """Median and p95 of both, and how many times the first the second takes."""
    table = Table(
        "a plain turn", "turns", "median ms", "p95 ms", title="Another person's turn while the sandbox is full"
    )
    figures = [(statistics.median(ms), statistics.quantiles(ms, n=20)[-1]) for ms in times.values()]
    for (name, ms), (median, slow) in zip(times.items(), figures, strict=True):
        table.add_row(name, str(len(ms)), f"{median:.1f}", f"{slow:.1f}")
    (median, slow), (busy_median, busy_slow) = figures
    table.add_row("ratio", "", f"{busy_median / median:.2f}", f"{busy_slow / slow:.2f}")
    Console().print(table)


def bare(interpreter: Interpreter) -> None:
    """The least that any way to run Python in a process of its own costs."""
    command = [str(interpreter.executable), "-I", "-S", "-c", HELLO.code]
    subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)


def sandboxed(tier: Tier) -> None:
    """One run, from order to result. Raises AssertionError if it did not work."""
    limits = Limits()
    ran = run_in(tier, HELLO, limits, FIRST_USER if os.geteuid() == 0 else 0, Cell(limits.seconds))
    assert ran.good, ran


def show(times: dict[str, list[float]]) -> None:
    """The medians, and what each way costs beyond the first."""
    least = statistics.median(next(iter(times.values())))
    table = Table("way", "median ms", "p90 ms", "over bare ms", title=f"Start to end of one line, {RUNS} runs each")
    for name, measured in times.items():
        median, slow = statistics.median(measured), statistics.quantiles(measured, n=10)[-1]
        table.add_row(name, f"{median:.1f}", f"{slow:.1f}", f"{median - least:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
