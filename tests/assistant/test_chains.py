"""Requests of several parts: what is told apart, who is called with what, and what the answer rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import BaseTool, tool

from bot.assistant.chains import STEPS, joined, parts
from bot.assistant.supervisor import Supervisor
from bot.types import (
    Access,
    Answer,
    Citation,
    Delta,
    Done,
    Exchange,
    Message,
    Principal,
    Reply,
    Room,
    Section,
    Status,
    Turn,
    Upload,
)
from tests.fakes import FakeRouter, ScriptedModel

FIONA = Principal("slack", "T0HOME", "U0FIONA")
DIRECT = Room("slack", "T0HOME", "D0", "direct")
POLICY = Citation(1, "policy.md", "Refund policy", frozenset({"company"}))
BOTH = "find our refund policy and draft a friendly reply in Japanese"


class Desk:
    """A search and two editors that note what reached them."""

    def __init__(self, found: Answer | None = None) -> None:
        self.found = found or Answer(
            "Refunds take 14 days. [1]", (POLICY,), searched=True, rests_on=frozenset({"read.md"})
        )
        self.asked: list[tuple[str, Turn]] = []
        self.requests: list[str] = []

    def make(self, name: str, answer: Answer) -> BaseTool:
        @tool(name, response_format="content_and_artifact", return_direct=True)
        async def run(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
            """Serve."""
            self.asked.append((name, runtime.context))
            self.requests.append(request)
            runtime.stream_writer(Status(name))
            runtime.stream_writer(Delta(answer.text, answer.sources))
            return answer.text, answer

        return run

    def tools(self) -> list[BaseTool]:
        written = {"draft": Answer("お返事"), "translate": Answer("訳"), "summarize": Answer("短い")}
        return [self.make("search_documents", self.found), *(self.make(*one) for one in written.items())]


def asked(text: str, *tools: str) -> Turn:
    granted = frozenset(tools or ("search_documents", "draft", "translate", "summarize"))
    return Turn("t", Message("m", FIONA, DIRECT, text), Access(frozenset({frozenset({"company"})}), granted))


def calling(name: str, request: str) -> AIMessage:
    return AIMessage("", tool_calls=[tool_call(name=name, args={"request": request}, id=f"{name} {request}")])


async def served(desk: Desk, turn: Turn, *script: AIMessage, **how: Any) -> tuple[Answer, list[Reply], ScriptedModel]:
    model = ScriptedModel(script=list(script) or [AIMessage("mine")], offered=[], heard=[])
    router = FakeRouter("search_documents", how.pop("confidence", 1.0))
    supervisor = Supervisor(model, desk.tools(), router, **how)
    events = [event async for event in supervisor.answer(turn)]
    assert isinstance(events[-1], Done)
    return events[-1].answer, events[:-1], model


async def test_a_small_model_gets_the_chain_by_rule_and_is_never_asked() -> None:
    desk = Desk()
    answer, events, model = await served(desk, asked(BOTH))
    assert [name for name, _ in desk.asked] == ["search_documents", "draft"]
    assert desk.asked[0][1].message.text == "find our refund policy"
    assert desk.requests == ["find our refund policy", "draft a friendly reply in Japanese"]
    second = desk.asked[1][1]
    assert second.message.text == "draft a friendly reply in Japanese"
    assert [(one.author, one.text) for one in second.message.excerpts] == [("", "Refunds take 14 days.")]
    assert second.found == (desk.found,)
    assert second.access == desk.asked[0][1].access
    assert (answer.text, answer.sources, answer.plan.then) == ("お返事", (POLICY,), ("draft",))
    assert answer.documents == {"policy.md", "read.md"}
    assert not [event for event in events if isinstance(event, Delta)]
    assert "Step 2: draft and rephrase messages" in [event.text for event in events if isinstance(event, Status)]
    assert model.heard == []


async def test_a_later_step_works_on_the_text_that_was_made_last() -> None:
    desk = Desk()
    script = [calling("search_documents", "refunds"), calling("summarize", "it"), calling("translate", "it")]
    await served(desk, asked(BOTH), *script, AIMessage("Done."), capable=True)
    assert [[one.text for one in turn.found] for _, turn in desk.asked] == [[], [desk.found.text], ["短い"]]


async def test_sources_that_the_last_text_does_not_name_are_grounds_only() -> None:
    cited = Answer("Short. [1]", (POLICY,))
    other = Citation(2, "other.md", "Other", frozenset({"company"}))
    first = Answer("Refunds take 14 days. [1] So does post. [2]", (POLICY, other), searched=True)
    last = joined(cited, [first, cited])
    assert (last.sources, last.documents) == ((POLICY,), {"policy.md", "other.md"})


async def test_a_search_that_finds_nothing_ends_the_chain() -> None:
    desk = Desk(Answer("I found nothing.", searched=True))
    answer, _, _ = await served(desk, asked(BOTH))
    assert [name for name, _ in desk.asked] == ["search_documents"]
    assert answer.text == "I found nothing."


async def test_a_part_that_is_not_granted_is_said_and_the_rest_is_done() -> None:
    desk = Desk()
    answer, _, _ = await served(desk, asked(BOTH, "search_documents", "translate"))
    assert [name for name, _ in desk.asked] == ["search_documents"]
    assert answer.text.startswith("Refunds take 14 days. [1]")
    assert "`draft`" in answer.text


async def test_a_capable_model_chains_and_its_own_words_are_not_the_answer() -> None:
    desk = Desk()
    script = [calling("search_documents", "refunds"), calling("draft", "a reply"), AIMessage("Refunds take 99 days.")]
    answer, _, model = await served(desk, asked(BOTH), *script, capable=True)
    assert [name for name, _ in desk.asked] == ["search_documents", "draft"]
    assert desk.asked[1][1].message.excerpts[0].text == "Refunds take 14 days."
    assert (answer.text, answer.plan.by, answer.plan.then) == ("お返事", "model", ("draft",))
    assert answer.documents == {"policy.md", "read.md"}
    assert len(model.heard) == 3


async def test_a_model_that_never_ends_is_stopped_after_the_last_step() -> None:
    desk = Desk()
    script = [calling("search_documents", f"again {number}") for number in range(9)]
    answer, _, model = await served(desk, asked(BOTH), *script, capable=True)
    assert len(desk.asked) == len(model.heard) == STEPS
    assert answer.text == "Refunds take 14 days. [1]"


async def test_a_request_of_one_part_makes_no_second_call() -> None:
    desk = Desk()
    _, _, model = await served(
        desk, asked("What is our refund policy?"), calling("search_documents", "x"), mode="model"
    )
    assert (len(desk.asked), len(model.heard)) == (1, 1)


async def test_a_model_cannot_chain_to_what_is_not_granted() -> None:
    desk = Desk()
    script = [calling("search_documents", "refunds"), calling("draft", "a reply")]
    await served(desk, asked(BOTH, "search_documents", "translate"), *script, capable=True)
    assert "draft" not in [name for name, _ in desk.asked]


@pytest.mark.parametrize(
    ("said", "second"),
    [
        ("Look up the travel policy and translate it into German", "translate"),
        ("What is our refund policy? Please translate it into Japanese", "translate"),
        ("Search for the leave rules, then summarize them in three bullets", "summarize"),
        ("What are the rules for refunds? Answer in German, please", "translate"),
        ("返金規定を調べて、英語に翻訳してください", "translate"),
        ("出張規程を探して要約して", "summarize"),
        ("規則を確認して、新入社員への案内文を書いて", "draft"),
        ("What is the travel and write-off policy?", ""),
        ("How do I find and translate files?", ""),
        ("tell me about the policy and reply times", ""),
        ("What does the translation agency charge?", ""),
    ],
)
def test_what_has_two_parts(said: str, second: str) -> None:
    assert [part.tool for part in parts(said)] == (["search_documents", second] if second else [])


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("as three bullets", "summarize"),
        ("3つの箇条書きで", "summarize"),
        ("and the canteen?", "search_documents"),
        ("shorter", "search_documents"),
    ],
)
async def test_a_follow_up_that_wants_another_form_goes_to_the_editor(said: str, tool: str) -> None:
    turn = replace(asked(said), history=(Exchange("And in German?", "Urlaub."),))
    desk = Desk()
    await served(desk, turn)
    assert [name for name, _ in desk.asked] == [tool]


@pytest.mark.parametrize("said", ["shorter", "Make it shorter, please.", "もっと短くして"])
async def test_shorter_after_an_answer_from_documents_is_about_that_answer(said: str) -> None:
    turn = replace(asked(said), history=(Exchange("How long?", "14 days. [1]", frozenset({"policy.md"}), (POLICY,)),))
    desk = Desk()
    await served(desk, turn)
    assert [name for name, _ in desk.asked] == ["summarize"]


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("Summarize", "summarize"),
        ("summarise this file please", "summarize"),
        ("要約してください", "summarize"),
        ("Zusammenfassung bitte: Der Hangar ist frei.", "summarize"),
        ("translate", "translate"),
        ("翻訳して", "translate"),
        ("auf Deutsch bitte: The gate has changed.", "translate"),
        ("en français s'il vous plaît : The gate has changed.", "translate"),
        ("英語で：搭乗口が変わりました。", "translate"),
        ("Traduis ça en anglais, merci", "translate"),
        ("and in German?", "translate"),
        ("翻译成中文: the gate has changed", "translate"),
        ("Is it in German?", "search_documents"),
        ("日本語のマニュアル", "search_documents"),
        ("rephrase this", "draft"),
        ("Summarize the refund policy", "search_documents"),
        ("What does the summary say?", "search_documents"),
        ("fix", "search_documents"),
    ],
)
async def test_a_bare_verb_is_for_its_tool_if_there_is_one(said: str, tool: str) -> None:
    desk = Desk()
    await served(desk, asked(said))
    assert [name for name, _ in desk.asked] == [tool]


@pytest.mark.parametrize(
    ("confidence", "files", "tool"),
    [(0.5, ("Leave is 25 days.",), "summarize"), (0.5, (), "search_documents"), (0.9, ("Leave.",), "search_documents")],
)
async def test_where_the_router_is_not_sure_a_file_is_likelier_meant(
    confidence: float, files: tuple[str, ...], tool: str
) -> None:
    desk = Desk()
    uploads = tuple(Upload("a.txt", (Section(text),)) for text in files)
    await served(desk, replace(asked("this one, five lines"), uploads=uploads), confidence=confidence)
    assert [name for name, _ in desk.asked] == [tool]
