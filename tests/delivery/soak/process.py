"""The real `rolecall serve` as a process that can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Serving:
    """One process after the other, on the same configuration. What it says goes to `log`."""

    def __init__(self, config: Path, log: Path):
        self._config = config
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.boots = 0

    async def start(self) -> None:
        """Start it, without waiting for it to serve."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "--config", str(self._config), "serve", "--json"),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        self.boots += 1

    async def ready(self, seconds: float = 60.0) -> None:
        """Wait until it says that it serves. Raises RuntimeError if it ended instead."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"it did not start: {self._log.read_text()[-2000:]}")

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send any signal."""
        assert self._process is not None
        self._process.send_signal(number)
