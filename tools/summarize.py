"""summarize: the summarizer as a tool. What there is to summarize comes from the turn."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.summarizing import Summarizer
from bot.types import Answer, Turn
from tools.streaming import streamed


def summarize(summarizer: Summarizer) -> BaseTool:
    """The tool that summarizes. Its artifact is the Answer; its events go to the stream writer."""

    @tool("summarize", response_format="content_and_artifact", return_direct=True)
    async def summary(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Summarize a thread, a file, a document or a text; length and form as the request says.

        Args:
            request: what is wanted, as the person wrote it, with any text they pasted.
        """
        return await streamed(summarizer.answer(runtime.context, request), runtime)

    return summary
