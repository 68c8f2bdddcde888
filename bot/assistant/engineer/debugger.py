"""debug_code: runs what the person sent or reads the traceback, finds the fault, and shows a change with what its run showed.

Small repairs are tried before a model is asked, and a change is called a repair only if the run says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.language_models import BaseChatModel

from bot.assistant.codewords import CODE, CodeWords
from bot.assistant.engineer import report
from bot.assistant.engineer.authoring import Author, keeps, shown_failures
from bot.assistant.engineer.bench import Bench, Trial
from bot.assistant.engineer.checks import asserts, count
from bot.assistant.engineer.codetext import MOST, PYTHON, Block, Given, given, prose, wanted_language
from bot.assistant.engineer.faults import Fault, told_fault
from bot.assistant.engineer.mending import Budget, Mend, mending, suggested
from bot.language import language as language_of
from bot.ports import Linter, Sandbox
from bot.types import Answer, Done, Reply, Status, Turn

T = TypeVar("T")

ROUNDS = 3
"""Times that a capable model is asked; another one is asked once."""
LONGEST = 90.0
"""Seconds that the search for a change may take, runs and the model together: a person waits for it."""
TOLD = 5
"""Runs after which it is told how far it is: one or two seconds of them."""


@dataclass(frozen=True, slots=True)
class Debugged:
    """What came of it: the code as it was, a changed version if there is one, and how many changes were tried.

    `after.good` says that the change was shown to work; one that was not run is a suggestion. `model` says that a model
    wrote it, `guessed` that something small was changed until the checks held. `unread` counts what the person said should
    come out that could not be read as a check.
    """

    before: Trial | None
    after: Trial | None = None
    fault: Fault | None = None
    tried: int = 0
    model: bool = False
    guessed: bool = False
    unread: int = 0
    name: str = ""
    documents: frozenset[str] = frozenset()

    @property
    def mended(self) -> bool:
        """Whether the change was shown to mend a failure that was shown before."""
        return bool(self.before and self.after and not self.before.good and self.after.good)

    @property
    def claimed(self) -> bool:
        """Whether the answer says that the person's own checks hold, with the change if there is one."""
        last = self.after or self.before
        return bool(last and last.held)

    @property
    def calls_it_mended(self) -> bool:
        """Whether the answer says more than that: the error itself pointed at the change, and the checks hold."""
        return self.mended and self.claimed and not self.guessed and not self.model and not self.unread


class Debugger:
    """Finds faults and mends them. `capable` says whether the model may be asked more than once."""

    def __init__(
        self,
        model: BaseChatModel,
        sandbox: Sandbox | None,
        linter: Linter,
        *,
        capable: bool = False,
        model_name: str = "",
        longest: float = LONGEST,
    ):
        self._model = model
        self._bench = Bench(sandbox, linter)
        self._capable = capable
        self._model_name = model_name
        self._longest = longest

    async def answer(self, turn: Turn, request: str) -> AsyncIterator[Reply]:
        """Status, then Done with the fault, the change, and what was run."""
        say, found = CODE[language_of(prose(turn.message.text) or request)], given(turn)
        if found.size > MOST:
            yield Done(Answer(say.too_long.format(size=found.size, most=MOST)))
        elif found.code is None and told_fault(found.log or turn.message.text) is None:
            yield Done(Answer(say.nothing_given, rests_on=found.documents))
        else:
            async with aclosing(self.debugged(turn, found)) as steps:
                async for step in steps:
                    yield step if isinstance(step, Status) else Done(await self._told(step, say))

    async def debugged(self, turn: Turn, found: Given) -> AsyncGenerator[Status | Debugged, None]:
        """The work itself: status, then what came of it."""
        say = CODE[language_of(prose(turn.message.text))]
        fault = told_fault(found.log or prose(turn.message.text))
        if found.code is None:
            yield Debugged(None, fault=fault, documents=found.documents)
            return
        language = found.code.language or wanted_language(turn.message.text)
        code, person = found.code.text.rstrip(), turn.message.sender.ref
        yield Status(say.running if language in self._bench.languages else say.reading)
        before = await self._bench.run(code, language, person, _checks(found), found.beside)
        budget, after, model, guessed = Budget(), None, False, False
        ends = asyncio.get_running_loop().time() + self._longest
        if not before.good and language == PYTHON:
            yield Status(say.mending)
            async for change in self._small_changes(before, person, found.beside, budget, ends):
                if isinstance(change, Mend):
                    after, guessed = change.trial, change.guessed
                elif budget.tried % TOLD == 0:
                    yield Status(say.tried.format(tried=budget.tried, most=budget.most))
        if after is None and (before.began or self._capable) and (not before.good or self._capable):
            async for step in self._asked(before, turn, found, fault, budget, ends):
                if isinstance(step, Status):
                    yield step
                else:
                    after, model = step, True
        fault = (before.fault if before.began else None) or fault
        yield Debugged(
            before, after, fault, budget.tried, model, guessed, found.unread, found.code.name, found.documents
        )

    async def _small_changes(
        self, before: Trial, person: str, beside: Sequence[Block], budget: Budget, ends: float
    ) -> AsyncGenerator[Trial | Mend, None]:
        """Each run, and last a repair that one has shown to work; where nothing runs, one that the linter has nothing against."""
        if not before.began:
            if change := await _within(ends, suggested(self._bench, before.code)):
                yield Mend(Trial(change, before.language, before.ran, before.checks))
            return
        async with aclosing(mending(self._bench, before, person, beside, budget)) as steps:
            while (step := await _within(ends, anext(steps, None))) is not None:
                yield step

    async def _asked(
        self, before: Trial, turn: Turn, found: Given, fault: Fault | None, budget: Budget, ends: float
    ) -> AsyncIterator[Status | Trial]:
        """Ask the model for the repaired code, and give it only if a run speaks for it, or if nothing can be run."""
        say, rounds = CODE[language_of(prose(turn.message.text))], ROUNDS if self._capable else 1
        request = turn.message.text + "".join(f"\n\n{excerpt.text}" for excerpt in turn.message.excerpts)
        author = Author(self._model, "debug_code", report.name_of(before.language), request + before.code)
        ask = "\n\n".join([request, report.fenced(before.code, before.language), *_happened(before, fault, say)])
        for number in range(1, rounds + 1):
            yield Status(say.round.format(number=number, most=rounds))
            code = await _within(ends, author.write(ask))
            if not code or not code.strip() or code.strip() == before.code.strip():
                return
            person = turn.message.sender.ref
            trial = await _within(ends, self._bench.run(code, before.language, person, before.checks, found.beside))
            if trial is None:
                return
            budget.spend(trial)
            if keeps(before.code, code) and (trial.good or not trial.began):
                yield trial
                return
            ask = shown_failures(_happened(trial, None, say))

    async def _told(self, done: Debugged, say: CodeWords) -> Answer:
        before, after = done.before, done.after
        if before is None:
            return Answer("\n".join([*_log(done.fault, say), say.code_needed]), rests_on=done.documents)
        parts = _first_run(done, before, self._bench.languages, say)
        parts += [] if before.good and not before.checks else report.cause(done.fault, say)
        parts += await report.linted(self._bench, before.code, before.language, say, quiet=before.began)
        if after is None:
            parts += _nothing(done, before, say)
            return Answer("\n".join(parts), model=self._signed(done), rests_on=done.documents)
        name = done.name or f"{report.stem(before.language)}.{report.ENDINGS.get(before.language, 'txt')}"
        change = report.diff(before.code, after.code, name)
        files = report.exact(after.code, after.language, f"{report.stem(after.language)}-changed")
        parts += [_headline(done, after, say), change, *([say.inexact] if files else [])]
        parts += _second_run(done, before, after, self._bench.languages, say)
        return Answer("\n".join(parts), model=self._signed(done), rests_on=done.documents, files=files)

    def _signed(self, done: Debugged) -> str:
        return self._model_name if done.model else ""


async def _within(ends: float, work: Awaitable[T]) -> T | None:
    """What comes of some work; None if the time is over before it."""
    try:
        async with asyncio.timeout_at(ends):
            return await work
    except TimeoutError:
        return None


def _checks(found: Given) -> tuple[str, ...]:
    """The person's checks, with those that stand in the code: a change must not drop them."""
    inside = asserts(found.code.text) if found.code else ()
    return tuple(dict.fromkeys((*found.checks, *inside)))


def _happened(trial: Trial, fault: Fault | None, say: CodeWords) -> list[str]:
    """How it fails, for the model to read."""
    lines = report.checked(trial, say)
    if trial.ran and not trial.good:
        lines.append(trial.ran.errors[-report.SHOWN :])
    return lines + (_log(fault, say) if fault else [])


def _log(fault: Fault | None, say: CodeWords) -> list[str]:
    """What the error message that the person sent says."""
    if fault is None:
        return []
    where = say.at_line.format(line=f"{fault.line} ({fault.file})" if fault.file else fault.line) if fault.line else ""
    return [say.log_says.format(where=where, error=report.quoted(fault)), *report.cause(fault, say)]


def _headline(done: Debugged, after: Trial, say: CodeWords) -> str:
    """What the change is said to do: no more than what was shown."""
    if not done.mended:
        return say.suggestion
    if not after.held:
        return say.change_ends if done.before and done.before.endless else say.change_runs
    return say.change if done.calls_it_mended else say.change_passes.format(count=count(after.checks))


def _first_run(done: Debugged, before: Trial, runnable: frozenset[str], say: CodeWords) -> list[str]:
    """What came of running the code as it was sent, or what its error message says."""
    if before.good:
        head = [say.fine.format(language=report.name_of(before.language)), *report.printed(before, say)]
        return head + report.checked(before, say, done.unread)
    lines = report.outcome(before, runnable, say) + report.checked(before, say)
    if not before.began and done.fault:
        said = say.log_says.format(where=report.place(done.fault, say), error=report.quoted(done.fault))
        return [*lines, said]
    return lines


def _nothing(done: Debugged, before: Trial, say: CodeWords) -> list[str]:
    """Why there is no change to show."""
    if before.good:
        return [] if before.held else [say.ask_expected]
    return [say.unmended.format(tried=done.tried) if done.tried else say.untried]


def _second_run(done: Debugged, before: Trial, after: Trial, runnable: frozenset[str], say: CodeWords) -> list[str]:
    """What came of running the changed code."""
    if not after.began or after.ran is None:
        return report.outcome(after, runnable, say)
    head = say.changed_ran.format(language=report.name_of(after.language), seconds=after.ran.seconds)
    lines = [head, *report.printed(after, say, always=True), *report.checked(after, say, done.unread)]
    lines += [say.by_trial] if done.guessed and after.held else []
    if before.good:
        earlier = report.printed(before, say, always=True)
        return [*lines, say.after_prints, *earlier[1:], say.unchecked] if before.held is None else lines
    return lines if after.held else [*lines, say.error_gone]
