"""The policy of a running process: read again when roles.yaml changes, and kept when the change is broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.access.policy import Policy, parse_policy
from bot.access.selftest import run_tests
from bot.background import beside
from bot.errors import ConfigError
from bot.ports import Directory
from bot.yamlfile import read_text

POLL = 1.0
"""Seconds between two looks at roles.yaml while a process runs."""

_LOG = logging.getLogger("rolecall.policy")

Stamp = tuple[int, int, int, int]


class LivePolicy:
    """Holds the last good policy. `alarm` says what is wrong with the file now; empty if nothing is.

    The tests inside the file are run whenever it is read; a file that fails its own tests is a broken file.
    """

    def __init__(self, path: Path, directory: Directory | None = None):
        self._path = path
        self._directory = directory
        self._stamp: Stamp | None = None
        self._policy: Policy | None = None
        self.alarm = ""

    @property
    def current(self) -> Policy:
        """The policy that holds now. Raises RuntimeError before `start`."""
        if self._policy is None:
            raise RuntimeError("LivePolicy.start has not been awaited")
        return self._policy

    async def start(self) -> None:
        """Read the policy for the first time. Raises ConfigError if it is broken: there is nothing to keep."""
        self._stamp = _stamp(self._path)
        self._policy = await _tested(parse_policy(read_text(self._path), str(self._path)), self._directory)

    async def refresh(self) -> bool:
        """Read the file again if it changed; whether a new policy holds now. A broken file raises the alarm."""
        stamp = _stamp(self._path)
        if stamp is not None and stamp == self._stamp:
            return False
        self._stamp = stamp
        before = self.current
        try:
            found = parse_policy(read_text(self._path), str(self._path))
            if found.hash != before.hash:
                self._policy = await _tested(found, self._directory)
        except ConfigError as error:
            self._raise_alarm(str(error))
            return False
        self.alarm = ""
        return self.current.hash != before.hash

    @asynccontextmanager
    async def watching(self, every: float = POLL) -> AsyncIterator[None]:
        """Look at the file every so many seconds, as long as the block runs, whatever one look meets."""

        async def watch() -> None:
            while True:
                await asyncio.sleep(every)
                await self._looked()

        async with beside(watch()):
            yield

    async def _looked(self) -> None:
        """One look. Nobody awaits it, so it is the outermost layer of its own: a bug in it may not end the looking."""
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - the outermost layer of the watcher; cancelling it is no Exception
            problem = f"{self._path}: could not be looked at: {type(error).__name__}: {error}"
            if problem != self.alarm:
                _LOG.exception("%s; the last good policy stays in force", problem)
            self.alarm = problem

    def _raise_alarm(self, problem: str) -> None:
        if problem != self.alarm:
            _LOG.error("%s; the last good policy stays in force", problem)
        self.alarm = problem


async def _tested(policy: Policy, directory: Directory | None) -> Policy:
    failed = [outcome for outcome in await run_tests(policy, directory) if not outcome.ok]
    if failed:
        more = f" (and {len(failed) - 1} more: see `rolecall policy test`)" if len(failed) > 1 else ""
        raise ConfigError(f"{policy.name}:{failed[0].line}: tests: {failed[0].sentence}{more}")
    return policy


def _stamp(path: Path) -> Stamp | None:
    """What changes whenever a file does, without reading it; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
