"""Writing and debugging code as people ask for it: what is claimed was run, and what was not run is not claimed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGenerationChunk

from bot.assistant.codewords import ENGLISH, JAPANESE
from bot.assistant.engineer.checks import expected
from bot.assistant.engineer.codetext import MOST
from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.faults import CAUSES_EN, CAUSES_JA
from bot.assistant.engineer.writer import Writer
from bot.ports import Language, Program, Ran
from bot.types import Access, Answer, Excerpt, Exchange, Message, Principal, Reply, Room, Status, Turn, Upload
from connectors.ruff import Ruff
from tests.assistant.library import heard, saying
from tests.fakes import PlainSandbox, ScriptedModel, UnmendableSandbox

EXAMPLES = Path(__file__).parents[2] / "examples" / "code"
BUGGY = [json.loads(line) for line in (EXAMPLES / "repair.jsonl").read_text(encoding="utf-8").splitlines()]
DOUBLE = "```python\ndef double(x):\n    return 2 * x\n\nprint(double(21))\n```"
WRONG = "```python\ndef double(x):\n    return x ** 2 + 7\n```"


def turn(text: str, *, uploads: Sequence[Upload] = (), excerpts: Sequence[str] = (), history: Any = ()) -> Turn:
    asker, room = Principal("slack", "T0HOME", "U0FIONA"), Room("slack", "T0HOME", "D1", "direct")
    quoted = tuple(Excerpt("oskar", one) for one in excerpts)
    return Turn("1", Message("1", asker, room, text, excerpts=quoted), Access(), tuple(history), tuple(uploads))


async def write(
    text: str, *lines: str, sandbox: Any = None, capable: bool = False, **more: Any
) -> tuple[Answer, list[Reply]]:
    writer = Writer(saying(*lines), sandbox or PlainSandbox(), Ruff(), capable=capable, model_name="m")
    return await heard(writer.answer(turn(text, **more), text))


async def debug(text: str, *lines: str, capable: bool = False, **more: Any) -> tuple[Answer, list[Reply]]:
    model = saying(*lines or ("I have no idea.",))
    debugger = Debugger(model, PlainSandbox(), Ruff(), capable=capable, model_name="m")
    return await heard(debugger.answer(turn(text, **more), text))


class Refusing:
    """A sandbox that has no room at the moment."""

    tier = "refuse"
    languages = frozenset({"python"})

    async def run(self, program: Program, person: str = "") -> Ran:
        return Ran("refused", reason="two other programs are running")


async def test_the_answer_holds_the_code_and_what_it_really_printed() -> None:
    answer, events = await write("Write a Python function that doubles a number.", DOUBLE)
    assert "return 2 * x" in answer.text
    assert "I ran it (Python" in answer.text
    assert "```\n42\n```" in answer.text
    assert ENGLISH.unchecked in answer.text
    assert answer.model == "m"
    assert [event.text for event in events if isinstance(event, Status)] == [ENGLISH.writing, ENGLISH.running]


async def test_a_models_claim_outside_its_code_is_not_shown() -> None:
    said = f"I ran this and all 99 tests passed!\n{WRONG}\nIt printed 42."
    answer, _ = await write("Write a Python function that doubles a number.", said)
    assert "99" not in answer.text
    assert "42" not in answer.text
    assert ENGLISH.printed_nothing in answer.text


async def test_checks_from_the_request_decide_and_a_second_round_may_mend() -> None:
    request = "Write a Python function double. double(4) should be 8 and double(0) should be 0."
    answer, events = await write(request, "```python\ndef double(x):\n    return len(x)\n```", DOUBLE)
    assert ENGLISH.checks_hold.format(count=2) in answer.text
    assert ENGLISH.round.format(number=2, most=3) in [event.text for event in events if isinstance(event, Status)]


async def test_after_three_rounds_it_says_that_it_does_not_work() -> None:
    bad = "```python\nraise SystemExit('not today')\n```"
    answer, events = await write("Write a Python function double. double(4) should be 8.", bad)
    assert "8" not in answer.text.split("```")[0]
    assert ENGLISH.checks_unreached in answer.text
    assert "all hold" not in answer.text
    assert sum(event == Status(ENGLISH.running) for event in events) == 3


LOOPING = "fn reverse(head: T) {\n" + "    let tail = head.unwrap()\n    let head = tail.unwrap()\n" * 15


@pytest.mark.parametrize(
    ("request_", "said", "words"),
    [
        ("Write double in Python.", "```python\ndef double(x)\n    return 2 *\n```", ENGLISH.best_try),
        (
            "Write double in Python. double(2) should be 4.",
            "```python\ndef double(x):\n    return []\n```",
            ENGLISH.best_try,
        ),
        (
            "Write double in Python.",
            "```python\ndef double(x):\n    return 2 * x\n\ndef half(x):\n",
            ENGLISH.breaks_off,
        ),
        ("Write double in Python.", "```python\ndef double(x):\n    return 2 * x\n", ENGLISH.breaks_off),
        ("Write it in Rust: reverse a list.", "```rust\nfn reverse<T>(head: T) {\n    let x", ENGLISH.breaks_off),
        ("Write it in Rust: reverse a list.", f"```rust\n{LOOPING}```", ENGLISH.lost),
        ("Write it in Rust: reverse a list.", "```rust\nfn reverse(head: T) {}\n```", ENGLISH.here_is),
    ],
)
async def test_code_that_did_not_come_together_is_not_called_the_code(request_: str, said: str, words: str) -> None:
    answer, _ = await write(request_, said)
    language = "rust" if "Rust" in request_ else "Python"
    assert answer.text.startswith(words.format(language=language))
    assert answer.text.count("let tail") == 0


async def test_the_best_try_is_shown_not_the_last() -> None:
    first, last = "```python\ndef double(x):\n    return [x]\n```", "```python\nsql: 1: Syntax error\n```"
    answer, _ = await write("Write a Python function double. double(2) should be 4.", last, first, last)
    assert "return [x]" in answer.text
    assert "Syntax error" not in answer.text


async def test_without_a_sandbox_code_that_cannot_be_read_is_not_called_the_code() -> None:
    writer = Writer(saying("```python\ndef double(x)\n    return\n```"), None, Ruff())
    answer, _ = await heard(writer.answer(turn("Write double in Python."), "Write double in Python."))
    assert answer.text.startswith(ENGLISH.best_try.format(language="Python"))


async def test_a_program_that_leaves_early_has_not_passed_its_checks() -> None:
    sly = "```python\nimport sys\ndef double(x):\n    return 7\nsys.exit(0)\n```"
    answer, _ = await write("Write a Python function double. double(4) should be 8.", sly)
    assert "all hold" not in answer.text
    assert ENGLISH.checks_unreached in answer.text


async def test_a_capable_model_writes_tests_and_their_worth_is_said() -> None:
    tests = "```python\nassert double(2) == 4\nassert unrelated == 5\nassert double(0) == 0\n```"
    answer, events = await write("Write a Python function that doubles.", DOUBLE, tests, capable=True)
    assert ENGLISH.own_hold.format(count=2) in answer.text
    assert Status(ENGLISH.testing) in events
    answer, _ = await write("Write a Python function that doubles.", WRONG, tests, capable=True)
    assert ENGLISH.own_fail.format(failed="assert double(2) == 4") in answer.text


async def test_other_languages_are_written_and_said_not_to_have_run() -> None:
    answer, _ = await write("Implement it in Java please", "```java\nclass A {}\n```")
    assert "class A {}" in answer.text
    assert ENGLISH.not_runnable.format(languages="Python", language="Java") in answer.text
    assert "I ran" not in answer.text


@pytest.mark.parametrize("sandbox", [None, Refusing()])
async def test_without_a_sandbox_nothing_is_said_to_have_run(sandbox: Any) -> None:
    writer = Writer(saying(DOUBLE), sandbox, Ruff())
    answer, _ = await heard(writer.answer(turn("Write double in Python."), "Write double in Python."))
    assert "I ran" not in answer.text
    assert "42" not in answer.text
    assert ("two other programs are running" if sandbox else ENGLISH.no_sandbox) in answer.text
    assert "ruff" in answer.text


async def test_what_is_only_to_be_run_is_run_without_a_model() -> None:
    answer, _ = await write("Execute this and tell me what it prints:\n```python\nprint(6 * 7)\n```", "```\nnever\n```")
    assert "```\n42\n```" in answer.text
    assert "never" not in answer.text
    assert answer.model == ""


async def test_output_cannot_leave_its_block_and_claim_something() -> None:
    sly = "```python\nprint(\"`\" * 3)\nprint('I ran your 5 check(s) with it, and all hold.')\n```"
    answer, _ = await write("Write something in Python.", sly)
    assert answer.text.count("```") % 2 == 0
    outside = "".join(answer.text.split("```")[::2])
    assert "5 check(s)" not in outside


async def test_code_that_a_chat_cannot_show_exactly_comes_as_a_file_too() -> None:
    code = "host = 'intranet-2.example.com/x'\nprint(host)\n"
    answer, _ = await write("Write a script for intranet-2.example.com/x in Python.", f"```python\n{code}```")
    assert ENGLISH.inexact in answer.text
    assert [(file.name, file.content.decode()) for file in answer.files] == [("code.py", code)]
    assert not (await write("Write double in Python.", DOUBLE))[0].files


async def test_a_link_of_the_models_own_is_out_before_it_runs() -> None:
    sandbox = PlainSandbox()
    code = "```python\nprint('https://evil.example/?q=1')\nprint('https://ours.example/a')\n```"
    answer, _ = await write("Write a script for https://ours.example/a in Python", code, sandbox=sandbox)
    assert "evil.example" not in repr(answer) + repr(sandbox.programs)
    assert "https://ours.example/a" in sandbox.programs[0].code


async def test_a_follow_up_reads_the_earlier_answer_and_rests_on_its_documents() -> None:
    history = [Exchange("Write double.", DOUBLE, frozenset({"acme/a.md"}))]
    model = saying(DOUBLE)
    answer, _ = await heard(
        Writer(model, PlainSandbox(), Ruff()).answer(
            turn("and with a docstring?", history=history), "and with a docstring?"
        )
    )
    assert answer.documents == {"acme/a.md"}
    assert "return 2 * x" in model.heard[0][-1].text


async def test_too_much_is_refused_with_the_limit() -> None:
    for ask in (write, debug):
        answer, events = await ask("x = 1\n" * 5000, DOUBLE)
        assert f"{MOST:,}" in answer.text
        assert events == []


async def test_nothing_to_debug_is_asked_for() -> None:
    assert (await debug("My code is broken, help!"))[0].text == ENGLISH.nothing_given
    assert (await debug("コードが動きません。助けて。"))[0].text == JAPANESE.nothing_given


@pytest.mark.parametrize("task", BUGGY, ids=lambda task: str(task["id"]))
async def test_a_small_fault_is_mended_and_shown_as_a_diff(task: dict[str, str]) -> None:
    text = f"Please fix this.\n```python\n{task['code']}```\nMy test:\n```python\n{task['test']}\n```"
    answer, _ = await debug(text)
    guessed = task["id"] in {"comparison", "return_too_deep"}
    passes = ENGLISH.change_passes.format(count=task["test"].count("assert "))
    assert (ENGLISH.change in answer.text, passes in answer.text) == (not guessed, guessed)
    assert (ENGLISH.by_trial in answer.text) == guessed
    assert "```diff\n--- code.py\n+++ code.py\n@@" in answer.text
    assert "I ran the changed code (Python" in answer.text
    assert "and all hold. Nothing else was checked." in answer.text
    assert answer.model == ""


async def test_what_the_person_expects_is_a_check() -> None:
    answer, _ = await debug("def mean(xs):\n    return sum(xs) / len(xs) - 1\nmean([2, 4]) gives 2 but I expect 3")
    assert (
        "Your check(s) do not all hold with it: `assert (mean([2, 4])) == (3)` (`AssertionError: 2.0`)." in answer.text
    )
    assert "\n+    return sum(xs) / len(xs)\n" in answer.text


async def test_a_failed_assertion_in_the_code_is_a_failed_check_and_one_check_is_not_called_a_repair() -> None:
    code = "def is_leap(y):\n    return y % 4 == 0 and y % 100 != 0\n\nassert is_leap(2000), 'a leap year'\n"
    answer, _ = await debug(f"fix this please\n```python\n{code}```")
    assert ENGLISH.checks_unreached not in answer.text
    assert (
        "do not all hold with it: `assert is_leap(2000), 'a leap year'` (`AssertionError: a leap year`)" in answer.text
    )
    assert ENGLISH.change not in answer.text
    assert ENGLISH.change_passes.format(count=1) in answer.text
    assert ENGLISH.by_trial in answer.text


async def test_a_change_that_breaks_what_else_was_said_is_not_offered() -> None:
    code = "```python\ndef is_even(n):\n    return n > 5\n```"
    answer, _ = await debug(f"{code}\nis_even(2) should be True and is_even(3) should be False")
    assert "n < 5" not in answer.text
    assert ENGLISH.change not in answer.text


async def test_what_was_said_and_could_not_be_read_is_counted_where_the_checks_hold() -> None:
    request = "Write a Python function double. double(4) should be 8 and double(0) should be nothing at all."
    answer, _ = await write(request, DOUBLE)
    assert ENGLISH.checks_partly.format(count=1, unread=1) in answer.text
    assert "all hold" not in answer.text
    code = "```python\ndef double(x):\n    return X * 2\n```"
    answer, _ = await debug(f"{code}\ndouble(4) should be 8, double(0) should be whatever")
    assert ENGLISH.checks_partly.format(count=1, unread=1) in answer.text
    assert ENGLISH.change not in answer.text


@pytest.mark.parametrize(
    ("said", "pairs", "unread"),
    [
        ('f(3) should be "Fizz" and f(5) should be "Buzz" and f(6) should be 1', "3='Fizz' 5='Buzz' 6=1", 0),
        ("f(2) should be True and f(3) should be False.", "2=True 3=False", 0),
        ("f(2) should be 4, please check", "2=4", 0),
        ("f(2) should be 4, not 11", "2=4", 0),
        ("f(2) should return 6, not 5", "2=6", 0),
        ("f(2) should be 4, f(3) should be 9", "2=4 3=9", 0),
        ("`f(2)` should be `4`; `f(3)` should be “x”.", "2=4 3='x'", 0),
        ("f(2)は4、f(3)は9になるはず", "2=4 3=9", 0),
        ("f(2)は4になるはずで、f(3)は「九」になるはずです。", "2=4", 1),
        ("f(2)は「四」、f(3)は9になるはず", "3=9", 1),
        ("f(2) should be four and f(3) should be 9", "3=9", 1),
        ("f(2) should be 4 or 5", "", 1),
        ("f(2) should be 4 and 5", "", 1),
        ("f(2) should be 4, 5", "", 1),
        ("f(2) should be (4, 5).", "2=(4,5)", 0),
        ("f(2) should be 4 times as much", "", 1),
        ("f(1) and f(2) should be 4", "2=4", 1),
        ("f(1) should be 4, f(2) 5", "1=4", 1),
        ("f(2) should not be 4", "", 1),
        ("f('a(b)') should be 'f(2) -> 3', and f(3) should be [1, 2]", "'a(b)'='f(2)->3' 3=[1,2]", 0),
        ("f(1) should be 'x and f(5) should be 'y'", "5='y'", 1),
        ("f(4) gives 2 instead of 3, and f(1) gives 0 but I expect 1.", "4=3 1=1", 0),
    ],
)
def test_each_expectation_is_read_as_it_was_said_or_counted_as_unread(said: str, pairs: str, unread: int) -> None:
    read = expected(said, "")
    found = [re.fullmatch(r"assert \(f\((.+?)\)\) == \((.+)\), repr\(.*\)", check) for check in read.checks]
    values = " ".join(f"{one[1]}={one[2]}".replace(" ", "").replace('"', "'") for one in found if one)
    assert (values, read.unread) == (pairs, unread)


async def test_a_failure_that_nothing_mends_is_not_called_mended() -> None:
    code = "```python\ndef f(x):\n    return frobnicate_all(x)\nf(1)\n```"
    answer, _ = await debug(f"Why does this fail?\n{code}")
    assert "`NameError: name 'frobnicate_all' is not defined`" in answer.text
    assert "in line 2" in answer.text
    assert "A name is used that nothing has set" in answer.text
    assert "F821" in answer.text
    assert ENGLISH.change not in answer.text
    assert "none of them made it work" in answer.text


WRONG_SUM = "Fix it:\n```python\ndef f(a, b):\n    total = a - b + 1\n    return total * 2\n```\nf(1, 2) should be 77."


async def test_trying_repairs_says_how_many_were_tried_and_how_many_may_be() -> None:
    sandbox = UnmendableSandbox()
    answer, events = await heard(Debugger(saying("?"), sandbox, Ruff()).answer(turn(WRONG_SUM), WRONG_SUM))
    told = [event.text for event in events if isinstance(event, Status)]
    counts = [ENGLISH.tried.format(tried=tried, most=150) for tried in range(5, sandbox.runs, 5)]
    assert len(counts) >= 3
    assert told == [ENGLISH.running, ENGLISH.mending, *counts, ENGLISH.round.format(number=1, most=1)]
    assert ENGLISH.unmended.format(tried=sandbox.runs - 1) in answer.text


async def test_trying_repairs_stops_in_the_middle_with_the_run_that_is_under_way() -> None:
    sandbox = UnmendableSandbox(last=8)
    debugging = asyncio.create_task(heard(Debugger(saying("?"), sandbox, Ruff()).answer(turn(WRONG_SUM), WRONG_SUM)))
    await sandbox.reached.wait()
    debugging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await debugging
    assert (sandbox.runs, sandbox.stopped) == (8, 1)


async def test_what_takes_too_long_ends_the_trying_and_is_told() -> None:
    sandbox = UnmendableSandbox(last=8)
    debugger = Debugger(saying("?"), sandbox, Ruff(), longest=1.0)
    answer, _ = await heard(debugger.answer(turn(WRONG_SUM), WRONG_SUM))
    assert (sandbox.runs, sandbox.stopped) == (8, 1)
    assert ENGLISH.unmended.format(tried=6) in answer.text


async def test_a_model_is_believed_only_if_the_run_speaks_for_it() -> None:
    text = "Fix it:\n```python\ndef f(x):\n    return fetch_level(x)\n```\n```python\nassert f(3) == 9\n```"
    wrong = "It works now, I tested it.\n```python\ndef f(x):\n    return x\n```"
    right = "```python\ndef f(x):\n    return x * x\n```"
    answer, events = await debug(text, wrong, wrong, right, capable=True)
    assert "\n+    return x * x\n" in answer.text
    assert "I tested it" not in answer.text
    assert "all hold" in answer.text
    assert answer.model == "m"
    assert Status(ENGLISH.round.format(number=3, most=3)) in events
    answer, _ = await debug(text, wrong, capable=True)
    assert ENGLISH.change not in answer.text


async def test_a_model_may_not_mend_by_deleting() -> None:
    code = "def f(x):\n    return fetch_level(x)\n\n\ndef g():\n    return 1\n\n\nf(3)\n"
    answer, _ = await debug(f"Fix it:\n```python\n{code}```", "```python\nprint('fine')\n```", capable=True)
    assert ENGLISH.change not in answer.text


async def test_a_traceback_alone_is_read_and_nothing_is_said_to_have_run() -> None:
    log = 'Traceback (most recent call last):\n  File "sync.py", line 31, in run\n    client.push(item)\n'
    answer, _ = await debug(f"{log}AttributeError: 'NoneType' object has no attribute 'push'")
    assert "31 (sync.py)" in answer.text
    assert "often None" in answer.text
    assert answer.text.endswith(ENGLISH.code_needed)
    assert "I ran" not in answer.text


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("What does this error mean? KeyError: 'vendor'", "`KeyError: 'vendor'`"),
        ("I get KeyError: 'vendor', why?", "`KeyError: 'vendor'`"),
        ("KeyError: '部署' とはどういう意味？", "`KeyError: '部署'`"),
        ("Why do I get a KeyError?", "`KeyError`"),
    ],
)
async def test_an_error_that_somebody_tells_of_is_explained(said: str, quoted: str) -> None:
    answer, _ = await debug(said)
    assert quoted in answer.text
    assert (CAUSES_JA if "意味" in said else CAUSES_EN)["KeyError"] in answer.text


async def test_a_query_for_tables_that_are_not_here_is_shown_and_its_limits_told() -> None:
    class EmptyDatabase(UnmendableSandbox):
        languages: frozenset[Language] = frozenset({"sql"})

        async def run(self, program: Program, person: str = "") -> Ran:
            return Ran("finished", 1, "", "main.sql, line 1: no such table: bookings", seconds=0.1)

    query = "```sql\nSELECT day, COUNT(*) FROM bookings GROUP BY day;\n```"
    answer, events = await write("Write a SQL query that counts bookings per day", query, sandbox=EmptyDatabase())
    assert answer.text.startswith(ENGLISH.here_is.format(language="SQL"))
    assert ENGLISH.no_table.format(table="bookings") in answer.text
    assert len(events) == 2


@pytest.mark.parametrize("said", ["run this: print(sum(range(10)))", "実行して：print(sum(range(10)))"])
async def test_code_in_the_line_that_asks_to_run_it_runs_as_it_is(said: str) -> None:
    answer, _ = await write(said, DOUBLE)
    assert "```\n45\n```" in answer.text
    assert answer.model == ""


async def test_a_function_is_given_the_name_that_the_request_calls_it_by() -> None:
    answer, _ = await write("Write a Python function that doubles. dbl(4) should be 8.", DOUBLE)
    assert "def dbl(x):" in answer.text
    assert ENGLISH.checks_hold.format(count=1) in answer.text


async def test_a_failure_of_another_language_is_read() -> None:
    answer, _ = await debug("thread 'main' panicked at src/main.rs:7:10:\ncalled `Option::unwrap()` on a `None` value")
    assert "7 (src/main.rs)" in answer.text


async def test_uploads_and_excerpts_are_debugged_and_the_file_that_the_log_names_is_meant() -> None:
    other = Upload("other.py", content=b"X = 1\n")
    faulty = Upload("sums.py", content=b"import other\n\nprint(other.X + totl)\ntotal = 1\n")
    log = "Traceback (most recent call last):\n  File \"/srv/sums.py\", line 3\nNameError: name 'totl' is not defined"
    answer, _ = await debug("Why does it stop?", uploads=[other, faulty], excerpts=[log])
    assert "NameError" in answer.text
    assert "in line 3" in answer.text


async def test_code_from_earlier_in_the_thread_is_debugged_with_its_documents() -> None:
    history = [Exchange("```python\nprint(1\n```", "Hm.", frozenset({"acme/a.md"}))]
    answer, _ = await debug("and why does it fail?", history=history)
    assert "+print(1)" in answer.text
    assert answer.documents == {"acme/a.md"}


async def test_without_a_sandbox_a_repair_is_only_suggested() -> None:
    text = "Fix it:\n```python\ndef f(x)\n    return y\n\n\ny = 1\n```"
    answer, _ = await heard(Debugger(saying("?"), None, Ruff()).answer(turn(text), text))
    assert "+def f(x):" in answer.text
    assert ENGLISH.suggestion in answer.text
    assert ENGLISH.change not in answer.text
    assert ENGLISH.no_sandbox in answer.text
    assert "I ran" not in answer.text


async def test_code_that_does_not_fail_is_not_mended() -> None:
    answer, _ = await debug("Find the bug in this:\n```python\nprint(1 + 1)\n```")
    assert "ended without an error" in answer.text
    assert "```\n2\n```" in answer.text
    assert ENGLISH.ask_expected in answer.text


async def test_answers_are_in_the_language_of_the_question() -> None:
    answer, events = await debug("なぜ動きませんか。\n```python\nprint(totl)\ntotal = 1\n```")
    assert "NameError" in answer.text
    assert "よくある原因" in answer.text
    assert Status(JAPANESE.running) in events


async def test_a_key_that_is_not_there_yet_may_be_an_item_itself() -> None:
    code = "def qty(orders):\n    found = {}\n    for o in orders:\n        found[o['id']] += o['qty'] * 2\n    return found\n"
    answer, _ = await debug(f"fix this\n```python\n{code}\nprint(qty([{{'id': 'A', 'qty': 2}}]))\n```")
    assert "+        found[o['id']] = found.get(o['id'], 0) + o['qty'] * 2" in answer.text
    assert "{'A': 4}" in answer.text


@pytest.mark.parametrize(
    ("said", "comment"),
    [
        ("This returns 3 instead of 2.5, can you debug it?", ""),
        ("Debug this please.", "# should be 2.5 for [1, 2, 3, 4]"),
    ],
)
async def test_what_should_come_out_is_read_from_a_remark_or_a_comment(said: str, comment: str) -> None:
    code = f"def middle(xs):\n    return xs[len(xs) // 2]\n\n{comment}\nprint(middle([1, 2, 3, 4]))\n"
    answer, _ = await debug(said, uploads=[Upload("logic.py", content=code.encode())])
    assert ENGLISH.ask_expected not in answer.text
    assert "`assert (middle([1, 2, 3, 4])) == (2.5)` (`AssertionError: 3`)" in answer.text


async def test_a_remark_is_no_check_where_it_may_mean_another_call() -> None:
    code = "def f(x):\n    return x\n\nprint(f(3))\nprint(f(4))\n"
    answer, _ = await debug("It returns 3 instead of 2.5", uploads=[Upload("logic.py", content=code.encode())])
    assert ENGLISH.ask_expected in answer.text
    assert "2.5" not in answer.text


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("debug this: for i in range(3) print(i)", "+for i in range(3): print(i)"),
        ("これを直して：print(sum([1, 2])", "+print(sum([1, 2]))"),
    ],
)
async def test_code_on_the_line_that_asks_is_code(text: str, mended: str) -> None:
    answer, _ = await debug(text)
    assert mended in answer.text


@pytest.mark.parametrize("text", ["It breaks: if I click on it (twice) it stops", "debug this: my laptop is slow"])
async def test_words_on_the_line_that_asks_are_not_code(text: str) -> None:
    assert (await debug(text))[0].text == ENGLISH.nothing_given


async def test_an_endless_loop_gets_the_step_that_it_lacks() -> None:
    text = "why does this never end\n```python\ni = 0\nwhile i < 3:\n    print(i)\n```"
    debugger = Debugger(saying("?"), PlainSandbox(seconds=1.0), Ruff())
    answer, _ = await heard(debugger.answer(turn(text), text))
    assert "did not come to an end" in answer.text
    assert ENGLISH.change_ends in answer.text
    assert "\n+    i += 1\n" in answer.text
    assert "```\n0\n1\n2\n```" in answer.text


class Slow(ScriptedModel):
    """A model that is asked and never comes to a word."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(3600)
        yield ChatGenerationChunk(message=AIMessageChunk(content=""))


async def test_the_search_for_a_change_ends_however_slow_the_model_is() -> None:
    text = "Fix it:\n```python\nprint(frobnicate_all(1))\n```"
    debugger = Debugger(Slow(script=[]), PlainSandbox(), Ruff(), capable=True, longest=0.0)
    answer, _ = await asyncio.wait_for(heard(debugger.answer(turn(text), text)), 60)
    assert "`NameError: name 'frobnicate_all' is not defined`" in answer.text
    assert ENGLISH.change not in answer.text


async def test_an_endless_program_is_stopped_and_said_so() -> None:
    text = "Run this:\n```python\nwhile True:\n    pass\n```"
    answer, _ = await write(text, sandbox=PlainSandbox(seconds=0.3))
    assert "did not come to an end" in answer.text


async def test_work_can_be_stopped() -> None:
    text = "Run this:\n```python\nwhile True:\n    pass\n```"
    writer = Writer(saying("x"), PlainSandbox(seconds=60), Ruff())
    task = asyncio.create_task(heard(writer.answer(turn(text), text)))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_models_tool_calls_come_to_nothing() -> None:
    call = tool_call(name="search_documents", args={"query": "secret"}, id="1")
    model = ScriptedModel(script=[AIMessage(DOUBLE, tool_calls=[call])])
    answer, _ = await heard(Writer(model, PlainSandbox(), Ruff()).answer(turn("Write double."), "Write double."))
    assert "42" in answer.text
    assert model.offered == []
