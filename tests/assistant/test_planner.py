"""Fixed words, prompts, and the calls that the planner makes for a person."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.tools import tool

from bot.assistant.planner import Specialist, prompt
from bot.assistant.small_talk import TOOLS, fixed, help_text, refusal
from bot.assistant.words import ENGLISH, JAPANESE, Words
from bot.types import Access, Message, Principal, Room, Turn

ANNA = Principal("teams", "t", "anna")
DIRECT = Room("teams", "t", "d", "direct")


def turn(text: str, *tools: str, readers: frozenset[frozenset[str]] = frozenset({frozenset({"company"})})) -> Turn:
    return Turn("t", Message("m", ANNA, DIRECT, text), Access(readers, frozenset(tools)))


@tool("search_documents")
async def search(query: str, runtime: ToolRuntime[Turn], limit: int = 8) -> str:
    """Search."""
    return query


def test_a_call_hands_over_the_persons_words_alone() -> None:
    call = Specialist.of(search).call("What is the MEL?")
    assert (call["name"], call["args"]) == ("search_documents", {"query": "What is the MEL?"})


@pytest.mark.parametrize(
    ("arguments", "fit"),
    [
        ({"query": "x"}, True),
        ({"query": "x", "role": "admin"}, True),
        ({}, False),
        ({"query": 3}, False),
        ({"query": "x", "limit": "all"}, False),
    ],
)
def test_which_arguments_fit(arguments: dict[str, Any], fit: bool) -> None:
    assert Specialist.of(search).accepts(arguments) == fit


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("Hello", ENGLISH.greeting),
        ("hey there!", ENGLISH.greeting),
        ("Hi, how are you?", ENGLISH.wellbeing),
        ("Thanks a lot", ENGLISH.thanks),
        ("Goodbye", ENGLISH.goodbye),
        ("こんにちは", JAPANESE.greeting),
        ("お疲れ様です", JAPANESE.greeting),
        ("お元気ですか", JAPANESE.wellbeing),
        ("ありがとう", JAPANESE.thanks),
        ("また明日", JAPANESE.goodbye),
        ("Tell me a joke", None),
    ],
)
def test_fixed_words(said: str, reply: str | None) -> None:
    assert fixed(turn(said, "search_documents"), ["search_documents"]) == reply


@pytest.mark.parametrize(
    "said", ["What can you do?", "help", "hi, what can you do for me?", "何ができますか", "使い方を教えて"]
)
def test_help_offers_what_is_granted_and_installed_and_nothing_else(said: str) -> None:
    told = fixed(turn(said, "search_documents", "translate"), ["search_documents", "draft"])
    speak = ENGLISH if said.isascii() else JAPANESE
    assert told is not None
    assert [name for name in TOOLS if speak.abilities[name] in told] == ["search_documents"]
    assert speak.examples["search_documents"] in told
    assert "company" in told


def test_help_where_nothing_may_be_read_says_so() -> None:
    told = help_text(
        turn("help", "search_documents", readers=frozenset({frozenset(), frozenset({"company"})})), ["search_documents"]
    )
    assert ENGLISH.help_no_documents in told
    assert "company," not in told


def test_help_does_not_name_labels_that_the_readers_do_not_share() -> None:
    readers = frozenset({frozenset({"filings"}), frozenset({"sap"})})
    told = help_text(turn("help", "search_documents", readers=readers), ["search_documents"])
    assert ENGLISH.help_mixed in told
    assert not {"filings", "sap"} & set(told.split())


def test_a_refusal_names_the_tool_and_offers_the_rest() -> None:
    told = refusal(turn("訳して", "search_documents"), "translate", ["search_documents", "translate"])
    assert "`translate`" in told
    assert JAPANESE.abilities["search_documents"] in told
    assert refusal(turn("x"), "translate", ["translate"]).endswith(ENGLISH.offers_nothing)


@pytest.mark.parametrize("speak", [ENGLISH, JAPANESE], ids=["en", "ja"])
def test_every_word_is_there_for_every_tool(speak: Words) -> None:
    assert all(getattr(speak, field.name) for field in fields(speak))
    assert set(speak.abilities) == set(speak.examples) == set(TOOLS)


@pytest.mark.parametrize("name", ["supervisor", "chat"])
def test_prompts_are_there(name: str) -> None:
    assert len(prompt(name)) > 200
