"""One turn through the supervisor: who may do what, what is streamed, and what is said when nothing can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool, tool

from bot.assistant.planner import Mode
from bot.assistant.small_talk import TOOLS
from bot.assistant.supervisor import Supervisor
from bot.assistant.words import ENGLISH, JAPANESE
from bot.errors import IndexUnavailable, ModelUnavailable
from bot.types import Access, Answer, Citation, Delta, Done, Message, Principal, Reply, Room, Status, Turn
from tests.fakes import FakeRouter, ScriptedModel

FIONA = Principal("slack", "T0HOME", "U0FIONA")
DIRECT = Room("slack", "T0HOME", "D0", "direct")
FINANCE = Access(frozenset({frozenset({"company", "filings"})}), frozenset({"search_documents"}))
SOURCE = Citation(1, "airline/report.pdf", "Annual report", frozenset({"filings"}), page=7)


class Desk:
    """Tools that note the turn and the request that reached them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Turn, str]] = []

    def search(self) -> BaseTool:
        @tool("search_documents", response_format="content_and_artifact", return_direct=True)
        async def search(query: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
            """Search the documents."""
            self.asked.append(("search_documents", runtime.context, query))
            runtime.stream_writer(Status("Searching"))
            runtime.stream_writer(Delta("Revenue was 12 [1].", (SOURCE,)))
            return "Revenue was 12 [1].", Answer("Revenue was 12 [1].", (SOURCE,), ms={"search": 3.0})

        return search

    def translate(self) -> BaseTool:
        @tool("translate", response_format="content_and_artifact", return_direct=True)
        async def translate(text: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
            """Translate text."""
            self.asked.append(("translate", runtime.context, text))
            return "訳", Answer("訳")

        return translate


@pytest.fixture
def desk() -> Desk:
    return Desk()


def turn(text: str, access: Access = FINANCE) -> Turn:
    return Turn("t1", Message("m1", FIONA, DIRECT, text), access)


def calling(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[tool_call(name=name, args=arguments, id="c1")])


def house(
    desk: Desk, router: FakeRouter, *script: AIMessage, mode: Mode = "auto", capable: bool = False
) -> tuple[Supervisor, ScriptedModel]:
    model = ScriptedModel(script=list(script) or [AIMessage("I am the model.")], offered=[], heard=[])
    tools = [desk.search(), desk.translate()]
    return Supervisor(model, tools, router, mode=mode, capable=capable, model_name="scripted"), model


async def replies(supervisor: Supervisor, asked: Turn) -> list[Reply]:
    stream: AsyncIterator[Reply] = supervisor.answer(asked)
    return [reply async for reply in stream]


async def answer(supervisor: Supervisor, asked: Turn) -> Answer:
    last = (await replies(supervisor, asked))[-1]
    assert isinstance(last, Done)
    return last.answer


async def test_a_plain_question_goes_to_the_documents_without_a_model_call(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("search_documents"), capable=True)
    found = await answer(supervisor, turn("What was revenue?"))
    assert found.text == "Revenue was 12 [1]."
    assert found.sources == (SOURCE,)
    assert (found.plan.tool, found.plan.by, found.id) == ("search_documents", "router", "t1")
    assert {"plan", "search", "total"} <= set(found.ms)
    assert model.heard == []


async def test_status_and_text_stream_in_order_and_done_comes_last_and_once(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("search_documents"))
    seen = await replies(supervisor, turn("What was revenue?"))
    assert [type(reply) for reply in seen] == [Status, Delta, Done]


async def test_whoever_may_nothing_is_refused_and_nothing_runs(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("search_documents"), capable=True)
    refused = await answer(supervisor, turn("What was revenue?", Access()))
    assert (refused.refused, refused.text) == ("no-access", ENGLISH.no_access)
    assert (await answer(supervisor, turn("売上は？", Access()))).text == JAPANESE.no_access
    assert desk.asked == []
    assert model.heard == []


async def test_a_tool_that_was_not_granted_is_refused_and_what_is_granted_is_offered(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("translate"))
    refused = await answer(supervisor, turn("Translate this"))
    assert refused.refused == "not-granted"
    assert "`translate`" in refused.text
    assert ENGLISH.abilities["search_documents"] in refused.text
    assert desk.asked == []


@pytest.mark.parametrize("wanted", [tool for tool in TOOLS if tool != "search_documents"])
async def test_every_tool_that_was_not_granted_is_refused_by_name(desk: Desk, wanted: str) -> None:
    supervisor, _ = house(desk, FakeRouter(wanted))
    refused = await answer(supervisor, turn("Please do."))
    assert refused.text.startswith(ENGLISH.not_granted.format(what=ENGLISH.abilities[wanted], tool=wanted))
    assert ENGLISH.abilities["search_documents"] in refused.text


async def test_a_granted_tool_that_is_not_installed_is_said_to_be_missing(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("draft"))
    access = Access(FINANCE.readers, frozenset({"draft", "search_documents"}))
    refused = await answer(supervisor, turn("手紙を書いて", access))
    assert refused.refused == "not-granted"
    assert refused.text.startswith(JAPANESE.not_installed.format(what=JAPANESE.abilities["draft"], tool="draft"))


async def test_an_unsure_router_does_not_refuse_but_searches(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("translate", 0.4))
    assert (await answer(supervisor, turn("What is it in yen?"))).plan.tool == "search_documents"


async def test_an_unsure_router_asks_a_capable_model(desk: Desk) -> None:
    supervisor, model = house(
        desk, FakeRouter("draft", 0.4), calling("search_documents", query="revenue"), capable=True
    )
    found = await answer(supervisor, turn("Say, revenue?"))
    assert (found.plan.tool, found.plan.by) == ("search_documents", "model")
    assert desk.asked[0][2] == "revenue"
    assert len(model.heard) == 1


async def test_mode_router_never_asks_and_mode_model_always(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("search_documents", 0.3), mode="router", capable=True)
    await answer(supervisor, turn("Revenue?"))
    assert model.heard == []
    supervisor, model = house(desk, FakeRouter("draft"), calling("search_documents", query="revenue"), mode="model")
    assert (await answer(supervisor, turn("Revenue?"))).plan.by == "model"


async def test_only_granted_tools_are_offered_to_the_model(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("chat", 0.1), calling("search_documents", query="x"), capable=True)
    await answer(supervisor, turn("Revenue?"))
    both = Access(FINANCE.readers, frozenset({"search_documents", "translate", "write_code"}))
    await answer(supervisor, turn("Revenue?", both))
    assert model.offered == [["search_documents"], ["search_documents", "translate"]]


async def test_a_model_that_calls_an_ungranted_tool_is_refused_and_nothing_runs(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("chat", 0.1), calling("translate", text="x"), mode="model", capable=True)
    refused = await answer(supervisor, turn("Revenue?"))
    assert refused.refused == "not-granted"
    assert desk.asked == []


async def test_a_model_that_invents_a_tool_gets_the_routers_choice(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("search_documents"), calling("drop_tables", q="x"), mode="model")
    assert (await answer(supervisor, turn("Revenue?"))).sources == (SOURCE,)


SMUGGLED: list[dict[str, Any]] = [
    {"role": "admin"},
    {"access": {"readers": [["hr"]]}},
    {"filter": {"should": []}},
    {"labels": ["hr"], "limit": 10_000},
    {"turn": {"access": None}},
    {"runtime": {"context": {"access": {"readers": [["hr"]]}}}},
    {"runtime": None},
    {"context": "admin", "config": {"configurable": {"role": "admin"}}},
    {"state": {"messages": []}, "store": None, "tool_call_id": "x"},
]


@pytest.mark.parametrize("extra", SMUGGLED, ids=lambda extra: "+".join(extra))
async def test_smuggled_arguments_change_nothing(desk: Desk, extra: dict[str, Any]) -> None:
    call = calling("search_documents", query="revenue", **extra)
    supervisor, _ = house(desk, FakeRouter("search_documents"), call, mode="model")
    asked = turn("Revenue?")
    await answer(supervisor, asked)
    (name, seen, query), *more = desk.asked
    assert (name, query, more) == ("search_documents", "revenue", [])
    assert seen is asked


@pytest.mark.parametrize("arguments", [{}, {"query": None}, {"query": ["a"]}, {"text": "x"}])
async def test_arguments_that_do_not_fit_are_replaced_by_the_persons_words(
    desk: Desk, arguments: dict[str, Any]
) -> None:
    supervisor, _ = house(desk, FakeRouter("search_documents"), calling("search_documents", **arguments), mode="model")
    await answer(supervisor, turn("Revenue?"))
    assert desk.asked[0][2] == "Revenue?"


async def test_of_several_calls_at_once_the_first_is_made(desk: Desk) -> None:
    twice = AIMessage("", tool_calls=[tool_call(name="search_documents", args={"query": q}, id=q) for q in "ab"])
    supervisor, _ = house(desk, FakeRouter("search_documents"), twice, mode="model")
    await answer(supervisor, turn("Revenue?"))
    assert [query for _, _, query in desk.asked] == ["a"]


async def test_a_document_question_is_never_answered_from_the_models_memory(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("search_documents", 0.5), AIMessage("Revenue was 99."), capable=True)
    found = await answer(supervisor, turn("Revenue?"))
    assert "99" not in found.text
    assert found.sources == (SOURCE,)


async def test_a_model_that_is_away_leaves_the_choice_to_the_router(desk: Desk) -> None:
    class Away(ScriptedModel):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            raise ModelUnavailable("the model server does not answer")

    supervisor = Supervisor(Away(), [desk.search()], FakeRouter("search_documents", 0.4), capable=True)
    assert (await answer(supervisor, turn("Revenue?"))).sources == (SOURCE,)


async def test_an_error_for_the_person_travels_on(desk: Desk) -> None:
    @tool("search_documents", return_direct=True)
    async def search(query: str) -> str:
        """Search."""
        raise IndexUnavailable("the index is held by another process")

    supervisor = Supervisor(ScriptedModel(), [search], FakeRouter("search_documents"))
    with pytest.raises(IndexUnavailable, match="another process"):
        await answer(supervisor, turn("Revenue?"))


async def test_a_chain_that_does_not_end_is_stopped(desk: Desk) -> None:
    @tool("search_documents")
    async def search(query: str) -> str:
        """Search."""
        desk.asked.append(("search_documents", turn(""), query))
        return "more"

    model = ScriptedModel(script=[calling("search_documents", query="again")], offered=[], heard=[])
    supervisor = Supervisor(model, [search], FakeRouter("search_documents"), capable=True)
    stopped = await answer(supervisor, turn("Revenue?"))
    assert stopped.text == ENGLISH.too_many_steps
    assert len(model.heard) == 5


async def test_a_dialog_of_small_talk_and_a_question(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("chat"))
    assert (await answer(supervisor, turn("Good morning!"))).text == ENGLISH.greeting
    assert (await answer(supervisor, turn("ありがとうございます"))).text == JAPANESE.thanks
    told = await answer(supervisor, turn("What can you do?"))
    assert ENGLISH.abilities["search_documents"] in told.text
    assert "company, filings" in told.text
    assert not any(ENGLISH.abilities[name] in told.text for name in ENGLISH.abilities if name != "search_documents")
    assert told.sources == ()
    assert model.heard == []


async def test_small_talk_of_a_capable_model_is_told_that_it_knows_nothing(desk: Desk) -> None:
    supervisor, model = house(desk, FakeRouter("chat"), AIMessage("A horse walks into a bar."), capable=True)
    told = await answer(supervisor, turn("Tell me a joke."))
    assert (told.text, told.model, told.plan.tool) == ("A horse walks into a bar.", "scripted", "chat")
    assert model.offered == []
    assert "State no facts" in str(model.heard[0][0].content)


async def test_help_in_a_room_names_only_what_all_readers_share(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("chat"))
    readers = frozenset({frozenset({"company", "filings", "user:U0FIONA"}), frozenset({"company", "user:U0FIONA"})})
    told = await answer(supervisor, turn("help", Access(readers, frozenset({"search_documents"}))))
    assert "labelled company," in told.text
    assert "filings" not in told.text
    assert "U0FIONA" not in told.text


async def test_somebody_without_tools_hears_so(desk: Desk) -> None:
    supervisor, _ = house(desk, FakeRouter("search_documents"))
    refused = await answer(supervisor, turn("Revenue?", Access(FINANCE.readers, frozenset())))
    assert refused.refused == "not-granted"
    assert ENGLISH.offers_nothing in refused.text
    assert desk.asked == []


def test_a_tool_without_a_place_for_the_request_is_refused_at_the_start() -> None:
    @tool("search_documents")
    def search(number: int) -> str:
        """Search."""
        return ""

    with pytest.raises(TypeError, match="search_documents"):
        Supervisor(ScriptedModel(), [search], FakeRouter("chat"))
