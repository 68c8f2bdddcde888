"""A model that writes whatever arguments it likes: what reaches Qdrant is exactly the labels of the readers.

Part of that is LangChain's doing (unknown arguments are dropped, the runtime is injected), so a new version of it could
break it; this is where one would notice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import tool_call

from bot.assistant.librarian import Librarian
from bot.assistant.supervisor import Supervisor
from bot.types import Access, Answer, Done, Message, Passage, Principal, Room, Turn, for_everyone
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.filters import Only, only_for
from connectors.qdrant.gateway import Gateway
from tests.assistant.library import WordEmbeddings, saying
from tests.fakes import FakeRouter, ScriptedModel
from tools.search import search_documents

CANARY = "kestrel-4417"
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
ROOM = Room("slack", "T0HOME", "C0OPS", "private")
READERS = [frozenset({"company", "maintenance"}), frozenset({"company"})]
ACCESS = for_everyone(READERS, ["search_documents"], "hash")
ALL = [["company", "filings", "maintenance"]]
FULL = {"readers": ALL, "tools": ["search_documents"], "policy": "x"}
SHAPES: list[dict[str, Any]] = [
    {"role": "finance"}, {"roles": ["finance", "admin"]}, {"label": "filings"}, {"labels": ["filings"]}, {"labels": None},
    {"labels": "*"}, {"read": ["filings"]}, {"reads": "all"}, {"access": FULL}, {"access": None}, {"access": "all"},
    {"readers": ALL}, {"readers": []}, {"reader": "fiona"}, {"as": "fiona"}, {"user": "slack-user:T0HOME/U0FIONA"},
    {"principal": {"platform": "slack", "tenant": "T0HOME", "id": "U0FIONA", "groups": ["slack-group:S0FIN"]}},
    {"sender": "U0FIONA"}, {"on_behalf_of": "U0FIONA"}, {"impersonate": True}, {"sudo": True}, {"admin": 1},
    {"filter": {}}, {"filter": None}, {"filter": {"must": []}}, {"filter": {"should": [{"key": "labels"}]}},
    {"filters": [{"key": "labels", "match": {"any": ["filings"]}}]}, {"query_filter": {"must_not": []}},
    {"where": "labels = 'filings'"}, {"must": []}, {"should": []}, {"prefetch": [{"limit": 10_000}]},
    {"limit": 1_000_000}, {"limit": -1}, {"offset": 0}, {"collection": "other"}, {"with_payload": True},
    {"runtime": {"context": {"access": FULL}}}, {"runtime": None}, {"runtime": "admin"}, {"context": {"access": FULL}},
    {"config": {"configurable": {"access": FULL}}}, {"state": {"messages": []}}, {"turn": {"access": FULL}},
    {"turn": None}, {"store": {}}, {"tool_call_id": "x"}, {"__class__": "Access"}, {"self": None},
    {"query": "torque", "Query": "filings", "access": FULL, "runtime": {"context": {"access": FULL}}, "labels": ["filings"]},
]  # fmt: skip
OTHER_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("search_everything", {"query": "torque"}),
    ("search_documents_admin", {"query": "torque"}),
    ("search_documents", {}),
    ("search_documents", {"query": None}),
    ("search_documents", {"query": {"labels": ["filings"]}}),
    ("search_documents", {"query": ["torque", CANARY]}),
    ("write_code", {"task": "print the index"}),
]


class Captured:
    """The filter of each request to the engine."""

    def __init__(self) -> None:
        self.seen: list[Only] = []

    def __call__(self, access: Access) -> Only:
        self.seen.append(only_for(access))
        return self.seen[-1]


@pytest.fixture
def captured() -> Captured:
    return Captured()


@pytest.fixture
async def gateway(tmp_path: Path, captured: Captured) -> AsyncIterator[Gateway]:
    made = Gateway(EdgeEngine(tmp_path), WordEmbeddings(), filters=captured)
    texts = {"company": "The torque wrench is in the store.", "filings": f"The torque of filings is {CANARY}."}
    await made.put([Passage(f"p-{label}", f"{label}.md", text, frozenset({label})) for label, text in texts.items()])
    yield made
    await made.close()


def supervisor(gateway: Gateway, name: str, arguments: dict[str, Any]) -> Supervisor:
    """One whose model calls a tool in its own way first, and repeats all that it has heard afterwards."""
    librarian = Librarian(gateway, saying("unused"), WordEmbeddings())
    script = [AIMessage("", tool_calls=[tool_call(name=name, args=arguments, id="c1")]), AIMessage("That is all.")]
    model = ScriptedModel(script=script, offered=[], heard=[])
    return Supervisor(model, [search_documents(librarian)], FakeRouter("search_documents"), mode="model", capable=True)


async def answered(made: Supervisor) -> Answer:
    turn = Turn("t1", Message("m1", OSKAR, ROOM, "What is the torque?"), ACCESS)
    replies = [reply async for reply in made.answer(turn)]
    assert isinstance(replies[-1], Done)
    assert CANARY not in repr(replies)
    return replies[-1].answer


def test_there_are_fifty_shapes() -> None:
    assert len({json.dumps(shape, sort_keys=True) for shape in SHAPES}) == 50


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[:40])
async def test_no_argument_widens_the_search(gateway: Gateway, captured: Captured, shape: dict[str, Any]) -> None:
    await answered(supervisor(gateway, "search_documents", {"query": "What is the torque of filings?", **shape}))
    assert set(captured.seen) <= {Only((("company",),))}


async def test_the_search_itself_takes_place(gateway: Gateway, captured: Captured) -> None:
    found = await answered(
        supervisor(gateway, "search_documents", {"query": "What is the torque?", "labels": ["filings"]})
    )
    assert [source.document for source in found.sources] == ["company.md"]
    assert captured.seen
    assert set(captured.seen) == {Only((("company",),))}


@pytest.mark.parametrize(("name", "arguments"), OTHER_CALLS)
async def test_calls_of_other_tools_and_other_kinds_of_query_find_nothing_hidden(
    gateway: Gateway, captured: Captured, name: str, arguments: dict[str, Any]
) -> None:
    await answered(supervisor(gateway, name, arguments))
    assert set(captured.seen) <= {Only((("company",),))}
