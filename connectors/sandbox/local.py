"""The sandbox of this machine: the best tier whose self-test holds, two programs at once, one of each person."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from bot.ports import Language, Program, Ran
from connectors.sandbox.cell import Cell
from connectors.sandbox.interpreter import Interpreter, this_interpreter
from connectors.sandbox.running import refusal, run_in
from connectors.sandbox.selftest import examine
from connectors.sandbox.tiers import Bubblewrap, Landlock, Limits, Tier, Unavailable

AT_ONCE = 2
"""Programs that run at the same time, whoever asks."""
WAITING = 8
"""Programs that may wait; more are refused."""
TRUST = 3600.0
"""Seconds for which a self-test is believed: kernels, mounts and policies change under a running process."""
FIRST_USER, USERS = 64001, 900
"""User ids that programs run as when Rolecall runs as root; they belong to nobody."""


def tiers(interpreter: Interpreter) -> tuple[Tier, ...]:
    """Every tier, the best first."""
    return Bubblewrap(interpreter), Landlock(interpreter)


class LocalSandbox:
    """Runs programs in the best of the tiers it is given, tested when it is made; with none it refuses, saying why.

    `reasons` says for each tier that is better than the chosen one why it is not available.
    """

    def __init__(
        self,
        choices: Sequence[Tier] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._choices = tiers(this_interpreter()) if choices is None else tuple(choices)
        self._limits, self._patience, self._clock = limits, patience, clock
        self._slots = list(range(AT_ONCE))
        self._places = asyncio.Semaphore(AT_ONCE)
        self._people: dict[str, asyncio.Lock] = {}
        self._inside = 0
        self._testing = asyncio.Lock()
        self._choose()

    def _choose(self) -> None:
        self._tier: Tier | None = None
        self.tier = "none"
        self.languages: frozenset[Language] = frozenset()
        reasons: dict[str, str] = {}
        for tier in self._choices:
            try:
                self.languages = examine(tier, _user(AT_ONCE))
            except (Unavailable, OSError) as error:
                reasons[tier.name] = str(error)
                continue
            self._tier, self.tier = tier, tier.name
            break
        self.reasons: Mapping[str, str] = reasons
        self._tested = self._clock()

    async def run(self, program: Program, person: str = "") -> Ran:
        """Run a program to its end or to a limit; a second one of the same person waits a little for the first."""
        if self._clock() - self._tested > TRUST:
            async with self._testing:
                if self._clock() - self._tested > TRUST:
                    await asyncio.to_thread(self._choose)
        tier = self._tier
        if tier is None:
            return Ran("refused", reason=f"there is no sandbox here, and without one nothing is run ({self._why()})")
        if program.language not in self.languages:
            offered = ", ".join(sorted(self.languages))
            return Ran("refused", reason=f"{program.language} is not run here, only {offered}")
        if reason := refusal(program):
            return Ran("refused", reason=reason)
        try:
            async with self._turn(person) as slot:
                return await self._attended(tier, program, slot)
        except Busy as busy:
            return Ran("refused", reason=str(busy))

    def _why(self) -> str:
        return "; ".join(f"{name}: {reason}" for name, reason in self.reasons.items()) or "it is switched off"

    @asynccontextmanager
    async def _turn(self, person: str) -> AsyncIterator[int]:
        """One of the places, when it is this person's turn. Raises Busy."""
        if self._inside >= AT_ONCE + WAITING:
            raise Busy(f"{WAITING} programs are waiting to be run already; please try again in a minute")
        self._inside += 1
        own = self._people.setdefault(person, asyncio.Lock())
        busy = "another program of yours is"
        try:
            async with contextlib.AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._patience):
                        await held.enter_async_context(own)
                        busy = f"{AT_ONCE} programs of others are"
                        await held.enter_async_context(self._places)
                except TimeoutError as error:
                    raise Busy(f"{busy} still running; please try again in a minute") from error
                slot = self._slots.pop()
                held.callback(self._slots.append, slot)
                yield slot
        finally:
            self._inside -= 1
            if not self._inside:
                self._people.clear()

    async def _attended(self, tier: Tier, program: Program, slot: int) -> Ran:
        """Run in a thread of its own; if whoever waits for it gives up, the program ends before this returns."""
        cell = Cell(self._limits.seconds)
        running = asyncio.create_task(asyncio.to_thread(run_in, tier, program, self._limits, _user(slot), cell))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            cell.stop()
            await asyncio.wait([running])
            raise


class Busy(Exception):
    """It was not this program's turn in time. Safe to show."""


def _user(slot: int) -> int:
    """The user id for a slot, different for each process of this machine that has a sandbox; 0 unless we are root."""
    return FIRST_USER + (os.getpid() * (AT_ONCE + 1) + slot) % USERS if os.geteuid() == 0 else 0
