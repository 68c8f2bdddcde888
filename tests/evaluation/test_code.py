"""The figures of code, counted on code that is known to be right and wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.writer import Writer
from bot.errors import BotError, ConfigError
from bot.evaluation.code import Task, evaluate, read_tasks
from connectors.ruff import Ruff
from tests.assistant.library import saying
from tests.conftest import Ran
from tests.fakes import PlainSandbox

EXAMPLES = Path(__file__).parents[2] / "examples" / "code"
PROMPT = 'def double(x):\n    """Twice.\n\n    >>> double(2)\n    4\n    """\n'
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n"


async def figures(task: Task, said: str) -> dict[str, float]:
    sandbox, linter = PlainSandbox(), Ruff()
    writer, debugger = Writer(saying(said), sandbox, linter), Debugger(saying(said), sandbox, linter)
    [found] = (await evaluate([task], writer, debugger, sandbox)).values()
    return found


@pytest.mark.parametrize(
    ("body", "passes", "claimed", "only"),
    [("2 * x", 1.0, 1, 0), ("x ** 2", 0.0, 1, 1), ("undefined_thing(x)", 0.0, 0, 0)],
)
async def test_what_is_written_is_judged_by_the_hidden_test(body: str, passes: float, claimed: int, only: int) -> None:
    found = await figures(Task("t", TEST, PROMPT, "double"), f"```python\ndef double(x):\n    return {body}\n```")
    assert found == {"tasks": 1, "pass@1": passes, "claimed": claimed, "claimed_but_fail": 0, "examples_only": only}


@pytest.mark.parametrize(("code", "rate"), [("def f(x)\n    return x\n", 1.0), ("def f(x):\n    return g(x)\n", 0.0)])
async def test_a_repair_is_judged_by_its_test(code: str, rate: float) -> None:
    found = await figures(Task("t", "assert f(3) == 3", code=code), "no idea")
    assert found == {"tasks": 1, "repair_rate": rate, "claimed": int(rate), "claimed_but_fail": 0, "examples_only": 0}


@pytest.mark.parametrize(
    ("said", "body", "claimed", "untrue", "only"),
    [
        ("double(2) should be 4, double(3) should be 6.", "2 * x", 1, 0, 0),
        ("double(2) should be 4, double(3) should be 6.", "x + 3", 0, 0, 0),
        ("double(2) should be 4, double(3) should be 6.", "2 * x if x > 0 else 7", 1, 0, 1),
        ("double(2) should be 4 and double(3) should be two more.", "x ** 2", 1, 0, 1),
        ("double(2) should be 4, as was said.", "x ** 2", 1, 1, 0),
    ],
)
async def test_a_claim_about_words_is_judged_without_the_reading_that_it_rests_on(
    said: str, body: str, claimed: int, untrue: int, only: int
) -> None:
    # The last case is an answer that read less than what was meant, and did not say so.
    test, examples = (
        "def check(candidate):\n    assert candidate(0) == 0\n",
        "assert double(2) == 4\nassert double(3) == 6",
    )
    if "two more" in said or "as was" in said:
        test += "    assert candidate(3) == 6\n"
    task = Task("t", test, entry="double", said=f"Write a Python function double. {said}", examples=examples)
    found = await figures(task, f"```python\ndef double(x):\n    return {body}\n```")
    assert (found["claimed"], found["claimed_but_fail"], found["examples_only"]) == (claimed, untrue, only)


@pytest.mark.parametrize(
    ("code", "untrue", "only"),
    [
        ("def double(x):\n    return valeu\n\nvalue = 4\n", 1, 0),
        ("def double(x):\n    return x - 2\n", 0, 1),
    ],
    ids=["called mended", "said to pass the check"],
)
async def test_what_is_called_mended_has_to_pass_a_test_that_nobody_saw(code: str, untrue: int, only: int) -> None:
    said, examples = "double(2) should be 4.", "assert double(2) == 4"
    found = await figures(Task("t", "assert double(7) == 14", code=code, said=said, examples=examples), "no idea")
    assert (found["claimed"], found["claimed_but_fail"], found["examples_only"]) == (1, untrue, only)


async def test_code_that_leaves_early_has_not_passed() -> None:
    said = "```python\nimport sys\ndef double(x):\n    return 0\nsys.exit(0)\n```"
    assert (await figures(Task("t", TEST, PROMPT, "double"), said))["pass@1"] == 0.0


WRITE = [task for name in ("write", "prose") for task in read_tasks(EXAMPLES / f"{name}.jsonl") if not task.code]


@pytest.mark.parametrize("task", WRITE, ids=lambda task: str(task.id))
async def test_the_examples_have_solutions_that_pass(task: Task) -> None:
    texts = [(EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8") for name in ("write", "prose")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    [solution] = [one["canonical_solution"] for one in lines if one.get("task_id") == task.id]
    found = await figures(task, f"```python\n{task.prompt}{solution}```")
    assert (found["pass@1"], found["claimed"], found["claimed_but_fail"]) == (1.0, 1, 0)


def test_there_are_as_many_as_the_page_says() -> None:
    assert [len(read_tasks(EXAMPLES / f"{name}.jsonl")) for name in ("write", "repair", "prose")] == [10, 10, 14]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "set.jsonl:1: not valid JSON"),
        ("[]", "set.jsonl:1: needs an object with task_id"),
        ('{"prompt": "def f():", "test": ""}', "set.jsonl:1: task_id: is missing"),
        ('{"id": "a", "code": 7, "test": ""}', "set.jsonl:1: code: is missing or no string"),
        ('{"id": "a", "code": "x", "said": "y", "test": ""}', "set.jsonl:1: examples: is missing or no string"),
        ("", "holds no task"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_tasks(path)


async def test_without_python_nothing_is_measured() -> None:
    sandbox = PlainSandbox(languages=())
    writer, debugger = Writer(saying("x"), sandbox, Ruff()), Debugger(saying("x"), sandbox, Ruff())
    with pytest.raises(BotError, match="needs a sandbox"):
        await evaluate([Task("t", "", code="x")], writer, debugger, sandbox)


def test_a_file_that_is_not_there_is_named_by_the_command(rolecall: Callable[..., Ran]) -> None:
    ran = rolecall("eval", "code", "no.jsonl")
    assert ran.code == 2
    assert "no.jsonl: No such file" in ran.err
