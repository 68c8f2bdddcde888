"""Between LangChain's messages and tools and the text that a model reads and writes.

A chat template says how a model was taught to call tools; where it says nothing, the tools are described in the system
message, in the form that most open models learn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, InvalidToolCall, ToolCall, ToolMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
_SPACING = {"whitespace_flexible": False, "key_separator": ": ", "item_separator": ", "}
_COMBINED = frozenset({"allOf", "anyOf", "oneOf", "$ref", "additionalProperties", "patternProperties"})
_INSTRUCTIONS = (
    "You can call these tools:\n{tools}\n"
    'To call one, write only this:\n<tool_call>\n{{"name": "its name", "arguments": {{...}}}}\n</tool_call>'
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a model writes a tool call: `before`, a JSON object with `name` and `arguments`, `after`."""

    before: str
    after: str
    arguments: str = "arguments"
    native: bool = True

    @property
    def trigger(self) -> str:
        """The first text that can only be a tool call."""
        return self.before.rstrip() or '{"name":'


HERMES = Dialect("<tool_call>\n", "\n</tool_call>")
LLAMA = Dialect("", "", arguments="parameters")
TAUGHT = Dialect("<tool_call>\n", "\n</tool_call>", native=False)


def dialect_of(template: str) -> Dialect:
    """The form of tool calls that a chat template shows, or else the one that is taught in the system message."""
    if "tools" in template and "<tool_call>" in template:
        return HERMES
    if "tools" in template and '"parameters"' in template:
        return LLAMA
    return TAUGHT


def render(
    messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], dialect: Dialect
) -> list[dict[str, Any]]:
    """The messages as a chat template wants them; the tools too, if the template would not show them itself."""
    rows = [_row(message, dialect) for message in messages]
    if tools and not dialect.native:
        listed = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
        text = _INSTRUCTIONS.format(tools=listed)
        if rows and rows[0]["role"] == "system":
            text = f"{rows.pop(0)['content']}\n\n{text}"
        rows.insert(0, {"role": "system", "content": text})
    return rows


def _row(message: BaseMessage, dialect: Dialect) -> dict[str, Any]:
    row: dict[str, Any] = {"role": _ROLES.get(message.type, "user"), "content": str(message.text)}
    if isinstance(message, ToolMessage):
        if not dialect.native:
            return {"role": "user", "content": f"<tool_response>\n{message.text}\n</tool_response>"}
        row |= {"name": message.name or "", "tool_call_id": message.tool_call_id}
    if isinstance(message, AIMessage) and message.tool_calls:
        if dialect.native:
            row["tool_calls"] = [_called(call) for call in message.tool_calls]
        else:
            row["content"] += "".join(_written(call, dialect) for call in message.tool_calls)
    return row


def _called(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call["id"] or "",
        "type": "function",
        "function": {"name": call["name"], "arguments": call["args"]},
    }


def _written(call: ToolCall, dialect: Dialect) -> str:
    body = json.dumps({"name": call["name"], dialect.arguments: call["args"]}, ensure_ascii=False)
    return f"{dialect.before}{body}{dialect.after}"


def grammar(tools: Sequence[Mapping[str, Any]], dialect: Dialect, *, forced: bool) -> str:
    """An llguidance grammar: one call of one of the tools and nothing else, or text in which calls may occur."""
    opener = "" if forced else dialect.trigger
    calls = [_call_rule(f"call{n}", tool["function"], dialect, opener) for n, tool in enumerate(tools)]
    choice = " | ".join(f"call{n}" for n in range(len(tools)))
    start = (
        [f"start: {choice}"]
        if forced
        else [
            "start: (opened call)* TEXT",
            f"opened[lazy]: TEXT {_quoted(opener)}",
            r"TEXT: /(.|\n)*/",
            f"call: {choice}",
        ]
    )
    return "\n".join(["%llguidance {}", *start, *calls])


def _call_rule(rule: str, function: Mapping[str, Any], dialect: Dialect, opener: str) -> str:
    name = json.dumps(function["name"], ensure_ascii=False)
    head = f'{dialect.before}{{"name": {name}, "{dialect.arguments}": '.removeprefix(opener)
    schema = _closed(function.get("parameters") or {"type": "object"})
    return f"{rule}: {_quoted(head)} %json {json.dumps(schema)} {_quoted('}' + dialect.after)}"


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without room for arguments that the tool does not know, and with JSON on one line."""
    closed = dict(schema) | {"x-guidance": _SPACING}
    if "properties" in schema and not _COMBINED & schema.keys():
        closed["additionalProperties"] = False
    return closed


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def read_calls(text: str, dialect: Dialect) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The tool calls in a model's text, and what began like one but cannot be read."""
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for part in _parts(text, dialect):
        call_id = f"call_{uuid4().hex[:24]}"
        try:
            found, _ = json.JSONDecoder().raw_decode(part)
            calls.append(tool_call(name=found["name"], args=found[dialect.arguments], id=call_id))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            broken.append(invalid_tool_call(name=None, args=part, id=call_id, error=f"not a whole tool call: {error}"))
    return calls, broken


def _parts(text: str, dialect: Dialect) -> list[str]:
    if not dialect.before:
        return [text.strip()] if text.strip() else []
    return [part.lstrip() for part in text.split(dialect.before.rstrip())[1:]]
