"""write_code: the model writes, the sandbox runs, and the answer says what was run and what it printed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from langchain_core.language_models import BaseChatModel

from bot.assistant.codewords import CODE, CodeWords
from bot.assistant.engineer import report
from bot.assistant.engineer.authoring import Author, as_called, repeats_itself, shown_failures, tests_in, with_imports
from bot.assistant.engineer.bench import UNREADABLE, Bench, Trial
from bot.assistant.engineer.checks import Expected, asserts, count, doctests, expected
from bot.assistant.engineer.codetext import (
    MOST,
    PYTHON,
    Block,
    blocks,
    inline,
    prose,
    wanted_language,
)
from bot.assistant.engineer.mending import Budget, mended
from bot.assistant.followups import follows
from bot.assistant.sizes import beside
from bot.language import language as language_of
from bot.ports import Linter, Sandbox
from bot.types import Answer, Done, Reply, Status, Turn

ROUNDS = 3
LONGEST = 60.0
"""Seconds after which no further round is begun."""
_RUN = re.compile(
    r"\b(?:run|execute|what does (?:it|this|the following).{0,40}(?:print|give|output|return))\b|実行して|動かして",
    re.I,
)
_RUN_IT = re.compile(r"\s*(?:please )?(?:run|execute)\b|\s*(?:これを)?実行して", re.I)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a request: the best trial (None if there is no code), and a trial of the model's own tests.

    `broke_off` says that the code has no end, `lost` that only the same lines over and over were written.
    `unread` counts what the person said should come out that could not be read as a check.
    """

    trial: Trial | None
    own: Trial | None = None
    given: bool = False
    unread: int = 0
    broke_off: bool = False
    lost: bool = False
    documents: frozenset[str] = frozenset()

    @property
    def works(self) -> bool:
        """Whether it ran to its end, as a whole, and no check failed; passed checks make up for the rest."""
        whole = not self.broke_off and not self.lost
        return bool(self.trial and self.trial.good and (whole or self.trial.held))


class Writer:
    """Writes code in at most `ROUNDS` rounds. `capable` models also write tests; `model_name` signs what a model wrote."""

    def __init__(
        self,
        model: BaseChatModel,
        sandbox: Sandbox | None,
        linter: Linter,
        *,
        capable: bool = False,
        model_name: str = "",
    ):
        self._model = model
        self._bench = Bench(sandbox, linter)
        self._capable = capable
        self._model_name = model_name

    async def answer(self, turn: Turn, request: str) -> AsyncIterator[Reply]:
        """Status, then Done with the code, what was run and what it printed."""
        say = CODE[language_of(request)]
        size = len(request) + beside(turn)
        if size > MOST:
            yield Done(Answer(say.too_long.format(size=size, most=MOST)))
            return
        async for step in self.written(turn, request):
            if isinstance(step, Status):
                yield step
            else:
                yield Done(await self._told(step, say))

    async def written(self, turn: Turn, request: str) -> AsyncIterator[Status | Written]:
        """The work itself: status, then what came of it."""
        say, language = CODE[language_of(request)], wanted_language(request)
        if block := _to_run(request):
            yield Status(say.running)
            person = turn.message.sender.ref
            yield Written(await self._bench.run(block.text, block.language or language, person), given=True)
            return
        material, documents = _material(turn, request)
        author = Author(self._model, "write_code", report.name_of(language), material)
        tries: list[Written] = []
        ends = asyncio.get_running_loop().time() + LONGEST
        ask = material
        for number in range(1, ROUNDS + 1):
            yield Status(say.writing if number == 1 else say.round.format(number=number, most=ROUNDS))
            code = await author.write(ask)
            if not code.strip():
                break
            code = with_imports(code, _stub(request)) if language == PYTHON else code
            yield Status(say.running)
            trial = await self._tried(code, language, turn, request)
            tries.append(Written(trial, broke_off=author.broke_off, lost=repeats_itself(code)))
            if tries[-1].works or not trial.began or trial.no_table or asyncio.get_running_loop().time() > ends:
                break
            ask = shown_failures([*report.outcome(trial, self._bench.languages, say), *report.checked(trial, say)])
        best = max(tries, key=_worth, default=Written(None))
        own = None
        if self._capable and best.trial and best.works and not count(best.trial.checks):
            yield Status(say.testing)
            own = await self._own_tests(best.trial, turn, material)
        yield replace(best, own=own, unread=_checks(request).unread, documents=documents)

    async def _tried(self, code: str, language: str, turn: Turn, request: str) -> Trial:
        """A run of the code with the person's checks; what is plainly a slip is mended on the way."""
        person, checks = turn.message.sender.ref, _checks(request).checks
        trial = await self._bench.run(as_called(code, checks), language, person, checks)
        if language != PYTHON or trial.good or not trial.began:
            return trial
        mend = await mended(self._bench, trial, person, (), Budget(most=20))
        return mend.trial if mend else trial

    async def _own_tests(self, trial: Trial, turn: Turn, request: str) -> Trial | None:
        """The code with tests that the model wrote for it; None if it wrote none that call it."""
        author = Author(self._model, "test_code", "Python", request)
        tests = tests_in(await author.write(f"Request:\n{request}\n\nCode:\n{report.fenced(trial.code)}"), trial.code)
        if not tests:
            return None
        return await self._bench.run(trial.code, trial.language, turn.message.sender.ref, tests)

    async def _headline(self, written: Written, trial: Trial, say: CodeWords) -> str:
        """What the code is called: the answer, or only a try that did not come to work."""
        if written.broke_off and not written.works:
            return say.breaks_off
        if trial.began:
            return say.here_is if trial.good or trial.no_table else say.best_try
        unread = [one for one in await self._bench.broken(trial.code) if one.code in UNREADABLE]
        return say.best_try if trial.language == PYTHON and unread else say.here_is

    async def _told(self, written: Written, say: CodeWords) -> Answer:
        trial = written.trial
        if trial is None or (written.lost and not written.works):
            said = say.nothing_written if trial is None else say.lost
            return Answer(said, model=self._model_name, rests_on=written.documents)
        files = report.exact(trial.code, trial.language, report.stem(trial.language)) if not written.given else ()
        headline = await self._headline(written, trial, say)
        head = [headline.format(language=report.name_of(trial.language)), report.fenced(trial.code, trial.language)]
        parts = [] if written.given else head
        parts += [say.inexact] if files else []
        parts += report.outcome(trial, self._bench.languages, say)
        parts += report.checked(trial, say, written.unread)
        parts += [] if trial.good else report.cause(trial.fault, say)
        parts += _own(written.own, say)
        if trial.good and trial.held is None and not (written.own and written.own.held) and not written.given:
            parts.append(say.unchecked)
        if not trial.good:
            parts += await report.linted(self._bench, trial.code, trial.language, say, trial.began)
        model = "" if written.given else self._model_name
        return Answer("\n".join(parts), model=model, rests_on=written.documents, files=files)


def _to_run(request: str) -> Block | None:
    """The person's own code, if all that they want of it is that it runs; None if something is to be written."""
    if found := next(iter(blocks(request)), None):
        return found if _RUN.search(request) else None
    code = inline(request) if _RUN_IT.match(request) else ""
    return Block(code) if code else None


def _worth(one: Written) -> tuple[bool, ...]:
    """What makes one try better than another: it works, it is whole, it can be read, it runs to its end."""
    trial = one.trial
    return (
        one.works,
        not one.lost,
        not one.broke_off,
        bool(trial and not trial.unreadable),
        bool(trial and trial.good),
    )


def _own(trial: Trial | None, say: CodeWords) -> list[str]:
    if trial is None or not trial.began:
        return []
    if trial.held:
        return [say.own_hold.format(count=count(trial.checks))]
    return [say.own_fail.format(failed=trial.failed_check)] if trial.failed_check else []


def _material(turn: Turn, request: str) -> tuple[str, frozenset[str]]:
    """What the model reads: the request, the person's files, and what was said just before if the request leans on it."""
    parts, documents = [request], frozenset[str]()
    parts += [
        f"File {upload.name}, as material:\n{report.fenced(upload.text)}" for upload in turn.uploads if upload.text
    ]
    parts += [f"A message, as material:\n{excerpt.text}" for excerpt in turn.message.excerpts]
    if turn.history and follows(request):
        last = turn.history[-1]
        parts.insert(0, f"Earlier request: {last.question}\n\nEarlier answer:\n{last.answer}\n\nNow:")
        documents = last.documents
    return "\n\n".join(parts), documents


def _stub(request: str) -> str:
    """The code that the person began, if there is any."""
    return next((block.text for block in blocks(request) if block.language in {"", PYTHON}), "")


def _checks(request: str) -> Expected:
    """The checks that the person gave: examples in interactive form, assertions, and what they say should come out."""
    inside = tuple(line for block in blocks(request) for line in asserts(block.text))
    due = expected(prose(request), "")
    return Expected((*doctests(request), *inside, *due.checks), due.unread)
