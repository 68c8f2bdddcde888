"""The worst model there is, and a search that hands it everything it may have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, tool

from bot.ports import Index
from bot.types import Answer, Citation, Turn


class Echo(BaseChatModel):
    """It searches for what it was asked, and then prints everything that it was ever shown, each line once."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Echo:
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if isinstance(messages[-1], HumanMessage):
            call = tool_call(name="search_documents", args={"query": messages[-1].text}, id="c1")
            return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[call]))])
        lines = dict.fromkeys(line for message in messages for line in f"{message.type}: {message.text}".splitlines())
        return ChatResult(generations=[ChatGeneration(message=AIMessage("\n".join(lines)))])


async def nothing() -> list[str]:
    """Nothing happens in between, and there is nothing to add."""
    return []


def all_passages(index: Index, between: Callable[[], Awaitable[list[str]]] = nothing) -> BaseTool:
    """A search that hands every passage to the model, unchecked. `between` runs after it; the model gets its lines too."""

    @tool("search_documents", response_format="content_and_artifact")
    async def search(query: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Search."""
        found = await index.search(query, runtime.context.access, 100)
        added = await between()
        sources = [Citation(n, one.document, one.title, one.labels) for n, one in enumerate(found, 1)]
        told = "\n".join([*(f"{one.title}: {one.text}" for one in found), *added])
        return told, Answer("", tuple(sources), searched=True)

    return search
