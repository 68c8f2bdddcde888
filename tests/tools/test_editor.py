"""summarize, translate and draft as the agent holds them: one request from the model, everything else from the turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool

from bot.assistant.drafting import Drafter
from bot.assistant.given import Giver
from bot.assistant.planner import Specialist
from bot.assistant.summarizing import Summarizer
from bot.assistant.translating import Translator
from bot.types import Delta, Status, Turn
from tests.assistant.library import WordEmbeddings, passage, saying
from tests.assistant.texts import asked
from tests.fakes import FakeIndex, ScriptedModel
from tools.draft import draft
from tools.summarize import summarize
from tools.translate import translate

SECRET = passage("The takeover price is 4417.", "takeover.docx", "Takeover price")


def tool(name: str, index: FakeIndex | None = None) -> BaseTool:
    giver, model = Giver(index), saying("Das Gate hat sich geändert.")
    translator = Translator(giver, model, capable=True)
    makers: dict[str, Callable[[], BaseTool]] = {
        "summarize": lambda: summarize(Summarizer(giver, model, WordEmbeddings(), translator)),
        "translate": lambda: translate(translator),
        "draft": lambda: draft(Drafter(giver, model, WordEmbeddings(), capable=False)),
    }
    return makers[name]()


@pytest.mark.parametrize(
    ("name", "request_", "expected"),
    [
        ("summarize", "Summarize: The gate has changed.", "The gate has changed."),
        ("translate", "Translate into German: The gate has changed.", "Das Gate hat sich geändert."),
        ("draft", "Draft a mail that says the gate has changed.", "The gate has changed."),
    ],
)
async def test_the_answer_is_the_tools_own_and_ends_the_turn(name: str, request_: str, expected: str) -> None:
    model = ScriptedModel(script=[AIMessage("", tool_calls=[tool_call(name=name, args={"request": request_}, id="1")])])
    agent = create_agent(model, [tool(name)], context_schema=Turn)
    streamed, state = [], {}
    async for kind, piece in agent.astream(
        {"messages": [HumanMessage(request_)]}, context=asked(request_), stream_mode=["custom", "values"]
    ):
        if kind == "custom":
            streamed.append(piece)
        else:
            state = piece
    last = state["messages"][-1]
    assert expected in last.artifact.text
    assert last.artifact.text == last.text
    assert {type(piece) for piece in streamed} == {Status, Delta}


@pytest.mark.parametrize("name", ["summarize", "translate", "draft"])
def test_the_model_sees_a_request_and_nothing_else(name: str) -> None:
    made = tool(name)
    assert (made.name, Specialist.of(made).request) == (name, "request")
    assert set(made.tool_call_schema.model_json_schema()["properties"]) == {"request"}  # type: ignore[union-attr]


async def test_a_model_cannot_widen_what_a_summary_may_read() -> None:
    index = FakeIndex([SECRET])
    text = "Summarize the takeover price"
    smuggled = {"request": text, "access": "all", "labels": ["company"], "runtime": {"context": "root"}}
    one = asked(text)
    outsider = Turn(
        one.id, one.message, type(one.access)(frozenset({frozenset({"hr"})}), frozenset({"search_documents"}))
    )
    model = ScriptedModel(script=[AIMessage("", tool_calls=[tool_call(name="summarize", args=smuggled, id="1")])])
    agent = create_agent(model, [tool("summarize", index)], context_schema=Turn)
    state = await agent.ainvoke({"messages": [HumanMessage(text)]}, context=outsider)
    assert index.asked == [("takeover price", outsider.access)]
    assert "4417" not in state["messages"][-1].text
