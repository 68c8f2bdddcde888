"""search_documents as the agent holds it: the model gives a query, everything else comes from the turn."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.tool import tool_call

from bot.assistant.librarian import Librarian
from bot.types import Delta, Status, Turn
from tests.assistant.library import WordEmbeddings, passage, saying, turn
from tests.fakes import FakeIndex, ScriptedModel
from tools.search import search_documents

LEAVE = passage("Employees may take 25 days of paid leave each year.", "leave.docx", "Leave policy")
QUESTION = "How many days of paid leave may employees take?"


async def run(index: FakeIndex, arguments: dict[str, Any], asked: Turn) -> tuple[list[Any], list[Any]]:
    """What the tool streamed and the messages at the end, with a model that calls it with these arguments."""
    model = ScriptedModel(
        script=[AIMessage("", tool_calls=[tool_call(name="search_documents", args=arguments, id="1")])]
    )
    tool = search_documents(Librarian(index, saying("x"), WordEmbeddings()))
    agent = create_agent(model, [tool], context_schema=Turn)
    streamed, state = [], {}
    async for kind, piece in agent.astream(
        {"messages": [HumanMessage(QUESTION)]}, context=asked, stream_mode=["custom", "values"]
    ):
        if kind == "custom":
            streamed.append(piece)
        else:
            state = piece
    return streamed, state["messages"]


async def test_the_answer_is_the_tools_own_and_ends_the_turn() -> None:
    streamed, messages = await run(FakeIndex([LEAVE]), {"query": QUESTION}, turn(QUESTION))
    last = messages[-1]
    assert last.artifact.text == last.text == "Employees may take 25 days of paid leave each year. [1]"
    assert [source.document for source in last.artifact.sources] == ["leave.docx"]
    assert [type(piece) for piece in streamed] == [Status, Delta]


def test_the_model_sees_a_query_and_nothing_else() -> None:
    tool = search_documents(Librarian(FakeIndex(), saying("x"), WordEmbeddings()))
    assert tool.name == "search_documents"
    assert set(tool.tool_call_schema.model_json_schema()["properties"]) == {"query"}  # type: ignore[union-attr]


async def test_a_model_cannot_widen_what_it_may_read() -> None:
    index, asked = FakeIndex([LEAVE]), turn(QUESTION, frozenset({"hr"}))
    smuggled = {"query": QUESTION, "access": "all", "labels": ["company"], "runtime": {"context": "root"}}
    _, messages = await run(index, smuggled, asked)
    assert index.asked == [(QUESTION, asked.access)]
    assert messages[-1].artifact.sources == ()
