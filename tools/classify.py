"""classify: the analyst's sorting as a tool. The messages come from the turn; the model only passes the request on."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.analyst import Analyst
from bot.types import Answer, Turn
from tools.streaming import streamed


def classify(analyst: Analyst) -> BaseTool:
    """The tool `classify`. Its artifact is the Answer; its events go to the stream writer."""

    @tool("classify", response_format="content_and_artifact", return_direct=True)
    async def run(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Sort messages, a file or this thread under labels that the person names, or into themes if they name none.

        Args:
            request: the request as the person wrote it, with the messages in it.
        """
        return await streamed(analyst.classify(runtime.context, request), runtime)

    return run
