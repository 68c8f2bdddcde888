"""A service that keeps failing is not asked for a while, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import tool

from bot.delivery.breaker import FAILURES, PAUSE, Breaker
from bot.delivery.guarded import GuardedChat, GuardedIndex
from bot.errors import IndexUnavailable, ModelUnavailable
from bot.types import Access, Passage
from tests.delivery.fakes import FakeClock
from tests.fakes import ScriptedModel

ACCESS = Access(frozenset({frozenset({"company"})}))


class Index:
    """An index that fails, hangs or answers."""

    def __init__(self) -> None:
        self.mood = "fine"
        self.asked = 0

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        self.asked += 1
        if self.mood == "hangs":
            await asyncio.sleep(3600)
        if self.mood == "fails":
            raise IndexUnavailable("refused")
        return []


class Failing(BaseChatModel):
    """A model that breaks off after one word."""

    asked: int = 0
    silent: bool = False

    @property
    def _llm_type(self) -> str:
        return "failing"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked += 1
        if self.silent:
            await asyncio.sleep(3600)
        yield ChatGenerationChunk(message=AIMessageChunk("Half"))
        raise ModelUnavailable("cut")


@pytest.mark.parametrize("mood", ["fails", "hangs"])
async def test_it_opens_after_five_failures_tries_once_after_half_a_minute_and_closes_when_that_works(
    mood: str,
) -> None:
    clock, index = FakeClock(), Index()
    guarded = GuardedIndex(index, Breaker(IndexUnavailable, "away", clock), limit=0.01)
    index.mood = mood
    for _ in range(FAILURES + 3):
        with pytest.raises(IndexUnavailable):
            await guarded.search("x", ACCESS)
    assert index.asked == FAILURES
    clock.now += PAUSE + 1
    with pytest.raises(IndexUnavailable):
        await guarded.search("x", ACCESS)
    with pytest.raises(IndexUnavailable, match="away"):
        await guarded.search("x", ACCESS)
    assert index.asked == FAILURES + 1
    index.mood = "fine"
    clock.now += PAUSE + 1
    assert await guarded.search("x", ACCESS) == []
    assert await guarded.search("x", ACCESS) == []


async def test_failures_in_between_successes_do_not_open_it() -> None:
    index = Index()
    guarded = GuardedIndex(index, Breaker(IndexUnavailable, "away", FakeClock()))
    for mood in ["fails"] * 4 + ["fine"] + ["fails"] * 4 + ["fine"]:
        index.mood = mood
        if mood == "fine":
            assert await guarded.search("x", ACCESS) == []
        else:
            with pytest.raises(IndexUnavailable, match="refused"):
                await guarded.search("x", ACCESS)


@pytest.mark.parametrize("silent", [True, False])
async def test_a_model_that_breaks_off_or_says_nothing_opens_it_too(silent: bool) -> None:
    inner = Failing(silent=silent)
    chat = GuardedChat(inner=inner, breaker=Breaker(ModelUnavailable, "away", FakeClock()), silence=0.02)
    for _ in range(FAILURES + 2):
        with pytest.raises(ModelUnavailable):
            [chunk async for chunk in chat.astream("hello")]
    assert inner.asked == FAILURES


async def test_a_guarded_model_answers_as_the_one_inside_and_offers_its_tools() -> None:
    @tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    inner = ScriptedModel(script=[AIMessage("Hi.")])
    chat = GuardedChat(inner=inner, breaker=Breaker(ModelUnavailable, "away", FakeClock()))
    assert (await chat.bind_tools([add]).ainvoke("hello")).text == "Hi."
    assert inner.offered == [["add"]]
