"""How the embedded index grows: bytes and time against the number of passages, up to 200,000.

The passages and questions are those of benchmarks.search, with vectors at random: all distances are about alike, so the
graph has it as hard as it can get, and the size is that of real ones. Run: python -m benchmarks.growth --passages 5000 50000
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.search import SENTENCES, Measured, rolecall

SIZES = (5_000, 20_000, 50_000, 200_000)


@dataclass(frozen=True, slots=True)
class Grown:
    """An index of so many passages: bytes on disk, and what storing and asking took."""

    passages: int
    size: int
    took: Measured


def grown(passages: int, folder: Path) -> Grown:
    """Fill an index and ask it."""
    took = asyncio.run(rolecall(passages, folder / "index"))
    size = sum(path.stat().st_blocks * 512 for path in (folder / "index").rglob("*") if path.is_file())
    return Grown(passages, size, took)


def table(rows: Sequence[Grown]) -> Table:
    """The figures; times are also told as a ratio to those of the first row."""
    made = Table(title=f"The embedded index; a passage of sixty words has {SENTENCES} sentences")
    for column in ("passages", "MB", "bytes a passage", "stored a second", "p50 ms", "p95 ms", "p50, times the first"):
        made.add_column(column, justify="right")
    for one in rows:
        took = one.took
        stored, times = one.passages / took.ingest, took.median / rows[0].took.median
        sizes = (f"{one.size / 1e6:,.0f}", f"{one.size / one.passages:,.0f}", f"{stored:,.0f}")
        made.add_row(f"{one.passages:,}", *sizes, f"{took.median:.1f}", f"{took.slow:.1f}", f"{times:.1f}")
    return made


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description="the embedded index against the number of passages")
    parser.add_argument("--passages", type=int, nargs="+", default=SIZES)
    console, rows = Console(), list[Grown]()
    for passages in parser.parse_args().passages:
        with tempfile.TemporaryDirectory() as folder, console.status(f"{passages:,} passages"):
            rows.append(grown(passages, Path(folder)))
    console.print(table(rows))


if __name__ == "__main__":
    main()
