"""The real `rolecall serve` as a process that can be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from pathlib import Path

from bot.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
STARTS = 300.0
"""Seconds that a start may take: it loads models, on a machine that may have other work."""
HEAVY = ["bot.service", "sentence_transformers", "connectors.qdrant.server", "connectors.models.int8"]
"""What takes most of a start to import; a process that is forked from one that has them starts in a third of the time."""


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

    async def ready(self, seconds: float = STARTS) -> None:
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


class Forked:
    """The same by fork, from a process that has imported what is heavy and nothing else: for short tests."""

    _nursery = multiprocessing.get_context("forkserver")

    def __init__(self, config: Path, log: Path):
        self._config = config
        self._log = log
        self._log.touch()
        self._nursery.set_forkserver_preload(HEAVY)
        self._process = self._made("serve")
        self.boots = 0

    async def start(self) -> None:
        """Start it, without waiting for it to serve."""
        self._process = self._made("serve")
        await asyncio.to_thread(self._process.start)
        self.boots += 1

    async def ready(self, seconds: float = STARTS) -> None:
        """Wait until it says that it serves. Raises RuntimeError if it ended instead."""
        async with asyncio.timeout(seconds):
            while self._log.read_text().count('"serving"') < self.boots:
                if not self._process.is_alive():
                    raise RuntimeError(f"it did not start: {self._log.read_text()[-2000:]}")
                await asyncio.sleep(0.1)

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        self._process.terminate()
        await asyncio.to_thread(self._process.join)
        return int(self._process.exitcode or 0)

    async def sync(self) -> None:
        """Run `rolecall sync` to its end."""
        process = self._made("sync")
        await asyncio.to_thread(process.start)
        await asyncio.to_thread(process.join)
        assert process.exitcode == 0, self._log.read_text()[-2000:]

    def _made(self, command: str) -> multiprocessing.context.ForkServerProcess:
        arguments = ["--config", str(self._config), command, "--json"]
        return self._nursery.Process(target=_run, args=(arguments, str(self._log)), daemon=True)


def _run(arguments: list[str], log: str) -> None:
    """The entry point of the command line, with a log where a terminal would be."""
    with Path(log).open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    main(arguments)
