"""Files tool calls that do not fit their tool's schema as invalid: a server promises nothing about what its model writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema
from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall
from langchain_core.messages.tool import ToolCallChunk, invalid_tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

Tools = Sequence[Mapping[str, Any]]
"""Tools in OpenAI's form."""
NO_OBJECT = "the arguments are no JSON object"


def misfit(name: str, arguments: object, tools: Tools) -> str:
    """What is wrong with a call; empty if one of the tools takes it."""
    schemas = {
        tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in tools if "function" in tool
    }
    if name not in schemas:
        return f"no such tool; choices: {', '.join(schemas)}"
    if not isinstance(arguments, dict):
        return NO_OBJECT
    try:
        jsonschema.validate(arguments, schemas[name])
    except jsonschema.ValidationError as error:
        return f"{'.'.join(map(str, error.absolute_path)) or 'arguments'}: {error.message}"
    return ""


def texts_in(delta: object) -> None:
    """Turn arguments that a server streams as JSON instead of a text with JSON into that text."""
    for call in _listed(delta, "tool_calls"):
        function = call.get("function")
        if isinstance(function, dict) and function.get("arguments") is not None:
            function["arguments"] = _text(function["arguments"])


def without_objects(message: object) -> list[InvalidToolCall]:
    """Take the calls whose arguments are JSON, but no object, out of a server's message: LangChain stumbles over them."""
    texts_in(message)
    calls = _listed(message, "tool_calls")
    broken = [call for call in calls if _no_object(call)]
    if isinstance(message, dict) and broken:
        message["tool_calls"] = [call for call in calls if call not in broken]
    return [
        invalid_tool_call(
            name=call["function"].get("name"), args=call["function"]["arguments"], id=call.get("id"), error=NO_OBJECT
        )
        for call in broken
    ]


def _listed(of: object, key: str) -> list[dict[str, Any]]:
    found = of.get(key) if isinstance(of, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _no_object(call: Mapping[str, Any]) -> bool:
    function = call.get("function")
    try:
        read = json.loads(function.get("arguments") or "{}") if isinstance(function, dict) else {}
    except ValueError:
        return False
    return bool(read) and not isinstance(read, dict)


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def file_misfits(message: AIMessage, tools: Tools) -> None:
    """Move the calls that do not fit to the invalid ones."""
    for call in list(message.tool_calls):
        if error := misfit(call["name"], call["args"], tools):
            message.tool_calls.remove(call)
            arguments = json.dumps(call["args"], ensure_ascii=False)
            message.invalid_tool_calls.append(
                invalid_tool_call(name=call["name"], args=arguments, id=call["id"], error=error)
            )


class Withheld:
    """The calls of a stream, held back until they are whole; text goes on at once."""

    def __init__(self, tools: Tools):
        self._tools = tools
        self._held = AIMessageChunk(content="")

    def take(self, chunk: ChatGenerationChunk) -> list[ChatGenerationChunk]:
        """What of a chunk may go on now."""
        message = chunk.message
        if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
            self._held += AIMessageChunk(content="", tool_call_chunks=message.tool_call_chunks)
            bare: dict[str, list[Any]] = {"tool_call_chunks": [], "tool_calls": [], "invalid_tool_calls": []}
            chunk = ChatGenerationChunk(message=message.model_copy(update=bare), generation_info=chunk.generation_info)
        last = isinstance(message, AIMessageChunk) and message.chunk_position == "last"
        return [*(self.rest() if last else []), chunk]

    def rest(self) -> list[ChatGenerationChunk]:
        """The calls that were held back."""
        calls = [self._filed(call) for call in self._held.tool_call_chunks]
        self._held = AIMessageChunk(content="")
        return [ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=calls))] if calls else []

    def _filed(self, call: ToolCallChunk) -> ToolCallChunk:
        """The call as it is, or with its arguments as a JSON string, which LangChain files as invalid."""
        written = call["args"] or "{}"
        try:
            wrong = misfit(call["name"] or "", json.loads(written), self._tools)
        except ValueError:
            wrong = "the arguments are no JSON"
        return tool_call_chunk(
            name=call["name"], args=json.dumps(written) if wrong else written, id=call["id"], index=call["index"]
        )
