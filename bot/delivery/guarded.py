"""The model and the index behind their breakers: what a turn asks fails at once while they are known to be away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict

from bot.delivery.breaker import Breaker
from bot.errors import IndexUnavailable, ModelUnavailable
from bot.ports import Index
from bot.types import Access, Passage

SEARCH_LIMIT = 20.0
"""Seconds after which a search counts as failed."""
SILENCE = 60.0
"""Seconds for which a model server may say nothing before it counts as failed."""


class GuardedIndex:
    """An index behind a breaker; a slow one counts as a failing one. Implements the Index port."""

    def __init__(self, index: Index, breaker: Breaker, limit: float = SEARCH_LIMIT):
        self._index = index
        self._breaker = breaker
        self._limit = limit

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        """As the index does it. Raises IndexUnavailable: nothing is ever answered from anywhere else instead."""
        with self._breaker.guarding():
            try:
                async with asyncio.timeout(self._limit):
                    return await self._index.search(query, access, limit)
            except TimeoutError as error:
                raise IndexUnavailable("The documents cannot be searched at the moment: it takes too long.") from error


class GuardedChat(BaseChatModel):
    """A chat model behind a breaker. It is asked in LangChain's asynchronous way only."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    breaker: Any
    silence: float = SILENCE

    @property
    def _llm_type(self) -> str:
        return f"guarded-{self.inner._llm_type}"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind as the model inside would: its tool form, our call."""
        bound: Any = self.inner.bind_tools(tools, **kwargs)
        return self.bind(**getattr(bound, "kwargs", {}))

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("a guarded model is asked asynchronously")

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        with self.breaker.guarding():
            async with _audible(self.silence):
                return await self.inner._agenerate(messages, stop, run_manager, **kwargs)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        chunks, heard = self.inner._astream(messages, stop, run_manager, **kwargs), False
        with self.breaker.guarding():
            while True:
                async with _audible(self.silence):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                heard = heard or _says_something(chunk)
                yield chunk
            if not heard:  # a page of HTML with status 200 is read as an empty stream, other JSON as empty pieces
                raise ModelUnavailable("The model server said nothing; please try again.")


def _says_something(chunk: ChatGenerationChunk) -> bool:
    """Words, a tool call, or that it is finished: a model may have nothing to say."""
    message = chunk.message
    called = isinstance(message, AIMessageChunk) and message.tool_call_chunks
    return bool(message.content or called or (chunk.generation_info or {}).get("finish_reason"))


@asynccontextmanager
async def _audible(limit: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError as error:
        raise ModelUnavailable("The model did not answer in time; please try again.") from error
