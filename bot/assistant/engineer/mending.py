"""Tries small repairs in the sandbox, one after the other, and keeps one only if the run shows that it works."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from bot.assistant.engineer.bench import UNDEFINED, Bench, Trial
from bot.assistant.engineer.codetext import Block
from bot.assistant.engineer.faults import Fault
from bot.assistant.engineer.mutants import mutants
from bot.assistant.engineer.repairs import endless, repairs
from bot.ports import Finding

STEPS = 4
"""Faults that may be mended one behind the other."""


@dataclass(frozen=True, slots=True)
class Mend:
    """A good trial of changed code. `guessed` says that no error pointed at the change, only checks that then held."""

    trial: Trial
    guessed: bool = False


class Budget:
    """How many runs (`most`), and how many seconds of running, a repair may still cost."""

    def __init__(self, most: int = 150, seconds: float = 30.0):
        self.tried = 0
        self.most = most
        self._seconds = seconds

    @property
    def left(self) -> bool:
        """Whether another run may be made."""
        return self.tried < self.most and self._seconds > 0

    def spend(self, trial: Trial) -> None:
        """Count a run."""
        self.tried += 1
        self._seconds -= trial.ran.seconds if trial.ran else 0.0


async def mended(bench: Bench, trial: Trial, person: str, beside: Sequence[Block], budget: Budget) -> Mend | None:
    """A small change that makes code good; None if there is none within the budget."""
    found: Mend | None = None
    async for step in mending(bench, trial, person, beside, budget):
        found = step if isinstance(step, Mend) else None
    return found


async def mending(
    bench: Bench, trial: Trial, person: str, beside: Sequence[Block], budget: Budget
) -> AsyncGenerator[Trial | Mend, None]:
    """Each run that does not do, as it is over, and last the small change that makes code good, if there is one."""
    if trial.endless:
        async for tried in _runs(bench, endless(trial.code), trial, person, beside, budget):
            yield Mend(tried) if tried.good else tried
        return
    now = trial
    for _ in range(STEPS):
        if (fault := now.fault) is None:
            return
        further: Trial | None = None
        async for tried in _runs(bench, repairs(now.code, fault), now, person, beside, budget):
            if tried.good:
                yield Mend(tried)
                return
            if further is None and _further(tried, now):
                further = tried
            yield tried
        if further is None:
            break
        now = further
    if now.fault is None or now.fault.kind != "AssertionError":
        return
    async for tried in _runs(bench, mutants(now.code), now, person, beside, budget):
        yield Mend(tried, guessed=True) if tried.good else tried


async def _runs(
    bench: Bench, codes: Iterable[str], now: Trial, person: str, beside: Sequence[Block], budget: Budget
) -> AsyncGenerator[Trial, None]:
    """The run of each version, up to the first that is good."""
    fault = now.fault
    for code in codes:
        if not budget.left:
            return
        if fault and fault.syntax and not await bench.reads_further(code, fault.line):
            continue
        tried = await bench.run(code, now.language, person, now.checks, beside)
        budget.spend(tried)
        yield tried
        if tried.good:
            return


async def suggested(bench: Bench, code: str) -> str:
    """Changed code in which the linter finds nothing broken any more, where nothing can be run; empty if there is none."""
    now = code
    for _ in range(STEPS):
        broken = await bench.broken(now)
        if not broken:
            return now if now != code else ""
        better = ""
        for guess in repairs(now, _as_fault(broken[0])):
            left = await bench.broken(guess)
            if len(left) < len(broken) or (left and left[0].line > broken[0].line):
                better = guess
                break
        if not better:
            return ""
        now = better
    return ""


def _as_fault(finding: Finding) -> Fault:
    if finding.code == UNDEFINED:
        return Fault("NameError", finding.message.replace("Undefined name", "name").replace("`", "'"), "", finding.line)
    return Fault("SyntaxError", finding.message, "", finding.line)


def _further(tried: Trial, before: Trial) -> bool:
    """Whether a failing run came further than another failing one: read at all, or stopped on a later line."""
    new, old = tried.fault, before.fault
    if new is None or old is None or not tried.began or (tried.ran and tried.ran.ending != "finished"):
        return False
    if old.syntax != new.syntax:
        return old.syntax
    return (new.line or 10**6) > (old.line or 10**6)
