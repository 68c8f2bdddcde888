"""What it costs to start a program in each tier of the sandbox, beside the bare interpreter: medians of forty runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from bot.ports import Program
from connectors.sandbox.cell import ENVIRONMENT, Cell
from connectors.sandbox.interpreter import Interpreter, this_interpreter
from connectors.sandbox.local import FIRST_USER, LocalSandbox, tiers
from connectors.sandbox.running import run_in
from connectors.sandbox.tiers import Limits, Tier

RUNS = 40
HELLO = Program("python", "print('hello')")


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
