"""A capable model judges messages: it must choose one of the given words for each, and can do nothing else.

The messages are handed over as data; what a message says can change its own judgement at most.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, Field, ValidationError, create_model

from bot.errors import ModelUnavailable

BATCH = 20
"""Messages in one call: more, and models lose count."""


async def judged(
    model: BaseChatModel, question: str, choices: Sequence[str], texts: Sequence[str]
) -> AsyncIterator[list[str | None]]:
    """The choice for each text, a batch at a time; None where the model gave none that counts."""
    schema = _schema(tuple(choices))
    asked = model.bind_tools([schema], tool_choice="any")
    prose = files("bot.assistant").joinpath("prompts", "analyst.md").read_text(encoding="utf-8")
    instructions = SystemMessage(prose.replace("{question}", question).replace("{choices}", ", ".join(choices)))
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        numbered = [{"number": number, "message": text} for number, text in enumerate(batch, 1)]
        try:
            said = await asked.ainvoke([instructions, HumanMessage(json.dumps(numbered, ensure_ascii=False))])
            (call,) = said.tool_calls
            given: list[str] = schema.model_validate(call["args"]).model_dump()["choices"]
        except (ModelUnavailable, ValidationError, ValueError):
            given = []
        yield list(given) if len(given) == len(batch) else [None] * len(batch)


def _schema(choices: tuple[str, ...]) -> type[BaseModel]:
    one: Any = Literal[choices]
    return create_model(
        "judge",
        __doc__="Give the choice for each message.",
        choices=(list[one], Field(description="one a message, in order")),
    )
