"""sentiment: the analyst's reading of moods as a tool. The messages come from the turn; the model only passes the request on."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.analyst import Analyst
from bot.types import Answer, Turn
from tools.streaming import streamed


def sentiment(analyst: Analyst) -> BaseTool:
    """The tool `sentiment`. Its artifact is the Answer; its events go to the stream writer."""

    @tool("sentiment", response_format="content_and_artifact", return_direct=True)
    async def run(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Tell how positive or negative messages are: one message, a list, a file or this thread, each and in sum.

        Args:
            request: the request as the person wrote it, with the messages in it.
        """
        return await streamed(analyst.sentiment(runtime.context, request), runtime)

    return run
