"""What five people notice while a sixth sends 500 messages at once: their waiting time, idle and in the flood."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.delivery.flood import flood

MESSAGES = 500


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(flood(Path(folder), MESSAGES))
    table = Table(title=f"One person sends {MESSAGES} messages at once")
    for heading in ("", "p50 ms", "p95 ms"):
        table.add_column(heading, justify="right")
    for name, waited in (("idle", outcome.idle), ("in the flood", outcome.flooded)):
        table.add_row(name, f"{statistics.median(waited) * 1000:.0f}", f"{_p95(waited) * 1000:.0f}")
    table.add_row("ratio", "", f"{_p95(outcome.flooded) / _p95(outcome.idle):.2f}")
    Console().print(table)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
