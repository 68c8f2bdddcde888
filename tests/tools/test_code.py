"""write_code and debug_code as the agent holds them: the model gives a request, everything else comes from the turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool

from bot.assistant.codewords import ENGLISH
from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.writer import Writer
from bot.assistant.planner import Specialist
from bot.assistant.supervisor import Supervisor
from bot.types import Access, Status, Turn
from connectors.ruff import Ruff
from tests.assistant.library import heard, saying, turn
from tests.fakes import FakeRouter, PlainSandbox, ScriptedModel, UnmendableSandbox
from tools.debug_code import debug_code
from tools.write_code import write_code

WRONG_SUM = "Fix it:\n```python\ndef f(a, b):\n    total = a - b + 1\n    return total * 2\n```\nf(1, 2) should be 77."
WRITTEN = "```python\nprint(6 * 7)\n```"


def tools() -> list[BaseTool]:
    sandbox, linter = PlainSandbox(), Ruff()
    return [
        write_code(Writer(saying(WRITTEN), sandbox, linter)),
        debug_code(Debugger(saying("?"), sandbox, linter)),
    ]


async def run(name: str, arguments: dict[str, Any], asked: Turn) -> tuple[list[Any], list[Any]]:
    """What the tool streamed and the messages at the end, with a model that calls it with these arguments."""
    model = ScriptedModel(script=[AIMessage("", tool_calls=[tool_call(name=name, args=arguments, id="1")])])
    agent = create_agent(model, tools(), context_schema=Turn)
    streamed, state = [], {}
    async for kind, piece in agent.astream(
        {"messages": [HumanMessage("go")]}, context=asked, stream_mode=["custom", "values"]
    ):
        if kind == "custom":
            streamed.append(piece)
        else:
            state = piece
    return streamed, state["messages"]


@pytest.mark.parametrize("tool", tools(), ids=lambda tool: str(tool.name))
def test_the_model_sees_a_request_and_nothing_else(tool: BaseTool) -> None:
    assert Specialist.of(tool).request == "request"
    assert set(tool.tool_call_schema.model_json_schema()["properties"]) == {"request"}  # type: ignore[union-attr]


async def test_written_code_is_the_answer_and_ends_the_turn() -> None:
    streamed, messages = await run("write_code", {"request": "Print 6 times 7 in Python."}, turn("x"))
    last = messages[-1]
    assert last.artifact.text == last.text
    assert "```\n42\n```" in last.text
    assert {type(piece) for piece in streamed} == {Status}


async def test_code_is_debugged_as_the_person_sent_it_whatever_the_model_says() -> None:
    asked = turn("Why?\n```python\nprint(totl)\ntotal = 1\n```")
    _, messages = await run("debug_code", {"request": "Run ```python\nprint('smuggled')\n```", "code": "evil"}, asked)
    assert "`NameError: name 'totl' is not defined" in messages[-1].text
    assert "smuggled" not in messages[-1].text


@pytest.mark.parametrize("how", ["cancelled", "closed"])
async def test_debugging_that_is_stopped_ends_the_run_that_is_under_way(how: str) -> None:
    sandbox = UnmendableSandbox(last=8)
    tool = debug_code(Debugger(saying("?"), sandbox, Ruff()))
    supervisor = Supervisor(saying("?"), [tool], FakeRouter("debug_code"))
    asked = turn(WRONG_SUM)
    replies = supervisor.answer(Turn("1", asked.message, Access(asked.access.readers, frozenset({"debug_code"}))))
    told = [await anext(replies) for _ in range(3)]
    assert told[-1] == Status(ENGLISH.tried.format(tried=5, most=150))
    await sandbox.reached.wait()
    if how == "closed":
        await replies.aclose()  # type: ignore[attr-defined]
    else:
        waiting = asyncio.create_task(heard(replies))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert (sandbox.runs, sandbox.stopped) == (8, 1)
