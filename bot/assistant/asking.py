"""Asks a model under one of the prompts: the instructions are ours, all else is material in the message behind them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage


async def said_by(model: BaseChatModel, name: str, material: str, **places: str) -> str:
    """What a model writes under the prompt of that name, whose `places` are filled in."""
    instructions = _prompt(name)
    for place, value in places.items():
        instructions = instructions.replace(f"{{{place}}}", value)
    said = await model.ainvoke([SystemMessage(instructions), HumanMessage(material)])
    return said.text.strip()


@cache
def _prompt(name: str) -> str:
    return files("bot.assistant").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
