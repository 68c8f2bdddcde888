"""A LangChain chat model that runs in this process, together with other chats, on the shared engine."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from connectors.models.answer import Answer, Asked, Voice
from connectors.models.engine import Engine, Event


class TransformersChat(BaseChatModel):
    """A chat model on the engine. `temperature` 0 takes the likeliest token each time.

    A call may set `max_tokens`, `temperature`, `seed`, `stop`, `tools` and `tool_choice`. Closing the stream or
    cancelling the task ends the writing before the next token.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine = Field(exclude=True, repr=False)
    voice: Voice = Field(exclude=True, repr=False)
    model_name: str
    max_tokens: int = 512
    temperature: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "rolecall-transformers"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.model_name, "max_tokens": self.max_tokens, "temperature": self.temperature}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice`: `auto` (or nothing), `any`, `none`, or the name of the tool that must be called."""
        offered = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=offered, tool_choice=_choice(tool_choice, offered), **kwargs)

    def _asked(self, messages: list[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]) -> Asked:
        return Asked(
            engine=self.engine,
            voice=self.voice,
            model=self.model_name,
            messages=messages,
            stops=tuple(stop or ()),
            tools=() if options.get("tool_choice") == "none" else tuple(options.get("tools") or ()),
            choice=options.get("tool_choice") or "auto",
            limit=int(options.get("max_tokens") or self.max_tokens),
            temperature=float(options.get("temperature", self.temperature)),
            seed=options.get("seed"),
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        answer = Answer(self._asked(messages, stop, kwargs), events.put)
        try:
            while not answer.ended:
                for chunk in answer.take(events.get()):
                    if run_manager:
                        run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                    yield chunk
        finally:
            answer.request.cancel()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        events: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def deliver(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(events.put_nowait, event)

        answer = await asyncio.to_thread(Answer, self._asked(messages, stop, kwargs), deliver)
        try:
            while not answer.ended:
                for chunk in answer.take(await events.get()):
                    if run_manager:
                        await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                    yield chunk
        finally:
            answer.request.cancel()


def _choice(wanted: str | dict[str, Any] | bool | None, tools: Sequence[Mapping[str, Any]]) -> str:
    """`auto`, `any`, `none` or a tool's name. Raises ValueError for a tool that is not offered."""
    if isinstance(wanted, dict):
        wanted = str(wanted.get("function", {}).get("name", ""))
    names = [str(tool["function"]["name"]) for tool in tools]
    match wanted:
        case None | False | "auto":
            return "auto"
        case True | "any" | "required":
            return "any"
        case "none":
            return "none"
        case name if name in names:
            return str(name)
    raise ValueError(f"tool_choice: {wanted!r}: no such tool; choices: auto, any, none, {', '.join(names)}")
