"""How long the tour takes from nothing and again: beside the least that any program with these libraries needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

AIRLINE = Path(__file__).parent.parent / "examples" / "airline"
LIBRARIES = "import torch, transformers, sentence_transformers, langchain.agents, qdrant_edge"


def main() -> None:
    """Run the tour in a copy of the example, cold and warm, and print a table of seconds."""
    with tempfile.TemporaryDirectory() as folder:
        company = Path(folder) / "airline"
        shutil.copytree(AIRLINE, company, ignore=shutil.ignore_patterns(".rolecall"))
        tour = [sys.executable, "-m", "bot", "--config", str(company / "rolecall.yaml"), "demo", "--no-interactive"]
        limit = timed([sys.executable, "-c", LIBRARIES])
        cold, warm = timed(tour), timed(tour)
    table = Table("what", "seconds", "times the imports", title="Tour: start to end")
    for name, seconds in (
        ("imports alone", limit),
        ("warm: synced, model converted", warm),
        ("cold: nothing there", cold),
    ):
        table.add_row(name, f"{seconds:.1f}", f"{seconds / limit:.1f}")
    Console().print(table)


def timed(command: list[str]) -> float:
    """Seconds that a command takes. Raises CalledProcessError if it fails."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
