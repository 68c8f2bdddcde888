"""write_code and debug_code as the agent holds them: the model gives a request, everything else comes from the turn."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool

from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.writer import Writer
from bot.assistant.planner import Specialist
from bot.types import Status, Turn
from connectors.ruff import Ruff
from tests.assistant.library import saying, turn
from tests.fakes import PlainSandbox, ScriptedModel
from tools.debug_code import debug_code
from tools.write_code import write_code

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
