"""Measures write_code and debug_code: how often hidden tests pass, and whether anything is claimed that does not hold.

Each result is run again here, in the same sandbox but put together anew, and nothing that the answer says is believed.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.assistant.engineer.bench import Trial
from bot.assistant.engineer.codetext import given
from bot.assistant.engineer.debugger import Debugged, Debugger
from bot.assistant.engineer.writer import Writer, Written
from bot.errors import BotError, ConfigError
from bot.evaluation.jsonl import objects
from bot.ports import Program, Sandbox
from bot.types import Access, Message, Principal, Room, Status, Turn

KEYS = {
    "write": ("task_id", "prompt", "entry_point", "test"),
    "repair": ("id", "code", "test"),
    "write in words": ("task_id", "said", "examples", "entry_point", "test"),
    "repair in words": ("id", "code", "said", "examples", "test"),
}
READER = Principal("terminal", "evaluation", "reader")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a set: a function to complete (`prompt`, `entry`), or a program to repair (`code`, maybe its `error`).

    `test` decides. Who writes does not see it; who repairs does, as somebody whose test fails would show it, unless there
    is `said`: the request in a person's own words. Then `examples` are what these words expect, written down as
    assertions by hand, so that a claim about them is judged without the reading that it rests on.
    """

    id: str
    test: str
    prompt: str = ""
    entry: str = ""
    code: str = ""
    error: str = ""
    said: str = ""
    examples: str = ""

    @property
    def kind(self) -> str:
        """`repair` if there is a program, else `write`."""
        return "repair" if self.code else "write"

    @property
    def request(self) -> str:
        """The task as a person would put it."""
        if self.prompt:
            return f"Complete this Python function:\n```python\n{self.prompt}\n```"
        if self.said:
            return f"{self.said}\n```python\n{self.code}\n```" if self.code else self.said
        said = f"It fails with: {self.error}\n" if self.error else ""
        return f"Please fix this code.\n```python\n{self.code}\n```\n{said}My test:\n```python\n{self.test}\n```"


def read_tasks(path: Path) -> list[Task]:
    """A JSONL file of tasks of one kind or both; other keys are passed over. Raises ConfigError naming file and line."""
    tasks = [_task(where, told) for where, told in objects(path, _known())]
    if not tasks:
        raise ConfigError(f"{path}: holds no task; a line has {_known()}")
    return tasks


def _task(where: str, told: Mapping[str, Any]) -> Task:
    kind = "repair" if "code" in told else "write"
    kind += " in words" if "said" in told else ""
    for key in KEYS[kind]:
        if not isinstance(told.get(key), str):
            raise ConfigError(f"{where}: {key}: is missing or no string; a line has {_known()}")
    words = {key: told[key] for key in ("said", "examples") if key in KEYS[kind]}
    if "code" in told:
        return Task(told["id"], told["test"], code=told["code"], error=str(told.get("error") or ""), **words)
    return Task(told["task_id"], told["test"], told.get("prompt", ""), told["entry_point"], **words)


def _known() -> str:
    return " or ".join(", ".join(keys) for keys in KEYS.values())


async def evaluate(
    tasks: Sequence[Task],
    writer: Writer,
    debugger: Debugger,
    sandbox: Sandbox,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, float]]:
    """The figures of each kind of task; shares are 0 to 1. Raises BotError if the sandbox runs no Python.

    `claimed` counts answers that say that the person's own checks hold (examples, expectations, or the failing test);
    `claimed_but_fail` those of them that are untrue: a check fails here, or one of the `examples` although the answer
    names none as unread, or the hidden test although the answer says "mends it". `examples_only` counts true ones where
    the hidden test fails all the same.
    """
    if "python" not in sandbox.languages:
        raise BotError("eval code needs a sandbox that runs Python; `rolecall doctor` says what is missing")
    found: dict[str, list[_Result]] = {"write": [], "repair": []}
    for done, task in enumerate(tasks, 1):
        judge = _repaired(task, debugger, sandbox) if task.code else _written(task, writer, sandbox)
        found[task.kind].append(await judge)
        progress(done, len(tasks))
    return {kind: _figures(kind, results) for kind, results in found.items() if results}


@dataclass(frozen=True, slots=True)
class _Result:
    """Whether the test passes, whether the answer claims that the person's checks hold, and whether that is true."""

    passes: bool
    claimed: bool
    holds: bool


def _figures(kind: str, results: Sequence[_Result]) -> dict[str, float]:
    claimed = [result for result in results if result.claimed]
    return {
        "tasks": len(results),
        "pass@1" if kind == "write" else "repair_rate": sum(result.passes for result in results) / len(results),
        "claimed": len(claimed),
        "claimed_but_fail": sum(not result.holds for result in claimed),
        "examples_only": sum(result.holds and not result.passes for result in claimed),
    }


async def _written(task: Task, writer: Writer, sandbox: Sandbox) -> _Result:
    done: Written = await _last(writer.written(_turn(task), task.request))
    if done.trial is None:
        return _Result(False, False, False)
    passes = await _passes(done.trial.code, f"{task.test}\ncheck({task.entry})", sandbox)
    claimed = bool(done.trial.held)
    return _Result(passes, claimed, claimed and await _true(done.trial, done.unread, task, sandbox))


async def _repaired(task: Task, debugger: Debugger, sandbox: Sandbox) -> _Result:
    turn = _turn(task)
    done: Debugged = await _last(debugger.debugged(turn, given(turn)))
    passes = done.after is not None and await _passes(done.after.code, task.test, sandbox)
    last = done.after or done.before
    holds = last is not None and done.claimed and await _true(last, done.unread, task, sandbox)
    return _Result(passes, done.claimed, holds and (passes or not done.calls_it_mended))


async def _true(trial: Trial, unread: int, task: Task, sandbox: Sandbox) -> bool:
    """Whether the checks hold anew and, if the answer names none as unread, what the person's words expect holds too."""
    if not await _passes(trial.code, "\n".join(trial.checks), sandbox):
        return False
    return bool(unread) or not task.examples or await _passes(trial.code, task.examples, sandbox)


def _turn(task: Task) -> Turn:
    room = Room("terminal", "evaluation", "direct", "direct")
    return Turn(task.id, Message(task.id, READER, room, task.request), Access())


async def _last(steps: AsyncIterator[Status | T]) -> T:
    """What the work ends with."""
    found = [step async for step in steps if not isinstance(step, Status)]
    return found[-1]


async def _passes(code: str, test: str, sandbox: Sandbox) -> bool:
    """Whether code comes through a test to its very end: one that leaves early has not passed."""
    mark = secrets.token_hex(8)
    program = f"{code}\n\n{test}\n\nimport sys\nsys.stdout.write('\\n' + {mark!r})\n"
    ran = await sandbox.run(Program("python", program), READER.ref)
    return ran.good and mark in ran.output
