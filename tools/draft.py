"""draft: the drafter as a tool. It writes for the person who asks; it sends nothing."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.drafting import Drafter
from bot.types import Answer, Turn
from tools.streaming import streamed


def draft(drafter: Drafter) -> BaseTool:
    """The tool that drafts and rephrases messages. Its artifact is the Answer; its events go to the stream writer."""

    @tool("draft", response_format="content_and_artifact", return_direct=True)
    async def drafting(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Draft a message, or rephrase a text, in the tone, length and language that the request names.

        Args:
            request: what is wanted, as the person wrote it, with any text they pasted.
        """
        return await streamed(drafter.answer(runtime.context, request), runtime)

    return drafting
