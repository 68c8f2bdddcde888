"""One answer on its way: from messages and tools to a request for the engine, and from its tokens back to chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from connectors.models.choice import Constrained, Free, Grammars
from connectors.models.dialect import Dialect, grammar, read_calls, render
from connectors.models.engine import Chooser, Engine, Event, Request, Tokens
from connectors.models.reading import Reader


@dataclass(frozen=True, slots=True)
class Voice:
    """What a model needs besides its weights: how text becomes tokens and back, and how it calls tools."""

    tokenizer: Any
    dialect: Dialect
    grammars: Grammars
    ends: frozenset[int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call asks for. `tools` are in OpenAI's form; `choice` is `auto`, `any` or a tool's name."""

    engine: Engine
    voice: Voice
    model: str
    messages: Sequence[BaseMessage]
    stops: tuple[str, ...]
    tools: tuple[Mapping[str, Any], ...]
    choice: str
    limit: int
    temperature: float
    seed: int | None

    def prompt(self) -> list[int]:
        """The tokens that the model reads first."""
        dialect = self.voice.dialect
        shown = {"tools": list(self.tools)} if self.tools and dialect.native else {}
        tokens: list[int] = self.voice.tokenizer.apply_chat_template(
            render(self.messages, self.tools, dialect), add_generation_prompt=True, return_dict=False, **shown
        )
        return tokens

    def reader(self) -> Reader:
        """What turns tokens into text."""
        from tokenizers.decoders import DecodeStream

        backend = self.voice.tokenizer.backend_tokenizer
        stream = DecodeStream(skip_special_tokens=not self.tools)
        trigger = self.voice.dialect.trigger if self.tools else ""
        return Reader(lambda token: stream.step(backend, token), self.stops, trigger)

    def chooser(self) -> Chooser:
        """What chooses the tokens. Raises BotError if a tool's schema cannot be followed."""
        free = Free(self.temperature, self.seed)
        if not self.tools:
            return free
        grammars, dialect = self.voice.grammars, self.voice.dialect
        named = [tool for tool in self.tools if tool["function"]["name"] == self.choice]
        call = grammars.matcher(grammar(named or self.tools, dialect, forced=True))
        forced = self.choice != "auto"
        matcher = call.deep_copy() if forced else grammars.matcher(grammar(self.tools, dialect, forced=False))
        return Constrained(free, matcher, call, grammars.closers)


class Answer:
    """One answer being written: the request, and its events as chunks. Raises what `Engine.submit` raises."""

    def __init__(self, asked: Asked, deliver: Callable[[Event], None]):
        self.ended = False
        self._asked = asked
        self._reader = asked.reader()
        self._written = 0
        self.request = Request(asked.prompt(), asked.limit, asked.voice.ends, asked.chooser(), deliver)
        asked.engine.submit(self.request)

    def take(self, event: Event) -> list[ChatGenerationChunk]:
        """The chunks that an event makes; raises what went wrong on the engine."""
        if not isinstance(event, Tokens):
            raise event
        self._written += len(event.ids)
        text = self._reader.feed(event.ids)
        reason = "stop" if self._reader.stopped else event.reason
        if reason is None:
            return [ChatGenerationChunk(message=AIMessageChunk(content=text))] if text else []
        self.ended = True
        return [self._last(text + self._reader.rest(), reason)]

    def _last(self, text: str, reason: str) -> ChatGenerationChunk:
        read = len(self.request.prompt)
        calls = _call_chunks(self._reader.calls, self._asked.voice.dialect)
        finish = "tool_calls" if calls and reason == "stop" else reason
        message = AIMessageChunk(
            content=text,
            tool_call_chunks=calls,
            usage_metadata=UsageMetadata(
                input_tokens=read, output_tokens=self._written, total_tokens=read + self._written
            ),
            response_metadata={"finish_reason": finish, "model_name": self._asked.model},
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message, generation_info={"finish_reason": finish})


def _call_chunks(text: str, dialect: Dialect) -> list[ToolCallChunk]:
    """Whole calls, each in one chunk. One that was cut off is a JSON string, which LangChain files as invalid."""
    calls, broken = read_calls(text, dialect)
    whole = [(call["name"], json.dumps(call["args"], ensure_ascii=False), call["id"]) for call in calls]
    cut = [("", json.dumps(call["args"], ensure_ascii=False), call["id"]) for call in broken]
    return [tool_call_chunk(name=n, args=a, id=i, index=place) for place, (n, a, i) in enumerate(whole + cut)]
